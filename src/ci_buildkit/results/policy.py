"""Which failures make a run red: the level of `--fail-on tests`, the quarantine list, and how many tests there must be."""

from __future__ import annotations

from msgspec import Struct, field
from msgspec.structs import replace

from ci_buildkit.config.levels import Level
from ci_buildkit.results.model import Case, TestReport, changed
from ci_buildkit.results.quarantine import Quarantine
from ci_buildkit.text import plural

_LEVEL = "--fail-on tests="
# The outcomes that count at each level.
_COUNTING = {"failures": ("failed", "error"), "errors": ("error",), "nothing": ()}


class Policy(Struct, frozen=True):
    """`fail_on` is failures, errors or nothing."""

    fail_on: Level = "failures"
    quarantine: Quarantine = field(default_factory=Quarantine)

    def judged(self, report: TestReport) -> TestReport:
        """The report with the reason in each failure that does not count. Outcomes and totals stay as they are."""
        if not report.totals.failed + report.totals.errors:
            return report
        return replace(report, cases=tuple(self._judged(case) for case in report.cases))

    def _judged(self, case: Case) -> Case:
        if not case.broken:
            return case
        reason = self.quarantine.reason(case)
        if not reason and case.outcome not in _COUNTING[self.fail_on]:
            reason = f"{_LEVEL}{self.fail_on} lets it pass"
        return changed(case, quarantined=reason) if reason else case


def let_pass(report: TestReport) -> str:
    """What failed in a judged report and does not count, in one sentence; "" where nothing does."""
    reasons = [case.quarantined for case in report.cases if case.quarantined]
    if not reasons:
        return ""
    level = next((one.removesuffix(" lets it pass") for one in reasons if one.startswith(_LEVEL)), "")
    listed = sum(not one.startswith(_LEVEL) for one in reasons)
    of = f"of {plural(report.totals.tests, 'test')} failed"
    parts = [f"{listed:,} {of}, which {'is' if listed == 1 else 'are'} quarantined"] if listed else []
    parts += [f"{len(reasons) - listed:,} {of}, which {level} lets pass"] if level else []
    return "; ".join(parts)


def too_few(tests: int, minimum: int | None) -> str | None:
    """Why a run with so many test cases is wrong; None where it has the `minimum`."""
    if minimum is None or tests >= minimum:
        return None
    return f"expected at least {plural(minimum, 'test')}, found {tests:,}"
