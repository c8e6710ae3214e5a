"""JUnit XML in the dialects of the tools that write it: one pass, no recursion, memory for one case at a time.

Counts are never taken from attributes: cases are. The attributes are only evidence against the file: a suite that says
it has failures and shows none is a problem. Dialects and their traps are those of Surefire's surefire-test-report.xsd,
the Jenkins xunit plugin's junit-10.xsd, pytest, gotestsum, GoogleTest, CTest, Catch2, nextest and PHPUnit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from ci_buildkit import text, xmlstream
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_elements
from ci_buildkit.results.junit_case import (
    ATTEMPTS,
    FORMAT,
    OUTPUT,
    PLACE,
    RESULTS,
    Element,
    Told,
    build,
    plain,
    said_place,
)
from ci_buildkit.results.junit_lane import Columns, PlainCases
from ci_buildkit.results.locate import Place
from ci_buildkit.results.reader import Item, Reader, Suite
from ci_buildkit.results.values import integer
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Case:
    """A test case that is being read."""

    __slots__ = ("attributes", "elements", "output", "place")

    def __init__(self, attributes: dict[str, str]) -> None:
        self.attributes = attributes
        self.elements: list[Element] = []
        self.output: text.Excerpt | None = None
        self.place: Place | None = None

    def printed(self) -> text.Excerpt:
        """Where the next output of this case goes."""
        if self.output is None:
            self.output = text.Excerpt(text.MAX_OUTPUT)
        else:
            self.output.add("\n")
        return self.output


class _Suite:
    """A suite that is being read: what it claims, and what its cases showed. The root has no name of its own."""

    __slots__ = ("attributes", "broken", "cases", "file", "path")

    def __init__(self, attributes: dict[str, str], path: str, file: str) -> None:
        self.attributes = attributes
        self.path = path
        self.file = file
        self.cases = 0
        self.broken = 0


class _Handler:
    """expat's handlers. `items` fills while chunks are parsed and is emptied by the reader."""

    def __init__(self, source: Source) -> None:
        self.items: list[Item] = []
        self.contradictions: list[str] = []
        self._source = source
        self._depth_limit = source.limits.depth
        self._depth = 0
        self._suites: list[_Suite] = []
        self._cases: list[_Case] = []
        self._element: Element | None = None
        self._element_depth = 0
        self._output_depth = 0
        self._zero_based = False
        self._gotestsum = False
        self.parser = xmlstream.parser(self._start, self._end)
        self.parser.ProcessingInstructionHandler = self._instruction
        self.lane = PlainCases(self)

    def open(self) -> bool:
        """Whether a test case that follows now is one of an open suite."""
        inside = self._cases or self._element or self._output_depth
        return bool(self._suites) and not inside and self._depth < self._depth_limit

    def take(self, cases: Columns) -> None:
        """Adds cases that passed to the open suite."""
        suite = self._suites[-1]
        suite.cases += len(cases.names)
        self.items.append(plain(cases, suite.path, suite.file, self._source, zero_based=self._zero_based))

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > self._depth_limit:
            message = f"elements are nested more than {self._depth_limit} deep"
            raise xmlstream.Refused(message, limit=True)
        if self._output_depth:
            return
        if ":" in tag:
            tag = xmlstream.local(tag)
        if tag in OUTPUT:
            self._begin_output()
        elif self._element is not None:
            return  # a failure's text includes that of a `stackTrace` below it
        elif tag == "testcase":
            self._cases.append(_Case(attributes))
        elif tag in RESULTS or tag in ATTEMPTS:
            self._begin_element(tag, attributes)
        elif tag in {"testsuite", "testsuites"} and not self._cases:
            self._begin_suite(tag, attributes)
        elif tag == "property" and attributes.get("name") == "go.version":
            self._gotestsum = True

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if ":" in tag:
            tag = xmlstream.local(tag)
        if self._output_depth:
            if self._depth == self._output_depth:
                self._output_depth = 0
                self.parser.CharacterDataHandler = self._element.text.add if self._element else None
        elif self._element is not None:
            if self._depth == self._element_depth:
                self._end_element()
        elif tag == "testcase" and self._cases:
            self._end_case(self._cases.pop())
        elif tag in {"testsuite", "testsuites"} and self._suites and not self._cases:
            self._end_suite(tag)

    def _begin_output(self) -> None:
        """Output is its case's, also that of one attempt; the output of a whole suite is nobody's."""
        self._output_depth = self._depth - 1
        self.parser.CharacterDataHandler = self._cases[-1].printed().add if self._cases else None

    def _instruction(self, target: str, said: str) -> None:
        """Where a test is, in what this project writes."""
        if target == PLACE and self._cases and not (self._element or self._output_depth):
            self._cases[-1].place = said_place(said, self._source.mapper)

    def _begin_suite(self, tag: str, attributes: dict[str, str]) -> None:
        name = text.name(attributes.get("name", "")).strip()
        if name in {"pytest", "pytest tests"}:
            self._zero_based = True  # pytest's xunit1 family counts lines from 0
        outer = self._suites[-1] if self._suites else None
        if tag == "testsuites":
            name = ""
        path = " / ".join(part for part in (outer.path if outer else "", name) if part)
        file = attributes.get("file") or (outer.file if outer else "")
        self._suites.append(_Suite(attributes, path, file))
        if tag == "testsuite":
            self.items.append(Suite(path))

    def _begin_element(self, tag: str, attributes: dict[str, str]) -> None:
        if not self._cases and not self._suites:
            return
        self._element = Element(tag, attributes)
        self._element_depth = self._depth - 1
        self.parser.CharacterDataHandler = self._element.text.add

    def _end_element(self) -> None:
        element, self._element = self._element, None
        self.parser.CharacterDataHandler = None
        if element is None:
            return
        if self._cases:
            self._cases[-1].elements.append(element)
        elif RESULTS.get(element.kind) in {"failed", "error"}:
            # A suite can fail outside of its cases: PHPUnit and Jest do.
            suite = self._suites[-1]
            case = _Case({"name": suite.attributes.get("name", ""), "status": "error"})
            case.elements.append(element)
            self._end_case(case)

    def _end_case(self, case: _Case) -> None:
        suite = self._suites[-1] if self._suites else _Suite({}, "", "")
        output = case.output.text() if case.output else ""
        told = Told(case.attributes, case.elements, output, case.place)
        made = build(told, suite.path, suite.file, self._source, zero_based=self._zero_based)
        if made.outcome == "passed" and not case.elements:
            self.lane.last = case.attributes
        suite.cases += 1
        suite.broken += made.broken or made.flaky or len(case.elements) > 1
        self.items.append(made)

    def _end_suite(self, tag: str) -> None:
        suite = self._suites.pop()
        if self._suites:
            self._suites[-1].cases += suite.cases
            self._suites[-1].broken += suite.broken
        if not (tag == "testsuites" and (self._gotestsum or self.contradictions)):
            # gotestsum's root counts lines of stderr as errors; a root repeats what its suites say.
            self._check(suite, tag)

    def _check(self, suite: _Suite, tag: str) -> None:
        claims = {name: integer(suite.attributes.get(name)) for name in ("tests", "failures", "errors")}
        label = f"{tag} {text.name(suite.attributes.get('name', ''))!r}"
        if claims["failures"] + claims["errors"] > 0 and not suite.broken:
            said = " and ".join(f'{name}="{claims[name]}"' for name in ("failures", "errors") if claims[name])
            self.contradictions.append(f"{label} says {said}, but none of its {suite.cases} test cases failed")
            return
        left_out = sum(integer(suite.attributes.get(name)) for name in ("skipped", "disabled"))
        if not suite.cases and claims["tests"] > left_out:
            self.contradictions.append(f'{label} says tests="{claims["tests"]}", but holds no test case')


def sniff(head: Head) -> bool:
    """Whether the root element is JUnit's."""
    return "<" in head.text and xmlstream.root_tag(head.data) in {"testsuites", "testsuite"}


def read(stream: BinaryIO, source: Source) -> Iterator[Item]:
    """Every case, suite by suite; then a problem where the file is cut off, wrong or contradicts itself."""
    handler = _Handler(source)
    whole = yield from by_elements(handler.parser, handler.items, stream, source, handler.lane)
    if whole and handler.contradictions:
        more = len(handler.contradictions) - 1
        reason = handler.contradictions[0] + (f" (and {more} more contradictions)" if more else "")
        yield Problem(source.name, "inconsistent", reason)


READER = Reader(FORMAT, "JUnit XML", sniff, read)
