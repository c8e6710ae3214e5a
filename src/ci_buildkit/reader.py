"""What a reader of one format of reports is, what it may read, and the three shapes that formats have.

Test results and lint findings are read alike: a reader tells its format by the start of a file, then yields what the
file holds, item by item. A format of lines (`by_line`) is read by the same class that finds it in a log; a format that
is one JSON document (`by_document`) is read whole, within `Limits.document`; XML (`by_elements`) is a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Generic, Protocol, TypeVar

from msgspec import Struct

from ci_buildkit import jsoncut, jsontext, xmlstream
from ci_buildkit.lines import TooLong, decode, encoding_of, lines, without_progress_prefix
from ci_buildkit.problem import Problem
from ci_buildkit.scan import Head

if TYPE_CHECKING:
    from ci_buildkit.paths import PathMapper
    from ci_buildkit.scan import Found

D = TypeVar("D")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

HEAD = 64 * 1024
"""Bytes of a file's start that readers tell their format by."""


class Limits(Struct, frozen=True):
    """How much is read. Passing a limit is a problem of kind `limit`; what was read before is kept.

    `cases` and `findings` count those of a whole report, `depth` nested XML elements, `token` the bytes of one XML tag,
    `line` the bytes of one line, `document` the bytes of one JSON document, `held` the characters of a document that was
    printed into a log. `output` is the characters of all that the passed and skipped tests of a report printed, at least
    256 for each; where it is passed, the output of the tests after says so instead.
    """

    cases: int = 2_000_000
    findings: int = 500_000
    depth: int = 1_000
    token: int = 16 * 1024 * 1024
    line: int = 16 * 1024 * 1024
    document: int = 256 * 1024 * 1024
    held: int = 64 * 1024 * 1024
    output: int = 16 * 1024 * 1024


class Source(Struct, frozen=True):
    """One file or log: how reports call it, how its paths are mapped, and the limits."""

    name: str
    mapper: PathMapper
    limits: Limits = Limits()


@dataclass(frozen=True)  # typing cannot make a generic class with slots
class Reader(Generic[T]):
    """`sniff` tells from a file's start whether it is this format; `read` yields what the file holds.

    `format` is what records call it, `label` what people do. `read` never raises for what the file contains, only
    OSError.
    """

    format: str
    label: str
    sniff: Callable[[Head], bool]
    read: Callable[[BinaryIO, Source], Iterator[T]]


class LogReader(Protocol[T_co]):
    """Finds one format between the lines of a log."""

    def feed(self, line: str) -> bool:
        """Takes a line without its end; says whether it is this format's alone, so that no other needs to see it."""

    def finish(self) -> Iterator[T_co]:
        """What was found; called once, after the last line."""


def by_line(make: Callable[[Source], LogReader[T]]) -> Callable[[BinaryIO, Source], Iterator[T | Problem]]:
    """The `read` of a format of lines, which may be a log with BuildKit's prefixes."""

    def read(stream: BinaryIO, source: Source) -> Iterator[T | Problem]:
        reader = make(source)
        problem = None
        try:
            for line in lines(stream, source.limits.line):
                reader.feed(without_progress_prefix(line))
        except TooLong:
            problem = Problem(source.name, "limit", f"a line is longer than {size(source.limits.line)}; what stands before it was read")  # fmt: skip
        yield from reader.finish()
        if problem:
            yield problem

    return read


def by_document(
    parse: Callable[[D, Source], Iterable[T]], what: str, load: Callable[[bytes], D] = jsontext.loads
) -> Callable[[BinaryIO, Source], Iterator[T | Problem]]:
    """The `read` of a format that is one JSON document; `what` names it where it is broken.

    What stands before the place where it is broken is read. `load` may decode it into a struct (`jsontext.typed`): only
    what is used of it, and that fast.
    """

    def read(stream: BinaryIO, source: Source) -> Iterator[T | Problem]:
        try:
            data = content(stream, source)
        except TooLong:
            yield Problem(source.name, "limit", f"is larger than {size(source.limits.document)} and was not read")
            return
        problem = None
        try:
            document: D | None = load(data)
        except jsontext.Broken as error:
            problem = Problem(source.name, "unreadable", f"the JSON of {what} is cut off or broken: {error}")
            document = jsoncut.start(data, error, load)
        if document is not None:
            yield from parse(document, source)
        if problem:
            yield problem

    return read


def by_elements(
    parser: xmlstream.Parser, items: list[T], stream: BinaryIO, source: Source, lane: xmlstream.Lane | None = None
) -> Generator[T | Problem, None, bool]:
    """What the handlers of `parser` append to `items`, which is emptied, while it reads a document; a problem last where
    that is broken. Returns whether it was read to its end.
    """
    refused: xmlstream.Refused | None = None
    try:
        for _ in xmlstream.feed(parser, stream, token=source.limits.token, lane=lane):
            yield from items
            items.clear()
    except xmlstream.Refused as error:
        refused = error
    yield from items
    if refused is None:
        return True
    yield Problem(source.name, "limit" if refused.limit else "unreadable", f"{refused}; what stands before it was read")
    return False


def content(stream: BinaryIO, source: Source) -> bytes:
    """A whole file in UTF-8 without byte order mark; what cannot be decoded becomes U+FFFD.

    Raises:
        TooLong: it is larger than `limits.document`.
    """
    data = stream.read(source.limits.document + 1)
    if len(data) > source.limits.document:
        raise TooLong
    encoding = encoding_of(data[:4])
    try:
        if encoding == "utf-8":
            data.decode("utf-8")  # whether it can be: the copy is gone at once
            return data
    except UnicodeDecodeError:
        pass
    return data.decode(encoding, "replace").encode("utf-8", "replace")


def printed(log: Iterable[str]) -> Iterator[str] | None:
    """A log's lines; None where it has none, as when every step came from the cache: no reader is imported for that."""
    lines = iter(log)
    first = next(lines, None)
    return None if first is None else chain([first], lines)


def feed(readers: Iterable[LogReader[T]], log: Iterable[str]) -> Iterator[T]:
    """What `readers` find in a log. A line goes from one to the next until one of them says that it is its own."""
    every = tuple(readers)
    for raw in log:
        line = raw.rstrip("\r\n")
        for reader in every:
            if reader.feed(line):
                break
    for reader in every:
        yield from reader.finish()


def head_of(found: Found) -> Head | Problem:
    """The start of a file; the problem where it cannot be read."""
    try:
        with found.path.open("rb") as file:
            data = file.read(HEAD)
    except OSError as error:
        return Problem(found.name, "unreadable", f"cannot be read: {error.strerror}")
    return Head(data, decode(data))


def knowing(readers: Iterable[Reader[T]], head: Head) -> Reader[T] | None:
    """The first of `readers` that knows what begins like this."""
    return next((reader for reader in readers if reader.sniff(head)), None)


def items_of(found: Found, read: Callable[[BinaryIO, Source], Iterator[T]], source: Source) -> Iterator[T | Problem]:
    """What `read` finds in a file; a problem last where the file cannot be read to its end."""
    try:
        with found.path.open("rb") as file:
            yield from read(file, source)
    except OSError as error:
        yield Problem(found.name, "unreadable", f"cannot be read to its end: {error.strerror}")


def labels(readers: Iterable[Reader[T]]) -> str:
    """The formats that are known, for a sentence."""
    *names, last = dict.fromkeys(reader.label for reader in readers)
    return f"{', '.join(names)} and {last}" if names else last


def size(count: int) -> str:
    """A number of bytes, for a sentence."""
    return f"{count // 2**20} MiB" if count >= 2**20 else f"{count} bytes"
