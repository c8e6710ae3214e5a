"""Put together what several machines made of one pipeline: one report, one list of archives, and images with their tags.

DIR has the report folder of each machine under the machine's name. With --push, images that were pushed by digest become
ones with tags, and only where every machine is there and green. The exit code is that of the whole.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit.cli import flags
from ci_buildkit.errors import CiBuildkitError, EngineError, OutputError
from ci_buildkit.problem import Problem

if TYPE_CHECKING:
    from ci_buildkit.config.options import Options
    from ci_buildkit.pipeline.join import Part
    from ci_buildkit.pipeline.merge import Merged
    from ci_buildkit.record import RunRecord
    from ci_buildkit.results.model import TestReport

Wrong = tuple[int, Problem]  # an exit code, and what went wrong
OPTIONS = ("push", "annotation", "immutable_tags", "sign", "builder", "login", "report_dir")
EXAMPLES = """
ci-buildkit join machines
ci-buildkit join machines --expect amd64 --expect arm64 --push
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the reports are, which there must be, and where the whole one goes."""
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder of all report folders")
    parser.add_argument(
        "--expect", metavar="NAME", action="append", default=[], help="a machine that must be there (repeat)"
    )
    parser.add_argument(
        "--problem", metavar="TEXT", action="append", default=[],
        help="what went wrong besides, and no report has: the whole is an error then (repeat)",
    )  # fmt: skip
    flags.add_options(parser, OPTIONS)


def call(arguments: argparse.Namespace) -> int:
    """Write the report; returns the exit code of the whole.

    Raises:
        OutputError: no machine left a report that can be read, or they are of different versions.
    """
    from ci_buildkit.pipeline.staging import Staging, check_target

    options = flags.settings(arguments).options
    check_target(options.report_dir, arguments.folder)
    there = sorted(path.name for path in arguments.folder.glob("*/") if (path / "run.json").exists())
    names = list(dict.fromkeys([*(name for name in arguments.expect if name in there), *there]))
    missing = [name for name in arguments.expect if name not in there]
    wrong = [(EngineError.exit_code, Problem("jobs", "inconsistent", text)) for text in arguments.problem]
    staging = Staging()
    try:
        record, tests = _join(arguments.folder, names, missing, wrong, staging.report, options)
        staging.put(options.report_dir)
    finally:
        staging.remove()
    _tell(record, tests, options)
    return record.exit_code


def _join(
    folder: Path, names: Iterable[str], missing: Iterable[str], wrong: list[Wrong], target: Path, options: Options
) -> tuple[RunRecord, TestReport]:
    """Everything but the report's place. What one machine left that is no good becomes a problem of the whole."""
    from ci_buildkit import results
    from ci_buildkit.cli import publish, reports
    from ci_buildkit.findings.model import FindingReport
    from ci_buildkit.pipeline import join

    read = {}
    for name in names:
        with _noting(wrong, name):
            read[name] = publish.read(folder / name)
    parts = [join.Part(name, record) for name, (record, _) in read.items()]
    join.agree(parts)
    with _noting(wrong, "dist"):
        _dist(folder, parts, target)
    _files(folder, parts, target)
    whole = join.record(parts, missing, wrong)
    if options.push and not whole.exit_code and whole.images:
        whole = _push(folder, whole, parts, options)
    tests = results.merge([tests for _, tests in read.values()])
    (target / "run.json").write_text(whole.to_json(), encoding="utf-8")
    reports.write(target, whole, tests, FindingReport(whole.findings, whole.problems))
    return whole, tests


@contextlib.contextmanager
def _noting(wrong: list[Wrong], name: str) -> Iterator[None]:
    from ci_buildkit.report.text import one_line

    try:
        yield
    except CiBuildkitError as error:
        wrong.append((error.exit_code, Problem(name, "unreadable", one_line(str(error), 2000))))


def _dist(folder: Path, parts: Iterable[Part], target: Path) -> None:
    """Put archives together. Raises OutputError, and leaves none then."""
    from ci_buildkit.artifacts import joined

    with_dist = [part for part in parts if part.record.binaries]
    if not with_dist:
        return
    try:
        joined.join([folder / part.name / "dist" for part in with_dist], target / "dist", with_dist[0].record.version)
    except OutputError:
        shutil.rmtree(target / "dist", ignore_errors=True)
        raise


def _files(folder: Path, parts: Sequence[Part], target: Path) -> None:
    """Copy logs, test results and digests; those of stages get the names that the stages have now."""
    from ci_buildkit.pipeline.join import stage_names
    from ci_buildkit.pipeline.session import safe_name

    for (machine, stage), name in stage_names(parts).items():
        own, old, new = folder / machine, safe_name(stage), safe_name(name)
        log = own / "logs" / f"{old}.log"
        if log.is_file() and not log.is_symlink():
            shutil.copyfile(log, target / "logs" / f"{new}.log")
        if (own / "results" / old).is_dir():
            shutil.copytree(own / "results" / old, target / "results" / new, symlinks=True)
    for part in parts:
        if (folder / part.name / "digests").is_dir():
            shutil.copytree(folder / part.name / "digests", target / "digests", symlinks=True, dirs_exist_ok=True)


def _push(folder: Path, whole: RunRecord, parts: Sequence[Part], options: Options) -> RunRecord:
    """The record with images that have their tags now, or with what kept them from getting these."""
    from ci_buildkit.cli.merge import merged
    from ci_buildkit.pipeline import join, legs
    from ci_buildkit.pipeline.merge import Rules, of_legs

    wrong: list[Wrong] = []
    images: list[Merged] = []
    with _noting(wrong, "push"):
        found = legs.read(folder)
        join.check_legs(parts, found)
        wanted = of_legs(found, [], [], options.annotation)
        images = merged(wanted, Rules(immutable=options.immutable_tags, signing=options.sign), options, dry_run=False)
    return join.record(parts, (), wrong) if wrong else join.with_images(whole, images, signed=bool(options.sign))


def _tell(record: RunRecord, tests: TestReport, options: Options) -> None:
    """The end of a run, as `ci-buildkit run` tells it."""
    from ci_buildkit.github.runner import GitHub
    from ci_buildkit.report import summary, terminal

    print(terminal.end_text(record, tests, options.report_dir), end="", file=sys.stderr)
    github = GitHub.from_environ(os.environ)
    if github.is_github and github.summary_path:
        github.append_summary(summary.render(record, tests))
