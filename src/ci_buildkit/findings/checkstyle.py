"""Checkstyle's XML, which many linters write: `<checkstyle><file name><error line column severity message source/>`.

The document does not say who wrote it. `source` often does: `eslint.rules.semi`, `ShellCheck.SC2086`, `DL3008`, a class
of Checkstyle, a sniff of PHP_CodeSniffer. Without a source it is the tool of the finding before; a finding whose tool
cannot be told is Checkstyle's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from ci_buildkit import xmlstream
from ci_buildkit.findings.hadolint import rule_url
from ci_buildkit.findings.model import Finding
from ci_buildkit.findings.reader import Item, Reader, severity
from ci_buildkit.findings.values import message, number, span
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_elements
from ci_buildkit.scan import Head
from ci_buildkit.text import Excerpt, name

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = "checkstyle"
TOOL = "checkstyle"
PARSING = "parsing-error"
"""The rule of an error whose source is empty: ESLint could not parse the file. Others, like PHPStan, write no source at all."""

# (how `source` looks, with the rule in group 1; the tool)
_TOOLS = (
    (re.compile(r"(?:eslint|stylelint|swiftlint|tslint)\.rules\.(.+)"), ""),
    (re.compile(r"ShellCheck\.(SC\d+)"), "shellcheck"),
    (re.compile(r"((?:DL|SC)\d{4})"), "hadolint"),
    (re.compile(r"detekt\.(.+)"), "detekt"),
    (re.compile(r"((?:standard|experimental):[\w-]+)"), "ktlint"),
    (re.compile(r"com\.puppycrawl\.tools\.checkstyle\.([A-Z][A-Za-z]*/\w+)"), "rubocop"),
    (re.compile(r"com\.puppycrawl\.tools\.checkstyle\.(?:\w+\.)*(\w+?)(?:Check)?"), TOOL),
    (re.compile(r"([A-Z]\w*(?:\.[A-Z]\w*){2,})"), "phpcs"),
)
# Versions of the format that one tool alone claims, for a `source` that says nothing.
_WRITERS = {"5.0": "golangci-lint"}


def _origin(source: str, default: str) -> tuple[str, str]:
    """(tool, rule) of a `source`."""
    for pattern, tool in _TOOLS:
        found = pattern.fullmatch(source)
        if found:
            return tool or source.partition(".")[0], found[1]
    return default, source


class _Handler:
    """expat's handlers. `items` fills while chunks are parsed and is emptied by the reader."""

    def __init__(self, source: Source) -> None:
        self.items: list[Item] = []
        self._source = source
        self._depth = 0
        self._path = ""
        self._default = self._tool = TOOL
        self._exception: Excerpt | None = None
        self.parser = xmlstream.parser(self._start, self._end)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._source.limits.depth:
            text = f"elements are nested more than {self._source.limits.depth} deep"
            raise xmlstream.Refused(text, limit=True)
        tag = xmlstream.local(tag)
        if self._depth == 1:
            self._default = self._tool = _WRITERS.get(attributes.get("version", ""), TOOL)
        elif tag == "file":
            self._path = name(attributes.get("name", "")).strip()
        elif tag == "error":
            self.items.append(self._finding(attributes))
        elif tag == "exception":
            self._exception = Excerpt()
            self.parser.CharacterDataHandler = self._exception.add

    def _finding(self, attributes: dict[str, str]) -> Finding:
        source = name(attributes.get("source", "")).strip()
        grade = severity(attributes.get("severity", "error"))
        if source:
            self._tool, rule = _origin(source, self._default)
        else:
            rule = PARSING if "source" in attributes else grade
        return Finding(
            self._path,
            *span(number(attributes.get("line")), number(attributes.get("column"))),
            severity=grade,
            rule=rule,
            message=message(attributes.get("message", "")).removesuffix(f" ({rule})"),
            tool=self._tool,
            url=rule_url(rule),
        )

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if xmlstream.local(tag) == "exception" and self._exception is not None:
            said = next((line.strip() for line in self._exception.text().split("\n") if line.strip()), "no reason")
            where = self._path or "a file"
            self.items.append(Problem(self._source.name, "inconsistent", name(f"{where} was not checked: {said}")))
            self._exception = None
            self.parser.CharacterDataHandler = None


def sniff(head: Head) -> bool:
    """Whether the root element is `checkstyle`."""
    return head.text.lstrip("\ufeff \t\r\n").startswith("<") and xmlstream.root_tag(head.data) == "checkstyle"


def read(stream: BinaryIO, source: Source) -> Iterator[Item]:
    """Every error, file by file; a problem for a file that could not be checked, and where the XML is cut off."""
    handler = _Handler(source)
    yield from by_elements(handler.parser, handler.items, stream, source)


READER = Reader(FORMAT, "Checkstyle XML", sniff, read)
