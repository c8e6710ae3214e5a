"""Clippy and rustc: `cargo clippy --message-format json`, one message a line (The Cargo Book, "External tools").

A `compiler-message` holds a diagnostic (The rustc book, "JSON output"), which `rustc --error-format json` prints
alone. Columns count characters. What many targets share is reported for each; it is one finding.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ci_buildkit import jsoncut, jsontext
from ci_buildkit.fields import label, mapping, sequence, string
from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.reader import Item, Reader, severity
from ci_buildkit.findings.values import message, span
from ci_buildkit.paths import is_foreign
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_line
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "clippy"
_REASONS = frozenset(
    {"compiler-message", "compiler-artifact", "build-script-executed", "build-finished", "timing-info"}
)
# What the compiler says at its end about what it said before.
_SUMMARY = re.compile(
    r"aborting due to |\d+ (?:warnings?|errors?) emitted$|Some errors have detailed explanations|For more information about"
)
_LINK = re.compile(r"https?://\S+")
_ERROR_CODE = re.compile(r"E\d{4}")
_MAX_EXPANSIONS = 64


class Clippy:
    """Reads lines one by one; a `LogReader`."""

    def __init__(self, source: Source) -> None:
        """Nothing read yet."""
        self._source = source
        self._found = Findings(source)
        self._cut = 0
        self._errors = False
        self._failed = False

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it is a message of Cargo or a diagnostic of rustc."""
        if not line.startswith(('{"reason":"', '{"$message_type":"')):
            return False
        try:
            one = jsontext.loads(line)
        except jsontext.Broken:
            self._cut += line.startswith(('{"reason":"compiler-', '{"$message_type":"'))
            return True
        if not _is_message(one):
            return False
        if one.get("reason") == "build-finished":
            self._failed = self._failed or one.get("success") is False
            return True
        diagnostic = mapping(one.get("message")) if "reason" in one else one
        finding = _finding(diagnostic, label(mapping(one.get("target")).get("src_path"))) if diagnostic else None
        if finding:
            self._errors = self._errors or finding.severity == "error"
            self._found.add(finding)
        return True

    def finish(self) -> Iterator[Item]:
        """The findings, and a problem where lines are cut off or a build failed without saying why."""
        yield from self._found
        if self._cut:
            yield Problem(self._source.name, "unreadable", f"lines of Cargo's JSON are cut off: {self._cut}")
        elif self._failed and not self._errors:
            reason = "Cargo says that the build failed, but no message says why; its own output does"
            yield Problem(self._source.name, "inconsistent", reason)


def _is_message(one: object) -> bool:
    reason = mapping(one).get("reason")
    return (isinstance(reason, str) and reason in _REASONS) or mapping(one).get("$message_type") == "diagnostic"


def _finding(diagnostic: dict[str, Any], target: str) -> Finding | None:
    """None for a summary. `target` is the file that was compiled: where a message without a place belongs."""
    level, text = label(diagnostic.get("level")), message(string(diagnostic.get("message")))
    spans = [mapping(one) for one in sequence(diagnostic.get("spans"))]
    if not text or (not spans and (level == "failure-note" or _SUMMARY.match(text))):
        return None
    primary = next((one for one in spans if one.get("is_primary") is True), spans[0] if spans else {})
    place = _call_site(primary)
    said = message(string(primary.get("label")))
    code = label(mapping(diagnostic.get("code")).get("code"))
    return Finding(
        label(place.get("file_name")) or target,
        *span(place.get("line_start"), place.get("column_start"), place.get("line_end"), place.get("column_end")),
        severity="error" if level.startswith("error") else severity(level),
        rule=code or level or "rustc",
        message=f"{text}: {said}" if said and said not in text else text,
        tool="clippy" if code.startswith("clippy::") else "rustc",
        url=_url(diagnostic, code),
    )


def _call_site(place: dict[str, Any]) -> dict[str, Any]:
    """Where the user's own code calls the macro that a span lies in, if that is another crate's; else the span."""
    for _ in range(_MAX_EXPANSIONS):
        file = label(place.get("file_name"))
        caller = mapping(mapping(place.get("expansion")).get("span"))
        if not caller or not (file.startswith(("<", "/rustc/")) or is_foreign(file)):
            break
        place = caller
    return place


def _url(diagnostic: dict[str, Any], code: str) -> str | None:
    """The page that Clippy names in a note of its own, or the one of the compiler's error index."""
    if _ERROR_CODE.fullmatch(code):
        return f"https://doc.rust-lang.org/error_codes/{code}.html"
    for child in sequence(diagnostic.get("children")):
        note = label(mapping(child).get("message"))
        found = _LINK.search(note) if note.startswith("for further information visit ") else None
        if found:
            return found[0]
    return None


def sniff(head: Head) -> bool:
    """Whether its first line is a message of Cargo or a diagnostic of rustc."""
    return _is_message(jsoncut.beginning(head.text))


READER = Reader(FORMAT, "Cargo's JSON messages", sniff, by_line(Clippy))
