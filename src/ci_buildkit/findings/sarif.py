"""SARIF 2.1.0 (OASIS) out of a report, as GitHub's code scanning takes it: one run a tool, rules listed once.

What GitHub refuses is never written (docs "SARIF support for code scanning", limits): of more than it takes the most
severe findings are kept, and the log and whoever asked for it are told what was left out.
"""

from __future__ import annotations

import dataclasses
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ci_buildkit import atomic, jsontext
from ci_buildkit.findings.sarif_result import LEVELS, OWN_TOOL, Rules, result
from ci_buildkit.paths import PathMapper
from ci_buildkit.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ci_buildkit.findings.model import Finding, FindingReport

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_MAX_NOTES = 1_000


class Limits(Struct, frozen=True):
    """What GitHub takes: runs of a file, results of a run (as many rules), bytes of the file in gzip.

    Of a run's results it shows `shown`.
    """

    runs: int = 20
    results: int = 25_000
    shown: int = 5_000
    gzip: int = 10_000_000


class Log(NamedTuple):
    """A SARIF document, and a problem for each tool of which something was left out."""

    data: bytes
    left_out: tuple[Problem, ...]


class _Part(Struct, frozen=True):
    """The findings of one tool, the most severe first, and how many of them are written."""

    tool: str
    findings: Sequence[Finding]
    kept: int

    @property
    def left_out(self) -> str:
        """What is not written, as a sentence; "" where everything is."""
        count = len(self.findings) - self.kept
        return f"{count:,} of {len(self.findings):,} findings of {self.tool} are left out, the least severe: GitHub takes no more" if count else ""  # fmt: skip


def write(report: FindingReport, path: Path, *, root: Path | None = None) -> tuple[Problem, ...]:
    """Writes `report` to `path`, which is replaced as a whole; returns what GitHub's limits left out.

    Raises:
        OutputError: the file cannot be written.
    """
    log = build(report, root=root)
    atomic.write(path, log.data)
    return tuple(dataclasses.replace(problem, path=path.name) for problem in log.left_out)


def dumps(report: FindingReport, *, root: Path | None = None) -> bytes:
    """The document of `build` alone."""
    return build(report, root=root).data


def build(report: FindingReport, *, root: Path | None = None, limits: Limits | None = None) -> Log:
    """The SARIF document, indented, ending in a newline, and what was left out of it.

    Every tool has a run, and a run of our own has the report's problems, or stands for a report without findings.
    `root` is the repository (default: the working directory), whose lines fingerprints are made of.
    """
    limits = limits or Limits()
    parts = _parts(report.findings, limits, own=bool(report.problems))
    mapper = PathMapper(None, root)
    while True:
        data = _document(parts, report.problems, mapper, limits)
        size = len(zlib.compress(data)) if len(data) > limits.gzip else 0
        if size <= limits.gzip or not any(part.kept for part in parts):
            break
        # A little less than what should fit, so that it rarely takes a third try.
        share = 0.9 * limits.gzip / size
        parts = [replace(part, kept=int(part.kept * share)) for part in parts]
    left_out = tuple(Problem(OWN_TOOL, "limit", part.left_out) for part in parts if part.left_out)
    return Log(data, left_out)


def _parts(findings: Iterable[Finding], limits: Limits, *, own: bool) -> list[_Part]:
    """The findings by tool; of more tools than runs those with the most severe findings have one."""
    tools: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=_rank):
        tools.setdefault(finding.tool or OWN_TOOL, []).append(finding)
    runs = limits.runs - (own or len(tools) > limits.runs)
    order = sorted(tools, key=lambda tool: (_rank(tools[tool][0]), -len(tools[tool])))
    kept = set(order[:runs])
    return [_Part(tool, found, min(len(found), limits.results) if tool in kept else 0) for tool, found in tools.items()]


def _rank(finding: Finding) -> int:
    return list(LEVELS).index(finding.severity)


def _document(parts: Sequence[_Part], problems: Sequence[Problem], mapper: PathMapper, limits: Limits) -> bytes:
    runs = [_run(part, mapper, limits) for part in parts if part.kept]
    lost = [part.left_out for part in parts if not part.kept]
    if problems or lost or not runs:
        runs.append(_own_run(problems, lost))
    return jsontext.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": runs}, indent=True)


def _run(part: _Part, mapper: PathMapper, limits: Limits) -> dict[str, Any]:
    rules = Rules(part.tool, mapper)
    results = [result(finding, rules) for finding in part.findings[: part.kept]]
    notes = [_note("error", part.left_out)] if part.left_out else []
    if part.kept > limits.shown:
        notes.append(_note("note", f"GitHub shows {limits.shown:,} of these {part.kept:,} findings, the most severe"))
    run = {
        "tool": {"driver": {"name": part.tool, "rules": rules.descriptors}},
        "automationDetails": {"id": f"{OWN_TOOL}/{part.tool}/"},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {**run, "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}]} if notes else run  # fmt: skip


def _own_run(problems: Sequence[Problem], lost: Iterable[str]) -> dict[str, Any]:
    """The run that says what could not be read, so that no reader of the log takes it for clean."""
    texts = [f"{problem.path}: {problem.reason}" for problem in problems]
    if len(texts) > _MAX_NOTES:
        texts[_MAX_NOTES:] = [f"and {len(texts) - _MAX_NOTES:,} more problems"]
    notes = [_note("error", text) for text in (*texts, *lost)]
    return {
        "tool": {"driver": {"name": OWN_TOOL, "rules": []}},
        "automationDetails": {"id": f"{OWN_TOOL}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": not problems, "toolExecutionNotifications": notes}],
        "results": [],
    }


def _note(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}
