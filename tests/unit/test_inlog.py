"""Documents between the lines of a log: what belongs to one, where it ends, and what the other readers get back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.findings import buildkit, ruff
from ci_buildkit.findings.found import Findings
from ci_buildkit.findings.reader import Item
from ci_buildkit.inlog import Documents
from ci_buildkit.paths import PathMapper
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source
from ci_buildkit.results import junit
from ci_buildkit.results.model import Case
from ci_buildkit.results.reader import Item as ResultItem

NOWHERE = PathMapper(None, Path("/nonexistent"))
FINDING = [
    "  {",
    '    "code": "F401",',
    '    "filename": "a.py",',
    '    "location": {',
    '      "column": 8,',
    '      "row": 1',
    "    },",
    '    "message": "unused",',
    '    "end_location": {"column": 10, "row": 1}',
    "  }",
]


class Rest:
    """Takes what is given back."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def feed(self, line: str) -> bool:
        self.lines.append(line)
        return True

    def finish(self) -> Iterator[str]:
        yield from self.lines


def lint(lines: list[str]) -> tuple[list[Item], list[str]]:
    """(items, the lines that the readers after the documents see)."""
    source, rest = Source("log", NOWHERE), Rest()
    documents = Documents(source, (ruff.READER, buildkit.READER), r"\[\{", kept=Findings(source), others=[rest])
    for line in lines:
        if not documents.feed(line):
            rest.feed(line)
    return list(documents.finish()), rest.lines


def cases(lines: list[str], limits: Limits | None = None) -> list[str]:
    """The names of the cases, and the kinds of the problems."""
    kept: list[ResultItem] = []
    documents = Documents(Source("log", NOWHERE, limits or Limits()), (junit.READER,), "<", kept=kept)
    for line in lines:
        documents.feed(line)
    items = list(documents.finish())
    found = [one for item in items for one in (item if isinstance(item, list) else [item]) if isinstance(one, Case)]
    return [one.name for one in found] + [item.kind for item in items if isinstance(item, Problem)]


def test_what_others_print_in_between_is_not_of_the_document() -> None:
    between = ["warning: slow", "  --> src/x.rs:1:2", "\tat a.b(C.java:3)", "a.c:1:2: error: broken"]
    lines = ["[", *FINDING[:5], *between, *FINDING[5:], "]"]
    items, rest = lint(lines)
    assert [(type(item).__name__) for item in items] == ["Finding"]
    assert set(between) <= set(rest)


def test_what_looks_like_a_report_until_more_of_it_is_there_is_given_back() -> None:
    lines = ["{", '  "warnings": [', *[""] * 8, '    {"text": "a.c:1:2: error: broken"}', "  ]", "}"]
    assert lint(lines) == ([], lines)
    assert lint(lines[:-1]) == ([], lines[:-1])


def test_a_report_is_kept_once_and_its_lines_are_not_given_back() -> None:
    items, rest = lint(["[", *FINDING, "]", "[", *FINDING, "]"])
    assert len(items) == 1
    assert not set(rest) & set(FINDING[6:])


@pytest.mark.parametrize(
    "lines",
    [
        ['<testsuite name="a">', '<testsuite name="b">', "</testsuite>", '<testcase name="x"/>', "</testsuite>"],
        ['<testsuite name="a">', '<testsuite name="b > c"/>', '<testcase name="x"/>', "</testsuite>"],
        ["<testsuite", 'name="a">', '<testcase name="x"/>', "</testsuite>"],
        ["<!-- made by hand -->", "<testsuite>", '<testcase name="x"/>', "</testsuite>"],
        ['<testsuites><testsuite><testcase name="x"/></testsuite></testsuites>'],
        [f'<testsuite><testcase name="x"><system-out>{"y" * 100_000}</system-out></testcase></testsuite>'],
    ],
)
def test_xml_ends_with_its_root(lines: list[str]) -> None:
    second = '<testsuites><testcase name="y"/></testsuites>'
    assert cases([*lines, "done", second]) == ["x", "y"]


@pytest.mark.parametrize("line", ["<none>", "<!-- a comment -->", '<?xml version="1.0"?>', "<a", "{", "["])
def test_what_begins_and_is_no_report_holds_nothing_up(line: str) -> None:
    assert cases([line, "text", '<testsuite><testcase name="x"/></testsuite>']) == ["x"]


def test_a_report_beyond_the_limit_keeps_its_start() -> None:
    lines = ['<testsuite name="s">', *(f'<testcase name="{number}"/>' for number in range(100)), "</testsuite>"]
    names = cases(lines, Limits(held=500))
    assert names[-1] == "limit"
    assert names[:-1] == [str(number) for number in range(len(names) - 1)]
    assert len(names) > 10


ROWS = [
    "[",
    "]",
    "{",
    "}",
    *FINDING,
    "<testsuite>",
    "</testsuite>",
    '<testcase name="x"/>',
    "<?xml?>",
    "<",
    "",
    " ",
    "x",
]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(ROWS) | st.text(max_size=10), max_size=30))
def test_any_lines_in_any_order(lines: list[str]) -> None:
    cases(lines)
    items, rest = lint(lines)
    assert not any(re.search("case", str(item)) for item in items)
    assert len(rest) <= len(lines)
