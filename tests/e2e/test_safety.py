"""Secrets and passwords reach what needs them and nothing that is written; credentials are no build arguments."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.e2e import support

PASSWORD = "pw-canary-3141"
HASHED = "$2y$05$abcdefghijklmnopqrstuusFII5n4GVIJIVbpMufhx/C0D53AHN.O"  # of PASSWORD, bcrypt
BY_VARIABLE, BY_FILE = "variable-canary-2718", "file-canary-1618"

DOCKERFILE = """
FROM alpine AS lint
RUN --mount=type=secret,id=one --mount=type=secret,id=two \\
    echo "$(cat /run/secrets/one) and $(cat /run/secrets/two)" && cat /run/secrets/one >&2
FROM alpine AS test
RUN --mount=type=secret,id=one echo "--- FAIL: TestIt (0.00s)"; cat /run/secrets/one; exit 1
FROM scratch
COPY Dockerfile /
CMD ["x"]
"""


@pytest.fixture
def project(project: Path) -> Path:
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / "key").write_text(f"{BY_FILE}\n")
    support.commit(project)
    return project


def leaks(folder: Path, *canaries: str) -> list[str]:
    """The files below a folder that hold a canary, as it is or in base64."""
    forms = [form for c in canaries for form in (c.encode(), base64.b64encode(c.encode())[:-4])]
    return [str(path) for path in folder.rglob("*") if path.is_file() and any(f in path.read_bytes() for f in forms)]


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """A temporary folder for the runs of one test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


def test_secrets_are_in_nothing_that_is_written(
    project: Path, environment: dict[str, str], builder: str, temporary: Path
) -> None:
    given = {**environment, "CANARY": BY_VARIABLE, "GITHUB_ACTIONS": "true", "TMPDIR": str(temporary)}
    flags = ["--secret", "id=one,env=CANARY", "--secret", "id=two,src=key"]
    run = support.run(project, given, "--builder", builder, *flags, "lint", "test")
    assert run.code == 1, run.output
    assert "*** and ***" in run.log("lint")
    assert BY_VARIABLE not in run.output
    assert BY_FILE not in run.output
    assert leaks(run.folder, BY_VARIABLE, BY_FILE) == []
    assert list(temporary.iterdir()) == []
    bake = json.loads((run.folder / "bake.json").read_text())
    assert "args" not in bake["target"]["lint"]


def test_an_image_holds_no_secret(
    project: Path, environment: dict[str, str], lab: dict[str, str], builder: str
) -> None:
    name = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/safety/{os.getpid()}"
    given = {**environment, "CANARY": BY_VARIABLE}
    flags = ["--secret", "id=one,env=CANARY", "--image", name, "--push", "--provenance", "mode=max"]
    run = support.run(project, given, "--builder", builder, *flags, "image")
    assert run.code == 0, run.output
    [image] = run.record["images"]
    reference = f"{name}@{image['digest']}"
    for part in ("Provenance", "Image"):
        held = subprocess.run(
            ["docker", "buildx", "imagetools", "inspect", reference, "--format", f"{{{{json .{part}}}}}"],
            env=environment, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        assert len(held) > 200
        assert BY_VARIABLE not in held


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--secret", "id=one,env=NOBODY_SET_THIS"], "the variable NOBODY_SET_THIS is not set"),
        (["--secret", "id=two,src=nothing"], "cannot be read from nothing"),
        (["--build-arg", f"NPM_TOKEN={BY_VARIABLE}"], "NPM_TOKEN looks like a credential"),
        (["--login", "registry=localhost:1,username=me,password-env=NOBODY_SET_THIS"], "NOBODY_SET_THIS is empty"),
    ],
)
def test_what_would_leak_or_is_missing_is_refused(
    flags: list[str], message: str, project: Path, environment: dict[str, str], builder: str
) -> None:
    run = support.run(project, environment, "--builder", builder, *flags)
    assert run.code == 2, run.output
    assert message in run.output
    assert BY_VARIABLE not in run.output
    assert not run.folder.exists()


