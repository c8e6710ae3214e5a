"""Reading reports that are JSON lines into structs: many lines are decoded at once, which takes a third of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Generic, Protocol, TypeVar

import msgspec

from ci_buildkit.lines import TooLong, blocks, encoding_of, without_progress_prefix
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_line
from ci_buildkit.results.reader import LogReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ci_buildkit.results.reader import Item

E = TypeVar("E")
R = TypeVar("R", bound=LogReader)
E_contra = TypeVar("E_contra", contravariant=True)
_UNDECODABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
# Bytes that are read line by line rather than halved once more to find the line that is no event.
_FEW = 8 * 1024


class EventReader(Protocol[E_contra]):
    """A `LogReader` that takes decoded events, too."""

    def feed(self, line: str) -> bool:
        """Takes a line; says whether it was an event."""

    def take(self, event: E_contra) -> bool:
        """Takes what has the shape of an event; says whether it is one."""

    def finish(self) -> Iterator[Item]:
        """What was found; called once, after the last line."""


class Events(Generic[E]):
    """Decodes the events of one kind."""

    def __init__(self, kind: type[E]) -> None:
        """`kind` is a msgspec struct; fields that it does not have are passed over."""
        self._decoder = msgspec.json.Decoder(kind)

    def event(self, line: str) -> E | None:
        """What a line holds; None for any line of another shape."""
        if not line.startswith("{"):
            return None
        try:
            return self._decoder.decode(line)
        except _UNDECODABLE:
            return None

    def reading(self, make: Callable[[Source], EventReader[E]]) -> Callable[[BinaryIO, Source], Iterator[Item]]:
        """The `read` of a format of events, of which a file may be a log with BuildKit's prefixes."""

        def take(reader: EventReader[E], events: list[E], _lines: int) -> None:
            each = reader.take
            for event in events:
                each(event)

        return self.reading_lines(make, take)

    def reading_lines(
        self, make: Callable[[Source], R], take: Callable[[R, list[E], int], None]
    ) -> Callable[[BinaryIO, Source], Iterator[Item]]:
        """The same where `take` hands over all events of so many lines at once."""

        def read(stream: BinaryIO, source: Source) -> Iterator[Item]:
            encoding = encoding_of(stream.read(4))
            stream.seek(0)
            if encoding != "utf-8":
                yield from by_line(make)(stream, source)
                return
            reader, problem = make(source), None
            try:
                for data in blocks(stream, source.limits.line):
                    self._block(data, reader, take)
            except TooLong:
                reason = f"a line is longer than {source.limits.line:,} bytes; what stands before it was read"
                problem = Problem(source.name, "limit", reason)
            yield from reader.finish()
            if problem:
                yield problem

        return read

    def _block(self, data: bytes, reader: R, take: Callable[[R, list[E], int], None]) -> None:
        """Whole lines; those around one that cannot be decoded are read line by line, as a log is."""
        try:
            events = self._decoder.decode_lines(data)
        except _UNDECODABLE:
            middle = data.find(b"\n", len(data) // 2) + 1
            if len(data) > _FEW and 0 < middle < len(data):
                self._block(data[:middle], reader, take)
                self._block(data[middle:], reader, take)
                return
            for line in data.removesuffix(b"\n").split(b"\n"):
                reader.feed(without_progress_prefix(line.decode("utf-8", "replace").rstrip("\r")))
            return
        take(reader, events, data.count(b"\n"))
