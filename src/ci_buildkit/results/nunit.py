"""NUnit's XML: that of version 2 (`test-results`) and of version 3 and later (`test-run`).

The words are those of NUnit 2's Results.xsd and XmlResultWriter, and of the NUnit 3 pages "Test Result XML Format" and
"Test Case"/"Test Suite". A fixture can break outside of its cases: where no case says so, it is a case of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from ci_buildkit import text, xmlstream
from ci_buildkit.problem import Problem
from ci_buildkit.results.dotnet import Names, Told, case, split
from ci_buildkit.results.model import Case, Outcome
from ci_buildkit.results.reader import Item, Reader, Suite
from ci_buildkit.results.values import integer, seconds
from ci_buildkit.results.xmlnodes import End, Node, Start, walk

if TYPE_CHECKING:
    from ci_buildkit.reader import Source
    from ci_buildkit.scan import Head

FORMAT = "nunit"
_ROOTS = frozenset({"test-run", "test-results"})
_TREES = frozenset({"test-case", "failure", "reason", "properties", "output"})
_RESULTS: dict[str, Outcome] = {
    "passed": "passed",
    "success": "passed",
    "warning": "passed",
    "failed": "failed",
    "failure": "failed",
    "error": "error",
    "notrunnable": "error",
    "cancelled": "error",
    "inconclusive": "skipped",
    "skipped": "skipped",
    "ignored": "skipped",
}
_ERROR_LABELS = frozenset({"error", "invalid", "cancelled"})
_ELSEWHERE = frozenset({"child", "parent"})
"""Sites of a suite's failure that are told where they are."""


class _Suite:
    """A suite that is being read."""

    __slots__ = ("assembly", "attributes", "broken", "holds_cases", "nodes")

    def __init__(self, attributes: dict[str, str], assembly: str) -> None:
        self.attributes = attributes
        self.assembly = assembly
        self.nodes: dict[str, Node] = {}
        self.broken = 0
        self.holds_cases = False


