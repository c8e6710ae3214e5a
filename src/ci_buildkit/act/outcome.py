"""How a run ended: the plan held against act's log. Pure.

act's own verdict is not believed where it is wrong (0.2.89, pkg/runner/job_executor.go): all legs of a matrix share one
result, so that a leg that is well is called failed after another one failed; a job without an image counts as nothing; and
what comes after a called workflow that failed is left out without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct

from ci_buildkit.act import matrix
from ci_buildkit.act.images import Images
from ci_buildkit.act.log import JobLog, Log, StepLog
from ci_buildkit.act.matrix import Leg
from ci_buildkit.act.names import Names, Place, order
from ci_buildkit.act.plan import Plan, Planned

Conclusion = Literal["success", "failure", "skipped", "not-run"]
BAD: tuple[Conclusion, ...] = ("failure", "not-run")
NEVER = "act never came to it"


class Step(Struct, frozen=True):
    """A step, with those of a composite action in it. `passed_over` says that it failed and the workflow goes on."""

    name: str
    conclusion: str
    seconds: float
    steps: tuple[Step, ...] = ()
    passed_over: bool = False


class Job(Struct, frozen=True):
    """A job, or one leg of its matrix. `id` of a called workflow's job is CALLER/JOB; `reason` says why it did not run."""

    id: str
    name: str
    conclusion: Conclusion
    seconds: float
    steps: tuple[Step, ...]
    workflow: str
    reason: str = ""


class Artifact(Struct, frozen=True):
    """What a job uploaded: `path` is the file that act's server keeps, or the folder of an old version's files."""

    name: str
    path: Path
    size: int


class Outcome(Struct, frozen=True):
    """The whole run. `problem` says what is wrong besides the jobs; "" mostly."""

    outcome: Literal["passed", "failed"]
    jobs: tuple[Job, ...]
    artifacts: tuple[Artifact, ...]
    problem: str = ""


def conclude(plan: Plan, log: Log, images: Images, code: int, artifacts: Iterable[Artifact]) -> Outcome:
    """The outcome of a run whose act ended with `code`."""
    jobs = tuple(_Judge(plan, log, images).all())
    found = {job.conclusion for job in jobs}
    problem = ""
    if not found.intersection(BAD):
        if "success" not in found:
            problem = "no job ran"
        elif code:
            problem = f"act ended with exit code {code}, though no job failed"
    passed = not problem and not found.intersection(BAD)
    return Outcome("passed" if passed else "failed", jobs, tuple(artifacts), problem)


