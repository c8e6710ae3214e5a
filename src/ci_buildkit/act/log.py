"""act's log folded into jobs and their steps, while it is written. Pure: times are given with the records."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, field

from ci_buildkit.act.matrix import Leg
from ci_buildkit.act.record import OWN_STEPS, SETUP, Record

TAIL = 40  # lines of a step that are kept, the last ones
_STARTS = re.compile(r"⭐ Run (Pre|Main|Post) (?P<name>.*)", re.DOTALL)
_SKIPS = re.compile(r"Skipping step '(?P<name>.*)' due to '", re.DOTALL)
_CONTINUES = "Failed but continue next step"
_UNSUPPORTED = re.compile(r"Skipping unsupported platform -- Try running with `-P (?P<label>.*)=\.\.\.`")
_UNSKIPPED_STAGES = {"", "Main"}  # a step has Pre and Post parts only where its action has them
_ERROR = re.compile(r"Error: (?P<text>.*)", re.DOTALL)

StepConclusion = Literal["success", "failure", "skipped", ""]


class StepLog(Struct):
    """A step so far. `path` is longer than one for steps of composite actions; `tail` are its last lines.

    `continued` says that the workflow passes over its failure, `broken` that act told why it failed; `announced` is the
    conclusion that there was an event for.
    """

    path: tuple[str, ...]
    name: str
    result: str = ""
    continued: bool = False
    broken: bool = False
    seconds: float = 0.0
    announced: str = ""
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))

    @property
    def conclusion(self) -> StepConclusion:
        """As GitHub has it: a failure that the workflow passes over counts as success; "" while it runs."""
        if self.broken or (self.result == "failure" and not self.continued):
            return "failure"
        if self.result in {"success", "failure"}:
            return "success"
        return "skipped" if self.result == "skipped" else ""

    def take(self, record: Record) -> None:
        """Note what a record says of it."""
        main = record.stage in _UNSKIPPED_STAGES
        if not record.output:  # what a step prints may look like act's own words
            begins = _STARTS.match(record.message)
            if begins and main:
                self.name = begins["name"]
            self.continued |= record.message == _CONTINUES
        self.broken |= record.failing
        if record.output or record.command == "error" or record.failing:
            self.tail.append(record.message.strip("\r\n"))
        if record.step_result:
            self.seconds += record.seconds or 0.0
            if main or record.step_result == "failure":
                self.result = record.step_result

    @property
    def is_own(self) -> bool:
        """Whether it is act's own, around the steps of the workflow."""
        return self.path[0] in OWN_STEPS


class JobLog(Struct):
    """A job, or one leg of its matrix, so far. Times are seconds of the clock that records are given with."""

    act_name: str
    job_id: str
    matrix: Leg
    began: float
    last: float
    result: str = ""
    unsupported: str = ""
    steps: dict[tuple[str, ...], StepLog] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """From its first line to its last."""
        return self.last - self.began

    @property
    def broken(self) -> bool:
        """Whether a step of it failed, so that the job did."""
        return any(step.conclusion == "failure" for path, step in self.steps.items() if len(path) == 1)

    @property
    def started(self) -> bool:
        """Whether there is a container of it, or there has been."""
        return (SETUP,) in self.steps


class Event(Struct, frozen=True):
    """What a record changed: a step began or ended, a job ended, or a step printed a line."""

    kind: Literal["began", "ended", "line", "job"]
    job: JobLog
    step: StepLog | None = None
    text: str = ""


class Log:
    """All jobs by act's name of them, and what act said about none.

    Once it is `cut` no end of a job is believed: act says success and skipped of those that an interrupt ended.
    """

    def __init__(self) -> None:
        """Nothing was said yet."""
        self.jobs: dict[str, JobLog] = {}
        self.errors: list[str] = []
        self.cut = False

    def take(self, record: Record, now: float) -> Iterator[Event]:
        """Note one record; yields what changed by it."""
        if not record.job:
            if error := _ERROR.fullmatch(record.message):
                self.errors.append(error["text"])
            elif record.level == "error":
                self.errors.append(record.message)
            elif self.errors and not record.level and record.message:  # the message goes on
                self.errors[-1] += f"\n{record.message}"
            return
        job = self.jobs.get(record.job)
        if job is None:
            job = self.jobs[record.job] = JobLog(record.job, record.job_id, record.matrix, now, now)
        job.last = now
        if not record.output and (unsupported := _UNSUPPORTED.search(record.message)):
            job.unsupported = job.unsupported or unsupported["label"]
        if record.path:
            yield from _step(job, record)
        if record.job_result:
            job.result = "" if self.cut else record.job_result
            yield Event("job", job)


def _step(job: JobLog, record: Record) -> Iterator[Event]:
    """Note what a record says of a step. Of act's skipped Pre and Post parts nothing is noted."""
    skipped = record.step_result == "skipped"
    if skipped and record.stage not in _UNSKIPPED_STAGES:
        return
    step = job.steps.get(record.path)
    if step is None:
        step = job.steps[record.path] = StepLog(record.path, _name(record))
        if not skipped:
            yield Event("began", job, step)
    step.take(record)
    if record.output:
        yield Event("line", job, step, record.message)
    # Why a step failed, act says after it has said that it did.
    certain = step.broken or step.conclusion in {"success", "skipped"}
    if certain and step.conclusion and step.conclusion != step.announced:
        step.announced = step.conclusion
        yield Event("ended", job, step)


def _name(record: Record) -> str:
    if record.path[0] in OWN_STEPS:
        return OWN_STEPS[record.path[0]]
    if not record.output and (found := _SKIPS.match(record.message) or _STARTS.match(record.message)):
        return found["name"]
    return record.step if len(record.path) == 1 else record.path[-1]
