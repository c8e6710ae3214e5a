"""What a reader of a log collects until the log ends: each finding once, and no more than the limit; each problem once."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.values import message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ci_buildkit.findings.reader import Item
    from ci_buildkit.problem import Problem
    from ci_buildkit.reader import Source


class Findings:
    """Findings in the order they came. A header that many files include, or a build of two platforms, repeats them."""

    __slots__ = ("_found", "_limit", "_problems")

    def __init__(self, source: Source) -> None:
        """Nothing found yet."""
        self._found: dict[Finding, None] = {}
        self._problems: dict[Problem, None] = {}
        self._limit = source.limits.findings

    def add(self, finding: Finding) -> None:
        """Keeps `finding`, of a very long message the start and the end.

        One more than the limit is kept, by which whoever reads the report knows that it was passed.
        """
        if len(self._found) <= self._limit:
            short = message(finding.message)
            self._found[finding if short == finding.message else replace(finding, message=short)] = None

    def extend(self, items: Iterable[Item]) -> None:
        """Keeps findings and problems."""
        for item in items:
            if isinstance(item, Finding):
                self.add(item)
            else:
                self._problems[item] = None

    def __iter__(self) -> Iterator[Item]:
        """Every finding once, then every problem."""
        return chain(self._found, self._problems)
