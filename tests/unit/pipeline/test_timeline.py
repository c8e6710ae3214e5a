"""Steps on the run's time axis, and what emulation cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ci_buildkit.engine.progress import Progress
from ci_buildkit.pipeline import timeline

DATA = Path(__file__).parents[1] / "engine" / "data"
NATIVE = ("linux/amd64", "linux/386")


def recorded(name: str) -> tuple[Progress, float]:
    """A recorded solve, and when it began."""
    progress = Progress()
    for line in (DATA / f"{name}.rawjson").read_bytes().splitlines():
        list(progress.feed(line) or ())
    return progress, min(step.first for step in progress.steps.values() if step.first)


def test_steps_come_in_the_order_of_time_on_the_run_s_axis() -> None:
    progress, began = recorded("lint")
    steps = timeline.steps(progress, began - 10, NATIVE, ())
    assert steps[0].started == 10.0
    assert [step.started for step in steps] == sorted(step.started for step in steps)
    assert all(step.seconds >= 0 for step in steps)
    assert [step.cached for step in steps if "FROM" in step.name] == [True]
    assert timeline.emulation(steps) == ()


def test_a_step_before_the_run_s_start_begins_at_zero() -> None:
    """The builder's clock may be behind this machine's."""
    progress, began = recorded("lint")
    assert {step.started for step in timeline.steps(progress, began + 60, NATIVE, ())} == {0.0}


def test_only_run_steps_on_a_foreign_platform_are_emulated() -> None:
    progress, began = recorded("cross")
    steps = timeline.steps(progress, began, NATIVE, ("linux/amd64", "linux/arm64"))
    emulated = [step for step in steps if step.emulated]
    assert [(step.platform, step.name.partition("] ")[2]) for step in emulated] == [("linux/arm64", "RUN cat /a")]
    (cost,) = timeline.emulation(steps)
    assert (cost.platform, cost.steps) == ("linux/arm64", 1)
    assert cost.seconds == pytest.approx(emulated[0].seconds)


def test_a_build_for_one_foreign_platform_runs_there_though_no_name_says_so() -> None:
    progress, began = recorded("test")
    steps = timeline.steps(progress, began, NATIVE, ("linux/arm64",))
    assert {step.platform for step in steps if "] RUN " in step.name} == {"linux/arm64"}
    assert not any(step.emulated for step in steps if step.cached)
    (failed,) = [step for step in steps if step.error]
    assert failed.emulated
    assert failed.error
    assert failed.error.endswith("exit code: 3")


def test_parents_are_places_in_the_timeline() -> None:
    progress, began = recorded("lint")
    steps = timeline.steps(progress, began, NATIVE, ())
    digests = [step.digest for record in steps for step in progress.steps.values() if step.name == record.name]
    for record, digest in zip(steps, digests, strict=True):
        assert record.parents is not None
        assert {digests[place] for place in record.parents} == set(progress.steps[digest].inputs) & set(digests)
    assert any(record.parents for record in steps)


def test_parents_reach_through_steps_that_never_started() -> None:
    progress = Progress()
    for digest, inputs, started in (("a", [], True), ("b", ["a", "gone"], False), ("c", ["b", "b"], True)):
        vertex = {"digest": digest, "name": digest, "inputs": inputs}
        times = {"started": "2026-01-02T03:04:05Z", "completed": "2026-01-02T03:04:06Z"} if started else {}
        progress.feed(json.dumps({"vertexes": [{**vertex, **times}]}).encode())
    steps = timeline.steps(progress, 0, NATIVE, ())
    assert [(step.name, step.parents) for step in steps] == [("a", ()), ("c", (0,))]


def test_what_was_transferred() -> None:
    progress = Progress()
    vertexes = [{"digest": "c", "name": "[internal] load build context", "started": "2026-01-02T03:04:05Z"}]
    statuses = [
        {"id": "transferring context:", "vertex": "c", "current": 10},
        {"id": "transferring context:", "vertex": "c", "current": 70},
        {"id": "sha256:aa", "vertex": "c", "current": 5, "total": 9},
        {"id": "extracting sha256:aa", "vertex": "c", "current": 1000},
        {"id": "sha256:bb", "vertex": "unknown", "current": 1},
        {"id": "sha256:cc", "vertex": "c"},
    ]
    progress.feed(json.dumps({"vertexes": vertexes, "statuses": statuses}).encode())
    assert [step.transferred for step in timeline.steps(progress, 0, NATIVE, ())] == [75]
