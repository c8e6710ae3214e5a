"""Pushed images are tried out by their digest before they get tags."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from tests.e2e import support

from ci_buildkit.engine import containers
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import EngineError

DOCKERFILE = """
FROM alpine AS server
COPY Dockerfile /server
ENTRYPOINT ["/bin/sh", "-c", "echo entered; exec \\"$@\\"", "entry"]
CMD ["false"]
FROM alpine AS client
COPY Dockerfile /client
CMD ["false"]
"""
SECRET = "canary-8d1f0b"


@pytest.fixture
def path(project: Path) -> str:
    (project / "Dockerfile").write_text(DOCKERFILE)
    return f"smoke/{os.getpid()}/{project.parent.name}".lower().replace("_", "-")


def run(
    project: Path, environment: dict[str, str], lab: dict[str, str], builder: str, path: str, *words: str
) -> support.Run:
    """Push the server for two platforms."""
    return support.run(
        project, environment, "server", "--builder", builder, "--platform", "linux/amd64,linux/arm64",
        "--version", "v1", "--image", f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{path}", "--push", *words,
    )  # fmt: skip


def docker(environment: dict[str, str], *words: str) -> str:
    """What docker says."""
    return subprocess.run(["docker", *words], env=environment, capture_output=True, text=True, check=True).stdout


def test_an_image_gets_its_tag_once_its_commands_succeed(
    project: Path, environment: dict[str, str], lab: dict[str, str], builder: str, path: str
) -> None:
    words = ("--smoke", "test -f /server", "--smoke", "server=sh -c 'echo one, $CANARY two; uname -m'")
    done = run(project, environment, lab, builder, path, *words)
    assert done.code == 0, done.output
    [record] = done.record["images"]
    assert record["smoked"] == ["linux/amd64"]
    assert record["pushed"]
    assert "not tried out on linux/arm64" in done.output
    assert support.tags(lab, path) == ["v1"]
    log = done.log("server.smoke")
    assert log.count("entered") == 2
    assert "one, two" in log
    assert "x86_64" in log
    assert f"@{record['digest']}" in log
    assert path not in docker(environment, "image", "ls", "--all")


@pytest.mark.parametrize(
    ("command", "said", "shown"),
    [
        (
            "sh -c 'echo it is broken >&2; exit 7'",
            r"ended with exit code 7: (entered / it is broken|it is broken / entered) \(logs/server\.smoke\.log\)",
            "it is broken",
        ),
        ("no-such-program", "ended with exit code 127", "ended with exit code 127"),
    ],
)
def test_no_tag_moves_where_a_command_fails(
    command: str,
    said: str,
    shown: str,
    project: Path,
    environment: dict[str, str],
    lab: dict[str, str],
    builder: str,
    path: str,
) -> None:
    done = run(project, environment, lab, builder, path, "--smoke", "true", "--smoke", command, "--smoke", "echo after")
    assert done.code == 5, done.output
    [problem] = done.record["problems"]
    assert re.search(said, problem["reason"])
    assert re.search(said, " ".join(done.output.split()))
    [record] = done.record["images"]
    assert record["smoked"] == []
    assert not record["pushed"]
    assert support.tags(lab, path) == []
    assert shown in done.log("server.smoke")
    assert "after" not in done.log("server.smoke").replace("echo after", "")


def test_secrets_do_not_reach_the_log(
    project: Path, environment: dict[str, str], lab: dict[str, str], builder: str, path: str
) -> None:
    words = ("--secret", "id=token,env=TOKEN", "--smoke", f"echo {SECRET}")
    done = run(project, {**environment, "TOKEN": SECRET}, lab, builder, path, *words)
    assert done.code == 0, done.output
    assert "***" in done.log("server.smoke")
    assert SECRET not in done.log("server.smoke") + done.output


@pytest.mark.parametrize("smoke", ["servr=true", "server=", "sh -c 'true"])
def test_what_is_no_command_is_said_before_anything_is_built(
    smoke: str, project: Path, environment: dict[str, str], lab: dict[str, str], builder: str, path: str
) -> None:
    done = run(project, environment, lab, builder, path, "--smoke", smoke)
    assert done.code == 2, done.output
    assert "--smoke" in done.output
    assert not done.folder.exists()


def test_a_command_that_does_not_end_is_ended_with_its_container(
    environment: dict[str, str], lab: dict[str, str]
) -> None:
    buildx = Buildx(environment)
    reference = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/library/alpine:latest"
    lines: list[str] = []
    began = time.monotonic()
    container = containers.Container(reference, "linux/amd64", ("sh", "-c", "echo began; sleep 100"), 3)
    container.pull(buildx, Cancellation())
    ran = container.run(buildx, Cancellation(), lines.append)
    assert time.monotonic() - began < 20
    assert ran.timed_out
    assert lines == ["began"]
    assert "smoke-" not in docker(environment, "ps", "--all", "--format", "{{.Names}} {{.Command}} sleep 100")


def test_an_image_that_is_not_there_is_dockers_trouble(environment: dict[str, str], lab: dict[str, str]) -> None:
    reference = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/smoke/nothing@sha256:{'0' * 64}"
    with pytest.raises(EngineError, match="not found"):
        containers.Container(reference, "linux/amd64", ("true",), 60).pull(Buildx(environment), Cancellation())


def test_without_a_daemon_the_next_step_is_said(environment: dict[str, str]) -> None:
    builders = ("linux/amd64", "linux/amd64/v2", "linux/386", "linux/arm64", "linux/arm64/v9")
    nowhere = Buildx({**environment, "DOCKER_HOST": "unix:///nowhere.sock"})
    with pytest.raises(EngineError, match="cannot be tried out") as raised:
        containers.native(nowhere, builders)
    assert raised.value.hint
    assert containers.native(Buildx(environment), builders) == {"linux/amd64", "linux/amd64/v2", "linux/386"}