class _Judge:
    def __init__(self, plan: Plan, log: Log, images: Images) -> None:
        self._plan = plan
        self._images = images
        self._names = Names(plan)
        self._logs: dict[int, list[JobLog]] = {}
        self._strays: dict[int, list[JobLog]] = {}
        for job in log.jobs.values():
            if place := self._names.place(job.act_name):
                group = self._strays if place.stray else self._logs
                group.setdefault(place.number, []).append(job)
        self._known: dict[int, tuple[Job, ...]] = {}

    def all(self) -> Iterator[Job]:
        for planned in self._plan.jobs:
            if planned.parent is None:
                yield from self._tree(planned)

    def _tree(self, planned: Planned) -> Iterator[Job]:
        own = self._rows(planned)
        yield from own
        if planned.job.calls and own[0].conclusion != "skipped":
            yield from self._inner(planned)

    def _inner(self, planned: Planned) -> Iterator[Job]:
        """The jobs of the workflow that a job calls, as far as it was come to."""
        for job in self._strays.get(planned.number, ()):
            yield self._of_log(planned, job)
        if self._reached(planned):
            for child in self._plan.children(planned.number):
                yield from self._tree(child)

    def _reached(self, planned: Planned) -> bool:
        children = self._plan.children(planned.number)
        return planned.number in self._strays or any(self._logs.get(c.number) or self._reached(c) for c in children)

    def _rows(self, planned: Planned) -> tuple[Job, ...]:
        """What is to be told of a planned job itself: a row for each leg."""
        if planned.number not in self._known:
            self._known[planned.number] = tuple(self._judged(planned))
        return self._known[planned.number]

    def _judged(self, planned: Planned) -> Iterator[Job]:
        logs = self._logs.get(planned.number, [])
        if planned.job.calls:
            # act's log has only the legs that are skipped.
            skipped = any(job.result == "skipped" for job in logs) and not self._reached(planned)
            yield self._skipped(planned) if skipped else self._caller(planned)
        else:
            groups: dict[str, list[JobLog]] = {leg: [] for leg in self._callers(planned)}
            for job in logs:
                groups.setdefault(self._place(job).caller, []).append(job)
            for leg, group in (groups or {"": []}).items():
                yield from self._group(planned, leg, group)

    def _callers(self, planned: Planned) -> Iterator[str]:
        """The legs of the calling job, by their numbers, where it has several and did not skip them."""
        parent = self._plan.jobs[planned.parent] if planned.parent is not None else None
        if parent is not None and parent.legs and len(parent.legs) > 1:
            skipped = {self._place(job).leg for job in self._logs.get(parent.number, ()) if job.result == "skipped"}
            yield from (str(leg) for leg in range(1, len(parent.legs) + 1) if str(leg) not in skipped)

    def _group(self, planned: Planned, caller: str, logs: Sequence[JobLog]) -> Iterator[Job]:
        """The rows of a job for one leg of its caller: those that act ran, and those that it should have run."""
        if logs and all(job.result == "skipped" for job in logs):
            yield self._skipped(planned, caller)
            return
        if not logs and planned.legs != ():
            yield self._unseen(planned, caller)
            return
        yield from (self._of_log(planned, job) for job in logs)
        unseen = [leg for leg in planned.legs or () if not any(matrix.same(leg, job.matrix) for job in logs)]
        # act may write a value in another way, but never has more legs than there are.
        for leg in unseen[: max(0, len(planned.legs or ()) - len(logs))]:
            yield self._row(planned, "not-run", NEVER, caller, leg)
        for leg in planned.left_out:
            if not any(matrix.same(leg, job.matrix) for job in logs):
                yield self._row(planned, "not-run", _no_image(planned.job.labels_of(leg) or ()), caller, leg)

    def _place(self, job: JobLog) -> Place:
        place = self._names.place(job.act_name)
        assert place  # or it would not be among the logs
        return place

    def _caller(self, planned: Planned) -> Job:
        if not self._reached(planned):
            return self._unseen(planned)
        inner = tuple(self._inner(planned))
        found = {job.conclusion for job in inner}
        conclusion: Conclusion = "success" if "success" in found else "skipped"
        if found.intersection(BAD):
            conclusion = "failure"
        return self._row(planned, conclusion, seconds=max((job.seconds for job in inner), default=0.0))

    def _skipped(self, planned: Planned, caller: str = "") -> Job:
        condition = planned.job.condition
        reason = f"`if: {condition}` does not hold" if condition else self._blocker(planned)
        return self._row(planned, "skipped", reason, caller)

    def _unseen(self, planned: Planned, caller: str = "") -> Job:
        """A job that act said nothing of: it stopped before, which GitHub would not have done."""
        blocker = self._blocker(planned)
        if blocker and not planned.job.runs_after_failures:
            return self._row(planned, "skipped", blocker, caller)
        return self._row(planned, "not-run", NEVER, caller)

    def _blocker(self, planned: Planned) -> str:
        """Which of the jobs that it needs did not succeed; "" where all did."""
        for number in planned.needs:
            needed = self._plan.jobs[number]
            if any(row.conclusion != "success" for row in self._rows(needed)):
                return f"it needs {needed.job.id}, which did not succeed"
        return ""

    def _of_log(self, planned: Planned, job: JobLog) -> Job:
        stray = bool(self._place(job).stray)
        conclusion, reason = self._conclusion(planned, job, stray=stray)
        return Job(
            id=f"{planned.id}/{job.job_id}" if stray else planned.id,
            name=self._names.shown(job.act_name, job.matrix),
            conclusion=conclusion,
            seconds=job.seconds if job.started else 0.0,
            steps=tuple(_steps(job)),
            workflow=planned.job.calls if stray else planned.file,
            reason=reason,
        )

    def _conclusion(self, planned: Planned, job: JobLog, *, stray: bool) -> tuple[Conclusion, str]:
        if job.result == "skipped":
            return "skipped", ""
        if reason := self._imageless(planned, job, stray=stray):
            return "not-run", reason
        if planned.legs is None and not job.matrix and not stray:  # act runs it once then, and GitHub refuses it
            return "failure", "its matrix has no values"
        if job.broken:
            return "failure", ""
        if not job.result:
            return ("failure", "act ended before it did") if job.started else ("not-run", NEVER)
        shared = len(job.matrix) > 0  # and with it the result of the legs before
        return ("success" if job.result == "success" or shared else "failure"), ""

    def _imageless(self, planned: Planned, job: JobLog, *, stray: bool) -> str:
        """Why a job had no runner; "" where it had one."""
        if job.unsupported and not job.started:
            return _no_image((job.unsupported,))
        labels = None if stray or planned.job.has_container else planned.job.labels_of(job.matrix)
        if labels is None or self._images.of(labels):
            return ""
        return _no_image(labels) + ("; act ran it on another leg's runner" if job.started else "")

    def _row(
        self, planned: Planned, conclusion: Conclusion, reason: str = "", caller: str = "", leg: Leg | None = None,
        seconds: float = 0.0,
    ) -> Job:  # fmt: skip
        name = self._names.below(planned, planned.job.name + matrix.label(leg or {}, order(planned)), caller)
        return Job(planned.id, name, conclusion, seconds, (), planned.file, reason)


def _no_image(labels: Sequence[str]) -> str:
    return f"there is no image for {', '.join(labels) or 'a job without `runs-on`'}"


def _steps(job: JobLog) -> Iterator[Step]:
    """The steps of the workflow, and act's own where one failed."""
    for path, step in job.steps.items():
        if len(path) == 1 and (not step.is_own or step.conclusion == "failure"):
            yield _step(job, step)


def _step(job: JobLog, step: StepLog) -> Step:
    below = len(step.path) + 1
    inner = [one for path, one in job.steps.items() if len(path) == below and path[:-1] == step.path]
    # One that was cut off in the middle counts as failed.
    return Step(
        step.name.strip().split("\n")[0],  # of a script without a name
        step.conclusion or "failure",
        step.seconds,
        tuple(_step(job, one) for one in inner),
        step.continued and step.result == "failure",
    )
