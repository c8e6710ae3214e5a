"""Known findings: written once, then left out, so that only what is new fails.

An entry is a tool, a rule, a path, a message without its line numbers, and a hash of the line of source that the
finding is about. The line's number is no part of it: code may move. A second finding like a known one is new, which is
what the count of an entry is for.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ci_buildkit import atomic, jsontext
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.fields import mapping, positive, sequence
from ci_buildkit.findings.model import Finding, FindingReport

SCHEMA = 1
MAX_BYTES = 256 * 1024 * 1024
_HINT = "write it with: ci-buildkit findings PATH --write-baseline FILE"
_NUMBERS = re.compile(r"(?<=:)\d+|(?<=\bline )\d+|(?<=\blines )\d+|(?<=\[)\d+(?=:)")
_TOLD = 20

SourceLine = Callable[[str, int], str]
"""Line N (1-based) of a file of the repository, "" where there is none: `PathMapper.source_line`."""


class Entry(NamedTuple):
    """What makes a finding known. `source` is a hash of the line of source, "" where there is none."""

    path: str
    tool: str
    rule: str
    message: str
    source: str


class Baseline(Struct, frozen=True):
    """How many findings of each entry are known."""

    entries: Mapping[Entry, int]


def load(path: Path) -> Baseline:
    """The baseline in a file.

    Raises:
        ConfigurationError: there is no such file, or it is no baseline.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
    except OSError as error:
        message = f"the baseline {path} cannot be read: {error.strerror}"
        raise ConfigurationError(message, hint=_HINT) from error
    try:
        document = mapping(jsontext.loads(data))
    except jsontext.Broken as error:
        message = f"the baseline {path} is no JSON: {error}"
        raise ConfigurationError(message, hint=_HINT) from error
    if document.get("schema") != SCHEMA or not isinstance(document.get("findings"), list):
        message = f"{path} is no baseline of schema {SCHEMA}"
        raise ConfigurationError(message, hint=_HINT)
    found: Counter[Entry] = Counter()
    for number, item in enumerate(sequence(document["findings"])):
        entry, count = _entry_of(mapping(item)), positive(mapping(item).get("count"))
        if entry is None or count is None:
            message = f"finding {number + 1} of the baseline {path} lacks a key, or a value has the wrong type"
            raise ConfigurationError(message, hint=_HINT)
        found[entry] += count
    return Baseline(found)


def _entry_of(item: dict[str, Any]) -> Entry | None:
    values = [item.get(key) for key in Entry._fields]
    texts = [value for value in values if isinstance(value, str)]
    return Entry(*texts) if len(texts) == len(values) else None


def write(report: FindingReport, path: Path, source_line: SourceLine) -> int:
    """Writes every finding of `report`, known ones too, as the baseline `path`; returns how many they are.

    Raises:
        OutputError: the file cannot be written.
    """
    findings = (*report.findings, *report.known)
    counts = Counter(entry(finding, source_line) for finding in findings)
    items = [{**one._asdict(), "count": counts[one]} for one in sorted(counts)]
    atomic.write(path, jsontext.dumps({"schema": SCHEMA, "findings": items}, indent=True))
    return len(findings)


def split(report: FindingReport, baseline: Baseline, source_line: SourceLine) -> FindingReport:
    """`report` with the findings that `baseline` knows in `known`, and notes about entries that are fixed.

    Of more findings than an entry counts the first ones are the known ones.
    """
    left = Counter(dict(baseline.entries))
    new: list[Finding] = []
    known: list[Finding] = []
    for finding in report.findings:
        one = entry(finding, source_line)
        if left[one] > 0:
            left[one] -= 1
            known.append(finding)
        else:
            new.append(finding)
    notes = (*report.notes, *_fixed(left))
    return replace(report, findings=tuple(new), known=(*report.known, *known), notes=notes)


def _fixed(left: Counter[Entry]) -> list[str]:
    gone = sorted((one, count) for one, count in left.items() if count > 0)
    told = [
        f"fixed: {one.path}: {one.message} ({one.rule})" + (f", {count} times" if count > 1 else "")
        for one, count in gone[:_TOLD]
    ]
    if len(gone) > _TOLD:
        told.append(f"fixed: and {len(gone) - _TOLD:,} more")
    return [*told, "write the baseline anew to forget what is fixed"] if told else []


def entry(finding: Finding, source_line: SourceLine) -> Entry:
    """What makes `finding` the same after its code has moved."""
    line = source_line(finding.path, finding.line) if finding.line else ""
    # Indentation changes with what is around a line.
    source = " ".join(line.split())
    digest = hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:16] if source else ""
    return Entry(finding.path, finding.tool, finding.rule, _message(finding.message), digest)


def _message(text: str) -> str:
    """A message on one line, with `N` for numbers of lines in it."""
    return _NUMBERS.sub("N", " ".join(text.split()))
