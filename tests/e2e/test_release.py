"""A run of a tag, released: what the run wrote is what GitHub gets."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.e2e import support
from tests.github_server import serving

DOCKERFILE = """FROM scratch AS binaries
COPY hello.sh /
"""


def test_what_a_run_wrote_is_released(environment: dict[str, str], builder: str, project: Path) -> None:
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / "hello.sh").write_text("#!/bin/sh\necho hello\n")
    support.commit(project, "v1.2.3-rc.1")
    head = support.git(project, "rev-parse", "HEAD").strip()
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 0, run.output
    with serving() as github:
        github.releases.tags["v1.2.3-rc.1"] = head
        workflow = {
            **environment, "GITHUB_API_URL": github.url, "GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "octo/hello",
            "GITHUB_SHA": head, "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/tags/v1.2.3-rc.1",
        }  # fmt: skip
        words = ["publish", "--no-check", "--no-comment", "--release-assets", "--report-dir", str(run.folder)]
        support.command(words, workflow, cwd=project, check=True)
        (release,) = github.releases.all
    files = [file for file in (run.folder / "dist").iterdir() if file.is_file()]
    expected = {file.name: f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files}
    assert {asset["name"]: asset["digest"] for asset in release["assets"]} == expected
    assert {"checksums.txt", "manifest.json"} < expected.keys()
    assert (release["draft"], release["prerelease"]) == (False, True)
