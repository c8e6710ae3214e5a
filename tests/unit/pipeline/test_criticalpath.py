"""Which chain of steps decided how long a run took."""

from __future__ import annotations

from tests.unit.report.fixtures import BUILDER, VERSION

from ci_buildkit.pipeline.criticalpath import critical_path
from ci_buildkit.record import CriticalPathRecord, RunRecord, StageRecord, StepRecord


def step(name: str, started: float, seconds: float, *parents: int, cached: bool = False) -> StepRecord:
    return StepRecord(name=name, started=started, seconds=seconds, cached=cached, parents=parents)


def run(seconds: float, **stages: list[StepRecord]) -> RunRecord:
    records = tuple(
        StageRecord(name=name, kind="other", target=name, platforms=(), outcome="passed", timeline=tuple(steps))
        for name, steps in stages.items()
    )
    return RunRecord(
        outcome="passed", exit_code=0, started="2026-01-01T00:00:00Z", seconds=seconds,
        version=VERSION, builder=BUILDER, stages=records,
    )  # fmt: skip


def path(seconds: float, **stages: list[StepRecord]) -> CriticalPathRecord:
    found = critical_path(run(seconds, **stages))
    assert found
    return found


BASE = step("[base 1/1] RUN prepare", 1.0, 4.0)


def test_the_chain_leads_from_the_last_end_back_to_the_start() -> None:
    found = path(
        12.0,
        test=[BASE, step("[test 1/1] RUN test", 5.0, 6.0, 0)],
        lint=[BASE, step("[lint 1/1] RUN lint", 5.0, 2.0, 0)],
    )
    assert [(one.stage, one.step, one.seconds) for one in found.steps] == [
        ("test", "[base 1/1] RUN prepare", 4.0),
        ("test", "[test 1/1] RUN test", 6.0),
    ]
    assert found.seconds == 10.0
    assert found.ideal_seconds == 12.0  # a second before and one after
    assert found.parallelism == 1.2  # 12 s of steps in 10 s


def test_a_step_that_waited_for_a_core_says_so_and_the_ideal_is_without_it() -> None:
    found = path(
        11.0,
        a=[step("[a 1/1] RUN a", 0.0, 5.0)],
        b=[step("[b 1/2] RUN b", 0.0, 1.0), step("[b 2/2] RUN b", 5.0, 6.0, 0)],
    )
    assert [(one.step, one.waited) for one in found.steps] == [("[b 1/2] RUN b", 0.0), ("[b 2/2] RUN b", 4.0)]
    assert found.waited_seconds == 4.0
    assert found.ideal_seconds == 7.0


def test_a_shared_step_counts_once_whoever_waited_for_it() -> None:
    """One stage began it, another joined it, a third came when it was in the cache."""
    found = path(
        9.0,
        a=[step("[base 1/1] RUN make", 0.0, 8.0)],
        b=[step("[base 1/1] RUN make", 3.0, 5.0), step("[b 1/1] COPY", 8.0, 1.0, 0)],
        c=[step("[base 1/1] RUN make", 8.5, 0.0, cached=True)],
    )
    assert [(one.step, one.seconds) for one in found.steps] == [("[base 1/1] RUN make", 8.0), ("[b 1/1] COPY", 1.0)]
    assert found.parallelism == 1.0


def test_what_buildkit_does_for_each_build_is_not_shared() -> None:
    internal = "[internal] load build context"
    found = path(3.0, a=[step(internal, 0.0, 1.0)], b=[step(internal, 1.0, 2.0)])
    assert [(one.stage, one.seconds) for one in found.steps] == [("b", 2.0)]
    assert found.ideal_seconds == 2.0


def test_an_export_follows_what_ended_before_it() -> None:
    """BuildKit says of no export what it is made from."""
    found = path(7.0, a=[step("[a 1/1] RUN a", 0.0, 4.0), step("exporting to client directory", 4.0, 3.0)])
    assert [one.step for one in found.steps] == ["[a 1/1] RUN a", "exporting to client directory"]
    assert found.ideal_seconds == 7.0


def test_steps_that_wait_for_each_other_end() -> None:
    """A record from elsewhere may say what cannot be."""
    found = path(2.0, a=[step("[a 1/2] RUN a", 0.0, 1.0, 1), step("[a 2/2] RUN b", 1.0, 1.0, 0)])
    assert [one.step for one in found.steps] == ["[a 1/2] RUN a", "[a 2/2] RUN b"]
    assert found.ideal_seconds <= 2.0


def test_nothing_ran() -> None:
    assert critical_path(run(1.0)) is None
    assert critical_path(run(1.0, a=[step("[a 1/1] RUN a", 0.5, 0.0, cached=True)])) is None


def test_twenty_thousand_steps() -> None:
    steps = [step(f"[a {n + 1}/20000] RUN {n}", float(n), 1.0, *([n - 1] if n else [])) for n in range(20_000)]
    found = path(20_000.0, a=steps)
    assert len(found.steps) == 20_000
    assert found.ideal_seconds == 20_000.0
