"""The steps of a stage on the run's time axis, and what emulation cost. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ci_buildkit.engine.progress import Progress, Step
from ci_buildkit.record import EmulationRecord, StepRecord


def steps(progress: Progress, began: float, native: Sequence[str], platforms: Sequence[str]) -> tuple[StepRecord, ...]:
    """The steps that started, in the order of time. `began` is the run's start in seconds since 1970.

    BuildKit names a step's platform only where a build has several; a build for one foreign platform runs its steps
    there unless the name says otherwise.
    """
    only = platforms[0] if len(platforms) == 1 else None
    found = [step for step in progress.steps.values() if step.first is not None]
    found.sort(key=lambda step: (step.first or began, step.name))
    places = {step.digest: place for place, step in enumerate(found)}
    return tuple(_step(step, began, native, only, _parents(step, progress.steps, places)) for step in found)


def _parents(step: Step, steps: Mapping[str, Step], places: Mapping[str, int]) -> tuple[int, ...]:
    """The places of the steps that a step is made from; through one that never started, of those behind it."""
    found: dict[int, None] = {}
    seen: set[str] = set()
    waiting = list(step.inputs)
    while waiting:
        digest = waiting.pop(0)
        if digest in places:
            found[places[digest]] = None
        elif digest in steps and digest not in seen:
            waiting += steps[digest].inputs
        seen.add(digest)
    return tuple(found)


def _step(step: Step, began: float, native: Sequence[str], only: str | None, parents: tuple[int, ...]) -> StepRecord:
    platform = step.platform or (only if step.is_run else None)
    return StepRecord(
        name=step.name,
        started=round(max(0.0, (step.first or began) - began), 3),
        seconds=round(0.0 if step.cached else step.seconds, 3),
        cached=step.cached,
        platform=platform,
        emulated=bool(step.is_run and platform and platform not in native and not step.cached),
        error=step.error or None,
        parents=parents,
        transferred=step.transferred,
    )


def emulation(records: Sequence[StepRecord]) -> tuple[EmulationRecord, ...]:
    """Seconds that RUN steps spent on each platform that was emulated."""
    cost: dict[str, list[float]] = {}
    for step in records:
        if step.emulated and step.platform:
            cost.setdefault(step.platform, []).append(step.seconds)
    return tuple(EmulationRecord(platform=p, seconds=round(sum(s), 3), steps=len(s)) for p, s in cost.items())
