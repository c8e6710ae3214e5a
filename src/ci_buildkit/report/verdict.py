"""How the jobs of a workflow ended, as one verdict: green only where every job is there and green. Pure.

GitHub's `needs` has one result for all jobs of a matrix, and act the one that was written last: so the record that each
job left counts too. A job that left none is red, whatever its result says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from ci_buildkit.errors import EngineError, Interrupted, OutputError, most_fundamental
from ci_buildkit.record import outcome_of
from ci_buildkit.report import facts
from ci_buildkit.report.markdown import cell, inline, table, whole
from ci_buildkit.report.summary import MARKS
from ci_buildkit.report.text import duration, inert, one_line
from ci_buildkit.results.model import TestReport
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from ci_buildkit.record import RunOutcome, RunRecord

NOTHING = TestReport()


class Job(Struct, frozen=True):
    """A job of a matrix and the record that it left; without one `trouble` says why."""

    name: str
    record: RunRecord | None
    trouble: str = ""

    @property
    def outcome(self) -> RunOutcome:
        """How it ended; `error` without a record."""
        return self.record.outcome if self.record else "error"

    @property
    def exit_code(self) -> int:
        """Of its pipeline; 5 where there is no record, or one that contradicts itself."""
        if self.record is None or (self.record.outcome == "passed") != (self.record.exit_code == 0):
            return OutputError.exit_code
        return self.record.exit_code

    @property
    def why(self) -> str:
        """Why it is red or what it did, on one line."""
        if self.record is None:
            return one_line(f"it left no report: {self.trouble}", 300)
        return one_line(", ".join(facts.reasons(self.record, NOTHING)), 300)


class Verdict(Struct, frozen=True):
    """How all jobs ended together: the exit code, and one sentence that says why.

    `besides` is what went wrong without being in any job's record.
    """

    exit_code: int
    sentence: str
    jobs: tuple[Job, ...] = ()
    besides: tuple[str, ...] = ()

    @property
    def outcome(self) -> RunOutcome:
        """The outcome in one word."""
        return outcome_of(self.exit_code)


def judge(needs: Mapping[str, str], may_skip: Collection[str], jobs: Sequence[Job], nothing: str = "") -> Verdict:
    """The verdict on jobs by their results (`success`, `failure`, `cancelled`, `skipped`) and their records.

    `may_skip` are the jobs for which being skipped is right; `nothing` says why, where nothing was to be done at all.
    """
    red = [(job.exit_code, f"{job.name} {job.outcome} ({job.why})") for job in jobs if job.exit_code]
    # That a job failed is no news where a record says why.
    besides = [(code, why) for code, why in _needs(needs, may_skip) if not (red and code == EngineError.exit_code)]
    code = most_fundamental(code for code, _ in (*red, *besides))
    if code:
        sentence = f"The pipeline ended with exit code {code}: {'; '.join(why for _, why in (*red, *besides))}."
    else:
        names = ", ".join(job.name for job in jobs)
        sentence = nothing or (f"The pipeline passed: {names}." if names else "The pipeline passed.")
    return Verdict(code, inert(one_line(sentence, 2000)), tuple(jobs), tuple(why for _, why in besides))


def _needs(needs: Mapping[str, str], may_skip: Collection[str]) -> Iterator[tuple[int, str]]:
    """What is wrong with the results of jobs: an exit code and why."""
    for name, result in needs.items():
        if result == "success" or (result == "skipped" and name in may_skip):
            continue
        if result == "cancelled":
            yield Interrupted.exit_code, f"the job {name} was cancelled"
        elif result == "failure":
            yield EngineError.exit_code, f"the job {name} failed, and its log says why"
        else:
            yield OutputError.exit_code, f"the job {name} is {result or 'without a result'}, which nothing asked for"


def document(jobs: Iterable[Job]) -> list[dict[str, Any]]:
    """What programs may want to know of each job."""
    return [
        {
            "name": job.name,
            "outcome": job.outcome,
            "exit_code": job.exit_code,
            "reason": job.why,
            "version": job.record.version.value if job.record else None,
            "seconds": job.record.seconds if job.record else None,
            "tests": job.record.tests.totals.tests if job.record else None,
            "findings": len(job.record.findings) if job.record else None,
            "images": [
                {"name": one.name, "tags": list(one.tags), "digest": one.digest, "pushed": one.pushed}
                for one in (job.record.images if job.record else ())
            ],
        }
        for job in jobs
    ]


def markdown(verdict: Verdict) -> str:
    """The job summary: the sentence and a row for each job."""
    head = f"## {MARKS[verdict.outcome]} {inline(verdict.sentence, 2000)}"
    if not verdict.jobs:
        return f"{head}\n"
    rows = [
        [
            MARKS[job.outcome],
            cell(job.name),
            inline(job.why) or "-",
            cell(job.record.version.value) if job.record else "-",
            whole(duration(job.record.seconds)) if job.record else "-",
        ]
        for job in verdict.jobs
    ]
    return f"{head}\n\n{table(['', plural(len(rows), 'job'), 'Why', 'Version', 'Time'], rows, 'llllr')}\n"
