"""Read lint findings from files, folders and globs, or from a step's log; the format is told by the content.

A new format is one module and its place in READERS, and where its tool prints lines to the log, in OBJECT_READERS (JSON)
or TEXT_READERS.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from ci_buildkit import jsontext
from ci_buildkit.findings.collect import report
from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.findings.pattern import Pattern, PatternReader
from ci_buildkit.findings.reader import LogItem, LogReader, Note, Reader
from ci_buildkit.findings.together import NothingFound, Objects, Texts, Together
from ci_buildkit.inlog import Documents
from ci_buildkit.lazy import Lazy
from ci_buildkit.lines import without_progress_prefix
from ci_buildkit.paths import PathMap, PathMapper, display
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source, by_line, feed, head_of, items_of, knowing, labels, printed
from ci_buildkit.scan import Found, Head, is_json, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


def _documents() -> Iterator[Reader]:
    from ci_buildkit.findings import sarif_reader

    yield sarif_reader.READER

    from ci_buildkit.findings import buildkit, checkstyle, eslint, hadolint, rdjson, ruff, shellcheck

    yield from (buildkit.READER, checkstyle.READER, eslint.READER)
    yield from (hadolint.READER, rdjson.READER, ruff.READER, shellcheck.READER)


def _reports_in_logs() -> Iterable[Reader]:
    from ci_buildkit.findings import clippy, golangci

    return (clippy.READER, golangci.READER)


def _objects() -> Iterable[Callable[[Source], LogReader]]:
    from ci_buildkit.findings import clippy, rdjson, ruff

    return (clippy.Clippy, rdjson.RdjsonLines, ruff.RuffLines)


def _texts() -> Iterable[Callable[[Source], LogReader]]:
    from ci_buildkit.findings import arrow, golangci, mypy, pylint, stylish, textline

    return (mypy.Mypy, pylint.Pylint, textline.TextLines, stylish.Stylish, arrow.Arrows, golangci.Golangci)


# Those of one document; what others write is found in a log line by line.
_DOCUMENTS = Lazy(_documents)
# The order is for speed: no two know the same file, and those that nobody comes to are not imported.
READERS = Lazy(_documents, _reports_in_logs)
# In this order: the more exact a reader is, the earlier it may take a line.
OBJECT_READERS = Lazy(_objects)
TEXT_READERS = Lazy(_texts)

# How they begin where they stand on one line, or as XML.
_BEGINS = (
    r'\[\{"(?:filePath|cell|code|filename|file|column|line)"'
    r'|\{"(?:\$schema|version|runs|diagnostics|source|severity|comments|warnings|sources|buildError|results|metadata)":'
    r"|<\?xml |<checkstyle\b"
)
_TEXT = frozenset({"", ".err", ".lint", ".log", ".out", ".report", ".text", ".txt"})
"""What files are called that a tool's text is written to; others in a folder are sources, documents and data."""
_REPORT_NAME = re.compile(r"lint|check|report|finding|golangci|ruff|sarif", re.IGNORECASE)


def read_paths(
    paths: Sequence[str | Path],
    *,
    path_map: PathMap | None = None,
    root: Path | None = None,
    workdirs: Sequence[tuple[str, str]] = (),
    patterns: Sequence[Pattern] = (),
    limits: Limits | None = None,
) -> FindingReport:
    """The findings in all files that `paths` name (files, folders, globs), with every problem met on the way.

    A path that matches nothing is a problem `missing`, an empty file `empty`. What no reader knows is ignored in a
    folder and `unreadable` when it was named. `root` is the repository (default: the working directory), `workdirs`
    are folders of the container that are in it (`PathMapper`), `patterns` find what no reader knows.
    """
    limits = limits or Limits()
    mapper = PathMapper(path_map, root, workdirs)
    scanned = scan(paths)
    gathered = _Gathered(mapper, limits)
    gathered.problems += scanned.problems
    read = 0
    for found in scanned.files:
        file = _file(found, Source(found.name, mapper, limits), patterns)
        gathered.add(found.name, file.items)
        read += file.is_report
    if not read and not gathered.problems:
        where = ", ".join(display(Path(path)) for path in paths) or "nothing"
        gathered.problems.append(Problem(where, "missing", f"no lint report was found; known are {_known()}"))
    return gathered.report()


def read_log(
    lines: Iterable[str],
    *,
    name: str,
    root: Path | None = None,
    path_map: PathMap | None = None,
    workdirs: Sequence[tuple[str, str]] = (),
    patterns: Sequence[Pattern] = (),
) -> FindingReport:
    """The findings that lint tools printed between the other lines of a log, which is called `name` in the report.

    Lines come without BuildKit's prefixes. A log without findings gives an empty report and no problem. `workdirs` and
    `patterns` are as in `read_paths`.
    """
    mapper = PathMapper(path_map, root, workdirs)
    source = Source(name, mapper)
    gathered = _Gathered(mapper, source.limits)
    log = printed(lines)
    if log is not None:
        gathered.add(name, feed([log_reader(source, patterns)], log))
    return gathered.report()


