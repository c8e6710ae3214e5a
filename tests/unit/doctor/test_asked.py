"""What docker and the linters on a machine are asked, and what is made of their answers; each is a script here."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from ci_buildkit.config.options import Options
from ci_buildkit.doctor import machine_builder, machine_registry
from ci_buildkit.doctor.checks import Checks, Question
from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.machine import Machine
from ci_buildkit.doctor.machine_builder import Builder, Emulation

QUESTION = Question("Dockerfile", ".", ())
NODE = "Name: b0\nStatus: {0}\nPlatforms: linux/amd64, linux/386\n"
SHOWN = "Name: b\nDriver: {1}\n\nNodes:\n" + NODE

Docker = Callable[[str], Path]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """Put a shell script on PATH as `docker`; returns the file of its calls."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")

    def make(body: str) -> Path:
        command, calls = tmp_path / "bin" / "docker", tmp_path / "calls"
        command.parent.mkdir(exist_ok=True)
        command.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{calls}'\n{body}\n", encoding="utf-8")
        command.chmod(0o755)
        calls.touch()
        return calls

    return make


def machine(root: Path, **options: object) -> Machine:
    return replace(Machine(root, dict(os.environ)), options=Options.model_validate(options))


def test_buildkit_s_checks_are_told_though_docker_ends_with_1(docker: Docker, tmp_path: Path) -> None:
    place = {"start": {"line": 3}, "end": {"line": 3}}
    found = {"ruleName": "FromAsCasing", "description": "d", "detail": "casing", "location": {"ranges": [place]}}
    answer = {"warnings": [found], "sources": [{"filename": "Dockerfile", "data": ""}]}
    docker(f"echo '{json.dumps(answer)}'; exit 1")
    checks = Checks(os.environ)
    assert checks.dockerfiles(tmp_path, [QUESTION]) == [Diagnosis("Dockerfile", 3, "FromAsCasing", "warning", "casing")]
    assert checks.trouble == ""


@pytest.mark.parametrize(
    ("said", "message"),
    [("ERROR: frontend not found", "frontend not found"), ("", "docker buildx build failed")],
)
def test_a_file_that_could_not_be_checked_is_a_notice(docker: Docker, tmp_path: Path, said: str, message: str) -> None:
    docker(f"echo '{said}' >&2; exit 1")
    [told] = Checks(os.environ).dockerfiles(tmp_path, [QUESTION])
    assert (told.rule, told.severity) == ("checks-not-run", "notice")
    assert told.message.startswith("BuildKit's own checks did not run")


def test_an_engine_in_trouble_is_asked_once(docker: Docker, tmp_path: Path) -> None:
    calls = docker("echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1")
    checks = Checks(os.environ)
    assert checks.dockerfiles(tmp_path, [QUESTION]) == []
    assert checks.dockerfiles(tmp_path, [QUESTION]) == []
    assert checks.trouble == "the Docker daemon does not answer"
    assert list(checks.bake(tmp_path, "docker-bake.hcl", [])) == []
    assert len(calls.read_text().splitlines()) == 1


def test_why_bake_refuses_a_file_is_told_with_its_line(docker: Docker, tmp_path: Path) -> None:
    calls = docker("echo 'ERROR: docker-bake.hcl:3,5-8: Unsupported argument; no argument named \"x\"' >&2; exit 1")
    [told] = Checks(os.environ).bake(tmp_path, "docker-bake.hcl", [])
    assert (told.rule, told.severity, told.line) == ("bake-refused", "error", 3)
    ours = Diagnosis("docker-bake.hcl", 1, "x", "error", "ours")
    before = calls.read_text()
    assert list(Checks(os.environ).bake(tmp_path, "docker-bake.hcl", [ours])) == []
    assert calls.read_text() == before, "bake ends at the first error, too"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (SHOWN.format("running", "docker-container"), Builder("b", "docker-container", ("linux/amd64", "linux/386"))),
        (SHOWN.format("inactive", "docker-container"),
         Builder("b", "docker-container", ("linux/amd64", "linux/386"), stopped=True)),
    ],
)  # fmt: skip
def test_a_builder_as_it_is(docker: Docker, tmp_path: Path, body: str, found: Builder) -> None:
    docker(f"cat <<'END'\n{body}END")
    assert machine_builder.look(machine(tmp_path, builder="b")) == found
    assert machine_builder.look(machine(tmp_path)) is None
    told = [flaw.message for flaw in machine_builder.exists(found)]
    assert told == (["the builder b does not run; the next run starts it"] if found.stopped else [])


def test_a_builder_that_is_not_there_or_does_not_answer(docker: Docker, tmp_path: Path) -> None:
    docker("echo 'ERROR: no builder \"b\" found' >&2; exit 1")
    absent = machine_builder.look(machine(tmp_path, builder="b"))
    assert absent is not None
    assert absent.absent
    docker(f"cat <<'END'\n{SHOWN.format('inactive', 'remote')}END")
    silent = machine_builder.look(machine(tmp_path, builder="b"))
    assert silent is not None
    [flaw] = machine_builder.exists(silent)
    assert "cannot be used: node b0 does not answer" in flaw.message


def test_platforms_of_a_bake_file_that_nothing_executes(docker: Docker, tmp_path: Path) -> None:
    (tmp_path / "docker-bake.json").write_text("{}")
    listed = '[{"name": "app"}, {"name": "all", "group": true}]'
    printed = '{"target": {"app": {"platforms": ["linux/amd64", "linux/s390x"]}}}'
    docker(
        f"case \"$*\" in *--list*) echo '{listed}';; *--print*) echo '{printed}';; "
        f"*) cat <<'END'\n{SHOWN.format('running', 'docker')}END\n;; esac"
    )
    found = machine_builder.emulation(machine(tmp_path), None)
    assert found == Emulation(
        (("linux/amd64", "docker-bake.json"), ("linux/s390x", "docker-bake.json")), ("linux/amd64", "linux/386")
    )
    [flaw] = machine_builder.emulated(found)
    assert flaw.message.startswith("linux/s390x, which docker-bake.json asks for")
    docker("echo nonsense")
    assert machine_builder.emulation(machine(tmp_path), None) == Emulation()


@pytest.mark.parametrize(
    ("body", "said", "refused"),
    [
        ("echo '{}'", "", False),
        ("echo 'ERROR: ghcr.io/acme/app:x: not found' >&2; exit 1", "", False),
        ("echo 'ERROR: unexpected status: 401 Unauthorized' >&2; exit 1", "unexpected status: 401 Unauthorized", True),
    ],
)
def test_each_registry_is_asked_once_and_an_image_that_is_not_there_is_no_trouble(
    docker: Docker, tmp_path: Path, body: str, said: str, *, refused: bool
) -> None:
    calls = docker(body)
    asked = machine(tmp_path, image=("ghcr.io/acme/app", "app=ghcr.io/acme/app"), builder="b")
    builder = Builder("b", "docker-container", ("linux/amd64",))
    [found] = machine_registry.look(asked, builder)
    assert (found.host, found.said, found.refused) == ("ghcr.io", said, refused)
    assert [call for call in calls.read_text().splitlines() if "--builder b" in call]
    assert machine_registry.look(machine(tmp_path), builder) == ()
