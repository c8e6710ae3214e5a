"""Every request that publishing makes, against GitHub's own OpenAPI description.

Prism answers from the description with made-up answers, and with `--errors` refuses a request that does not fit it. It
gets the paths that are used, taken out of the real description: the whole of it would take a minute to load.
"""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.scripts import script

from ci_buildkit.artifacts.dist import File
from ci_buildkit.github.api import Repository
from ci_buildkit.github.checkrun import Check
from ci_buildkit.github.event import Source
from ci_buildkit.github.releases import Releases
from ci_buildkit.github.retry import Refused, Retry

REPOSITORY = "/repos/{owner}/{repo}"
USED = {
    f"{REPOSITORY}/check-runs": "post",
    f"{REPOSITORY}/check-runs/{{check_run_id}}": "patch",
    f"{REPOSITORY}/commits/{{ref}}/check-runs": "get",
    f"{REPOSITORY}/issues/{{issue_number}}/comments": "get post",
    f"{REPOSITORY}/issues/comments/{{comment_id}}": "patch",
    f"{REPOSITORY}/issues/{{issue_number}}/labels": "post",
    f"{REPOSITORY}/issues/{{issue_number}}/labels/{{name}}": "delete",
    f"{REPOSITORY}/pulls": "get",
    f"{REPOSITORY}/commits/{{ref}}": "get",
    f"{REPOSITORY}/releases": "get post",
    f"{REPOSITORY}/releases/tags/{{tag}}": "get",
    f"{REPOSITORY}/releases/{{release_id}}": "patch delete",
    f"{REPOSITORY}/releases/{{release_id}}/assets": "get post",
    f"{REPOSITORY}/releases/assets/{{asset_id}}": "delete",
    "/user": "get",
}
SHA = "ce587453ced02b1526dfb4cb910479d431683101"
ANNOTATION: dict[str, str | int] = {
    "path": "a.py", "start_line": 1, "end_line": 1, "annotation_level": "failure", "message": "m", "title": "t",
    "start_column": 2, "end_column": 3,
}  # fmt: skip


def npm_folder() -> Path:
    module = script("test_tools")
    folder: Path = module.npm_folder()
    assert folder.is_dir(), "the npm packages of tests/npm are not installed: call bin/test_tools.py"
    return folder


def references(value: Any) -> set[str]:
    """All `#/components/...` that a part of the description refers to."""
    return set(re.findall(r'"#(/components/[^"]+)"', json.dumps(value)))


def description(whole: dict[str, Any]) -> dict[str, Any]:
    """The description of the used operations, with all that they refer to."""
    paths = {
        path: {key: value for key, value in whole["paths"][path].items() if key in methods.split()}
        for path, methods in USED.items()
    }
    # GitHub's own example of this answer is not what its schema asks for; Prism makes one up instead.
    del paths[f"{REPOSITORY}/pulls"]["get"]["responses"]["200"]["content"]["application/json"]["examples"]
    # PyGithub asks for the media type by its older name, which GitHub takes and its description leaves out.
    content = paths[f"{REPOSITORY}/commits/{{ref}}/check-runs"]["get"]["responses"]["200"]["content"]
    content["application/vnd.github.v3+json"] = content["application/json"]
    components: dict[str, Any] = {}
    wanted = references(paths)
    seen: set[str] = set()
    while wanted:
        pointer = wanted.pop()
        seen.add(pointer)
        _, _, kind, name = pointer.split("/")
        part = whole["components"][kind][name]
        components.setdefault(kind, {})[name] = part
        wanted |= references(part) - seen
    return {"openapi": whole["openapi"], "info": whole["info"], "paths": paths, "components": components}


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def prism(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the mock server."""
    modules = npm_folder() / "node_modules"
    whole = json.loads((modules / "@octokit/openapi/generated/api.github.com.json").read_bytes())
    folder = tmp_path_factory.mktemp("prism")
    file = folder / "github.json"
    port = free_port()
    # Objects in answers have their own address, to which PyGithub sends what changes them.
    text = re.sub(r"https://(api|uploads)\.github\.com", f"http://127.0.0.1:{port}", json.dumps(description(whole)))
    file.write_text(text)
    command: list[str | Path] = [
        modules / ".bin/prism",
        "mock",
        "--errors",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        file,
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            pytest.fail(f"prism does not answer:\n{(folder / 'log').read_text()}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def repository(prism: str) -> Iterator[Repository]:
    made = Repository("octo/hello", "t", url=prism, retry=Retry(0), write_pause=0)
    yield made
    made.close()


def check(annotations: int = 120, **changes: Any) -> Check:
    fields = {
        "name": "ci-buildkit", "head": SHA, "external_id": "x", "conclusion": "failure", "title": "Failed",
        "summary": "s" * 65_535, "text": "t" * 65_535, "details_url": "https://github.com/octo/hello/actions/runs/1",
        "annotations": [ANNOTATION] * annotations,
    }  # fmt: skip
    return Check(**{**fields, **changes})


def test_the_mock_refuses_what_github_refuses(repository: Repository) -> None:
    with pytest.raises(Refused, match="422"):
        repository.create_check(check(1, summary="s" * 65_536))
    with pytest.raises(Refused, match="422"):
        repository.create_check(check(1, conclusion="broken"))


def test_check_runs(repository: Repository) -> None:
    repository.create_check(check())
    repository.create_check(check(0, text="", details_url="", conclusion="cancelled"))
    assert repository.checks("heads/release/1.0", "a name: with/signs") is not None
    assert repository.checks(SHA, "ci-buildkit") is not None


def test_comments(repository: Repository) -> None:
    repository.create_comment(7, "text", made=lambda: False)
    found = list(repository.comments(7))
    assert found
    found[0].edit("another text")
    assert isinstance(found[0].ours(), bool)
    assert repository.login()


def test_labels_and_pull_requests(repository: Repository) -> None:
    repository.label(7, "ci: red", on=True)
    repository.label(7, "ci: red", on=False)
    assert repository.pull_of(Source("octo", "fix/it"), SHA) is None


def test_releases(repository: Repository, tmp_path: Path) -> None:
    releases = Releases(repository)
    assert releases.commit("v1.0.0/x")
    assert releases.find("v1.0.0")
    made = releases.create("v1.0.0", prerelease=False, marked=True)
    releases.publish(made)
    (tmp_path / "app_1.0+x.tar.gz").write_bytes(b"\x00\xff")
    file = File(tmp_path / "app_1.0+x.tar.gz", 2, "0" * 64)
    sent = releases.upload(made, file)
    assert sent.state == "uploaded"
    assert not sent.holds(file), "the mock has a file of its own"
    assert releases.assets(made)
    releases.delete(sent)


def test_nothing_else_is_asked_for(prism: str) -> None:
    """What the mock does not know it refuses, so the tests above show that USED is the whole list."""
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{prism}/repos/octo/hello")
