"""Reading reports that are one JSON document into structs: only what is used of them is decoded, and that fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, TypeVar

from ci_buildkit import jsoncut, jsontext
from ci_buildkit.lines import TooLong
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ci_buildkit.results.reader import Item

D = TypeVar("D")


def by_struct(
    kind: type[D], parse: Callable[[D, Source], Iterable[Item]], what: str
) -> Callable[[BinaryIO, Source], Iterator[Item]]:
    """The `read` of a format that is one JSON document of this `kind`; `what` names it where it is broken.

    What stands before the place where it is broken is read.
    """
    load = jsontext.typed(kind)

    def read(stream: BinaryIO, source: Source) -> Iterator[Item]:
        try:
            data = content(stream, source)
        except TooLong:
            limit = source.limits.document
            yield Problem(source.name, "limit", f"is larger than {limit:,} bytes and was not read")
            return
        problem = None
        try:
            document: D | None = load(data)
        except jsontext.Broken as error:
            problem = Problem(source.name, "unreadable", f"the JSON of {what} is cut off or broken: {error}")
            document = _start(data, error, load)
        if document is not None:
            yield from parse(document, source)
        if problem:
            yield problem

    return read


def _start(data: bytes, error: jsontext.Broken, load: Callable[[bytes], D]) -> D | None:
    try:
        return load(jsoncut.closed(data, error))
    except jsontext.Broken:
        return None
