"""XML reports whose test cases are small trees: one tree in memory at a time, and what is around it as events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct, field

from ci_buildkit import text, xmlstream
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_elements

MAX_NODES = 100_000
"""Elements of one tree; a data-driven test of TRX has one for each of its rows and more."""


class Start(Struct):
    """An element begins that is no tree; its name is without a namespace."""

    tag: str
    attributes: dict[str, str]


class End(Struct):
    """The element that began last ends."""

    tag: str


class Node(Struct):
    """A tree. `said` and `find` take the names of elements on the way down and look at the first of each."""

    tag: str
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    excerpt: text.Excerpt = field(default_factory=text.Excerpt)

    def find(self, *path: str) -> Node | None:
        """The element at this path below; None where there is none."""
        found: Node | None = self
        for tag in path:
            found = next((child for child in found.children if child.tag == tag), None) if found else None
        return found

    def said(self, *path: str) -> str:
        """The text of the element at this path, cleaned, without the blank lines around it; "" without one."""
        found = self.find(*path)
        return text.block(text.clean(found.excerpt.text())) if found else ""

    def get(self, name: str) -> str:
        """An attribute; "" without one."""
        return self.attributes.get(name, "")


Event = Start | End | Node


class _Walker:
    """expat's handlers. `events` fills while chunks are parsed and is emptied by the reader."""

    def __init__(self, source: Source, trees: frozenset[str]) -> None:
        self.events: list[Event] = []
        self._trees = trees
        self._limit = source.limits.depth
        self._depth = 0
        self._open: list[Node] = []
        self._nodes = 0
        self.parser = xmlstream.parser(self._start, self._end)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        tag = xmlstream.local(tag)
        if self._depth > self._limit:
            message = f"elements are nested more than {self._limit} deep"
            raise xmlstream.Refused(message, limit=True)
        if not self._open and tag not in self._trees:
            self.events.append(Start(tag, attributes))
            return
        self._nodes = self._nodes + 1 if self._open else 1
        if self._nodes > MAX_NODES:
            message = f"one test has more than {MAX_NODES:,} elements"
            raise xmlstream.Refused(message, limit=True)
        node = Node(tag, attributes)
        if self._open:
            self._open[-1].children.append(node)
        self._open.append(node)
        self.parser.CharacterDataHandler = node.excerpt.add

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if not self._open:
            self.events.append(End(xmlstream.local(tag)))
            return
        node = self._open.pop()
        if not self._open:
            self.events.append(node)
        self.parser.CharacterDataHandler = self._open[-1].excerpt.add if self._open else None


def walk(stream: BinaryIO, source: Source, trees: frozenset[str]) -> Iterator[Event | Problem]:
    """The elements of a document in order, those named in `trees` whole; a problem last where it is broken."""
    walker = _Walker(source, trees)
    yield from by_elements(walker.parser, walker.events, stream, source)
