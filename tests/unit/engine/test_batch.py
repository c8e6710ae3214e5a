"""Several targets of one bake, each heard as if it were built alone: a recorded bake, and one that a script plays."""

from __future__ import annotations

import io
import json
import os
import shlex
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.unit.engine.conftest import Docker

from ci_buildkit.engine.batch import Batch, Parts
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.engine.progress import Progress, status_of
from ci_buildkit.engine.secrets import Mask
from ci_buildkit.engine.solve import Hearing, LogFile, Solved, Watch

SAID = Path(__file__).with_name("data") / "batch.rawjson"
TARGETS = ("binaries", "client", "server", "other")
WRITTEN = {"context": "."}


def heard() -> tuple[Parts, dict[str, Progress], dict[str, list[str]]]:
    """The recorded bake, told apart: the progress of each target, and the lines that its steps printed."""
    parts = Parts(TARGETS)
    progress = {target: Progress() for target in TARGETS}
    lines: dict[str, list[str]] = {target: [] for target in TARGETS}
    for raw in SAID.read_bytes().splitlines():
        for target, status in parts.split(status_of(raw) or {}).items():
            lines[target] += [line.text for line in progress[target].take(status)]
    return parts, progress, lines


def test_each_target_has_its_own_steps_by_the_names_that_they_have_alone() -> None:
    _, progress, _ = heard()
    runs = {target: [step.name for step in progress[target].steps.values() if step.is_run] for target in TARGETS}
    shared = "[base 2/2] RUN for i in 1 2 3; do echo shared $i; sleep 0.2; done"
    assert runs["client"] == ['[client 1/1] RUN echo in client; echo "out of client"', shared]
    assert runs["server"] == ["[server 1/1] RUN echo in server; echo oops >&2; exit 4", shared]
    internal = [step.name for step in progress["client"].steps.values() if step.is_internal]
    assert "[internal] load build definition from Dockerfile" in internal
    assert not [
        name for each in progress.values() for step in each.steps.values() if "target results" in (name := step.name)
    ]


def test_what_a_shared_step_prints_is_heard_by_all_that_have_it_and_the_rest_by_one() -> None:
    _, _, lines = heard()
    shared = ["shared 1", "shared 2", "shared 3"]
    assert lines == {
        "binaries": [*shared, "in binaries", "out of binaries"],
        "client": [*shared, "in client", "out of client"],
        "server": [*shared, "oops", "in server"],  # stdout and stderr, as they came
        "other": [],
    }


def test_buildx_says_how_each_target_went() -> None:
    parts, progress, _ = heard()
    assert parts.results == {"binaries": "failed", "client": "succeeded", "server": "failed", "other": "failed"}
    failed = {target: step.error for target in TARGETS if (step := progress[target].failed)}
    assert {target: error.rpartition(" ")[2] for target, error in failed.items()} == {
        "binaries": "3",
        "server": "4",
        "other": "found",
    }


@pytest.mark.parametrize(
    ("name", "owner", "own"),
    [
        ("[app internal] load build definition", "app", "[internal] load build definition"),
        ("[app linux/arm64 build 1/2] RUN true", "app", "[linux/arm64 build 1/2] RUN true"),
        ("[app] exporting to image", "app", "exporting to image"),
        ("[app] [x] y", "app", "[x] y"),
    ],
)
def test_a_prefix_names_the_target(name: str, owner: str, own: str) -> None:
    split = Parts(("app", "api")).split({"vertexes": [{"digest": "1", "name": name}]})
    assert split == {owner: {"vertexes": [{"digest": "1", "name": own}]}}


def test_how_far_a_shared_step_is_comes_to_each_target_once() -> None:
    parts, heard = Parts(("app", "api", "cli")), []
    for number, target in enumerate(("app", "api", "app", "cli", "api", "cli")):
        done = {"completed": "now"} if number > 2 else {}
        status = {"id": "transferring context:", "vertex": "1", "current": 7, "timestamp": str(number), **done}
        vertex = {"digest": "1", "name": f"[{target} internal] load build context"}
        split = parts.split({"vertexes": [vertex], "statuses": [status]})
        heard.append({one for one, part in split.items() if "statuses" in part})
    assert heard == [{"app"}, {"api"}, set(), {"app", "api", "cli"}, set(), set()]


