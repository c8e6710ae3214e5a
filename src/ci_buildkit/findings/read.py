"""Read lint findings from files, folders and globs, or from a step's log; the format is told by the content.

A new format is one module and one line in READERS (and in LOG_READERS, where its tool prints to the log).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit.findings import buildkit, golangci
from ci_buildkit.findings.collect import report
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.findings.reader import Item, LogReader, Reader
from ci_buildkit.lines import decode
from ci_buildkit.paths import PathMap, PathMapper, display
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source, feed, labels
from ci_buildkit.scan import Found, Head, is_json, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

READERS: tuple[Reader, ...] = (
    buildkit.READER,
    golangci.READER,
)
LOG_READERS: tuple[Callable[[Source], LogReader], ...] = (golangci.Golangci,)

_REPORT_NAME = re.compile(r"lint|check|report|finding|golangci", re.IGNORECASE)
_HEAD = 64 * 1024


def read_paths(
    paths: Sequence[str | Path],
    *,
    path_map: PathMap | None = None,
    root: Path | None = None,
    limits: Limits | None = None,
) -> FindingReport:
    """The findings in all files that `paths` name (files, folders, globs), with every problem met on the way.

    A path that matches nothing is a problem `missing`, an empty file `empty`. What no reader knows is ignored in a
    folder and `unreadable` when it was named. `root` is the repository (default: the working directory).
    """
    limits = limits or Limits()
    mapper = PathMapper(path_map, root)
    scanned = scan(paths)
    problems = list(scanned.problems)
    findings: list[Finding] = []
    read = 0
    for found in scanned.files:
        items = _items(found, Source(found.name, mapper, limits))
        if items is None:
            continue
        read += 1
        for item in items:
            if isinstance(item, Problem):
                problems.append(item)
            elif len(findings) >= limits.findings:
                problems.append(
                    Problem(found.name, "limit", f"more than {limits.findings} findings; the rest was not read")
                )
                break
            else:
                findings.append(_mapped(item, mapper))
    if not read and not problems:
        where = ", ".join(display(Path(path)) for path in paths) or "nothing"
        problems.append(Problem(where, "missing", f"no lint report was found; known are {labels(READERS)}"))
    return report(findings, problems)


def read_log(
    lines: Iterable[str], *, name: str, root: Path | None = None, path_map: PathMap | None = None
) -> FindingReport:
    """The findings that lint tools printed between the other lines of a log, which is called `name` in the report.

    Lines come without BuildKit's prefixes. A log without findings gives an empty report and no problem.
    """
    mapper = PathMapper(path_map, root)
    source = Source(name, mapper)
    items = list(feed((make(source) for make in LOG_READERS), lines))
    findings = (_mapped(item, mapper) for item in items if isinstance(item, Finding))
    return report(findings, (item for item in items if isinstance(item, Problem)))


def unmapped(found: FindingReport, root: Path | None = None) -> tuple[str, ...]:
    """The paths of findings that are no file of the repository, each once: annotations cannot show them."""
    mapper = PathMapper(None, root)
    paths = dict.fromkeys(finding.path for finding in found.findings if finding.path)
    return tuple(path for path in paths if not mapper.map(path).known)


def _mapped(finding: Finding, mapper: PathMapper) -> Finding:
    path = mapper(finding.path) if finding.path else ""
    return finding if path == finding.path else replace(finding, path=path)


def _items(found: Found, source: Source) -> Iterator[Item] | None:
    """What one file gives; None where it is no lint report and nobody said it was."""
    try:
        with found.path.open("rb") as file:
            data = file.read(_HEAD)
    except OSError as error:
        return iter([Problem(found.name, "unreadable", f"cannot be read: {error.strerror}")])
    head = Head(data, decode(data))
    reader = next((reader for reader in READERS if reader.sniff(head)), None)
    if reader is not None:
        return _read(found, reader, source)
    if not found.explicit and not _looks_broken(found, data):
        return None
    if not data.strip():
        return iter([Problem(found.name, "empty", "has no content: the lint command stopped before it wrote anything")])
    return iter(
        [Problem(found.name, "unreadable", f"is no lint report that is known ({labels(READERS)}), or was cut off")]
    )


def _looks_broken(found: Found, data: bytes) -> bool:
    """Whether a file in a folder is called like a lint report and is JSON that was cut off, or empty."""
    named = found.path.suffix.lower() == ".json" and _REPORT_NAME.search(found.path.name) is not None
    return named and (not data.strip() or not is_json(found.path))


def _read(found: Found, reader: Reader, source: Source) -> Iterator[Item]:
    try:
        with found.path.open("rb") as file:
            yield from reader.read(file, source)
    except OSError as error:
        yield Problem(found.name, "unreadable", f"cannot be read to its end: {error.strerror}")
