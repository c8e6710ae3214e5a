"""The one model of test results that every reader fills and every report shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from ci_buildkit.problem import Problem

Outcome = Literal["passed", "failed", "error", "skipped"]


class Defined(msgspec.Struct, frozen=True, gc=False):
    """Where a case is, which is all that most passed ones tell: half the memory of an `Evidence`.

    `path` is relative to the repository where it could be mapped, `line` is 1-based.
    """

    path: str | None = None
    line: int | None = None


class Evidence(Defined, frozen=True, gc=False, kw_only=True):
    """What is told of a case besides that it passed. Its place is where it failed, else where it is defined.

    `message` is one line, `details` the whole failure text (bounded), `output` what the test printed (bounded).
    `attempts` counts the runs of the case; `flaky` says that one of them failed and the last one passed. `quarantined`
    is the reason why a failure does not count, "" where it does.
    """

    message: str = ""
    attempts: int = 1
    flaky: bool = False
    details: str = ""
    output: str = ""
    quarantined: str = ""


NO_EVIDENCE = Evidence()
"""Shared by all cases that have nothing to tell: a million passed cases are what memory goes to."""


class Case(msgspec.Struct, frozen=True, gc=False):
    """One test case, all its attempts folded into one.

    `failed` is an assertion, `error` anything else that broke. `seconds` is the time of all attempts. Structs without
    a place in the garbage collector's lists, because reports hold a million of them; they refer to nothing but text.
    """

    file: str
    format: str
    suite: str
    class_name: str
    name: str
    outcome: Outcome
    seconds: float = 0.0
    evidence: Defined = NO_EVIDENCE

    @property
    def told(self) -> Evidence:
        """The evidence, or what stands for it where there is nothing but a place."""
        return self.evidence if isinstance(self.evidence, Evidence) else NO_EVIDENCE

    @property
    def message(self) -> str:
        """The failure or the reason in one line."""
        return self.told.message

    @property
    def path(self) -> str | None:
        """The file, relative to the repository where it could be mapped."""
        return self.evidence.path

    @property
    def line(self) -> int | None:
        """The line, 1-based."""
        return self.evidence.line

    @property
    def attempts(self) -> int:
        """How many times it ran."""
        return self.told.attempts

    @property
    def flaky(self) -> bool:
        """Whether an attempt failed and the last one passed."""
        return self.told.flaky

    @property
    def details(self) -> str:
        """The whole failure text, bounded."""
        return self.told.details

    @property
    def output(self) -> str:
        """What the test printed, bounded."""
        return self.told.output

    @property
    def quarantined(self) -> str:
        """Why a failure does not count; "" where it does."""
        return self.told.quarantined

    @property
    def broken(self) -> bool:
        """Whether the case makes a run red."""
        return self.outcome in {"failed", "error"} and not self.told.quarantined


_EVIDENCE = frozenset(Evidence.__struct_fields__)


def changed(case: Case, **fields: Any) -> Case:
    """`case` with other values in these fields, which may be its own or its evidence's."""
    evidence = {key: fields.pop(key) for key in _EVIDENCE & fields.keys()}
    if evidence:
        told = case.evidence if isinstance(case.evidence, Evidence) else Evidence(case.path, case.line)
        fields["evidence"] = msgspec.structs.replace(told, **evidence)
    return msgspec.structs.replace(case, **fields)


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts of cases by outcome; `seconds` is the sum over cases."""

    files: int = 0
    suites: int = 0
    tests: int = 0
    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    flaky: int = 0
    seconds: float = 0.0


class TestReport(Struct, frozen=True):
    """What was read from one or more files: every case once, totals recounted from the cases, and the problems.

    `cases` is not to be changed by anyone who was given the report.
    """

    __test__ = False  # not a test class, whatever pytest thinks of the name

    cases: Sequence[Case] = ()
    problems: tuple[Problem, ...] = ()
    totals: Totals = field(default_factory=Totals)

    @property
    def quarantined(self) -> int:
        """How many failures do not count."""
        return sum(bool(case.quarantined) for case in self.cases if case.outcome != "passed")

    @property
    def broken(self) -> bool:
        """Whether any case failed or broke that is not quarantined."""
        return self.totals.failed + self.totals.errors > self.quarantined
