"""What is said of facts about a machine, and facts that need no engine."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests import repositories

from ci_buildkit.config.options import Options
from ci_buildkit.doctor import (
    environment,
    machine_act,
    machine_builder,
    machine_checkout,
    machine_disk,
    machine_docker,
    machine_registry,
    workflows,
)
from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.environment import RULES, Facts
from ci_buildkit.doctor.machine import Machine, Reply
from ci_buildkit.doctor.machine_act import Act
from ci_buildkit.doctor.machine_builder import Builder, Emulation
from ci_buildkit.doctor.machine_checkout import Checkout
from ci_buildkit.doctor.machine_disk import Disk
from ci_buildkit.doctor.machine_docker import Docker
from ci_buildkit.doctor.machine_registry import Registry

GOOD = Docker("29.0.0", "29.0.0", endpoint="unix:///var/run/docker.sock", buildx="0.38.2")
DAEMON = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
DATE = "2026-01-02T03:04:05Z"
PUSHES = Options(push=True)


def said(facts: Facts) -> list[Diagnosis]:
    return [diagnosis for rule in RULES for diagnosis in rule.diagnoses("", facts)]


CASES = [
    pytest.param(Facts(docker=GOOD), "", "", "", id="all is well"),
    pytest.param(Facts(), "no-docker", "error", "install Docker Engine", id="no docker"),
    pytest.param(
        Facts(docker=replace(GOOD, server="", server_trouble=DAEMON)),
        *("no-daemon", "error", "sudo systemctl start docker"),
        id="no daemon",
    ),
    pytest.param(
        Facts(docker=replace(GOOD, server="", server_trouble=DAEMON, endpoint="tcp://farm:2375")),
        *("no-daemon", "error", "start it at tcp://farm:2375, or unset DOCKER_HOST"),
        id="nobody at DOCKER_HOST",
    ),
    pytest.param(
        Facts(docker=replace(GOOD, server="", server_trouble="permission denied while trying to connect")),
        *("no-daemon", "error", "usermod -aG docker"),
        id="no right to the socket",
    ),
    pytest.param(
        Facts(docker=replace(GOOD, server="", server_trouble=DAEMON), builder=Builder("farm", "remote", ("linux/amd64",))),
        *("no-daemon", "notice", "does not answer"),
        id="a remote builder needs no daemon",
    ),
    pytest.param(
        Facts(docker=replace(GOOD, buildx="", buildx_trouble="unknown command"), settings="/s"),
        *("no-buildx", "error", "put docker-buildx into /s/cli-plugins"),
        id="no buildx",
    ),
    pytest.param(Facts(docker=replace(GOOD, buildx="0.12.1")), "old-buildx", "error", "0.16 or later", id="old buildx"),
    pytest.param(Facts(docker=replace(GOOD, buildx="0.19.3")), "", "", "", id="a Dockerfile needs less"),
    pytest.param(
        Facts(docker=replace(GOOD, buildx="0.19.3"), bake=True), "old-buildx", "error", "0.20 or later", id="bake needs more"
    ),
    pytest.param(Facts(docker=replace(GOOD, buildx="unknown")), "", "", "", id="a buildx that someone built"),
    pytest.param(Facts(docker=replace(GOOD, skew=90)), "clock", "warning", "90 s ahead of", id="daemon's clock ahead"),
    pytest.param(Facts(docker=replace(GOOD, skew=-3600)), "clock", "warning", "3600 s behind", id="daemon's clock behind"),
    pytest.param(
        Facts(docker=GOOD, builder=Builder("b", absent=True)), "builder", "notice", "builder create b", id="no builder yet"
    ),
    pytest.param(Facts(docker=GOOD, builder=Builder("b", stopped=True)), "builder", "notice", "starts it", id="stopped"),
    pytest.param(
        Facts(docker=GOOD, builder=Builder("b", "remote", trouble="node arm does not answer")),
        *("builder", "error", "node arm does not answer"),
        id="dead machine",
    ),
    pytest.param(
        Facts(docker=GOOD, emulation=Emulation((("linux/s390x", "docker-bake.hcl"),), ("linux/amd64",))),
        *("no-emulation", "warning", "which docker-bake.hcl asks for"),
        id="no emulation",
    ),
    pytest.param(
        Facts(
            docker=GOOD,
            emulation=Emulation(
                (("linux/arm64/v8", "x"), ("linux/arm", "x"), ("darwin/arm64", "x")), ("linux/arm64", "linux/arm/v7")
            ),
        ),
        *("", "", ""),
        id="one platform, two spellings",
    ),
    pytest.param(Facts(docker=GOOD, emulation=Emulation((("linux/s390x", "x"),))), "", "", "", id="nothing is known"),
    pytest.param(
        Facts(docker=GOOD, disks=(Disk("images and caches of docker", "docker", "/d", 2 * 10**9),)),
        *("disk", "warning", "2.0 GB are left for images and caches of docker (/d)"),
        id="little room",
    ),
    pytest.param(
        Facts(docker=GOOD, disks=(Disk("the workspace", "run", "/w", 1000),)),
        *("disk", "error", "1.0 kB are left for the workspace"),
        id="no room",
    ),
    pytest.param(
        Facts(docker=GOOD, disks=(Disk("the workspace", "run", "/w", 10**12, 3),)),
        *("disk", "warning", "3 more files only"),
        id="no inodes",
    ),
    pytest.param(
        Facts(PUSHES, docker=GOOD, registries=(Registry("r:5", "r:5/a", None, "no such host"),)),
        *("no-registry", "error", "the registry r:5 of r:5/a does not answer: no such host"),
        id="no registry",
    ),
    pytest.param(
        Facts(docker=GOOD, registries=(Registry("r:5", "r:5/a", None, "no such host"),)),
        *("no-registry", "warning", "does not answer"),
        id="no registry, but nothing is pushed",
    ),
    pytest.param(
        Facts(PUSHES, docker=GOOD, registries=(Registry("ghcr.io", "ghcr.io/a/b", logged_in=False),)),
        *("no-login", "error", "docker login ghcr.io"),
        id="no login where there must be one",
    ),
    pytest.param(
        Facts(PUSHES, docker=GOOD, registries=(Registry("docker.io", "a/b", logged_in=False),)),
        *("no-login", "error", "run docker login, or"),
        id="no login at Docker Hub",
    ),
    pytest.param(
        Facts(PUSHES, docker=GOOD, registries=(Registry("r:5", "r:5/a", False, "401 Unauthorized", refused=True),)),
        *("no-login", "error", "docker is not logged in to r:5"),
        id="no login where one is asked for",
    ),
    pytest.param(
        Facts(PUSHES, docker=GOOD, registries=(Registry("r:5", "r:5/a", True, "401 Unauthorized", refused=True),)),
        *("no-login", "error", "refuses docker's login"),
        id="wrong login",
    ),
    pytest.param(
        Facts(PUSHES, docker=GOOD, registries=(Registry("r:5", "r:5/a", False), Registry("ghcr.io", "ghcr.io/a", None))),
        *("", "", ""),
        id="open, and who knows",
    ),
    pytest.param(Facts(docker=GOOD, checkout=Checkout(program=False)), "no-repository", "warning", "install git", id="no git"),
    pytest.param(
        Facts(docker=GOOD, checkout=Checkout(repository=False)), "no-repository", "warning", "git init", id="no repository"
    ),
    pytest.param(Facts(docker=GOOD, checkout=Checkout()), "no-tag", "notice", "no commit", id="no commit"),
    pytest.param(Facts(docker=GOOD, checkout=Checkout(commit="c")), "no-tag", "notice", "git tag v0.1.0", id="no tag"),
    pytest.param(
        Facts(docker=GOOD, checkout=Checkout(commit="c", shallow=True)), "no-tag", "warning", "--unshallow", id="shallow"
    ),
    pytest.param(Facts(Options(version="v1"), docker=GOOD, checkout=Checkout(commit="c")), "", "", "", id="version given"),
    pytest.param(Facts(docker=GOOD, checkout=Checkout(commit="c", tag="v1", dirty=True)), "checkout", "notice", "-dirty", id="dirty"),
    pytest.param(
        Facts(docker=GOOD, checkout=Checkout(commit="c", tag="v1", origin=False)), "checkout", "notice", "origin", id="no origin"
    ),
    pytest.param(Facts(docker=GOOD, act=Act("")), "no-act", "notice", "ci-buildkit act", id="no act"),
    pytest.param(
        Facts(docker=GOOD, act=Act("/act", "i:1", here=False)), "no-runner-image", "notice", "docker pull i:1", id="no image"
    ),
    pytest.param(Facts(docker=GOOD, act=Act("/act", "i:1")), "", "", "", id="no one knows whether there is an image"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "rule", "severity", "words"), CASES)
def test_what_is_said_of_a_machine(facts: Facts, rule: str, severity: str, words: str) -> None:
    checkout = Checkout(commit="c", tag="v1") if facts.checkout == Checkout() and rule != "no-tag" else facts.checkout
    found = said(replace(facts, checkout=checkout))
    assert [(one.rule, one.severity) for one in found] == ([(rule, severity)] if rule else [])
    assert all(words in one.message and (one.path, one.line, one.fix) == ("", None, None) for one in found)


def test_every_rule_for_machines_is_shown_by_a_case() -> None:
    assert {str(case.values[1]) for case in CASES} - {""} == {rule.name for rule in RULES}


def machine(root: Path, **environ: str) -> Machine:
    return Machine(root, {"PATH": os.environ["PATH"], "HOME": str(root), **environ})


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with a program folder that has git only."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(shutil.which("git") or "")
    return tmp_path


def test_a_machine_without_docker_is_examined_to_the_end(bare: Path) -> None:
    found = environment.examine(bare, {"PATH": str(bare / "bin"), "HOME": str(bare)})
    assert [one.rule for one in found] == ["no-docker", "no-repository"]


def test_wrong_settings_hide_nothing_of_the_machine(bare: Path) -> None:
    (bare / "ci-buildkit.yml").write_text("platfrom: linux/amd64\n")
    found = environment.examine(bare, {"PATH": str(bare / "bin"), "HOME": str(bare)})
    assert [one.rule for one in found] == ["no-docker", "no-repository"]


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()
    reply = machine(tmp_path).ask("sleep", "60", seconds=0.2)
    assert (reply.code, reply.late, reply.good) == (None, True, False)
    assert "no answer within" in reply.said
    assert time.monotonic() - began < 5


def test_a_command_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    reply = machine(tmp_path).ask(str(tmp_path / "nothing"))
    assert (reply.code, reply.good) == (None, False)
    assert "no such file" in reply.said


def test_a_tool_beside_this_python_is_found_without_path(tmp_path: Path) -> None:
    asked = Machine(tmp_path, {"PATH": str(tmp_path)})
    assert asked.find("zizmor") == ""
    assert asked.find_tool("zizmor") == str(Path(sys.executable).parent / "zizmor")
    assert asked.find_tool("no-such-tool") == ""


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("github.com/docker/buildx v0.38.2 \n", "0.38.2"),
        ("github.com/docker/buildx 0.12.1 0.12.1-0ubuntu1~22.04.1\n", "0.12.1"),
        ("github.com/docker/buildx v0.14.1-desktop.1 abc\n", "0.14.1"),
        ("github.com/docker/buildx development\n", "unknown"),
        ("buildah 1.33.7\n", ""),
        ("", ""),
    ],
)
def test_the_version_of_buildx_is_read(text: str, version: str) -> None:
    assert machine_docker._buildx(Reply(0, text))[0] == version


@pytest.mark.parametrize(
    ("told", "skew"),
    [
        ("1970-01-01T00:16:45Z", 0.0),  # while it was asked
        ("1970-01-01T00:18:20.5Z", 90.5),
        ("1970-01-01T00:15:00.123456789Z", -99.876544),
        ("", 0.0),
        ("today", 0.0),
    ],
)
def test_how_far_the_daemons_clock_is_away(told: str, skew: float) -> None:
    assert machine_docker._skew(told, 1000.0, 1010.0) == pytest.approx(skew, abs=1e-5)


def test_a_daemon_that_is_not_this_machines_has_no_disk_here(tmp_path: Path) -> None:
    here = replace(GOOD, info={"DockerRootDir": str(tmp_path)})
    [disk] = machine_disk.of_docker(here)
    assert (disk.kind, disk.path) == ("docker", str(tmp_path))
    assert disk.free > 0
    assert machine_disk.of_docker(replace(here, endpoint="tcp://farm:2375")) == ()
    assert machine_disk.of_docker(replace(here, info={**here.info, "OperatingSystem": "Docker Desktop"})) == ()
    assert machine_disk.of_docker(replace(here, info={"DockerRootDir": "/no/such/folder"})) == ()
    assert machine_disk.of_docker(None) == ()


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("app", "docker.io"),
        ("acme/app", "docker.io"),
        ("docker.io/acme/app", "docker.io"),
        ("index.docker.io/acme/app", "docker.io"),
        ("ghcr.io/acme/app", "ghcr.io"),
        ("localhost/app", "localhost"),
        ("localhost:5000/app:v1", "localhost:5000"),
        ("[::1]:5000/app", "[::1]:5000"),
    ],
)
def test_the_registry_of_an_image(image: str, host: str) -> None:
    assert machine_registry.host_of(image) == host


def settings(folder: Path, content: object) -> Machine:
    (folder / "config.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return machine(folder, DOCKER_CONFIG=str(folder))


def test_logins_are_found_without_reading_them(tmp_path: Path) -> None:
    auths = {"https://index.docker.io/v1/": {"auth": "eA=="}, "ghcr.io": {"identitytoken": "x"}, "quay.io": {}}
    asked = settings(tmp_path, {"auths": auths, "credHelpers": {"gcr.io": "gcloud", "reset.example": ""}})
    assert machine_registry.credentials(asked) == machine_registry.Credentials(
        frozenset({"docker.io", "ghcr.io", "gcr.io"})
    )


def test_logins_of_a_helper_are_asked_for_by_name_only(tmp_path: Path) -> None:
    helper = tmp_path / "docker-credential-shelf"
    helper.write_text(
        '#!/bin/sh\n[ "$1" = list ] && echo \'{"https://ghcr.io": "octo", "https://index.docker.io/v1/": "o"}\'\n'
    )
    helper.chmod(0o755)
    asked = settings(tmp_path, {"credsStore": "shelf", "auths": {"ghcr.io": {}}})
    known = replace(asked, environ={**asked.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert machine_registry.credentials(known).hosts == {"ghcr.io", "docker.io"}


def test_a_helper_that_does_not_answer_makes_logins_unknown(tmp_path: Path) -> None:
    asked = settings(tmp_path, {"credsStore": "no-such-helper"})
    assert machine_registry.credentials(asked) == machine_registry.Credentials(frozenset(), unknown=True)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"auths": ["ghcr.io"], "credHelpers": 1}'])
def test_settings_that_are_none_have_no_login(tmp_path: Path, content: str) -> None:
    assert machine_registry.credentials(settings(tmp_path, content)).hosts == frozenset()


def test_the_own_login_of_a_run_counts_and_is_checked(tmp_path: Path) -> None:
    text = "registry=ghcr.io,username=octo,password-env=GHCR"
    asked = replace(machine(tmp_path, GHCR="x"), options=Options(login=(text,)))
    assert machine_registry._own_login(asked, "ghcr.io") == (True, "")
    assert machine_registry._own_login(asked, "quay.io") == (False, "")
    without = replace(asked, environ={})
    found, why = machine_registry._own_login(without, "ghcr.io")
    assert found
    assert "there is no password for ghcr.io: GHCR is empty or not set" in why


def repository(folder: Path, *tags: str) -> Path:
    folder.mkdir()
    repositories.git(folder, "init", "-q", "-b", "main", date=DATE)
    for number in range(2):
        (folder / "file").write_text(str(number))
        repositories.git(folder, "add", "-A", date=DATE)
        repositories.git(folder, "commit", "-q", "-m", "x", date=DATE)
    for tag in tags:
        repositories.git(folder, "tag", tag, date=DATE)
    return folder


def test_what_git_says_of_a_checkout(tmp_path: Path) -> None:
    folder = repository(tmp_path / "a", "v1.0.0")
    found = machine_checkout.look(machine(folder))
    assert (found.tag, found.dirty, found.shallow, found.origin) == ("v1.0.0", False, False, False)
    (folder / "file").write_text("changed")
    assert machine_checkout.look(machine(folder)).dirty


def test_a_shallow_clone_is_known(tmp_path: Path) -> None:
    whole = repository(tmp_path / "a", "v1.0.0")
    repositories.git(whole, "commit", "-q", "--allow-empty", "-m", "y", date=DATE)
    repositories.git(tmp_path, "clone", "-q", "--depth=1", f"file://{whole}", "b", date=DATE)
    found = machine_checkout.look(machine(tmp_path / "b"))
    assert (found.tag, found.shallow, found.origin) == ("", True, True)


def test_a_folder_without_repository_or_commit_is_known(tmp_path: Path) -> None:
    assert not machine_checkout.look(machine(tmp_path)).repository
    repositories.git(tmp_path, "init", "-q", date=DATE)
    assert machine_checkout.look(machine(tmp_path)) == Checkout(origin=False)
    assert not machine_checkout.look(Machine(tmp_path, {"PATH": "/nowhere"})).program


def test_acts_own_settings_say_which_image_stands_for_a_runner(tmp_path: Path) -> None:
    assert machine_act.look(machine(tmp_path), None, workflows=False) is None
    found = machine_act.look(machine(tmp_path), None, workflows=True)
    assert found is not None
    assert found.image == machine_act.PUBLIC
    (tmp_path / ".actrc").write_text("--rm\n-P ubuntu-latest=mine:1\n")
    assert machine_act.look(machine(tmp_path), None, workflows=True) == Act(found.program)
    set_by_hand = machine(tmp_path, CI_BUILDKIT_RUNNER_IMAGE="other:1")
    assert machine_act.look(set_by_hand, None, workflows=True) == Act(found.program, "other:1")


def test_the_bake_file_is_the_one_that_a_run_takes(tmp_path: Path) -> None:
    assert machine_builder.bake_file(machine(tmp_path)) == ""
    (tmp_path / "docker-bake.json").write_text("{}")
    assert machine_builder.bake_file(machine(tmp_path)) == "docker-bake.json"
    named = replace(machine(tmp_path), options=Options(file=Path("Dockerfile")))
    assert machine_builder.bake_file(named) == ""


def test_the_page_names_every_rule() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "doctor-workflows.md").read_text(encoding="utf-8")
    names = {rule.name for rule in RULES} | {rule.name for rule in workflows.RULES}
    assert not [name for name in names if f"`{name}`" not in page]
