"""SARIF 2.1.0 (OASIS), read as its specification says; numbers in comments are its sections.

A log is read as a whole, but results are decoded one by one: one that is wrong does not cost the others, and 100,000
of them need little memory. `ci_buildkit.findings.sarif` writes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from ci_buildkit import jsoncut, jsontext
from ci_buildkit.fields import label, mapping, sequence, string
from ci_buildkit.findings.reader import Item, Reader
from ci_buildkit.findings.sarif_run import Run
from ci_buildkit.lines import TooLong
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, content, size
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "sarif"
_NOTHING = msgspec.Raw(b"null")


class _Log(msgspec.Struct):
    """The top of the document. Everything may be of any type."""

    version: msgspec.Raw = _NOTHING
    runs: msgspec.Raw = _NOTHING


_log = msgspec.json.Decoder(_Log)
_list = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read(stream: BinaryIO, source: Source) -> Iterator[Item]:
    """The findings of every run, and problems: a run that failed, results that are elsewhere, a log that is cut off."""
    try:
        data = content(stream, source)
    except TooLong:
        yield Problem(source.name, "limit", f"is larger than {size(source.limits.document)} and was not read")
        return
    problem = None
    try:
        log = _log.decode(data)
    except msgspec.ValidationError:
        yield Problem(source.name, "unreadable", "is no SARIF log: it is no object")
        return
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        problem = Problem(source.name, "unreadable", f"the SARIF log is cut off or broken: {error}")
        log = _start(data, jsontext.Broken(str(error)))
    yield from _runs(log, source, cut=problem is not None)
    if problem:
        yield problem


def _start(data: bytes, error: jsontext.Broken) -> _Log:
    try:
        return _log.decode(jsoncut.closed(data, error))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _Log()


def _runs(log: _Log, source: Source, *, cut: bool) -> Iterator[Item]:
    version = string(_value(log.version))
    if version and not version.startswith("2."):
        yield Problem(source.name, "unreadable", f"is SARIF {label(version)}; known is 2.1.0")
        return
    runs = _elements(log.runs)
    if not runs and not cut:
        yield Problem(source.name, "empty", "has no run: no tool said that it looked at anything")
    for raw in runs:
        yield from _run(raw, source)


def _run(raw: msgspec.Raw, source: Source) -> Iterator[Item]:
    try:
        members = _object.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        yield Problem(source.name, "unreadable", "a run of the SARIF log is no object")
        return
    results = members.pop("results", _NOTHING)
    run = Run({key: _value(value) for key, value in members.items()}, source)
    elements = _elements(results)
    if not elements and _value(results):
        yield Problem(source.name, "unreadable", f"the results of {run.tool} are no array")
    broken = 0
    for element in elements:
        result = _value(element)
        if isinstance(result, dict):
            yield from run.findings(result)
        else:
            broken += 1
    if broken:
        yield Problem(source.name, "unreadable", f"results of {run.tool} that are no objects: {broken}")
    yield from run.problems()


def _value(raw: msgspec.Raw) -> Any:
    try:
        return jsontext.loads(raw)
    except jsontext.Broken:
        return None


def _elements(raw: msgspec.Raw) -> list[msgspec.Raw]:
    """The elements of an array; none of what is no array."""
    try:
        return _list.decode(raw)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return []


def sniff(head: Head) -> bool:
    """Whether its schema is SARIF's, or it has runs of a tool, whichever member comes first."""
    document = mapping(jsoncut.beginning(head.text))
    if "sarif" in string(document.get("$schema")).lower():
        return True
    runs = document.get("runs")
    if not isinstance(runs, list):
        return False
    first = mapping(runs[0]) if runs else {}
    driver = mapping(mapping(first.get("tool")).get("driver"))
    return string(document.get("version")).startswith("2.") or "name" in driver or _is_result(first)


def _is_result(run: dict[str, Any]) -> bool:
    results = sequence(run.get("results"))
    first = mapping(results[0]) if results else {}
    return "message" in first and ("ruleId" in first or "locations" in first or "rule" in first)


READER = Reader(FORMAT, "SARIF", sniff, read)
