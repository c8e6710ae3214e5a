"""Read test results from files, folders and globs, or from a step's log; the format is told by the content.

A new format is one module and one line in READERS (and LOG_READERS, where its tool prints to the log).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit import xmlstream
from ci_buildkit.errors import OutputError
from ci_buildkit.lines import decode
from ci_buildkit.paths import PathMap, PathMapper, display
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source, feed, labels
from ci_buildkit.results import (
    ctrf,
    dart,
    gotest,
    gotext,
    inlog,
    jest,
    junit,
    libtest,
    mocha,
    nunit,
    reportlog,
    rspec,
    tap,
    trx,
    xunit,
)
from ci_buildkit.results.collect import Collector
from ci_buildkit.results.reader import Item, LogReader, Reader
from ci_buildkit.scan import Found, Head, is_json, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ci_buildkit.results.model import TestReport

READERS: tuple[Reader, ...] = (
    junit.READER,
    nunit.READER,
    xunit.READER,
    trx.READER,
    jest.READER,
    mocha.READER,
    rspec.READER,
    ctrf.READER,
    gotest.READER,
    dart.READER,
    libtest.READER,
    reportlog.READER,
    gotext.READER,
    tap.READER,
)
LOG_READERS: tuple[Callable[[Source], LogReader], ...] = (gotext.GoLog, dart.DartLog, libtest.LibTest, tap.TapLog)
# What is read line by line is found in a log by its LogReader; any other format is a document.
_OF_LINES = frozenset({gotest.FORMAT, gotext.FORMAT, dart.FORMAT, libtest.FORMAT, reportlog.FORMAT, tap.FORMAT})

EXIT_CODE_NAMES = ("exit-code", "exit_code", "exitcode")
_HEAD = 64 * 1024
_REPORT_NAME = re.compile(r"junit|test|report|result|xunit|spec", re.IGNORECASE)
_JSON_NAMES = (".json", ".jsonl", ".ndjson")
_NEVER = frozenset({".html", ".htm", ".css", ".js", ".map", ".svg", ".png", ".gz", ".zip", ".tar"})


def read_paths(
    paths: Sequence[str | Path],
    *,
    path_map: PathMap | None = None,
    since: float | None = None,
    root: Path | None = None,
    workdirs: Sequence[tuple[str, str]] = (),
    limits: Limits | None = None,
) -> TestReport:
    """The results in all files that `paths` name (files, folders, globs), with every problem met on the way.

    A path that matches nothing is a problem `missing`, a file older than `since` (seconds since 1970) `stale` and not
    read, a file without content or without a case `empty`. What is no test report is ignored in a folder and
    `unreadable` when it was named. `root` is the repository (default: the working directory) that paths are mapped to,
    `workdirs` are folders of the container that are in it (`PathMapper`).
    """
    collector = Collector(limits)
    mapper = PathMapper(path_map, root, workdirs)
    scanned = scan(paths)
    for problem in scanned.problems:
        collector.problem(problem)
    read = 0
    for found in scanned.files:
        items = _items(found, since, Source(found.name, mapper, limits or Limits()))
        if items is not None:
            read += 1
            collector.file(found.name, items)
    report = collector.report()
    if report.totals.tests or report.problems:
        return report
    kind, what = ("empty", "no test case") if read else ("missing", "no test report")
    where = ", ".join(display(Path(path)) for path in paths) or "nothing"
    collector.problem(
        Problem(where, "empty" if kind == "empty" else "missing", f"{what} was found; known are {labels(READERS)}")
    )
    return collector.report()


def read_log(
    lines: Iterable[str],
    *,
    name: str,
    path_map: PathMap | None = None,
    root: Path | None = None,
    workdirs: Sequence[tuple[str, str]] = (),
) -> TestReport:
    """The results that test tools printed between the other lines of a log, which is called `name` in the report.

    Lines come without BuildKit's prefixes. A log without results gives an empty report and no problem.
    """
    source = Source(name, PathMapper(path_map, root, workdirs))
    collector = Collector()
    readers = [make(source) for make in LOG_READERS]
    documents = inlog.Documents(source, [reader for reader in READERS if reader.format not in _OF_LINES], readers)
    collector.file(name, feed([documents, *readers], lines))
    return collector.report()


def exit_code(folder: Path) -> int | None:
    """The exit code that the test command left in `folder`, in a file called `exit-code`; None without one.

    Raises:
        OutputError: there is such a file, and it cannot be read or holds no whole number.
    """
    for path in (folder / name for name in EXIT_CODE_NAMES):
        if not path.is_file() or path.is_symlink():
            continue
        try:
            with path.open("rb") as file:
                text = file.read(64).decode("ascii", "replace").strip()
        except OSError as error:
            message = f"{display(path)} cannot be read: {error.strerror}"
            raise OutputError(message) from error
        if not re.fullmatch(r"[+-]?\d{1,9}", text):
            message = f"{display(path)} holds {text[:20]!r} instead of an exit code"
            raise OutputError(message, hint='write it in the test stage with: echo "$?" > exit-code')
        return int(text)
    return None


def _items(found: Found, since: float | None, source: Source) -> Iterator[Item] | None:
    """What one file gives; None where it is no test report and nobody said it was."""
    try:
        with found.path.open("rb") as file:
            data = file.read(_HEAD)
        modified = found.path.stat().st_mtime
    except OSError as error:
        return iter([Problem(found.name, "unreadable", f"cannot be read: {error.strerror}")])
    head = Head(data, decode(data))
    reader = None if found.path.suffix.lower() in _NEVER and not found.explicit else _reader(head)
    if reader is None:
        problem = _unknown(found, head)
        return iter([problem]) if problem else None
    # Whole seconds: some file systems keep no fractions.
    if since is not None and modified < math.floor(since):
        when = datetime.fromtimestamp(modified, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return iter([Problem(found.name, "stale", f"was written {when}, before this run began")])
    return _read(found, reader, source)


def _reader(head: Head) -> Reader | None:
    return next((reader for reader in READERS if reader.sniff(head)), None)


def _read(found: Found, reader: Reader, source: Source) -> Iterator[Item]:
    try:
        with found.path.open("rb") as file:
            yield from reader.read(file, source)
    except OSError as error:
        yield Problem(found.name, "unreadable", f"cannot be read to its end: {error.strerror}")


def _unknown(found: Found, head: Head) -> Problem | None:
    """Why a file that no reader knows is a problem; None where it may be ignored."""
    reportlike = bool(_REPORT_NAME.search(found.path.name)) and found.path.stem not in EXIT_CODE_NAMES
    suffix = found.path.suffix.lower()
    if not head.data.strip():
        if found.explicit or (reportlike and suffix in {".xml", ".tap", *_JSON_NAMES}):
            return Problem(found.name, "empty", "has no content: the test command stopped before it wrote its report")
        return None
    reason = None
    if suffix == ".xml" and xmlstream.root_tag(head.data) is None:
        reason = "is not XML, or was cut off before its first element"
    elif suffix in _JSON_NAMES and (reportlike or found.explicit) and not is_json(found.path):
        reason = "is not JSON, or was cut off"
    if reason is None and found.explicit:
        reason = f"is no test report that is known ({labels(READERS)})"
    return Problem(found.name, "unreadable", reason) if reason else None
