"""Builds of our own beside the user's, of which the printed lines count: versions of programs, and cache mounts."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_buildkit.engine import containers, mounts, program, syft
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.containers import Container, Ran
from ci_buildkit.engine.mounts import Saved, Taken, Workshop
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import EngineError, OutputError

Docker = Callable[[str], Path]
FAILED = 'process "/program --version" did not complete successfully: exit code: 2'


def ran(tmp_path: Path, *lines: str, error: str = "") -> str:
    """A command that says what buildx says of a RUN that prints these lines."""
    vertex = {"digest": "sha256:a", "name": "[stage-0 2/2] RUN x", "started": "2026-11-25T02:37:42.3Z"}
    data = base64.b64encode("".join(f"{line}\n" for line in lines).encode()).decode()
    said = [
        {"vertexes": [vertex]},
        {"logs": [{"vertex": "sha256:a", "stream": 1, "data": data, "timestamp": "2026-11-25T02:37:42.4Z"}]},
        {"vertexes": [{**vertex, "completed": "2026-11-25T02:37:42.5Z", "error": error}]},
    ]
    file = tmp_path / f"said-{len(list(tmp_path.glob('said-*')))}"
    file.write_text("".join(f"{json.dumps(one)}\n" for one in said), encoding="utf-8")
    return f"cat '{file}' >&2"


def ask(tmp_path: Path, name: str = "app", cancellation: Cancellation | None = None) -> str:
    file = tmp_path / name
    file.write_bytes(b"\x7fELF")
    return program.version(Buildx(os.environ), "b", file, name, tmp_path / "asked", cancellation or Cancellation())


def test_a_program_is_asked_once_for_its_version(docker: Docker, tmp_path: Path) -> None:
    calls = docker(ran(tmp_path, "app v1.2.3", "go1.25"))
    assert [ask(tmp_path), ask(tmp_path)] == ["app v1.2.3\ngo1.25"] * 2
    assert len(calls.read_text().splitlines()) == 1
    assert not (tmp_path / "asked").exists()


def test_a_program_that_knows_no_such_flag_says_nothing(docker: Docker, tmp_path: Path) -> None:
    docker(f"{ran(tmp_path, 'unknown flag', error=FAILED)}; exit 1")
    assert ask(tmp_path) == ""


def test_a_builder_that_could_not_run_a_program_is_no_answer_of_it(docker: Docker, tmp_path: Path) -> None:
    docker("echo 'ERROR: no builder b found' >&2; exit 1")
    with pytest.raises(EngineError, match="no builder"):
        ask(tmp_path)
    docker(ran(tmp_path, "v1"))
    assert ask(tmp_path) == "v1"


def test_a_program_that_never_ends_is_not_waited_for_and_not_asked_again(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "SECONDS", 1.0)
    calls = docker(f"{ran(tmp_path, 'listening')}; exec sleep 60")
    assert [ask(tmp_path), ask(tmp_path)] == ["", ""]
    assert len(calls.read_text().splitlines()) == 1


def test_a_builder_that_was_busy_is_asked_again_the_next_time(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "SECONDS", 0.5)
    calls = docker("exec sleep 60")
    assert [ask(tmp_path), ask(tmp_path)] == ["", ""]
    assert len(calls.read_text().splitlines()) == 2


def workshop(tmp_path: Path, *images: str) -> Workshop:
    folder = tmp_path / "shop"
    folder.mkdir(exist_ok=True)
    return Workshop(Buildx(os.environ), "b", [(f"FROM {name}", ()) for name in images], folder, Cancellation())


def test_mounts_are_put_in_by_the_first_image_that_can(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = f"{ran(tmp_path, 'tar: not found', error=FAILED)}; exit 1"
    docker(f"if grep -q '^FROM bare' shop/Dockerfile; then {bare}; fi; {ran(tmp_path, 'put 0', 'put 12x', 'put 1')}")
    monkeypatch.chdir(tmp_path)
    saved = [Saved("id=a", "a.tar", "755 0 0"), Saved("id=b", "b.tar", "700 1 1")]
    assert mounts.put(workshop(tmp_path, "bare", "full"), saved, tmp_path) == [0, 1]
    written = (tmp_path / "shop" / "Dockerfile").read_text()
    assert "--mount=type=cache,id=a,target=/ci-buildkit/mounts/0" in written
    assert "source=b.tar,target=/ci-buildkit/saved/1.tar" in written


def test_why_no_image_could_put_mounts_in_is_told(docker: Docker, tmp_path: Path) -> None:
    docker(f"{ran(tmp_path, 'tar: not found', error=FAILED)}; exit 1")
    with pytest.raises(EngineError, match="tar: not found"):
        mounts.put(workshop(tmp_path, "bare"), [Saved("id=a", "a.tar", "755 0 0")], tmp_path)
    with pytest.raises(EngineError, match="no image that could run tar"):
        mounts.put(workshop(tmp_path), [Saved("id=a", "a.tar", "755 0 0")], tmp_path)


def test_a_mount_that_somebody_else_has_locked_is_not_waited_for(
    docker: Docker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mounts, "SECONDS", 0.5)
    docker("exec sleep 60")
    with pytest.raises(EngineError, match=r"longer than 0.5 s"):
        mounts.put(workshop(tmp_path, "full"), [Saved("id=a", "a.tar", "755 0 0")], tmp_path)


def test_mounts_are_taken_with_what_is_known_of_them(docker: Docker, tmp_path: Path) -> None:
    out = tmp_path / "out"
    docker(f"mkdir '{out}'; printf '1 same 3 fff 755 0 0\\n0 taken 2 eee 700 1 1\\n' >'{out}/list'")
    assert mounts.take(workshop(tmp_path, "full"), [("id=a", ""), ("id=b", "fff")], 1 << 20, out) == [
        Taken(0, "taken", 2048, "eee", "700 1 1"), Taken(1, "same", 3072, "fff", "755 0 0"),
    ]  # fmt: skip
    assert '"1024", "-", "fff"]' in (tmp_path / "shop" / "Dockerfile").read_text()
    docker("exit 0")
    with pytest.raises(EngineError, match="no list of the cache mounts"):
        mounts.take(workshop(tmp_path, "full"), [("id=a", "")], 1, tmp_path / "other")


@pytest.mark.parametrize(
    ("daemon", "builders", "native"),
    [
        ("linux/amd64", ["linux/amd64", "linux/amd64/v2", "linux/386", "linux/arm64"],
         {"linux/amd64", "linux/amd64/v2", "linux/386"}),
        ("linux/arm64", ["linux/arm64", "linux/386", "linux/arm64/v8"], {"linux/arm64", "linux/arm64/v8"}),
    ],
)  # fmt: skip
def test_images_are_tried_out_where_docker_s_machine_executes_them(
    docker: Docker, daemon: str, builders: list[str], native: set[str]
) -> None:
    docker(f"echo {daemon}")
    assert containers.native(Buildx(os.environ), builders) == native


def test_without_a_daemon_nothing_is_tried_out(docker: Docker) -> None:
    docker("echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1")
    with pytest.raises(EngineError, match="the pushed images cannot be tried out"):
        containers.native(Buildx(os.environ), ())


def test_a_command_in_an_image_is_told_by_its_exit_code_and_lines(docker: Docker) -> None:
    docker("case $1 in pull) exit 0;; esac; echo one; echo two >&2; exit 3")
    container, lines = Container("host/app@sha256:a", "linux/amd64", ("x", "y z"), 60), list[str]()
    container.pull(Buildx(os.environ), Cancellation())
    assert container.run(Buildx(os.environ), Cancellation(), lines.append) == Ran(3, "one\ntwo", timed_out=False)
    assert lines == ["one", "two"]
    docker("echo 'denied: requested access' >&2; exit 1")
    with pytest.raises(EngineError, match="denied"):
        container.pull(Buildx(os.environ), Cancellation())


def test_a_container_that_takes_too_long_is_removed(docker: Docker) -> None:
    calls = docker("case $1 in run) exec sleep 60;; esac")
    assert Container("a", "linux/amd64", (), 0.5).run(Buildx(os.environ), Cancellation(), print).timed_out
    started, removed = calls.read_text().splitlines()
    name = started.split(" --name ")[1].split()[0]
    assert removed == f"rm --force --volumes {name}"


def test_syft_s_words_are_told_where_it_fails(tmp_path: Path) -> None:
    tool, out = tmp_path / "syft", tmp_path / "out.json"
    for body, told in (
        (f"echo '{{}}' >'{out}'", ""),
        ("echo 'no such folder' >&2; exit 1", "no such folder"),
        ("exit 7", "exit code 7"),
    ):
        tool.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        tool.chmod(0o755)
        if told:
            with pytest.raises(OutputError, match=told):
                syft.scan(str(tool), tmp_path, "app", out, os.environ, Cancellation())
        else:
            assert syft.scan(str(tool), tmp_path, "app", out, os.environ, Cancellation()) == b"{}\n"
