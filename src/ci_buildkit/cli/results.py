"""Read test results of any format that is known, and say what they say; the content tells the format.

Exit code 0 when every test that counts passed, 1 with failed tests or errors, 5 when something could not be read or
there are too few tests.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ci_buildkit.cli.values import number
from ci_buildkit.config.levels import LEVELS, Level

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from ci_buildkit.results.model import Case, TestReport, Totals
    from ci_buildkit.results.policy import Policy

Format = Literal["text", "json", "markdown"]

_MOST_LINES = 200
_COLOURS = {"failed": "31", "error": "31", "flaky": "33", "problem": "35"}
EXAMPLES = """
ci-buildkit results ci-report/results
ci-buildkit results 'build/**/TEST-*.xml' --junit junit.xml
ci-buildkit results reports --path-map /src=. --format markdown
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PATHs, the format, where to write JUnit and CTRF, how paths are mapped, and what makes the command fail."""
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a file, a folder (with all below it) or a glob")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="(default: text)")
    parser.add_argument("--junit", metavar="FILE", help="also write all test cases as one JUnit XML file")
    parser.add_argument("--ctrf", metavar="FILE", help="also write all test cases as one CTRF document (ctrf.io)")
    parser.add_argument(
        "--path-map",
        metavar="FROM=TO",
        action="append",
        default=[],
        help="a folder of the container is this folder of the repository (repeatable)",
    )
    parser.add_argument(
        "--fail-on",
        choices=LEVELS["tests"],
        default="failures",
        help="failures: fail with a failed test or an error; errors: with an error only; nothing: with neither (default: failures)",
    )
    parser.add_argument("--min-tests", metavar="N", type=number, help="fail with fewer test cases than N")
    parser.add_argument(
        "--quarantine",
        metavar="FILE",
        help="tests whose failures do not count until a day: a YAML list of test, until and reason",
    )


def call(arguments: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    return run(
        arguments.paths,
        format=arguments.format,
        junit=arguments.junit,
        ctrf=arguments.ctrf,
        path_map=arguments.path_map,
        fail_on=arguments.fail_on,
        min_tests=arguments.min_tests,
        quarantine=arguments.quarantine,
    )


def run(
    paths: Sequence[str],
    *,
    format: Format = "text",  # noqa: A002 - the name of the option
    junit: str | Path | None = None,
    ctrf: str | Path | None = None,
    path_map: Sequence[str] = (),
    fail_on: Level = "failures",
    min_tests: int | None = None,
    quarantine: str | Path | None = None,
) -> int:
    """Print what the reports in `paths` say; returns 0, 1 (failures that count) or 5 (problems, too few tests).

    Raises:
        ConfigurationError: a path map is not FROM=TO, or the quarantine list is wrong.
        OutputError: the JUnit or the CTRF file cannot be written.
    """
    from ci_buildkit.errors import FailuresFound, OutputError, most_fundamental
    from ci_buildkit.paths import PathMap
    from ci_buildkit.results import read

    policy = _policy(fail_on, quarantine)
    report = policy.judged(read.read_paths(paths, path_map=PathMap.parse(path_map)))
    report = _demanding(report, min_tests)
    from ci_buildkit.report.text import inert

    for note in policy.quarantine.notes(report.cases):
        print(inert(f"note: {quarantine}: {note}"), file=sys.stderr)
    if junit:
        from ci_buildkit.results import junit_writer

        junit_writer.write(report, Path(junit))
    if ctrf:
        from ci_buildkit.results import ctrf_writer

        ctrf_writer.write(report, Path(ctrf))
    if format == "json":
        _print_json(report)
    elif format == "markdown":
        sys.stdout.write(markdown(report))
    else:
        sys.stdout.write(text(report, colour=sys.stdout.isatty()))
    codes = [FailuresFound.exit_code] * report.broken + [OutputError.exit_code] * bool(report.problems)
    return most_fundamental(codes)


def _policy(fail_on: Level, listed: str | Path | None) -> Policy:
    from ci_buildkit.results.policy import Policy

    if not listed:
        return Policy(fail_on)
    from datetime import UTC, datetime

    from ci_buildkit.results import quarantine

    return Policy(fail_on, quarantine.load(Path(listed), datetime.now(UTC).date()))


def _demanding(report: TestReport, min_tests: int | None) -> TestReport:
    """The report, with a problem more where it has fewer tests than there must be."""
    from msgspec.structs import replace

    from ci_buildkit.problem import Problem
    from ci_buildkit.results.policy import too_few

    reason = too_few(report.totals.tests, min_tests)
    return replace(report, problems=(*report.problems, Problem("--min-tests", "policy", reason))) if reason else report


def _print_json(report: TestReport) -> None:
    """One object with a line for each case, written batch by batch: a report may hold a million cases."""
    from dataclasses import asdict

    from ci_buildkit import jsontext
    from ci_buildkit.cli.output import inert_json
    from ci_buildkit.record import case_json

    problems = [asdict(problem) for problem in report.problems]
    head = jsontext.dumps({"totals": asdict(report.totals), "problems": problems}, indent=True)
    sys.stdout.flush()
    out = sys.stdout.buffer
    out.write(inert_json(head.rstrip().removesuffix(b"}").rstrip()) + b',\n  "cases": [')
    separator = b"\n    "
    for batch in _batches(report.cases):
        out.write(separator + inert_json(b",\n    ".join(jsontext.dumps(case_json(case)) for case in batch)))
        separator = b",\n    "
    out.write(b"\n  ]\n}\n" if report.cases else b"]\n}\n")
    out.flush()


def _batches(cases: Sequence[Case], size: int = 1000) -> Iterator[Sequence[Case]]:
    for start in range(0, len(cases), size):
        yield cases[start : start + size]


def text(report: TestReport, *, colour: bool = False) -> str:
    """The report for people: what broke, what was flaky, what could not be read, and the totals last."""
    from ci_buildkit.cli.output import aligned
    from ci_buildkit.report.facts import case_title
    from ci_buildkit.report.text import place

    rows = [
        (_word(case), place(case.path, case.line), case_title(case, 200), _message(case)) for case in _telling(report)
    ]
    rows += [("problem", problem.path, problem.reason, "") for problem in report.problems]
    lines = aligned(rows[:_MOST_LINES], _COLOURS if colour else {})
    if len(rows) > _MOST_LINES:
        lines.append(f"… and {len(rows) - _MOST_LINES:,} more; --format json lists all")
    return "\n".join([*lines, _totals(report.totals)]) + "\n"


def _telling(report: TestReport) -> Iterator[Case]:
    from ci_buildkit.results.model import NO_EVIDENCE

    # Looked through once for the few that have more to tell than their place: there may be a million.
    cases = [case for case in report.cases if case.outcome != "passed" or case.told is not NO_EVIDENCE]
    yield from (case for case in cases if case.broken)
    yield from (case for case in cases if case.quarantined)
    yield from (case for case in cases if case.flaky)


def _message(case: Case) -> str:
    """The failure, and why it does not count."""
    from ci_buildkit.report.facts import case_message

    message = case_message(case, 500)
    return f"{message} [{case.quarantined}]".strip() if case.quarantined else message


def _word(case: Case) -> str:
    return "flaky" if case.flaky else case.outcome


def _totals(totals: Totals) -> str:
    from ci_buildkit.report.text import duration
    from ci_buildkit.text import plural

    counts = {
        "passed": totals.passed,
        "failed": totals.failed,
        "error" if totals.errors == 1 else "errors": totals.errors,
        "skipped": totals.skipped,
        "flaky": totals.flaky,
    }
    told = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count or word in {"passed", "failed"})
    return f"{plural(totals.tests, 'test')} in {plural(totals.suites, 'suite')}: {told}, {duration(totals.seconds)}"


def markdown(report: TestReport) -> str:
    """The report as GitHub Flavored Markdown; nothing that a test printed becomes markup."""
    from ci_buildkit.report.facts import case_title
    from ci_buildkit.report.markdown import cell, inline, table
    from ci_buildkit.report.text import place

    parts = [f"### {inline(_totals(report.totals))}"]
    told = list(_telling(report))
    if told:
        rows = [
            [
                _word(case),
                inline(case_title(case)),
                inline(_message(case)),
                cell(where) if (where := place(case.path, case.line)) else "",
            ]
            for case in told[:_MOST_LINES]
        ]
        parts.append(table(["Outcome", "Test", "Message", "Where"], rows))
    if len(told) > _MOST_LINES:
        parts.append(f"… and {len(told) - _MOST_LINES:,} more")
    if report.problems:
        rows = [[cell(problem.path), inline(problem.reason)] for problem in report.problems[:_MOST_LINES]]
        parts.append(table(["Problem", "Reason"], rows))
    return "\n\n".join(parts) + "\n"
