"""Read lint findings and say what they say: golangci-lint (text, JSON) and BuildKit's checks of a Dockerfile (JSON).

Exit code 0 without findings that count, 1 with an error (`--fail-on warning`: with any finding), 5 when something could
not be read.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ci_buildkit.findings.model import Finding, FindingReport

Format = Literal["text", "json", "sarif", "github"]
FailOn = Literal["error", "warning"]

_COLOURS = {"error": "31", "warning": "33", "notice": "36", "problem": "35"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PATHs, the format, how paths are mapped, and what makes the command fail."""
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
        "--fail-on",
        choices=("error", "warning"),
        default="error",
        help="error: fail with an error only; warning: fail with any finding (default: error)",
    )


def call(arguments: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    return run(arguments.paths, format=arguments.format, path_map=arguments.path_map, fail_on=arguments.fail_on)


def run(
    paths: Sequence[str],
    *,
    format: Format = "text",  # noqa: A002 - the name of the option
    path_map: Sequence[str] = (),
    fail_on: FailOn = "error",
) -> int:
    """Print the findings in `paths`; returns 0, 1 (findings that count) or 5 (problems).

    Raises:
        ConfigurationError: a path map is not FROM=TO.
    """
    from ci_buildkit.errors import FailuresFound, OutputError, most_fundamental
    from ci_buildkit.findings import read
    from ci_buildkit.paths import PathMap

    report = read.read_paths(paths, path_map=PathMap.parse(path_map))
    _print(report, format)
    _notes(report, problems=format in {"sarif", "github"})
    counts = fail_on == "warning" or any(finding.severity == "error" for finding in report.findings)
    codes = [FailuresFound.exit_code] * bool(report.findings and counts)
    return most_fundamental(codes + [OutputError.exit_code] * bool(report.problems))


def _print(report: FindingReport, form: Format) -> None:
    if form == "json":
        from dataclasses import asdict

        from ci_buildkit.cli.output import print_json

        print_json(
            {
                "findings": [asdict(finding) for finding in report.findings],
                "problems": [asdict(problem) for problem in report.problems],
            }
        )
    elif form == "sarif":
        from ci_buildkit.findings import sarif

        sys.stdout.write(sarif.dumps(report).decode())
    elif form == "github":
        sys.stdout.write("".join(f"{command(finding)}\n" for finding in report.findings))
    else:
        sys.stdout.write(text(report, colour=sys.stdout.isatty()))


def _notes(report: FindingReport, *, problems: bool) -> None:
    """To stderr: problems where the format has no place for them, and paths that nobody will find."""
    from ci_buildkit.findings.read import unmapped
    from ci_buildkit.report.text import inert

    if problems:
        for problem in report.problems:
            print(inert(f"problem: {problem.path}: {problem.reason}"), file=sys.stderr)
    paths = unmapped(report)
    if paths:
        more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
        note = f"note: {paths[0]}{more}: no such file in the working directory; --path-map FROM=TO tells where it is"
        print(inert(note), file=sys.stderr)


def text(report: FindingReport, *, colour: bool = False) -> str:
    """The findings for people, one line each, then what could not be read, and their number last."""
    from ci_buildkit.cli.output import aligned
    from ci_buildkit.report.text import one_line, place, plural

    rows: list[tuple[str, str, str]] = [
        (
            finding.severity,
            place(finding.path, finding.line, finding.column),
            f"{one_line(finding.message, 500)} ({one_line(finding.rule, 100)})",
        )
        for finding in report.findings
    ]
    rows += [("problem", problem.path, problem.reason) for problem in report.problems]
    counts = dict.fromkeys(("error", "warning", "notice"), 0)
    for finding in report.findings:
        counts[finding.severity] += 1
    told = ", ".join(plural(count, severity) for severity, count in counts.items() if count)
    total = f"{plural(len(report.findings), 'finding')}: {told}" if told else "no findings"
    return "\n".join([*aligned(rows, _COLOURS if colour else {}), total]) + "\n"


def command(finding: Finding) -> str:
    """The workflow command that annotates the place of `finding`."""
    from ci_buildkit.github.runner import command as workflow_command

    one_row = finding.end_line in {None, finding.line}
    return workflow_command(
        finding.severity,
        finding.message or finding.rule,
        {
            "title": f"{finding.tool}: {finding.rule}",
            "file": finding.path or None,
            "line": finding.line,
            "endLine": finding.end_line,
            # The runner drops columns of a range over several lines, with a warning in the log.
            "col": finding.column if one_row else None,
            "endColumn": finding.end_column if one_row else None,
        },
    )
