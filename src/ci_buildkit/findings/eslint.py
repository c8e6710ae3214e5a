"""ESLint's `-f json` and `-f json-with-metadata` (docs "Formatters Reference"; `LintResult` of its Node.js API).

Columns count UTF-16 code units. A message with `fatal` is a file that could not be parsed, and has no rule; neither has
one about a file that was ignored, or a comment that turns off what is not reported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ci_buildkit import jsoncut
from ci_buildkit.fields import label, mapping, positive, sequence, string
from ci_buildkit.findings.columns import Sources, of_utf16
from ci_buildkit.findings.model import Finding, Severity
from ci_buildkit.findings.reader import Item, Reader
from ci_buildkit.findings.values import message, span, web
from ci_buildkit.reader import Source, by_document
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "eslint"
TOOL = "eslint"
_SEVERITIES: dict[int, Severity] = {0: "notice", 1: "warning", 2: "error"}
PARSING = "parsing-error"
"""The rule of a file that could not be parsed."""


def parse(document: object, source: Source) -> Iterator[Item]:
    """The findings of every file; what comments in the code suppress is none."""
    whole = mapping(document)
    rules = mapping(mapping(whole.get("metadata")).get("rulesMeta"))
    sources = Sources(source.mapper)
    for one in sequence(whole.get("results") if whole else document):
        file = mapping(one)
        path = label(file.get("filePath"))
        text = string(file.get("source") or file.get("output"))
        lines = text.split("\n") if text else []
        for item in sequence(file.get("messages")):
            yield _finding(path, mapping(item), lines, sources, rules)


def _finding(path: str, item: dict[str, Any], lines: list[str], sources: Sources, rules: dict[str, Any]) -> Finding:
    rule = label(item.get("ruleId"))

    def column(line: object, of: object) -> int | None:
        number, unit = positive(line), positive(of)
        text = lines[number - 1] if number and number <= len(lines) else sources.line(path, number)
        return of_utf16(text, unit) if text and unit else unit

    line, end = item.get("line"), item.get("endLine") or item.get("line")
    place = span(line, column(line, item.get("column")), end, column(end, item.get("endColumn")))
    given = item.get("severity")
    grade = _SEVERITIES.get(given, "error") if isinstance(given, int) else "error"
    return Finding(
        path,
        *place,
        severity=grade,
        rule=rule or (PARSING if item.get("fatal") is True else grade),
        message=message(string(item.get("message"))),
        tool=TOOL,
        url=web(mapping(mapping(rules.get(rule)).get("docs")).get("url")),
    )


def sniff(head: Head) -> bool:
    """Whether the first file of the report has a path and messages as ESLint calls them."""
    document = jsoncut.beginning(head.text)
    if isinstance(document, dict):
        document = document.get("results")
    first = mapping(document[0]) if isinstance(document, list) and document else {}
    return "filePath" in first and "messages" in first


READER = Reader(FORMAT, "ESLint JSON", sniff, by_document(parse, "ESLint"))
