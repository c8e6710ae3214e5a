"""Read lint findings and say what they say: reports of linters, BuildKit's checks, and the text that tools print.

Exit code 0 without findings that count, 1 with an error (or what `--fail-on` and `--max-warnings` say), 5 when something
could not be read. Findings that a baseline knows do not count.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ci_buildkit.cli.values import number

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ci_buildkit.findings.model import Finding, FindingReport
    from ci_buildkit.findings.policy import FailOn

Format = Literal["text", "json", "sarif", "github"]

_COLOURS = {"error": "31", "warning": "33", "notice": "36", "problem": "35"}
EXAMPLES = """
ci-buildkit findings golangci.json ruff.sarif
ci-buildkit findings lint.log --pattern 'mylint=^(?P<path>[^:]+):(?P<line>[0-9]+): (?P<message>.+)$'
ci-buildkit findings lint.sarif --write-baseline known.json
ci-buildkit findings lint.sarif --baseline known.json --max-warnings 0
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PATHs, the format, how paths are mapped, own patterns, the baseline, and what makes the command fail."""
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a file, a folder (with all below it) or a glob")
    parser.add_argument(
        "--format",
        choices=("text", "json", "sarif", "github"),
        default="text",
        help="github: workflow commands that annotate the changed files (default: text)",
    )
    parser.add_argument(
        "--path-map",
        metavar="FROM=TO",
        action="append",
        default=[],
        help="a folder of the container is this folder of the repository (repeatable)",
    )
    parser.add_argument(
        "--pattern",
        metavar="[TOOL=]REGEX",
        action="append",
        default=[],
        help="how a tool prints a finding on a line: an expression with the named groups path and message, and where "
        "there are such line, column, end_line, end_column, severity, rule and tool (repeatable)",
    )
    parser.add_argument(
        "--fail-on",
        choices=("error", "warning", "notice", "nothing"),
        default="error",
        help="error: fail with an error only; warning and notice: fail with any finding (default: error)",
    )
    parser.add_argument(
        "--max-warnings", metavar="N", type=number, help="fail with more warnings than N (default: any number passes)"
    )
    parser.add_argument("--baseline", metavar="FILE", help="findings that are known and do not count")
    parser.add_argument(
        "--write-baseline", metavar="FILE", help="write what was found as the baseline; then findings do not fail"
    )


def call(arguments: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    return run(
        arguments.paths,
        format=arguments.format,
        path_map=arguments.path_map,
        pattern=arguments.pattern,
        fail_on=arguments.fail_on,
        max_warnings=arguments.max_warnings,
        baseline=arguments.baseline,
        write_baseline=arguments.write_baseline,
    )


def run(
    paths: Sequence[str],
    *,
    format: Format = "text",  # noqa: A002 - the name of the option
    path_map: Sequence[str] = (),
    pattern: Sequence[str] = (),
    fail_on: FailOn = "error",
    max_warnings: int | None = None,
    baseline: str | None = None,
    write_baseline: str | None = None,
) -> int:
    """Print the findings in `paths`; returns 0, 1 (findings that count) or 5 (problems).

    Raises:
        ConfigurationError: a path map is not FROM=TO, a pattern is none, or the baseline cannot be read.
        OutputError: the baseline cannot be written.
    """
    from ci_buildkit.errors import FailuresFound, OutputError, most_fundamental
    from ci_buildkit.findings import policy, read
    from ci_buildkit.findings.pattern import parse
    from ci_buildkit.paths import PathMap

    report = read.read_paths(paths, path_map=PathMap.parse(path_map), patterns=parse(pattern))
    report = _compared(report, baseline, write_baseline)
    _print(report, format)
    _notes(report, problems=format in {"sarif", "github"})
    fails = not write_baseline and policy.verdict(report.findings, fail_on, max_warnings)
    codes = [FailuresFound.exit_code] * bool(fails)
    return most_fundamental(codes + [OutputError.exit_code] * bool(report.problems))


def _compared(report: FindingReport, baseline: str | None, write_to: str | None) -> FindingReport:
    """`report` without what is known, and a new baseline where one is wanted and nothing is missing from it."""
    from ci_buildkit.findings import baseline as known
    from ci_buildkit.paths import PathMapper
    from ci_buildkit.report.text import inert
    from ci_buildkit.text import plural

    source_line = PathMapper().source_line
    if baseline:
        report = known.split(report, known.load(Path(baseline)), source_line)
    if write_to and report.problems:
        print(inert(f"note: {write_to} was not written, since not everything could be read"), file=sys.stderr)
    elif write_to:
        count = known.write(report, Path(write_to), source_line)
        print(inert(f"note: {write_to} knows {plural(count, 'finding')}"), file=sys.stderr)
    return report


def _print(report: FindingReport, form: Format) -> None:
    if form == "json":
        from ci_buildkit.cli.output import print_json

        print_json({"findings": report.findings, "problems": report.problems})
    elif form == "sarif":
        from ci_buildkit.cli.output import inert_json
        from ci_buildkit.findings import sarif
        from ci_buildkit.report.text import inert

        log = sarif.build(report)
        sys.stdout.write(inert_json(log.data).decode())
        for problem in log.left_out:
            print(inert(f"warning: {problem.path}: {problem.reason}"), file=sys.stderr)
    elif form == "github":
        sys.stdout.write("".join(f"{command(finding)}\n" for finding in report.findings))
    else:
        sys.stdout.write(text(report, colour=sys.stdout.isatty()))


def _notes(report: FindingReport, *, problems: bool) -> None:
    """To stderr: problems where the format has no place for them, and what makes nothing fail."""
    from ci_buildkit.report.text import inert

    if problems:
        for problem in report.problems:
            print(inert(f"problem: {problem.path}: {problem.reason}"), file=sys.stderr)
    for note in report.notes:
        print(inert(f"note: {note}"), file=sys.stderr)


def text(report: FindingReport, *, colour: bool = False) -> str:
    """The findings for people, one line each, then what could not be read, and their number last."""
    from ci_buildkit.cli.output import aligned
    from ci_buildkit.findings.policy import count
    from ci_buildkit.report.text import one_line, place
    from ci_buildkit.text import plural

    rows: list[tuple[str, str, str]] = [
        (
            finding.severity,
            place(finding.path, finding.line, finding.column),
            f"{one_line(finding.message, 500)} ({one_line(finding.rule, 100)})",
        )
        for finding in report.findings
    ]
    rows += [("problem", problem.path, problem.reason) for problem in report.problems]
    told = ", ".join(plural(number, severity) for severity, number in count(report.findings).items() if number)
    total = f"{plural(len(report.findings), 'finding')}: {told}" if told else "no findings"
    known = f"; {len(report.known):,} known" if report.known else ""
    return "\n".join([*aligned(rows, _COLOURS if colour else {}), total + known]) + "\n"


def command(finding: Finding) -> str:
    """The workflow command that annotates the place of `finding`."""
    from ci_buildkit.github.runner import command as workflow_command
    from ci_buildkit.report.text import plain

    one_row = finding.end_line in {None, finding.line}
    title = plain(": ".join(part for part in (finding.tool, finding.rule) if part))
    return workflow_command(
        finding.severity,
        # An empty message would be dropped by the runner.
        plain(finding.message) or title,
        {
            "title": title or None,
            "file": plain(finding.path) or None,
            "line": finding.line,
            "endLine": finding.end_line,
            # The runner drops columns of a range over several lines, with a warning in the log.
            "col": finding.column if one_row else None,
            "endColumn": finding.end_column if one_row else None,
        },
    )
