"""xUnit.net's XML, version 2 of the format (`assemblies`), and version 1, which has `class` instead of `collection`.

The words are those of the page "Format of XML output (v2+)" of xunit.net. What breaks outside of a test (clean-up of a
class or a collection) stands in `errors` and is a case of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from ci_buildkit import text, xmlstream
from ci_buildkit.problem import Problem
from ci_buildkit.results.dotnet import Names, Told, case
from ci_buildkit.results.locate import Place
from ci_buildkit.results.model import Case, Outcome
from ci_buildkit.results.reader import Item, Reader, Suite
from ci_buildkit.results.values import integer, seconds
from ci_buildkit.results.xmlnodes import Node, Start, walk

if TYPE_CHECKING:
    from ci_buildkit.reader import Source
    from ci_buildkit.scan import Head

FORMAT = "xunit"
_TREES = frozenset({"test", "error", "failure"})
_SUITES = frozenset({"collection", "class"})
_RESULTS: dict[str, Outcome] = {"pass": "passed", "fail": "failed", "skip": "skipped", "notrun": "skipped"}


class _Assembly:
    """An assembly that is being read: its name, and what it claims and showed."""

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.failed = integer(attributes.get("failed"))
        self.errors = integer(attributes.get("errors"))
        self.total = integer(attributes.get("total"))
        self.cases = 0
        self.broken = 0

    def contradiction(self) -> str:
        """What its numbers say against its tests; "" for nothing."""
        if self.failed + self.errors and not self.broken:
            claim = f'failed="{self.failed}" and errors="{self.errors}"'
            return f"assembly {self.name!r} says {claim}, but none of its {self.cases} tests failed"
        if self.total and not self.cases:
            return f'assembly {self.name!r} says total="{self.total}", but holds no test'
        return ""


def _test(node: Node, assembly: _Assembly, source: Source, names: Names) -> Case:
    class_name = node.get("type")
    name = node.get("name") or node.get("method")
    told = Told(
        message=node.said("failure", "message") or node.said("reason", "message") or node.said("reason"),
        stack=node.said("failure", "stack-trace"),
        output=node.said("output"),
        place=_place(node, source),
    )
    result = node.get("result").strip().lower()
    outcome = _RESULTS.get(result, "error")
    if outcome in {"failed", "error"} and not (told.message or told.stack):
        failure = node.find("failure")
        thrown = failure.get("exception-type") if failure else ""
        told = told._replace(message=thrown or f"its result is {text.name(result) or 'missing'}")
    short = name.removeprefix(f"{class_name}.") if class_name else name
    return names.apart(case(source, FORMAT, assembly.name, class_name, short, outcome, seconds(node.get("time")), told))


def _place(node: Node, source: Source) -> Place | None:
    file = node.get("source-file")
    return Place(source.mapper(text.name(file)), integer(node.get("source-line"))) if file else None


def _error(node: Node, assembly: _Assembly, source: Source, names: Names) -> Case:
    """Something that broke outside of a test."""
    kind = node.get("type") or "error"
    failure = node.find("failure") or node
    told = Told(failure.said("message") or failure.get("exception-type") or kind, failure.said("stack-trace"))
    return names.apart(case(source, FORMAT, assembly.name, kind, node.get("name") or kind, "error", 0.0, told))


def sniff(head: Head) -> bool:
    """Whether the root element is xUnit.net's; other tools have an `assembly` too, but ran no tests."""
    if "<" not in head.text:
        return False
    root = xmlstream.root_tag(head.data)
    return root == "assemblies" or (root == "assembly" and ("run-date" in head.text or "test-framework" in head.text))


def read(stream: BinaryIO, source: Source) -> Iterator[Item]:
    """Every test, then a problem where the file is cut off, wrong or contradicts itself."""
    names = Names()
    assemblies: list[_Assembly] = []
    whole = True
    for event in walk(stream, source, _TREES):
        if isinstance(event, Problem):
            whole = False
            yield event
        elif isinstance(event, Start):
            if event.tag == "assembly":
                path = event.attributes.get("name", "")
                assemblies.append(_Assembly(names.assembly(path), event.attributes))
            elif event.tag in _SUITES:
                yield Suite(text.name(event.attributes.get("name", "")))
        elif isinstance(event, Node) and event.tag != "failure":
            assembly = assemblies[-1] if assemblies else _Assembly("", {})
            made = (_test if event.tag == "test" else _error)(event, assembly, source, names)
            assembly.cases += 1
            assembly.broken += made.broken
            yield made
    said = [words for words in (assembly.contradiction() for assembly in assemblies) if words]
    if whole and said:
        more = f" (and {len(said) - 1} more contradictions)" if len(said) > 1 else ""
        yield Problem(source.name, "inconsistent", said[0] + more)


READER = Reader(FORMAT, "xUnit.net XML", sniff, read)