def test_a_credential_as_argument_passes_where_it_is_allowed(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    flags = ["--build-arg", "NPM_TOKEN=x", "--allow-credential-args", "--no-oci-layout"]
    run = support.run(project, environment, "--builder", builder, *flags, "image")
    assert run.code == 0, run.output


def test_credentials_of_a_cache_are_not_shown(project: Path, environment: dict[str, str], builder: str) -> None:
    cache = f"type=s3,bucket=b,region=r,access_key_id=AKIACANARY,secret_access_key={BY_VARIABLE}"
    words = ["plan", "--builder", builder, "--format", "bake", "--cache-to", cache, "lint"]
    printed = support.command(words, environment, cwd=project, check=True).stdout
    assert '"type=s3,bucket=b,region=r,name=lint,mode=max,ignore-error=true"' in printed
    assert BY_VARIABLE not in printed


@contextmanager
def locked_registry(lab: dict[str, str], folder: Path) -> Iterator[str]:
    """A registry that wants a password; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "htpasswd").write_text(f"ci:{HASHED}\n")
    (folder / "registry.yml").write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'storage'}}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
        f"auth: {{htpasswd: {{realm: test, path: {folder / 'htpasswd'}}}}}\n"
    )
    program = Path(lab["PATH"].split(":")[0]) / "registry"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve", folder / "registry.yml"], stdout=log, stderr=log)
    try:
        for _ in range(100):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait(10)


def tags(address: str, name: str) -> list[str]:
    """The tags of a repository of the locked registry."""
    credentials = base64.b64encode(f"ci:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    asked = urllib.request.Request(f"http://{address}/v2/{name}/tags/list", headers=headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return list(json.loads(answer.read())["tags"])


def test_a_login_holds_for_one_run_only(
    project: Path, environment: dict[str, str], lab: dict[str, str], tmp_path: Path, temporary: Path
) -> None:
    environment = {**environment, "TMPDIR": str(temporary)}
    settings = Path(lab["DOCKER_CONFIG"], "config.json")
    before = settings.read_bytes()
    (tmp_path / "registry").mkdir()
    with locked_registry(lab, tmp_path / "registry") as address:
        config = tmp_path / "buildkitd.toml"
        mirror = Path(lab["CI_BUILDKIT_BUILDKITD_CONFIG"]).read_text()
        config.write_text(f'{mirror}\n[registry."{address}"]\n  http = true\n')
        login = f"registry={address},username=ci,password-env=REGISTRY_PASSWORD"
        flags = ["--buildkitd-config", str(config), "--image", f"{address}/app", "--push", "--login", login, "image"]
        wrong = support.run(project, {**environment, "REGISTRY_PASSWORD": "wrong-canary"}, *flags)
        assert wrong.code == 4, wrong.output
        assert f"the login to {address} as ci failed" in wrong.output
        assert "check the user's name and the password" in wrong.output
        assert "wrong-canary" not in wrong.output
        run = support.run(project, {**environment, "REGISTRY_PASSWORD": PASSWORD}, *flags)
        assert run.code == 0, run.output
        assert tags(address, "app") == ["v0.0.0-g" + support.git(project, "rev-parse", "HEAD")[:7]] or tags(
            address, "app"
        )
    assert settings.read_bytes() == before
    assert PASSWORD not in run.output
    assert leaks(run.folder, PASSWORD) == []
    assert list(temporary.iterdir()) == []


def test_the_password_of_a_killed_run_goes_with_the_next(
    project: Path, environment: dict[str, str], lab: dict[str, str], builder: str, tmp_path: Path, temporary: Path
) -> None:
    (project / "Dockerfile").write_text("FROM alpine AS lint\nRUN echo asleep; sleep 60\nFROM alpine AS test\n")
    given = {**environment, "TMPDIR": str(temporary), "REGISTRY_PASSWORD": PASSWORD}
    (tmp_path / "registry").mkdir()
    with locked_registry(lab, tmp_path / "registry") as address:
        login = f"registry={address},username=ci,password-env=REGISTRY_PASSWORD"
        started = support.start(project, given, "--builder", builder, "--login", login, "lint", report="killed")
        started.wait_for("asleep")
        children = started.children()
        os.kill(started.pid, signal.SIGKILL)
        started.finish(20)
        for child in children:
            child.kill()
        assert leaks(temporary, PASSWORD)
        support.run(project, given, "--builder", builder, "test")
        assert list(temporary.iterdir()) == []
