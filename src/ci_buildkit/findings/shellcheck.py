"""ShellCheck's `-f json1` and the older `-f json` (its manual, section "Formats").

`json1` is an object, and a tab is one column; `json` is its array alone, and a tab goes on to a multiple of eight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ci_buildkit import jsoncut
from ci_buildkit.fields import label, mapping, positive, sequence, string
from ci_buildkit.findings.columns import Sources, of_cells
from ci_buildkit.findings.hadolint import rule_url
from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.reader import Item, Reader, severity
from ci_buildkit.findings.values import message, span
from ci_buildkit.reader import Source, by_document
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "shellcheck"
TOOL = "shellcheck"
_KEYS = {"file", "line", "endLine", "level", "code"}


def parse(document: object, source: Source) -> Iterator[Item]:
    """The findings; columns count characters in both forms."""
    tabs = isinstance(document, list)
    sources = Sources(source.mapper)
    for item in sequence(document if tabs else mapping(document).get("comments")):
        one = mapping(item)
        if not one:
            continue
        path, code = label(one.get("file")), positive(one.get("code"))
        line, end = positive(one.get("line")), positive(one.get("endLine"))
        column, end_column = positive(one.get("column")), positive(one.get("endColumn"))
        if tabs:
            column = sources.column(of_cells, path, line, column)
            end_column = sources.column(of_cells, path, end, end_column)
        rule = f"SC{code}" if code else TOOL
        yield Finding(
            path,
            *span(line, column, end, end_column),
            severity=severity(string(one.get("level"))),
            rule=rule,
            message=message(string(one.get("message"))),
            tool=TOOL,
            url=rule_url(rule),
        )


def sniff(head: Head) -> bool:
    """Whether the first comment has ShellCheck's keys; `{"comments":[]}` is a clean report."""
    document = jsoncut.beginning(head.text)
    if isinstance(document, dict):
        document = document.get("comments")
        if document == [] and head.text.strip() == '{"comments":[]}':
            return True
    first = mapping(document[0]) if isinstance(document, list) and document else {}
    return first.keys() >= _KEYS


READER = Reader(FORMAT, "ShellCheck JSON", sniff, by_document(parse, "ShellCheck"))