class _NUnit:
    """What a document gives, event by event."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._names = Names()
        self._root: dict[str, str] = {}
        self._suites: list[_Suite] = []
        self._cases = 0
        self._broken = 0

    def take(self, event: Start | End | Node) -> Iterator[Item]:
        if isinstance(event, Start):
            self._start(event)
        elif isinstance(event, End):
            if event.tag == "test-suite" and self._suites:
                yield from self._end_suite(self._suites.pop())
        elif event.tag == "test-case":
            yield from self._case(event)
        elif self._suites:
            self._suites[-1].nodes[event.tag] = event

    def _start(self, event: Start) -> None:
        if event.tag in _ROOTS:
            self._root = event.attributes
        elif event.tag == "test-suite":
            assembly = self._suites[-1].assembly if self._suites else ""
            if event.attributes.get("type") == "Assembly":
                assembly = self._names.assembly(event.attributes.get("name", ""))
            self._suites.append(_Suite(event.attributes, assembly))

    def _case(self, node: Node) -> Iterator[Item]:
        suite = self._suites[-1] if self._suites else _Suite({}, "")
        if not suite.holds_cases:
            suite.holds_cases = True
            yield Suite(suite.attributes.get("fullname") or suite.attributes.get("name", ""))
        class_name, name = _named(node, suite)
        outcome = _outcome(node.attributes)
        told = _told({child.tag: child for child in node.children})
        if outcome == "passed":  # some writers put an empty failure everywhere
            told = Told(message=node.said("reason", "message"), output=told.output)
        if outcome in {"failed", "error"}:
            told = _with_reason(told, suite)
            if not (told.message or told.stack):
                told = told._replace(message=f"its result is {text.name(node.get('result')) or 'missing'}")
        yield self._add(class_name, name, outcome, seconds(node.get("duration") or node.get("time")), told)

    def _add(self, class_name: str, name: str, outcome: Outcome, duration: float, told: Told) -> Case:
        assembly = self._suites[-1].assembly if self._suites else ""
        made = self._names.apart(case(self._source, FORMAT, assembly, class_name, name, outcome, duration, told))
        self._cases += 1
        self._broken += made.broken
        if self._suites:
            self._suites[-1].broken += made.broken
        return made

    def _end_suite(self, suite: _Suite) -> Iterator[Item]:
        site = suite.attributes.get("site", "").lower()
        unseen = site == "teardown" or (not suite.broken and site not in _ELSEWHERE)
        says = "result" in suite.attributes or "success" in suite.attributes
        if unseen and says and _outcome(suite.attributes) in {"failed", "error"}:
            self._suites.append(suite)
            name = suite.attributes.get("name", "")
            told = _told(suite.nodes)
            if not (told.message or told.stack):
                told = told._replace(message="broke outside of its test cases")
            yield self._add(suite.attributes.get("fullname") or name, name, "error", 0.0, told)
            self._suites.pop()
        if self._suites:
            self._suites[-1].broken += suite.broken

    def finish(self) -> Iterator[Item]:
        """A problem where the root contradicts what is in it."""
        claims = {name: integer(self._root.get(name)) for name in ("failures", "errors", "failed", "total")}
        failed = claims["failures"] + claims["errors"] + claims["failed"]
        if not self._broken and (failed or self._root.get("result") == "Failed"):
            said = f"{failed} failed" if failed else 'result="Failed"'
            reason = f"the run says {said}, but none of its {self._cases} test cases failed"
            yield Problem(self._source.name, "inconsistent", reason)
        elif not self._cases and claims["total"]:
            reason = f'the run says total="{claims["total"]}", but holds no test case'
            yield Problem(self._source.name, "inconsistent", reason)


def _named(node: Node, suite: _Suite) -> tuple[str, str]:
    """Class and name. The full name tells fixtures with different arguments apart, which `classname` does not."""
    full, name = node.get("fullname"), node.get("name")
    if full:
        class_name = full.removesuffix(f".{name}") if name and full.endswith(f".{name}") else ""
        return class_name or node.get("classname") or split(full)[0], name or split(full)[1]
    class_name, short = split(name)
    return class_name or node.get("classname") or suite.attributes.get("name", ""), short


def _outcome(attributes: dict[str, str]) -> Outcome:
    result = attributes.get("result", "").strip().lower()
    if not result:  # NUnit 2.4 and before
        if attributes.get("executed", "").lower() == "false":
            return "skipped"
        return {"true": "passed", "false": "failed"}.get(attributes.get("success", "").lower(), "error")  # type: ignore[return-value]
    outcome = _RESULTS.get(result, "error")
    return "error" if outcome == "failed" and attributes.get("label", "").strip().lower() in _ERROR_LABELS else outcome


def _with_reason(told: Told, suite: _Suite) -> Told:
    """With why the fixture's set-up broke, where a case says only that it did, as those of NUnit 2 do."""
    why = suite.nodes.get("failure")
    if why is None or told.stack or suite.attributes.get("site", "").lower() in _ELSEWHERE:
        return told
    reason = why.said("message")
    message = told.message if reason in told.message else f"{told.message}: {reason}"
    return told._replace(message=message, stack=why.said("stack-trace"))


def _told(nodes: dict[str, Node]) -> Told:
    failure, reason, output = nodes.get("failure"), nodes.get("reason"), nodes.get("output")
    message = (failure.said("message") if failure else "") or (reason.said("message") if reason else "")
    if not message and "properties" in nodes:
        skipped = (one for one in nodes["properties"].children if one.get("name") == "_SKIPREASON")
        message = next((text.clean(one.get("value")) for one in skipped), "")
    return Told(message, failure.said("stack-trace") if failure else "", output.said() if output else "")


def sniff(head: Head) -> bool:
    """Whether the root element is NUnit's."""
    return "<" in head.text and xmlstream.root_tag(head.data) in _ROOTS


def read(stream: BinaryIO, source: Source) -> Iterator[Item]:
    """Every case, then a problem where the file is cut off, wrong or contradicts itself."""
    document, whole = _NUnit(source), True
    for event in walk(stream, source, _TREES):
        if isinstance(event, Problem):
            whole = False
            yield event
        else:
            yield from document.take(event)
    if whole:
        yield from document.finish()


READER = Reader(FORMAT, "NUnit XML", sniff, read)
