"""All cases and findings of a run as the JSON inside report.html, of which its script makes the lists.

Rows are lists and repeated texts stand once in `texts`, because a page holds 200,000 cases. Everything in it is text
that the script puts into the page as text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from ci_buildkit.report import facts
from ci_buildkit.report.text import ends, one_line
from ci_buildkit.results.model import NO_EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from ci_buildkit.findings.model import Finding
    from ci_buildkit.results.model import Case, TestReport

MAX_CASES = 200_000
MAX_FINDINGS = 50_000
MAX_NAME = 300
MAX_MESSAGE = 1000
MAX_BLOCK = 20_000
"""Characters of one case's details, and of its output."""
MAX_BLOCKS = 16_000_000
"""Characters of all details and outputs in the page."""


class PageData(Struct, frozen=True):
    """The JSON, which nothing in it can end as an element, and how much of the run it does not hold."""

    json: str
    cases_left_out: int
    findings_left_out: int


def collect(tests: TestReport, findings: Sequence[tuple[Finding, bool]], written: Collection[str] = ()) -> PageData:
    """The data of a run: `findings` with whether they are known, as `facts.all_findings` gives them.

    `written` are ids of cases whose details and output the page has already as HTML.
    """
    rows = _Rows(written)
    cases = _ordered(tests.cases)[:MAX_CASES]
    shown = findings[:MAX_FINDINGS]
    data = {
        "cases": [rows.case(case) for case in cases],
        "findings": [rows.finding(one, known=known) for one, known in shown],
        "texts": list(rows.texts),
    }
    # `<` would only have to be escaped before `/` and `!`: simpler is safer.
    text = msgspec.json.encode(data).replace(b"<", b"\\u003c").decode()
    return PageData(text, len(tests.cases) - len(cases), len(findings) - len(shown))


def address(url: str | None) -> str:
    """The address where it is http or https and of usual length, else empty: no other scheme becomes a link."""
    return url if url and re.fullmatch(r"https?://[^\s<>\"'\\]{1,250}", url) else ""


def _ordered(cases: Iterable[Case]) -> Sequence[Case]:
    """Broken cases first, then quarantined ones, then flaky ones, then the rest in the order of the report."""
    ranks: tuple[list[Case], ...] = ([], [], [], [])
    for case in cases:
        if case.evidence is NO_EVIDENCE and case.outcome == "passed":
            ranks[3].append(case)
        else:
            ranks[0 if case.broken else 1 if case.quarantined else 2 if case.flaky else 3].append(case)
    return [case for rank in ranks for case in rank]


class _Rows:
    """Makes the rows, counting what the page may still hold."""

    def __init__(self, written: Collection[str]) -> None:
        self.texts: dict[str, int] = {}
        self._shown: dict[str, int] = {}
        self._written = written
        self._room = MAX_BLOCKS

    def _text(self, raw: str) -> int:
        """The place of a text, as it is shown, in `texts`."""
        place = self._shown.get(raw)
        if place is None:
            place = self._shown[raw] = self.texts.setdefault(one_line(raw, MAX_NAME), len(self.texts))
        return place

    def case(self, case: Case) -> list[Any]:
        """`[outcome, suite, class, name, seconds, file, id, more]`, without `more` where there is nothing more."""
        row: list[Any] = [
            case.outcome,
            self._text(case.suite),
            self._text(case.class_name),
            one_line(case.name, MAX_NAME),
            round(case.seconds, 3),
            self._text(case.file),
            facts.case_id(case),
        ]
        if case.evidence is not NO_EVIDENCE:
            row.append(self._more(case, row[-1]))
        return row

    def _more(self, case: Case, anchor: str) -> dict[str, Any]:
        evidence = case.told
        more: dict[str, Any] = {
            "message": facts.case_message(case, MAX_MESSAGE),
            "path": self._text(case.path) if case.path else None,
            "line": case.line,
            "attempts": evidence.attempts if evidence.attempts > 1 else None,
            "flaky": evidence.flaky,
            "quarantined": one_line(evidence.quarantined, MAX_MESSAGE),
        }
        if anchor in self._written:
            more["written"] = True
        else:
            for key, raw in (("details", evidence.details), ("output", evidence.output)):
                if raw:
                    more[key] = self._block(raw)
            more["cut"] = None in (more.get("details", ""), more.get("output", ""))
        return {key: value for key, value in more.items() if value}

    def _block(self, raw: str) -> str | None:
        """The text, or None where the page is full."""
        if min(len(raw), MAX_BLOCK) > self._room:
            return None
        text = ends(raw, MAX_BLOCK)
        self._room -= len(text)
        return text

    def finding(self, one: Finding, *, known: bool) -> list[Any]:
        """`[severity, path, line, column, message, tool, rule, url, known]`."""
        return [
            one.severity,
            self._text(one.path),
            one.line,
            one.column,
            one_line(one.message, MAX_MESSAGE * 2),
            self._text(one.tool),
            self._text(one.rule),
            self._text(address(one.url)),
            known,
        ]
