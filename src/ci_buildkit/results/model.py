"""The one model of test results that every reader fills and every report shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ci_buildkit.problem import Problem

Outcome = Literal["passed", "failed", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test case, all its attempts folded into one.

    `failed` is an assertion, `error` anything else that broke. `seconds` is the time of all attempts; `line` is
    1-based; `path` is relative to the repository where it could be mapped. `attempts` counts the runs of the case;
    `flaky` says that one of them failed and the last one passed. `details` is the whole failure text (bounded).
    """

    file: str
    format: str
    suite: str
    class_name: str
    name: str
    outcome: Outcome
    seconds: float = 0.0
    message: str = ""
    path: str | None = None
    line: int | None = None
    attempts: int = 1
    flaky: bool = False
    details: str = ""

    @property
    def broken(self) -> bool:
        """Whether the case makes a run red."""
        return self.outcome in {"failed", "error"}


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


@dataclass(frozen=True, slots=True)
class TestReport:
    """What was read from one or more files: every case once, totals recounted from the cases, and the problems."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    cases: tuple[Case, ...] = ()
    problems: tuple[Problem, ...] = ()
    totals: Totals = field(default_factory=Totals)

    @property
    def broken(self) -> bool:
        """Whether any case failed or broke."""
        return self.totals.failed + self.totals.errors > 0
