"""Read lint findings from files, folders and globs, or from a step's log; the format is told by the content.

A new format is one module and one line in READERS (and in LOG_READERS, where its tool prints to the log).
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ci_buildkit import jsontext
from ci_buildkit.findings import (
    arrow,
    buildkit,
    checkstyle,
    clippy,
    eslint,
    golangci,
    hadolint,
    mypy,
    pylint,
    rdjson,
    ruff,
    sarif_reader,
    shellcheck,
    stylish,
    textline,
)
from ci_buildkit.findings.collect import report
from ci_buildkit.findings.embedded import Embedded
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.findings.pattern import Pattern, PatternReader
from ci_buildkit.findings.reader import Item, Reader
from ci_buildkit.findings.together import Make, Together
from ci_buildkit.lines import decode, without_progress_prefix
from ci_buildkit.paths import PathMap, PathMapper, display
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source, by_line, feed, labels
from ci_buildkit.scan import Found, Head, is_json, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

READERS: tuple[Reader, ...] = (
    buildkit.READER,
    checkstyle.READER,
    clippy.READER,
    eslint.READER,
    golangci.READER,
    hadolint.READER,
    rdjson.READER,
    ruff.READER,
    sarif_reader.READER,
    shellcheck.READER,
)
# Those of one document; what others write is found in a log line by line.
_DOCUMENTS = tuple(reader for reader in READERS if reader not in {clippy.READER, golangci.READER})
# In this order: the more exact a reader is, the earlier it may take a line.
LOG_READERS: tuple[Make, ...] = (
    clippy.Clippy,
    rdjson.RdjsonLines,
    ruff.RuffLines,
    partial(Embedded, _DOCUMENTS),
    mypy.Mypy,
    pylint.Pylint,
    textline.TextLines,
    stylish.Stylish,
    arrow.Arrows,
    golangci.Golangci,
)

_TEXT = frozenset({"", ".err", ".lint", ".log", ".out", ".report", ".text", ".txt"})
"""What files are called that a tool's text is written to; others in a folder are sources, documents and data."""
_REPORT_NAME = re.compile(r"lint|check|report|finding|golangci|ruff|sarif", re.IGNORECASE)
_HEAD = 64 * 1024


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
        source = Source(found.name, mapper, limits)
        items = _items(found, source, _log_readers(patterns))
        if items is not None:
            read += 1
            gathered.add(found.name, items)
        elif patterns and found.explicit:
            read += 1
            gathered.notes.append(f"{found.name}: no line matches a pattern or is a finding that is known")
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
    gathered.add(name, feed((make(source) for make in _log_readers(patterns)), lines))
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

    def add(self, name: str, items: Iterable[Item]) -> None:
        for item in items:
            if isinstance(item, Problem):
                self.problems.append(item)
            elif len(self._findings) >= self._most:
                self.problems.append(Problem(name, "limit", f"more than {self._most} findings; the rest was not read"))
                break
            else:
                path = self._mapper(item.path) if item.path else ""
                self._findings.append(item if path == item.path else replace(item, path=path))

    def report(self) -> FindingReport:
        away = _unmapped(self._findings, self._mapper)
        if away:
            more = f" and {len(away) - 1:,} more" if len(away) > 1 else ""
            self.notes.append(f"{away[0]}{more}: no such file in the repository; --path-map FROM=TO tells where it is")
        return report(self._findings, self.problems, notes=self.notes)


def _log_readers(patterns: Sequence[Pattern]) -> tuple[Make, ...]:
    """The user's own patterns first: who wrote them knows better."""
    return (partial(PatternReader, patterns), *LOG_READERS) if patterns else LOG_READERS


def _items(found: Found, source: Source, log_readers: Sequence[Make]) -> Iterable[Item] | None:
    """What one file gives; None where it is no lint report and nobody said it was."""
    try:
        with found.path.open("rb") as file:
            data = file.read(_HEAD)
    except OSError as error:
        return [Problem(found.name, "unreadable", f"cannot be read: {error.strerror}")]
    head = Head(data, decode(data))
    text = found.path.suffix.lower() in _TEXT
    reader = next((reader for reader in READERS if reader.sniff(head)), None)
    if reader is not None and not (text and _begins_with_a_line_of_json(head)):
        return _read(found, reader.read, source)
    if (found.explicit or text) and "\0" not in head.text:
        together = Together(log_readers, source)
        items = list(_read(found, by_line(lambda _: together), source))
        if items or together.clean:
            return items
    return _unknown(found, data, patterns=log_readers is not LOG_READERS)


def _begins_with_a_line_of_json(head: Head) -> bool:
    """Whether it may be a log, in which one tool writes JSON, line by line, and others write text."""
    first, _, rest = head.text.lstrip("\ufeff").partition("\n")
    try:
        jsontext.loads(without_progress_prefix(first))
    except jsontext.Broken:
        return False
    return bool(rest.strip())


def _unknown(found: Found, data: bytes, *, patterns: bool) -> Iterable[Item] | None:
    """The problem with a file that no reader knows; none where nobody said that it is a report."""
    if not found.explicit and not _looks_broken(found, data):
        return None
    if not data.strip():
        return [Problem(found.name, "empty", "has no content: the lint command stopped before it wrote anything")]
    if patterns and "\0" not in decode(data):
        return None
    return [Problem(found.name, "unreadable", f"is no lint report that is known ({_known()}), or was cut off")]


def _known() -> str:
    return f"{labels(READERS)}, and the text of compilers and linters"


def _looks_broken(found: Found, data: bytes) -> bool:
    """Whether a file in a folder is called like a lint report and is JSON that was cut off, or empty."""
    named = found.path.suffix.lower() in {".json", ".sarif"} and _REPORT_NAME.search(found.path.name) is not None
    return named and (not data.strip() or not is_json(found.path))


def _read(found: Found, read: Callable[[BinaryIO, Source], Iterator[Item]], source: Source) -> Iterator[Item]:
    try:
        with found.path.open("rb") as file:
            yield from read(file, source)
    except OSError as error:
        yield Problem(found.name, "unreadable", f"cannot be read to its end: {error.strerror}")