def unmapped(found: FindingReport, root: Path | None = None) -> tuple[str, ...]:
    """The paths of findings that are no file of the repository, each once: annotations cannot show them."""
    return _unmapped(found.findings, PathMapper(None, root))


def _unmapped(findings: Iterable[Finding], mapper: PathMapper) -> tuple[str, ...]:
    paths = dict.fromkeys(finding.path for finding in findings if finding.path)
    return tuple(path for path in paths if not mapper.map(path).known)


class _Gathered:
    """What readers gave so far, with paths mapped."""

    def __init__(self, mapper: PathMapper, limits: Limits) -> None:
        self._mapper = mapper
        self._most = limits.findings
        self._findings: list[Finding] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def add(self, name: str, items: Iterable[LogItem]) -> None:
        for item in items:
            if isinstance(item, Problem):
                self.problems.append(item)
            elif isinstance(item, Note):
                self.notes.append(f"{name}: {item.text}")
            elif len(self._findings) >= self._most:
                self.problems.append(Problem(name, "limit", f"more than {self._most} findings; the rest was not read"))
                break
            else:
                path = self._mapper(item.path) if item.path else ""
                self._findings.append(item if path == item.path else dataclasses.replace(item, path=path))

    def report(self) -> FindingReport:
        away = _unmapped(self._findings, self._mapper)
        if away:
            more = f" and {len(away) - 1:,} more" if len(away) > 1 else ""
            self.notes.append(f"{away[0]}{more}: no such file in the repository; --path-map FROM=TO tells where it is")
        return report(self._findings, self.problems, notes=self.notes)


def log_reader(source: Source, patterns: Sequence[Pattern] = (), *last: LogReader) -> LogReader:
    """All readers of a log as one. The user's own patterns are first: who wrote them knows better."""
    own = [PatternReader(patterns, source)] if patterns else []
    texts = Texts([*(make(source) for make in TEXT_READERS), *last])
    documents = Documents(source, _DOCUMENTS, _BEGINS, kept=Findings(source), others=[texts])
    return Together([*own, Objects([make(source) for make in OBJECT_READERS]), documents, texts])


class _File(Struct, frozen=True):
    """What one file gives. What nobody said is a lint report, and is none, gives nothing but notes."""

    items: Iterable[LogItem]
    is_report: bool = True


def _file(found: Found, source: Source, patterns: Sequence[Pattern]) -> _File:
    head = head_of(found)
    if isinstance(head, Problem):
        return _File([head])
    text = found.path.suffix.lower() in _TEXT
    reader = knowing(READERS, head)
    if reader is not None and not (text and _begins_with_a_line_of_json(head)):
        return _File(items_of(found, reader.read, source))
    items: list[LogItem] = []
    if (found.explicit or text) and "\0" not in head.text:
        nothing = NothingFound()
        items += items_of(found, by_line(lambda source: log_reader(source, patterns, nothing)), source)
        if nothing.said or not all(isinstance(item, Note) for item in items):
            return _File(items)
    unknown = _unknown(found, head, patterns=bool(patterns))
    return _File([*items, unknown] if unknown else items, is_report=unknown is not None)


def _begins_with_a_line_of_json(head: Head) -> bool:
    """Whether it may be a log, in which one tool writes JSON, line by line, and others write text."""
    first, _, rest = head.text.lstrip("\ufeff").partition("\n")
    try:
        jsontext.loads(without_progress_prefix(first))
    except jsontext.Broken:
        return False
    return bool(rest.strip())


def _unknown(found: Found, head: Head, *, patterns: bool) -> Problem | Note | None:
    """What to say of a file that no reader knows; None where nobody said that it is a report."""
    if not found.explicit and not _looks_broken(found, head):
        return None
    if not head.data.strip():
        return Problem(found.name, "empty", "has no content: the lint command stopped before it wrote anything")
    if patterns and "\0" not in head.text:
        return Note("no line matches a pattern or is a finding that is known") if found.explicit else None
    return Problem(found.name, "unreadable", f"is no lint report that is known ({_known()}), or was cut off")


def _known() -> str:
    return f"{labels(READERS)}, and the text of compilers and linters"


def _looks_broken(found: Found, head: Head) -> bool:
    """Whether a file in a folder is called like a lint report and is JSON that was cut off, or empty."""
    named = found.path.suffix.lower() in {".json", ".sarif"} and _REPORT_NAME.search(found.path.name) is not None
    return named and (not head.data.strip() or not is_json(found.path))
