"""What is asked of docker, and what is made of its answers and refusals."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_buildkit.engine.buildx import Buildx, explain
from ci_buildkit.errors import BuildFailed, CiBuildkitError, ConfigurationError, EngineError

Docker = Callable[[str], Path]


def say(text: str, code: int = 0, *, to: int = 1) -> str:
    """A script that prints and ends."""
    return f"cat >&{to} <<'END'\n{text}\nEND\nexit {code}"


def test_no_docker_command_is_an_engine_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError) as caught:
        Buildx(os.environ).check()
    assert caught.value.message == "there is no `docker` command on PATH"
    assert "make lab" in caught.value.hint


def test_the_version_of_buildx(docker: Docker) -> None:
    calls = docker(say("github.com/docker/buildx v0.38.2 0123abc"))
    buildx = Buildx(os.environ)
    assert (buildx.version, buildx.version) == ("v0.38.2", "v0.38.2")
    assert calls.read_text() == "buildx version\n"


def test_targets_are_asked_once_for_each_dockerfile_and_its_arguments(docker: Docker, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM alpine AS a\n")
    calls = docker(say('{"targets": [{"name": "a", "default": true}]}'))
    for _ in range(2):
        found = Buildx(os.environ, "mine").targets(tmp_path, file, {"A": "1"})
        assert found == [{"name": "a", "default": True}]
    asked = f"buildx build --builder mine --progress=quiet --call=targets,format=json --file {file} --build-arg A=1 {tmp_path}"
    assert calls.read_text().splitlines() == [asked]
    Buildx(os.environ, "mine").targets(tmp_path, file, {"A": "2"})
    file.write_text("FROM alpine AS b\n")
    Buildx(os.environ, "mine").targets(tmp_path, file, {"A": "2"})
    assert len(calls.read_text().splitlines()) == 3


def test_a_refused_dockerfile_is_not_kept_as_an_answer(docker: Docker, tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM alpine AS a\n")
    docker(say("Dockerfile:1\nERROR: failed to solve: dockerfile parse error on line 1: no", 1, to=2))
    with pytest.raises(BuildFailed) as caught:
        Buildx(os.environ).targets(tmp_path, file, {})
    assert "BuildKit refuses the Dockerfile" in caught.value.message
    assert "dockerfile parse error on line 1" in caught.value.message
    docker(say('{"targets": []}'))
    assert Buildx(os.environ).targets(tmp_path, file, {}) == []


def test_a_bake_file_s_targets_without_its_groups(docker: Docker, tmp_path: Path) -> None:
    docker(say('[{"name": "a"}, {"name": "all", "group": true}, {"name": "b", "default": true}]'))
    assert Buildx(os.environ).bake_targets(tmp_path / "x.hcl") == ["a", "b"]


def test_a_refused_bake_file_is_a_configuration_error(docker: Docker, tmp_path: Path) -> None:
    docker(say("ERROR: x.hcl:3: Unsupported argument", 1, to=2))
    with pytest.raises(ConfigurationError, match=r"the bake file is refused: x\.hcl:3: Unsupported argument"):
        Buildx(os.environ).bake_targets(tmp_path / "x.hcl")
    assert Buildx(os.environ).bake_default(tmp_path / "x.hcl") == frozenset()


def test_engine_trouble_is_not_blamed_on_the_file(docker: Docker, tmp_path: Path) -> None:
    docker(say("ERROR: Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", 1, to=2))
    file = tmp_path / "Dockerfile"
    file.write_text("FROM alpine\n")
    for ask in (
        lambda: Buildx(os.environ).targets(tmp_path, file, {}),
        lambda: Buildx(os.environ).bake_targets(file),
        lambda: Buildx(os.environ).version,
    ):
        with pytest.raises(EngineError, match="the Docker daemon does not answer"):
            ask()


@pytest.mark.parametrize(
    ("said", "message", "hint"),
    [
        ("ERROR: Cannot connect to the Docker daemon at tcp://x", "the Docker daemon does not answer", "DOCKER_HOST"),
        ("error during connect: this error may indicate", "the Docker daemon does not answer", "start it"),
        ("docker: unknown command: docker buildx\n\nRun 'docker --help'", "no buildx plugin", "docker-buildx-plugin"),
        ("docker: 'buildx' is not a docker command.", "no buildx plugin", "make lab"),
        ('ERROR: no builder "x" found', 'no builder "x" found', "builder create"),
        ("WARNING: a\nERROR: something else", "something else", ""),
        ("", "docker buildx ls failed", ""),
    ],
)
def test_known_causes_come_with_the_next_step(said: str, message: str, hint: str) -> None:
    error = explain(said, ("buildx", "ls"))
    assert message in error.message
    assert hint in error.hint
    assert bool(error.hint) is bool(hint)
    assert isinstance(error, CiBuildkitError)
    assert error.exit_code == 4


def test_output_that_is_no_utf8_is_survived(docker: Docker) -> None:
    docker("printf 'x v1 \\377\\n'")
    assert Buildx(os.environ).call("buildx", "version") == "x v1 \N{REPLACEMENT CHARACTER}"


def test_a_question_that_was_begun_is_asked_once(docker: Docker) -> None:
    calls = docker(say("an answer"))
    buildx = Buildx(os.environ)
    buildx.begin("buildx", "inspect", "mine")
    assert [buildx.call("buildx", "inspect", "mine") for _ in range(2)] == ["an answer"] * 2
    assert calls.read_text().splitlines() == ["buildx inspect mine"] * 2  # the second one is another question
    buildx.close()


def test_a_question_that_was_begun_is_refused_when_it_is_called_for(docker: Docker) -> None:
    docker(say('ERROR: no builder "mine" found', 1, to=2))
    buildx = Buildx(os.environ)
    buildx.begin("buildx", "inspect", "mine")
    with pytest.raises(EngineError, match='no builder "mine" found'):
        buildx.call("buildx", "inspect", "mine")


def test_a_question_that_nobody_called_for_is_ended(docker: Docker) -> None:
    calls = docker("exec sleep 600")
    buildx = Buildx(os.environ)
    began = time.monotonic()
    buildx.begin("buildx", "inspect", "mine")
    [process] = buildx._begun.values()
    while not calls.read_text():
        time.sleep(0.01)
    buildx.close()
    assert process.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 300


def test_without_docker_a_question_is_begun_in_vain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    buildx = Buildx(os.environ)
    buildx.begin("buildx", "version")
    with pytest.raises(EngineError, match="no `docker` command"):
        buildx.call("buildx", "version")
