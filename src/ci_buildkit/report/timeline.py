"""The steps of every stage as bars on one common time axis: geometry only, in percent of the axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from ci_buildkit.report.text import duration, one_line

if TYPE_CHECKING:
    from ci_buildkit.record import RunRecord, StageRecord, StepRecord

State = Literal["ran", "cached", "failed", "emulated"]

# Percent of the axis: short steps stay visible, about three pixels on a laptop and one on a telephone.
MIN_WIDTH = 0.35
MAX_ROWS_PER_STAGE = 120
# The share of the axis that a label needs on a telephone.
LABEL_ROOM = 27.0
# With more steps than this the stages start folded, so that the page opens on an overview.
UNFOLDED_STEPS = 48


class Tick(Struct, frozen=True):
    """A mark of the axis: where it is in percent, and its label in seconds."""

    at: float
    label: str


class Bar(Struct, frozen=True):
    """One step. `at` and `width` are percents of the axis; `label_side` is where the label has room."""

    name: str
    state: State
    at: float
    width: float
    label: str
    title: str
    internal: bool = False
    label_side: Literal["after", "before", "inside"] = "after"

    @property
    def hatch_at(self) -> float:
        """Where the hatching of an emulated step begins: behind a label that stands inside the bar."""
        return round(self.at + LABEL_ROOM, 3) if self.label_side == "inside" else self.at


class Lane(Struct, frozen=True):
    """One stage: its own extent, the bars of its steps in order of their start, and how many short ones are left out."""

    stage: StageRecord
    at: float
    width: float
    bars: tuple[Bar, ...]
    left_out: int
    unfolded: bool


class Timeline(Struct, frozen=True):
    """All lanes, the axis' ticks, and the states that occur (for the legend)."""

    seconds: float
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    states: tuple[State, ...]


def lay_out(record: RunRecord) -> Timeline:
    """The timeline of a run; the axis spans the run, or the last step's end where that is later."""
    ends = [step.started + step.seconds for stage in record.stages for step in stage.timeline]
    ends += [stage.started + stage.seconds for stage in record.stages]
    span = max([record.seconds, *ends, 0.001])
    unfold = sum(len(stage.timeline) for stage in record.stages) <= UNFOLDED_STEPS
    lanes = tuple(
        _lane(stage, span, unfold=unfold) for stage in record.stages if stage.timeline or stage.outcome != "skipped"
    )
    present = {bar.state for lane in lanes for bar in lane.bars}
    order: tuple[State, ...] = ("ran", "cached", "emulated", "failed")
    return Timeline(span, _ticks(span), lanes, tuple(state for state in order if state in present))


def _lane(stage: StageRecord, span: float, *, unfold: bool) -> Lane:
    kept = _worth_showing(stage.timeline)
    bars = tuple(_bar(step, span) for step in sorted(kept, key=lambda step: (step.started, step.seconds)))
    at, width = _extent(stage.started, stage.seconds, span)
    broken = stage.outcome in {"failed", "error"}
    return Lane(stage, at, width, bars, len(stage.timeline) - len(kept), unfold or broken)


def _worth_showing(steps: tuple[StepRecord, ...]) -> list[StepRecord]:
    """All steps, or the failed and the longest ones where there are too many."""
    if len(steps) <= MAX_ROWS_PER_STAGE:
        return list(steps)
    return sorted(steps, key=lambda step: (step.error is None, -step.seconds))[:MAX_ROWS_PER_STAGE]


def _bar(step: StepRecord, span: float) -> Bar:
    state = _state(step)
    at, width = _extent(step.started, step.seconds, span)
    label = {"ran": "", "cached": "cached", "emulated": "emulated", "failed": "failed"}[state]
    shown = label if state == "cached" else " · ".join(part for part in (duration(step.seconds), label) if part)
    about = [f"{duration(step.seconds)} from {duration(step.started)}", label, step.platform or ""]
    error = one_line(step.error or "", 300)
    name = one_line(step.name, 200)
    title = "\n".join(part for part in (name, ", ".join(one for one in about if one), error) if part)
    return Bar(name, state, at, width, shown, title, name.startswith("[internal]"), _label_side(at, width))


def _label_side(at: float, width: float) -> Literal["after", "before", "inside"]:
    if at + width <= 100 - LABEL_ROOM:
        return "after"
    return "before" if at >= LABEL_ROOM else "inside"


def _state(step: StepRecord) -> State:
    if step.error is not None:
        return "failed"
    if step.cached:
        return "cached"
    return "emulated" if step.emulated else "ran"


def _extent(started: float, seconds: float, span: float) -> tuple[float, float]:
    """Start and width in percent, at least `MIN_WIDTH` wide and never past the end of the axis."""
    width = min(100.0, max(MIN_WIDTH, seconds / span * 100))
    at = min(max(0.0, started / span * 100), 100.0 - width)
    return round(at, 3), round(width, 3)


def _ticks(span: float) -> tuple[Tick, ...]:
    """Three to eight round marks (1, 2 or 5 times a power of ten seconds apart), the first at zero."""
    power = 10.0 ** math.floor(math.log10(span / 7))
    step = next(base * power for base in (1, 2, 5, 10) if span <= 7 * base * power)
    count = int(span / step + 1e-9)
    return tuple(Tick(round(n * step / span * 100, 3), f"{n * step:g} s") for n in range(count + 1))
