"""Steps on the run's time axis, and what emulation cost."""

from __future__ import annotations

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
