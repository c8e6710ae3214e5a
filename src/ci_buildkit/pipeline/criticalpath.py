"""The chain of steps that decided how long a run took, and how far more cores could have shortened it. Pure.

Steps that several stages share count once, from the first stage that began them to the last that saw them end.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from ci_buildkit import stepname
from ci_buildkit.record import CriticalPathRecord, CriticalStepRecord, RunRecord, StageRecord, StepRecord

TOGETHER = 0.005  # seconds: clocks of two processes agree no better
SHOWN = 0.01  # a step that took less decided nothing

Key = tuple[str, str, int]


class _Step(Struct):
    """One step of the run; times are seconds after the run's start. `before` are those that it had to wait for."""

    stage: str
    name: str
    began: float
    ended: float
    ran: bool
    before: list[_Step] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    def see(self, step: StepRecord) -> None:
        """Take in what another stage saw of the same step."""
        if step.cached and self.ran:
            return
        ended = step.started + step.seconds
        if step.cached or self.ran:
            self.began, self.ended = min(self.began, step.started), max(self.ended, ended)
        else:
            self.began, self.ended, self.ran = step.started, ended, True


def critical_path(record: RunRecord) -> CriticalPathRecord | None:
    """The critical path of a run; None where no step ran."""
    steps = _graph(record)
    if not any(step.ran for step in steps):
        return None
    last = max(steps, key=lambda step: step.ended)
    outside = record.seconds - last.ended + min(step.began for step in steps)
    ideal = min(record.seconds, max(0.0, outside) + _longest(steps))
    busy = sum(step.seconds for step in steps)
    chain = _chain(last)
    return CriticalPathRecord(
        steps=chain,
        seconds=round(sum(step.seconds for step in chain), 3),
        waited_seconds=round(sum(step.waited for step in chain), 3),
        parallelism=round(busy / max(_covered(steps), 0.001), 2),
        ideal_seconds=round(ideal, 3),
    )


def _graph(record: RunRecord) -> list[_Step]:
    files = {build.stage: build.dockerfile for build in record.inputs.builds}
    found: dict[Key, _Step] = {}
    for stage in record.stages:
        _add(stage, files.get(stage.name, ""), found)
    return list(found.values())


def _add(stage: StageRecord, file: str, found: dict[Key, _Step]) -> None:
    own: list[_Step] = []
    for place, step in enumerate(stage.timeline):
        # BuildKit's own business (loading the context, exporting) has the same name in every build and is not shared.
        key = (file, step.name, -1) if stepname.parse(step.name) else (stage.name, step.name, place)
        if key in found:
            found[key].see(step)
        else:
            found[key] = _Step(stage.name, step.name, step.started, step.started + step.seconds, not step.cached)
        own.append(found[key])
    for step, node in zip(stage.timeline, own, strict=True):
        node.before += [own[place] for place in step.parents or () if 0 <= place < len(own)] or _earlier(own, node)


def _earlier(steps: Sequence[_Step], node: _Step) -> list[_Step]:
    """What ended last before a step of which BuildKit does not tell what it is made from: an image, an export."""
    ended = [one for one in steps if one is not node and one.ended <= node.began + TOGETHER]
    return [max(ended, key=lambda one: one.ended)] if ended else []


def _chain(last: _Step) -> tuple[CriticalStepRecord, ...]:
    """From the step that ended last back to what each waited for longest; in the order of time."""
    chain: list[CriticalStepRecord] = []
    seen: set[int] = set()
    node: _Step | None = last
    while node is not None and id(node) not in seen:
        seen.add(id(node))
        before = max((one for one in node.before if id(one) not in seen), key=lambda one: one.ended, default=None)
        if node.seconds >= SHOWN:
            waited = max(0.0, node.began - (before.ended if before else 0.0))
            chain.append(
                CriticalStepRecord(
                    stage=node.stage,
                    step=node.name,
                    started=round(node.began, 3),
                    seconds=round(node.seconds, 3),
                    waited=round(waited, 3),
                )
            )
        node = before
    return tuple(reversed(chain))


def _longest(steps: Sequence[_Step]) -> float:
    """Seconds of the chain that is longest when nothing waits for a free core."""
    longest: dict[int, float] = {}
    for step in sorted(steps, key=lambda one: (one.ended, one.began)):
        longest[id(step)] = step.seconds + max((longest.get(id(one), one.seconds) for one in step.before), default=0.0)
    return max(longest.values())


def _covered(steps: Sequence[_Step]) -> float:
    """Seconds in which at least one step ran."""
    covered, end = 0.0, 0.0
    for step in sorted(steps, key=lambda one: one.began):
        covered += max(0.0, step.ended - max(end, step.began))
        end = max(end, step.ended)
    return covered
