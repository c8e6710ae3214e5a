"""What the user lets pass and what the user demands, read from options and their files before anything runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ci_buildkit.config.levels import FailOn
from ci_buildkit.config.options import Options
from ci_buildkit.errors import FailuresFound, OutputError
from ci_buildkit.findings.model import Finding
from ci_buildkit.problem import Problem
from ci_buildkit.record import Kind
from ci_buildkit.results.model import TestReport, Totals
from ci_buildkit.results.policy import Policy, too_few
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from ci_buildkit.findings.baseline import Baseline
    from ci_buildkit.findings.pattern import Pattern


class Policies(Struct, frozen=True):
    """The policies of one run.

    `baseline` has the known findings, `patterns` find what no reader of findings knows. `named` says that the stages to
    run were named.
    """

    fail_on: FailOn = field(default_factory=FailOn)
    tests: Policy = field(default_factory=Policy)
    baseline: Baseline | None = None
    patterns: tuple[Pattern, ...] = ()
    max_warnings: int | None = None
    min_tests: int | None = None
    test_retries: int = 0
    named: bool = False
    quarantine_file: str = ""

    def needs_tests(self, kinds: Collection[Kind]) -> bool:
        """Whether a run of these kinds of stages must have tests.

        One of stages that were named and of which none tests need not; one of all stages must, even where it has no
        test stage: that may have been renamed.
        """
        return not self.named or "test" in kinds

    @property
    def needs_every_finding(self) -> bool:
        """Whether findings make a run red that the linter's own exit code does not."""
        return self.fail_on.lint in {"errors", "warnings"} or self.max_warnings is not None


class Gate(Struct, frozen=True):
    """A demand on the whole run that was not met, and the exit code that it asks for."""

    problem: Problem
    exit_code: int


def load(options: Options, today: date | None = None) -> Policies:
    """The policies that the options and the files they name ask for; `today` is the day in UTC unless it is given.

    Raises:
        ConfigurationError: a file cannot be read or is wrong, or a pattern is no regular expression.
    """
    fail_on = FailOn.parse(options.fail_on)
    tests = Policy(fail_on.tests)
    if options.quarantine:
        from ci_buildkit.results import quarantine

        listed = quarantine.load(options.quarantine, today or datetime.now(UTC).date())
        tests = Policy(fail_on.tests, listed)
    return Policies(
        fail_on=fail_on,
        tests=tests,
        baseline=_baseline(options),
        patterns=_patterns(options),
        max_warnings=options.max_warnings,
        min_tests=options.min_tests,
        test_retries=options.test_retries,
        named=bool(options.stages),
        quarantine_file=str(options.quarantine or ""),
    )


def _baseline(options: Options) -> Baseline | None:
    if not options.baseline:
        return None
    from ci_buildkit.findings import baseline

    return baseline.load(options.baseline)


def _patterns(options: Options) -> tuple[Pattern, ...]:
    if not options.lint_pattern:
        return ()
    from ci_buildkit.findings import pattern

    return pattern.parse(options.lint_pattern)


def gates(
    policies: Policies,
    kinds: Collection[Kind],
    tests: TestReport,
    findings: Sequence[Finding],
    checks: Sequence[Finding],
) -> list[Gate]:
    """The demands on a whole run that it did not meet.

    `kinds` are those of the stages it ran, `findings` all that count, `checks` those of them that are BuildKit's.
    """
    from ci_buildkit.findings.policy import verdict

    level = policies.fail_on.checks
    few = too_few(tests.totals.tests, policies.min_tests) if policies.needs_tests(kinds) else None
    few = few or _all_skipped(tests.totals, policies.min_tests)
    wrong = verdict(checks, "error" if level == "errors" else "warning") if level in {"errors", "warnings"} else None
    many = verdict(findings, "nothing", policies.max_warnings)
    found = [
        ("--min-tests", few, OutputError.exit_code),
        ("--fail-on", f"{wrong} in BuildKit's checks of the Dockerfile" if wrong else None, FailuresFound.exit_code),
        ("--max-warnings", many, FailuresFound.exit_code),
    ]
    return [Gate(Problem(option, "policy", reason), code) for option, reason, code in found if reason]


def _all_skipped(totals: Totals, minimum: int | None) -> str | None:
    """Why a run none of whose tests ran is wrong; None where one did, or where no number of tests is asked for (0)."""
    if minimum == 0 or not totals.tests or totals.skipped < totals.tests:
        return None
    return f"no test ran: {plural(totals.tests, 'test')} skipped; --min-tests 0 lets that pass"


def notes(policies: Policies, tests: TestReport) -> list[Problem]:
    """What is to be mended in the quarantine list, which makes no run red. Without tests no entry can be judged."""
    told = policies.tests.quarantine.notes(tests.cases) if tests.totals.tests else []
    return [Problem(policies.quarantine_file, "quarantine", note) for note in told]
