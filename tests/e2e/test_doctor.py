"""`ci-buildkit doctor` on the real engine: a healthy machine, machines that are broken in one way each, a messy project."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import support
from tests.e2e.test_safety import PASSWORD, locked_registry

GOOD = Path(__file__).parents[1] / "data" / "workflows" / "good.yml"
MACHINES = frozenset(
    [
        *(
            "no-docker",
            "no-daemon",
            "no-buildx",
            "old-buildx",
            "clock",
            "builder",
            "no-emulation",
            "disk",
            "no-registry",
        ),
        *("no-login", "no-repository", "no-tag", "checkout", "no-act", "no-runner-image"),
    ]
)
ORIGIN = "https://github.com/acme/buildme.git"


def doctor(folder: Path, environment: dict[str, str], *words: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the problems of a folder."""
    done = support.command(["doctor", str(folder), "--format", "json", *words], environment, cwd=folder)
    assert done.returncode in {0, 1}, done.stderr
    return done.returncode, list(json.loads(done.stdout)["problems"])


def machine(problems: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Rule and severity of what is wrong with the machine; where it stands among the problems is the same for all."""
    own = [one for one in problems if one["rule"] in MACHINES]
    assert all((one["path"], one["line"], one["fix"]) == ("", None, None) for one in own)
    return [(one["rule"], one["severity"]) for one in own]


def message(problems: list[dict[str, Any]], rule: str) -> str:
    """The message of the one problem of a rule."""
    [text] = [one["message"] for one in problems if one["rule"] == rule]
    return str(text)


@pytest.fixture
def healthy(buildme: Path) -> Path:
    """A tagged checkout with an origin: nothing is wrong with it, nor with the lab."""
    support.git(buildme, "remote", "add", "origin", ORIGIN)
    return buildme


def settings(project: Path, **options: object) -> None:
    """Write the project's settings file, and commit it."""
    (project / "ci-buildkit.yml").write_text(json.dumps(options))
    support.commit(project)
    support.git(project, "tag", "--force", "v1.2.4")


def test_a_healthy_machine_has_nothing_wrong(healthy: Path, environment: dict[str, str], builder: str) -> None:
    settings(healthy, builder=builder, platform=["linux/amd64", "linux/arm64"])
    code, problems = doctor(healthy, environment)
    assert machine(problems) == []
    assert (code, [one for one in problems if one["severity"] == "error"]) == (0, [])


def test_a_dead_daemon_is_told_with_its_address(healthy: Path, environment: dict[str, str], tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/nobody.sock"
    code, problems = doctor(healthy, {**environment, "DOCKER_HOST": address})
    assert (code, machine(problems)) == (1, [("no-daemon", "error")])
    assert f"start it at {address}, or unset DOCKER_HOST" in message(problems, "no-daemon")


def test_a_daemon_that_never_answers_is_waited_for_a_few_seconds(project: Path, environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        code, problems = doctor(project, {**environment, "DOCKER_HOST": address})
        assert time.monotonic() - began < 20
    assert (code, machine(problems)) == (1, [("no-daemon", "error"), ("no-repository", "warning")])
    assert "no answer within 5 s" in message(problems, "no-daemon")


def test_no_docker_is_told_once(healthy: Path, environment: dict[str, str], tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(shutil.which("git") or "")
    code, problems = doctor(healthy, {**environment, "PATH": str(programs)})
    assert (code, machine(problems)) == (1, [("no-docker", "error")])
    assert "install Docker Engine" in message(problems, "no-docker")


def test_no_buildx_is_told_with_the_folder_of_plugins(
    healthy: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    plugin = tmp_path / "config" / "cli-plugins" / "docker-buildx"
    plugin.parent.mkdir(parents=True)
    plugin.write_text("#!/bin/sh\nexit 1\n")  # before any other that the machine has
    plugin.chmod(0o755)
    code, problems = doctor(healthy, {**environment, "DOCKER_CONFIG": str(tmp_path / "config")})
    assert (code, machine(problems)) == (1, [("no-buildx", "error")])
    assert f"{tmp_path}/config/cli-plugins" in message(problems, "no-buildx")


@contextlib.contextmanager
def made(environment: dict[str, str], *words: str) -> Iterator[str]:
    """A builder that `docker buildx create` makes."""
    name = f"e2e-doctor-{os.getpid()}"
    docker(environment, "buildx", "create", "--name", name, *words)
    try:
        yield name
    finally:
        subprocess.run(["docker", "buildx", "rm", "--force", name], env=environment, capture_output=True, check=False)


def docker(environment: dict[str, str], *words: str, given: str = "") -> str:
    done = subprocess.run(
        ["docker", *words], env=environment, input=given, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_builder_that_was_removed_is_no_trouble(healthy: Path, environment: dict[str, str]) -> None:
    image = environment["CI_BUILDKIT_BUILDER_IMAGE"]
    with made(environment, "--driver-opt", f"image={image}", "--bootstrap") as name:
        settings(healthy, builder=name)
        assert machine(doctor(healthy, environment)[1]) == []
        docker(environment, "buildx", "stop", name)
        _, problems = doctor(healthy, environment)
        assert machine(problems) == [("builder", "notice")]
        assert f"the builder {name} does not run; the next run starts it" in message(problems, "builder")
    code, problems = doctor(healthy, environment)
    assert (code, machine(problems)) == (0, [("builder", "notice")])
    assert f"there is no builder {name}: the next run makes it" in message(problems, "builder")


def test_a_remote_builder_that_is_dead_is_an_error(healthy: Path, environment: dict[str, str]) -> None:
    with made(environment, "--driver", "remote", "tcp://127.0.0.1:9") as name:
        settings(healthy, builder=name)
        code, problems = doctor(healthy, environment)
    assert (code, machine(problems)) == (1, [("builder", "error")])
    assert f"the builder {name} cannot be used" in message(problems, "builder")


def test_a_platform_that_nothing_executes_is_told(healthy: Path, environment: dict[str, str]) -> None:
    settings(healthy, platform=["linux/amd64", "linux/s390x", "darwin/arm64"])
    code, problems = doctor(healthy, environment)
    assert (code, machine(problems)) == (0, [("no-emulation", "warning")])
    assert "linux/s390x, which the setting platform asks for" in message(problems, "no-emulation")
    assert "--install s390x" in message(problems, "no-emulation")


def test_platforms_of_a_bake_file_count_too(project: Path, environment: dict[str, str]) -> None:
    (project / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    target = 'target "app" {\n  platforms = ["linux/amd64", "linux/riscv64"]\n}\n'
    (project / "docker-bake.hcl").write_text(target)
    _, problems = doctor(project, environment)
    assert "linux/riscv64, which docker-bake.hcl asks for" in message(problems, "no-emulation")


def test_a_missing_and_a_wrong_login_are_told_and_a_right_one_is_not(
    healthy: Path, environment: dict[str, str], lab: dict[str, str], tmp_path: Path
) -> None:
    own = tmp_path / "config"
    (own / "cli-plugins").mkdir(parents=True)
    buildx = Path(lab["DOCKER_CONFIG"], "cli-plugins", "docker-buildx")
    (own / "cli-plugins" / "docker-buildx").symlink_to(buildx.resolve())
    environment = {**environment, "DOCKER_CONFIG": str(own)}
    (tmp_path / "registry").mkdir()
    with locked_registry(lab, tmp_path / "registry") as address:
        settings(healthy, image=f"{address}/app", push=True)
        code, problems = doctor(healthy, environment)
        assert (code, machine(problems)) == (1, [("no-login", "error")])
        assert f"docker is not logged in to {address}" in message(problems, "no-login")
        assert f"docker login {address}" in message(problems, "no-login")
        docker(environment, "login", "--username", "ci", "--password-stdin", address, given=PASSWORD)
        assert machine(doctor(healthy, environment)[1]) == []
        content = json.loads((own / "config.json").read_text())
        content["auths"][address]["auth"] = "Y2k6d3Jvbmc="
        (own / "config.json").write_text(json.dumps(content))
        code, problems = doctor(healthy, environment)
        assert (code, machine(problems)) == (1, [("no-login", "error")])
        assert f"the registry {address} refuses docker's login" in message(problems, "no-login")
    code, problems = doctor(healthy, environment)  # the registry has gone
    assert (code, machine(problems)) == (1, [("no-registry", "error")])


def test_a_registry_that_is_open_needs_no_login(
    healthy: Path, environment: dict[str, str], lab: dict[str, str]
) -> None:
    settings(healthy, image=f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/app", push=True)
    assert machine(doctor(healthy, environment)[1]) == []


def test_a_full_disk_is_told_with_what_is_kept_there(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], check=True)
    try:
        (folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
        code, problems = doctor(folder, environment)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    assert code == 1
    assert ("disk", "error") in machine(problems)
    assert f"left for the workspace ({folder})" in message(problems, "disk")


def with_workflow(project: Path, text: str) -> None:
    file = project / ".github" / "workflows" / "ci.yml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    (project / ".github" / "dependabot.yml").write_text(
        "version: 2\nupdates: [{package-ecosystem: github-actions, directory: /, schedule: {interval: weekly}}]\n"
    )
    support.commit(project)
    support.git(project, "tag", "--force", "v1.2.4")


def test_act_without_its_image_is_told(healthy: Path, environment: dict[str, str], lab: dict[str, str]) -> None:
    with_workflow(healthy, GOOD.read_text())
    runner = {"CI_BUILDKIT_RUNNER_IMAGE": lab["CI_BUILDKIT_RUNNER_IMAGE"]}
    assert machine(doctor(healthy, {**environment, **runner})[1]) == []
    absent = {"CI_BUILDKIT_RUNNER_IMAGE": "localhost:1/no-such-image:1"}
    code, problems = doctor(healthy, {**environment, **absent})
    assert (code, machine(problems)) == (0, [("no-runner-image", "notice")])
    assert "docker pull localhost:1/no-such-image:1" in message(problems, "no-runner-image")


def test_what_only_actionlint_knows_is_told_with_its_line(healthy: Path, environment: dict[str, str]) -> None:
    text = GOOD.read_text().replace("github.event_name == 'pull_request' }}", "github.evnt_name }}", 1)
    with_workflow(healthy, text)
    code, problems = doctor(healthy, environment)
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "evnt_name" in row)
    found = [(one["path"], one["line"], one["rule"]) for one in problems if one["severity"] == "error"]
    assert (code, found) == (1, [(".github/workflows/ci.yml", line, "actionlint/expression")])
    _, without = doctor(healthy, environment, "--no-environment")
    assert not [one for one in without if one["severity"] == "error"]


MESSY_WORKFLOW = """name: CI
on: [push, pull_request]
jobs:
  build:
    runs-on: ubunut-latest
    permissions:
      contents: write
    steps:
      - uses: actions/checkout@v5
      - uses: acme/ci-buildkit@v1
        with:
          platforms: linux/amd64,linux/arm64
        continue-on-error: true
  release:
    needs: biuld
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.event.pull_request.title }}
"""
MESSY_DOCKERFILE = """FROM golang:1.26 AS base
WORKDIR /src
FROM bas AS build
COPY . .
RUN go build -o /app ./cmd
FROM scratch AS image
COPY --from=biuld /app /app
"""


def test_a_messy_project_is_told_in_full_and_mended_as_far_as_is_safe(
    project: Path, environment: dict[str, str]
) -> None:
    (project / "Dockerfile").write_text(MESSY_DOCKERFILE)
    file = project / ".github" / "workflows" / "ci.yml"
    file.parent.mkdir(parents=True)
    file.write_text(MESSY_WORKFLOW)
    support.commit(project)
    code, problems = doctor(project, environment)
    assert code == 1
    told = {(one["path"], one["line"], one["rule"]) for one in problems}
    assert told >= {
        ("Dockerfile", 3, "unknown-stage"),
        ("Dockerfile", 7, "unknown-stage"),
        (".github/workflows/ci.yml", 3, "no-permissions"),
        (".github/workflows/ci.yml", 5, "unknown-runner"),
        (".github/workflows/ci.yml", 7, "unneeded-permission"),
        (".github/workflows/ci.yml", 9, "shallow-checkout"),
        (".github/workflows/ci.yml", 12, "unknown-input"),
        (".github/workflows/ci.yml", 13, "ignored-failure"),
        (".github/workflows/ci.yml", 15, "unknown-job"),
        (".github/workflows/ci.yml", 18, "script-injection"),
    }
    assert len(told) == len(problems)
    assert list(problems[0]) == ["path", "line", "rule", "severity", "message", "fix"]
    text = support.command(["doctor"], environment, cwd=project)
    assert text.returncode == 1
    assert '.github/workflows/ci.yml:12: error: ci-buildkit has no input "platforms"' in text.stdout
    assert "          platform: linux/amd64,linux/arm64" in text.stdout

    mended = support.command(["doctor", "--fix"], environment, cwd=project)
    assert mended.returncode == 1, mended.stdout
    assert "FROM base AS build" in (project / "Dockerfile").read_text()
    workflow = file.read_text()
    assert "          platform: linux/amd64,linux/arm64" in workflow
    assert "          fetch-depth: 0" in workflow
    assert "      contents: read" in workflow
    assert "continue-on-error: true" in workflow  # what somebody meant is not for a program to take away
    code, left = doctor(project, environment)
    assert code == 1
    rules = {one["rule"] for one in left}
    assert not rules & {"unknown-stage", "unknown-input", "shallow-checkout", "unneeded-permission"}
    assert rules >= {"unknown-runner", "ignored-failure", "unknown-job"}
    again = support.command(["doctor", "--fix"], environment, cwd=project)
    assert file.read_text() == workflow
    assert "@@" not in again.stdout
