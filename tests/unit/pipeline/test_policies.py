"""The policies of a run: read from options and their files, and what they demand of the run as a whole."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from pathlib import Path

import pytest

from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.findings import baseline
from ci_buildkit.findings.model import Finding, FindingReport, Severity
from ci_buildkit.paths import PathMapper
from ci_buildkit.pipeline import policies
from ci_buildkit.record import Kind
from ci_buildkit.results import collect
from ci_buildkit.results.model import Case, Outcome, TestReport

TODAY = date(2030, 1, 15)


def passing(number: int) -> TestReport:
    cases = [Case("a.xml", "junit", "s", "c", f"t{n}", "passed") for n in range(number)]
    return collect.report(cases, (), files=1, suites=1)


def findings(*severities: Severity, tool: str = "buildkit") -> tuple[Finding, ...]:
    return tuple(Finding("a", n, None, None, None, one, "r", "m", tool) for n, one in enumerate(severities, 1))


@pytest.mark.parametrize(
    ("options", "kinds", "tests", "found", "told"),
    [
        ({}, {"lint", "test"}, 0, ("error", "warning"), []),
        ({"min_tests": 3}, {"test"}, 3, (), []),
        ({"min_tests": 3}, {"test"}, 2, (), [("--min-tests", "expected at least 3 tests, found 2", 5)]),
        # A test stage that was renamed is not found; one that was not asked for is not missed.
        ({"min_tests": 3}, {"lint"}, 0, (), [("--min-tests", "expected at least 3 tests, found 0", 5)]),
        ({"min_tests": 3, "stages": ("lint",)}, {"lint"}, 0, (), []),
        ({"min_tests": 3, "stages": ("test",)}, {"test"}, 0, (), [("--min-tests", "expected at least 3 tests, found 0", 5)]),
        ({"fail_on": ("checks=warnings",)}, {"lint"}, 0, ("warning",), [("--fail-on", "1 warning in BuildKit's checks of the Dockerfile", 1)]),
        ({"fail_on": ("checks=errors",)}, {"lint"}, 0, ("warning",), []),
        ({"fail_on": ("errors",)}, {"lint"}, 0, ("error", "warning"), [("--fail-on", "1 error in BuildKit's checks of the Dockerfile", 1)]),
        ({"fail_on": ("nothing",)}, {"lint"}, 0, ("error",), []),
        ({"max_warnings": 2}, {"lint"}, 0, ("error", "warning", "warning", "notice"), []),
        ({"max_warnings": 1}, {"lint"}, 0, ("warning", "warning"), [("--max-warnings", "2 warnings, 1 allowed", 1)]),
        (
            {"max_warnings": 0, "min_tests": 1}, {"lint", "test"}, 0, ("warning",),
            [("--min-tests", "expected at least 1 test, found 0", 5), ("--max-warnings", "1 warning, 0 allowed", 1)],
        ),
    ],
)  # fmt: skip
def test_what_a_run_did_not_meet(
    options: dict[str, object],
    kinds: Collection[Kind],
    tests: int,
    found: tuple[Severity, ...],
    told: list[tuple[str, str, int]],
) -> None:
    loaded = policies.load(Options.model_validate(options), TODAY)
    every = findings(*found)
    closed = policies.gates(loaded, kinds, passing(tests), every, every)
    assert [(gate.problem.path, gate.problem.reason, gate.exit_code) for gate in closed] == told
    assert {gate.problem.kind for gate in closed} <= {"policy"}


@pytest.mark.parametrize(
    ("options", "every"),
    [
        ({}, False),
        ({"fail_on": ("nothing",)}, False),
        ({"fail_on": ("lint=errors",)}, True),
        ({"fail_on": ("warnings",)}, True),
        ({"max_warnings": 3}, True),
    ],
)
def test_what_a_cached_linter_printed_is_needed_where_findings_alone_make_a_run_red(
    options: dict[str, object], every: bool
) -> None:
    assert policies.load(Options.model_validate(options), TODAY).needs_every_finding is every


def test_files_are_read_before_anything_runs(tmp_path: Path) -> None:
    listed, known = tmp_path / "list.yml", tmp_path / "known.json"
    listed.write_text("- {test: t0, until: 2030-01-14, reason: x}\n- {test: gone, until: 2030-01-15, reason: x}\n")
    baseline.write(FindingReport(findings("error")), known, PathMapper(root=tmp_path).source_line)
    options = Options(quarantine=listed, baseline=known, lint_pattern=("mine=^(?P<path>.+): (?P<message>.+)$",))
    loaded = policies.load(options, TODAY)
    assert loaded.baseline is not None
    assert [pattern.tool for pattern in loaded.patterns] == ["mine"]
    told = policies.notes(loaded, passing(2))
    assert [(one.path, one.kind, one.reason.partition(";")[0]) for one in told] == [
        (str(listed), "quarantine", "line 1: 't0' expired on 2030-01-14, so its failures count again"),
        (str(listed), "quarantine", "line 2: 'gone' names no test"),
    ]
    assert policies.notes(loaded, passing(0)) == [], "a run without tests says nothing about the list"


@pytest.mark.parametrize("name", ["quarantine", "baseline"])
def test_a_file_that_is_not_there_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="gone"):
        policies.load(Options.model_validate({name: tmp_path / "gone"}), TODAY)


def test_a_pattern_that_is_none_is_told() -> None:
    with pytest.raises(ConfigurationError):
        policies.load(Options(lint_pattern=("(",)), TODAY)


@pytest.mark.parametrize(
    ("outcomes", "minimum", "told"),
    [
        (("skipped", "skipped"), None, ["no test ran: 2 tests skipped; --min-tests 0 lets that pass"]),
        (("skipped", "skipped"), 0, []),
        (("skipped", "passed"), None, []),
        ((), None, []),
    ],
)
def test_a_run_whose_tests_were_all_skipped(
    outcomes: tuple[Outcome, ...], minimum: int | None, told: list[str]
) -> None:
    cases = [Case("a.xml", "junit", "s", "c", f"t{n}", outcome) for n, outcome in enumerate(outcomes)]
    report = collect.report(cases, (), files=1, suites=1)
    closed = policies.gates(policies.load(Options(min_tests=minimum), TODAY), {"test"}, report, (), ())
    assert [(gate.problem.reason, gate.exit_code) for gate in closed] == [(reason, 5) for reason in told]
