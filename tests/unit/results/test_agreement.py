"""One run of a suite, reported by the same tool in several formats: every reader says what really happened.

The expectations are written by hand from the suites themselves, not read from any report.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.results import read
from ci_buildkit.results.model import Case

DATA = Path(__file__).parents[2] / "data" / "agreement"
FAILED = {"failed", "error"}

# What each test did, by its own name. What the formats of one tool call differently is `broke`: some cannot tell an
# assertion from anything else that is thrown.
RUNS: dict[str, dict[str, str]] = {
    "pytest": {
        "test_price": "passed", "test_total": "failed", "test_each[1]": "passed", "test_each[2]": "failed",
        "test_each[3]": "passed", "test_later": "skipped", "test_known": "skipped", "test_setup": "error",
        "test_teardown": "error", "test_add": "passed", "test_remove": "failed", "test_syntax": "error",
    },
    "jest": {
        "prices": "passed", "totals": "broke", "later": "skipped", "adds": "passed", "throws": "broke",
        "broken.test.js": "broke",
    },
    "mocha": {
        "prices": "passed", "totals": "broke", "later": "skipped", "skipped": "skipped", "adds": "passed",
        "throws": "broke", '"before all" hook': "broke",
    },
    "vitest": {"prices": "passed", "totals": "broke", "later": "skipped", "adds": "passed", "throws": "broke"},
    "node": {
        "prices": "passed", "totals": "broke", "later": "skipped", "todo": "skipped", "adds": "passed",
        "throws": "broke", "alone": "passed",
    },
    "bats": {"prices": "passed", "totals": "failed", "later": "skipped", "odd # name & <more>": "passed"},
    "go": {
        "TestAdd": "passed", "TestRemove": "failed", "TestLater": "skipped", "TestTable": "failed", "TestTable/one": "passed",
        "TestTable/two": "failed", "TestPanic": "failed", "bad": "broke",
    },
}  # fmt: skip
# jest-ctrf-json-reporter leaves a file that cannot be loaded out of its report, totals included.
NOT_REPORTED = {Path("jest/ctrf.json"): {"broken.test.js"}}
REPORTS = sorted(path.relative_to(DATA) for path in DATA.rglob("*") if path.is_file())


def happened(case: Case, wanted: dict[str, str]) -> str | None:
    """Whose outcome this case tells: the longest of the wanted names that its own ends with or holds."""
    whole = f"{case.suite} / {case.class_name} / {case.name}"
    fitting = [name for name in wanted if case.name.endswith(name)] or [name for name in wanted if name in whole]
    return max(fitting, key=len, default=None)


@pytest.mark.parametrize("report", REPORTS, ids=str)
def test_every_format_of_a_tool_tells_the_same_run(report: Path) -> None:
    left_out = NOT_REPORTED.get(report, set())
    wanted = {name: outcome for name, outcome in RUNS[report.parts[0]].items() if name not in left_out}
    found = read.read_paths([DATA / report], root=DATA)
    assert not found.problems
    told = {happened(case, wanted): case.outcome for case in found.cases}
    assert len(found.cases) == len(told), [
        (case.suite, case.class_name, case.name, case.outcome) for case in found.cases
    ]
    assert {name: "broke" if wanted.get(name or "") == "broke" and outcome in FAILED else outcome for name, outcome in told.items()} == wanted  # fmt: skip


@pytest.mark.parametrize("report", REPORTS, ids=str)
def test_every_failure_says_something(report: Path) -> None:
    found = read.read_paths([DATA / report], root=DATA)
    assert all(case.message.strip() for case in found.cases if case.broken)
