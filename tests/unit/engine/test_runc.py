"""The mark by which the steps of one build are known, and who is killed for it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_buildkit.engine import runc
from ci_buildkit.engine.builder import Builder
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.machines import Machine
from ci_buildkit.engine.runc import PARENT, STATE, VALID, Mark

Docker = Callable[[str], Path]
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


def test_a_build_without_a_trace_gets_one() -> None:
    mark = Mark()
    made = mark.environment({"HOME": "/", PARENT: "no trace", STATE: "lost=1"})
    assert made["HOME"] == "/"
    assert VALID.fullmatch(made[PARENT])
    assert made[STATE] == mark.text
    assert Mark() != mark


def test_a_trace_goes_on() -> None:
    made = Mark("m=1").environment({PARENT: TRACE, STATE: "x=y"})
    assert (made[PARENT], made[STATE]) == (TRACE, "m=1,x=y")
    assert Mark("m=1").environment({PARENT: TRACE})[STATE] == "m=1"


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("TRACESTATE=m=1", True),
        ("TRACESTATE=x=y,m=1", True),
        ("TRACESTATE=m=12", False),
        ("OTHER=m=1", False),
        ("TRACESTATE=", False),
        ("TRACESTATE", False),
    ],
)
def test_only_the_whole_mark_counts(entry: str, found: bool) -> None:
    assert Mark("m=1").marks(entry) is found


def builder(driver: str = "docker-container", endpoint: str = "unix:///x.sock") -> Builder:
    """A builder of two machines of which one answers."""
    machines = (Machine("b0", endpoint, "running"), Machine("b1", endpoint, "stopped"))
    return Builder("b", driver, machines, created=False, kept=True)


def bundles(folder: Path, **marked: str) -> str:
    """What docker says of containers that have these trace states."""
    listed = []
    for name, state in marked.items():
        (folder / name).mkdir()
        config = {"process": {"args": ["sleep"], "env": ["PATH=/", f"TRACESTATE={state}"]}}
        (folder / name / "config.json").write_text(json.dumps(config))
        listed.append({"id": name, "status": "stopped" if name == "over" else "running", "bundle": str(folder / name)})
    (folder / "list").write_text(json.dumps(listed))
    return f'case "$*" in *"runc list"*) cat {folder}/list;; *" cat "*) shift 4; exec "$@";; *"runc kill"*) ;; *) exit 9;; esac'


def test_the_steps_of_the_build_are_killed_and_no_others(docker: Docker, tmp_path: Path) -> None:
    calls = docker(bundles(tmp_path, mine="m=1", other="m=2", over="m=1", also="m=1,x=y"))
    assert runc.kill(Buildx(os.environ), builder(), Mark("m=1"))
    said = calls.read_text().splitlines()
    assert all(line.startswith("--host unix:///x.sock exec buildx_buildkit_b0 ") for line in said)
    assert [line.split("buildkit-runc kill ")[1] for line in said if "runc kill" in line] == ["mine KILL", "also KILL"]


def test_nobody_is_killed_where_there_is_none(docker: Docker, tmp_path: Path) -> None:
    calls = docker(bundles(tmp_path, other="m=2"))
    assert not runc.kill(Buildx(os.environ), builder(), Mark("m=1"))
    assert "runc kill" not in calls.read_text()


@pytest.mark.parametrize("body", ["echo null", "echo nonsense", "echo '[{}]'", "exit 1"])
def test_what_cannot_be_asked_is_not_killed(docker: Docker, body: str) -> None:
    docker(body)
    assert not runc.kill(Buildx(os.environ), builder(), Mark())


def test_a_builder_elsewhere_is_not_asked(docker: Docker) -> None:
    calls = docker("exit 0")
    assert not runc.kill(Buildx(os.environ), builder("remote"), Mark())
    assert calls.read_text() == ""


@pytest.mark.parametrize(
    ("endpoint", "words"), [("", "exec"), ("default", "exec"), ("far", "--context far exec"), ("ssh://a", "--host ssh://a exec")]
)  # fmt: skip
def test_a_machine_is_asked_where_it_is(docker: Docker, endpoint: str, words: str) -> None:
    calls = docker("echo '[]'")
    runc.kill(Buildx(os.environ), builder(endpoint=endpoint), Mark())
    assert calls.read_text().startswith(f"{words} buildx_buildkit_b0 buildkit-runc list")