@pytest.mark.parametrize("name", ["[internal] load local bake definitions", "[apple 1/1] RUN true", "app", "[app"])
def test_a_step_of_no_target_is_passed_over(name: str) -> None:
    vertex = {"digest": "1", "name": name}
    logs = [{"vertex": "1", "data": "eA=="}]
    assert Parts(("app", "api")).split({"vertexes": [vertex], "logs": logs}) == {}


def test_the_steps_of_one_target_alone_have_no_prefix() -> None:
    status = {"vertexes": [{"digest": "1", "name": "[app 1/1] RUN true"}], "logs": [{"vertex": "1", "data": "eA=="}]}
    assert Parts(("app",)).split(status) == {"app": status}


class Built:
    """Targets built by a batch, each in a thread; `logs` is what was written for each."""

    def __init__(self, folder: Path, targets: Sequence[str] = TARGETS, staying_away: Sequence[str] = ()) -> None:
        self.logs = {target: io.StringIO() for target in targets}
        self.kills: list[object] = []
        self.batch = Batch(targets, Buildx(os.environ), Cancellation(), folder)
        with ThreadPoolExecutor(len(targets)) as pool:
            coming = [target for target in targets if target not in staying_away]
            futures = {target: pool.submit(self._build, target) for target in coming}
            for target in staying_away:
                self.batch.leave(target)
        self.futures = futures

    def _build(self, target: str) -> Solved | None:
        assert self.batch.awaits(target)
        watch = Watch(lambda _: None, lambda _: None, self.kills.append)
        hearing = Hearing(Mask(), LogFile(self.logs[target]), watch)
        try:
            return self.batch.solve("b", target, WRITTEN, hearing)
        finally:
            assert not self.batch.awaits(target)

    @property
    def solved(self) -> Mapping[str, Solved]:
        """How those went that were begun."""
        return {target: one for target, future in self.futures.items() if (one := future.result())}


def playing(said: Path | str = SAID, code: int = 1, metadata: Mapping[str, Any] | None = None) -> str:
    """A docker that says what is in a file, or a text, and writes metadata."""
    text = shlex.quote(json.dumps(metadata)) if metadata is not None else ""
    note = f'for word; do case $word in --metadata-file=*) echo {text} >"${{word#*=}}";; esac; done;' if text else ""
    tell = f"cat {said} >&2" if isinstance(said, Path) else f"echo {shlex.quote(said)} >&2"
    return f"{note} {tell}; exit {code}"


def test_one_process_builds_all_and_each_has_its_own_end(docker: Docker, tmp_path: Path) -> None:
    calls = docker(playing(metadata={"client": {"containerimage.digest": "sha256:1"}}))
    built = Built(tmp_path)
    [call] = calls.read_text().splitlines()
    assert call.startswith("buildx bake --builder b --jobs=defer-error --metadata-file=")
    assert sorted(call.split()[-4:]) == sorted(TARGETS)
    assert json.loads((tmp_path / "+batch.bake.json").read_text()) == {"target": dict.fromkeys(TARGETS, WRITTEN)}
    solved = built.solved
    assert {target: one.returncode for target, one in solved.items()} == {
        "client": 0,
        "binaries": 1,
        "server": 1,
        "other": 1,
    }
    assert solved["client"].metadata == {"client": {"containerimage.digest": "sha256:1"}}
    assert len(built.kills) == len(TARGETS)
    assert "nosuchimage" in solved["other"].text  # the one whose reason buildx tells
    assert [solved[target].text for target in ("client", "binaries", "server")] == ["", "", ""]
    seconds = {target: solved[target].seconds or 0 for target in TARGETS}
    assert seconds["other"] < seconds["client"] < seconds["binaries"]


def test_each_log_is_that_of_a_build_alone(docker: Docker, tmp_path: Path) -> None:
    docker(playing())
    log = Built(tmp_path).logs["server"].getvalue()
    assert "[server internal]" not in log
    assert [line.split(" ", 2)[2] for line in log.splitlines() if line.endswith(("shared 1", "in server", "oops"))] == [
        "shared 1",
        "oops",
        "in server",
    ]
    assert log.rstrip().splitlines()[-1].endswith("did not complete successfully: exit code: 4")


