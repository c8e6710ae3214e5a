"""Read test results from files, folders and globs, or from a step's log; the format is told by the content.

A new format is one module and its place in READERS (and in LOG_READERS, where its tool prints to the log).
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit import xmlstream
from ci_buildkit.errors import OutputError
from ci_buildkit.inlog import Documents
from ci_buildkit.lazy import Lazy
from ci_buildkit.paths import PathMap, PathMapper, display
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source, feed, head_of, items_of, knowing, labels, printed
from ci_buildkit.results.collect import Collector
from ci_buildkit.results.reader import Item, LogReader, Reader
from ci_buildkit.scan import Found, Head, is_json, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ci_buildkit.results.model import TestReport


def _xml() -> Iterator[Reader]:
    from ci_buildkit.results import junit

    yield junit.READER

    from ci_buildkit.results import nunit, trx, xunit

    yield from (nunit.READER, xunit.READER, trx.READER)


def _json() -> Iterable[Reader]:
    from ci_buildkit.results import ctrf, jest, mocha, rspec

    return (jest.READER, mocha.READER, rspec.READER, ctrf.READER)


def _lines() -> Iterator[Reader]:
    from ci_buildkit.results import gotest

    yield gotest.READER

    from ci_buildkit.results import dart, gotext, libtest, reportlog, tap

    yield from (dart.READER, libtest.READER, reportlog.READER, gotext.READER, tap.READER)


def _log() -> Iterable[Callable[[Source], LogReader]]:
    from ci_buildkit.results import dart, gotext, libtest, tap

    return (gotext.GoLog, dart.DartLog, libtest.LibTest, tap.TapLog)


# Those of one document; what others write is found in a log line by line.
_DOCUMENTS = Lazy(_xml, _json)
# The order is for speed: no two know the same file, and those that nobody comes to are not imported.
READERS = Lazy(_xml, _lines, _json)
LOG_READERS = Lazy(_log)

# How they begin as XML, and what a line of JSON holds that is a whole report and no event.
_BEGINS = (
    r'[\[{].*"(?:testResults|examples|stats|results)"'
    r"|<(?:\?xml |(?:[\w.-]+:)?(?:testsuites?|test-run|test-results|assembly|assemblies|TestRun)\b)"
)

EXIT_CODE_NAMES = ("exit-code", "exit_code", "exitcode")
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
    limits: Limits | None = None,
) -> TestReport:
    """The results that test tools printed between the other lines of a log, which is called `name` in the report.

    Lines come without BuildKit's prefixes. A log without results gives an empty report and no problem.
    """
    collector = Collector(limits)
    log = printed(lines)
    if log is None:
        return collector.report()
    source = Source(name, PathMapper(path_map, root, workdirs), limits or Limits())
    readers = [make(source) for make in LOG_READERS]
    kept: list[Item] = []
    documents = Documents(source, _DOCUMENTS, _BEGINS, kept=kept, others=readers)
    collector.file(name, feed([documents, *readers], log))
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
    head = head_of(found)
    if isinstance(head, Problem):
        return iter([head])
    never = not found.explicit and (found.path.suffix.lower() in _NEVER or found.path.name in EXIT_CODE_NAMES)
    reader = None if never else knowing(READERS, head)
    if reader is None:
        problem = _unknown(found, head)
        return iter([problem]) if problem else None
    stale = _stale(found, since) if since is not None else None
    return iter([stale]) if stale else items_of(found, reader.read, source)


def _stale(found: Found, since: float) -> Problem | None:
    """The problem with a file that this run did not write."""
    try:
        modified = found.path.stat().st_mtime
    except OSError as error:
        return Problem(found.name, "unreadable", f"cannot be read: {error.strerror}")
    # Whole seconds: some file systems keep no fractions.
    if modified >= math.floor(since):
        return None
    when = datetime.fromtimestamp(modified, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return Problem(found.name, "stale", f"was written {when}, before this run began")


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
