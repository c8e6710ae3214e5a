"""Hadolint's `-f json` (src/Hadolint/Formatter/Json.hs): one array, a rule of its own (DL) or of ShellCheck (SC) a finding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_buildkit import jsoncut
from ci_buildkit.fields import label, mapping, sequence, string
from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.reader import Item, Reader, severity
from ci_buildkit.findings.values import message, span
from ci_buildkit.reader import Source, by_document
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "hadolint"
TOOL = "hadolint"
RULE = re.compile(r"(?:DL|SC)\d{4}")
_KEYS = {"code", "file", "line", "level"}


def rule_url(rule: str) -> str | None:
    """The page about a rule: the wiki of Hadolint or of ShellCheck."""
    if not RULE.fullmatch(rule):
        return None
    return f"https://github.com/{'hadolint/hadolint' if rule.startswith('DL') else 'koalaman/shellcheck'}/wiki/{rule}"


def parse(document: object, _source: Source) -> Iterator[Item]:
    """The findings of the array. A column of 1 says nothing: Hadolint knows instructions, not places in them."""
    for item in sequence(document):
        one = mapping(item)
        if not one:
            continue
        rule = label(one.get("code"))
        yield Finding(
            label(one.get("file")),
            *span(one.get("line"), one.get("column")),
            severity=severity(string(one.get("level"))),
            rule=rule or TOOL,
            message=message(string(one.get("message"))),
            tool=TOOL,
            url=rule_url(rule),
        )


def sniff(head: Head) -> bool:
    """Whether the first finding has Hadolint's keys and a rule that is text; ShellCheck's are numbers."""
    document = jsoncut.beginning(head.text)
    first = mapping(document[0]) if isinstance(document, list) and document else {}
    return first.keys() >= _KEYS and isinstance(first["code"], str) and "endLine" not in first


READER = Reader(FORMAT, "Hadolint JSON", sniff, by_document(parse, "Hadolint"))