def begun(targets: str) -> str:
    """A docker that begins a step of each target, and goes on."""
    vertexes = [{"digest": f"sha256:{name}", "name": f"[{name} 1/1] RUN true"} for name in targets]
    return f"echo {shlex.quote(json.dumps({'vertexes': vertexes}))} >&2;"


def test_what_broke_no_step_broke_all(docker: Docker, tmp_path: Path) -> None:
    docker(begun("ab") + playing("ERROR: target a: failed to solve: Unavailable: error reading from server: EOF"))
    built = Built(tmp_path, ("a", "b"))
    assert built.solved["a"].text == "ERROR: target a: failed to solve: Unavailable: error reading from server: EOF"
    assert built.solved["b"].text == "ERROR: failed to solve: Unavailable: error reading from server: EOF"
    assert {one.returncode for one in built.solved.values()} == {1}


def test_what_was_not_begun_is_left_to_be_built_alone(docker: Docker, tmp_path: Path) -> None:
    docker(begun("a") + playing("ERROR: target a: failed to stat secret: no such file"))
    built = Built(tmp_path, ("a", "b"))
    assert set(built.solved) == {"a"}
    assert built.logs["b"].getvalue() == ""


def test_a_bake_that_was_killed_has_failed_for_all(docker: Docker, tmp_path: Path) -> None:
    docker("kill -9 $$")
    assert {one.returncode for one in Built(tmp_path).solved.values()} == {-9}


def test_those_that_stay_away_are_not_waited_for(docker: Docker, tmp_path: Path) -> None:
    docker(playing("", 0))
    built = Built(tmp_path, staying_away=("binaries", "other"))
    assert {target: one.returncode for target, one in built.solved.items()} == {"client": 0, "server": 0}
    assert set(json.loads((tmp_path / "+batch.bake.json").read_text())["target"]) == {"client", "server"}


def test_nobody_comes(docker: Docker, tmp_path: Path) -> None:
    calls = docker(playing("", 0))
    assert Built(tmp_path, ("a", "b"), staying_away=("a", "b")).solved == {}
    assert calls.read_text() == ""


def test_without_docker_every_target_has_the_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    built = Built(tmp_path, ("a", "b"))
    assert [type(future.exception()) for future in built.futures.values()] == [FileNotFoundError] * 2


class Full(io.StringIO):
    """A log on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(28, f"No space left on device, for {len(text)} characters")


def test_a_log_that_cannot_be_written_breaks_its_own_target_alone(docker: Docker, tmp_path: Path) -> None:
    docker(playing(metadata={"client": {}}))
    batch = Batch(("client", "server"), Buildx(os.environ), Cancellation(), tmp_path)
    outs = {"client": io.StringIO(), "server": Full()}
    watch = Watch(lambda _: None, lambda _: None)
    with ThreadPoolExecutor(2) as pool:
        futures = {
            t: pool.submit(batch.solve, "b", t, WRITTEN, Hearing(Mask(), LogFile(out), watch))
            for t, out in outs.items()
        }
    client = futures["client"].result()
    assert client
    assert client.returncode == 0
    assert isinstance(futures["server"].exception(), OSError)
    assert "out of client" in outs["client"].getvalue()


def test_a_batch_is_interrupted(docker: Docker, tmp_path: Path) -> None:
    docker("sleep 60")
    cancellation, started = Cancellation(), threading.Event()
    batch = Batch(("a", "b"), Buildx(os.environ), cancellation, tmp_path)
    watch = Watch(lambda _: None, lambda _: None, lambda _: started.set())
    with ThreadPoolExecutor(2) as pool:
        futures = [
            pool.submit(batch.solve, "b", target, WRITTEN, Hearing(Mask(), LogFile(io.StringIO()), watch))
            for target in "ab"
        ]
        assert started.wait(10)
        cancellation.cancel()
    assert all(solved.returncode for future in futures if (solved := future.result()))
