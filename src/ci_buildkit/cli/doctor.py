"""Say what is wrong with a repository's Dockerfiles, bake files, workflows and machine, and how to mend it.

PATH is a folder or one file. Exit code 0 without an error (warnings and notices may be), 1 with one, 2 where PATH does
not exist.
"""

from __future__ import annotations

import argparse
import os
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.doctor.diagnosis import Diagnosis
    from ci_buildkit.doctor.examine import Report
    from ci_buildkit.doctor.mend import Look

EXAMPLES = """
ci-buildkit doctor
ci-buildkit doctor --fix                                # write what is safe, show a diff
ci-buildkit doctor build/Dockerfile --no-environment    # one file, without asking docker
ci-buildkit doctor --format json
"""
COLOURS = {"error": "31", "warning": "33", "notice": "36"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The path, what to do and the format."""
    parser.add_argument(
        "path", nargs="?", type=Path, default=Path(), metavar="PATH", help="a folder, or one file (default: .)"
    )
    parser.add_argument("--fix", action="store_true", help="write the fixes that are safe, and show what changed")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="(default: text)")
    parser.add_argument(
        "--environment",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="look at this machine, and ask docker what BuildKit and bake say of the files; for one file the machine is left "
        "out unless this is given (default: on)",
    )


def call(arguments: argparse.Namespace) -> int:
    """Examine, mend and print; returns 1 with an error, else 0.

    Raises:
        ConfigurationError: the path does not exist.
        OutputError: a file cannot be written.
    """
    from ci_buildkit.doctor.examine import examine

    def look(*, asks: bool) -> Report:
        return examine(arguments.path, os.environ, environment=arguments.environment if asks else False)

    is_json = arguments.format == "json"
    report = _mended(look, sys.stderr if is_json else sys.stdout) if arguments.fix else look(asks=True)
    if is_json:
        from ci_buildkit.cli.output import print_json

        print_json({"problems": [as_json(one) for one in report.problems]})
    else:
        print("\n".join(lines(report, colour=sys.stdout.isatty())))
    return 1 if report.has_errors else 0


def _mended(look: Look, stream: TextIO) -> Report:
    """What is left once the safe fixes are written. What changed is shown, beside what a program may read."""
    from ci_buildkit.doctor.mend import diff, mend
    from ci_buildkit.report.text import inert

    report, changed = mend(look)
    for line in diff(changed):
        print(inert(line), file=stream)
    if changed:
        print(file=stream)
    return report


def as_json(one: Diagnosis) -> dict[str, Any]:
    """The public keys of a diagnosis."""
    return {
        "path": one.path,
        "line": one.line,
        "rule": one.rule,
        "severity": one.severity,
        "message": one.message,
        "fix": one.fix,
    }


def lines(report: Report, *, colour: bool) -> Iterator[str]:
    """The report for people, by file."""
    from ci_buildkit.report.text import inert
    from ci_buildkit.text import plural

    looked = [
        plural(count, noun)
        for count, noun in (
            (report.dockerfiles, "Dockerfile"),
            (report.bake_files, "bake file"),
            (report.workflows, "workflow"),
        )
        if count
    ]
    looked += ["this machine"] if report.environment else []
    where = f"looked at {', '.join(looked)}" if looked else "there is no Dockerfile, bake file or workflow"
    if not report.problems:
        yield f"Nothing is wrong: {where}."
        return
    for path, found in groupby(report.problems, key=lambda one: one.path):
        yield inert(path or "this machine")
        for one in found:
            place = inert(f"{path}:{one.line or ''}".rstrip(":")) if path else "machine"
            severity = f"\x1b[{COLOURS[one.severity]}m{one.severity}\x1b[0m" if colour else one.severity
            yield f"{place}: {severity}: {inert(one.message)} [{inert(one.rule)}]"
            yield from (f"    {mark} {inert(text)}" for mark, text in _fix(one))
        yield ""
    counts = [
        plural(count, severity)
        for severity in COLOURS
        if (count := sum(one.severity == severity for one in report.problems))
    ]
    safe = sum(one.safe for one in report.problems)
    rest = f"; --fix mends {safe} of them" if safe else ""
    yield f"{', '.join(counts)}{rest}; {where}."


def _fix(one: Diagnosis) -> Iterator[tuple[str, str]]:
    """The lines of a fix: what a line becomes, or what a file gets."""
    if one.fix is not None:
        mark = "=" if one.line is not None else "+"
        yield from ((mark, line.rstrip()) for line in one.fix.rstrip("\n").split("\n"))
