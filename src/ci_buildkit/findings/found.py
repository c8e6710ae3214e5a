"""What a reader of a log collects until the log ends: each finding once, and no more than the limit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.values import message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.reader import Source


class Findings:
    """Findings in the order they came. A header that many files include, or a build of two platforms, repeats them."""

    __slots__ = ("_found", "_limit")

    def __init__(self, source: Source) -> None:
        """Nothing found yet."""
        self._found: dict[Finding, None] = {}
        self._limit = source.limits.findings

    def add(self, finding: Finding) -> None:
        """Keeps `finding`, of a very long message the start and the end.

        One more than the limit is kept, by which whoever reads the report knows that it was passed.
        """
        if len(self._found) <= self._limit:
            short = message(finding.message)
            self._found[finding if short == finding.message else replace(finding, message=short)] = None

    def __iter__(self) -> Iterator[Finding]:
        """Every finding once."""
        return iter(self._found)
