"""Lines of text out of a file that may be anything: any encoding, any size."""

from __future__ import annotations

import codecs
import io
import re
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE = 16 * 1024 * 1024
"""Bytes of one line, unless told otherwise; a longer one ends the reading with `TooLong`."""

_BLOCK = 1024 * 1024

_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# How BuildKit's plain progress marks a line: `#12 0.345 text`.
_PLAIN_PROGRESS = re.compile(r"^#\d+ \d+\.\d+ ")


class TooLong(ValueError):
    """A line is longer than the limit."""


def encoding_of(head: bytes) -> str:
    """The encoding that a byte order mark at the start tells; UTF-8 without one (PowerShell writes UTF-16)."""
    return next((encoding for bom, encoding in _BOMS if head.startswith(bom)), "utf-8")


def decode(head: bytes) -> str:
    """The start of a file as text, whatever it is; a character cut at its end is left out."""
    return codecs.getincrementaldecoder(encoding_of(head))("replace").decode(head)


def lines(stream: BinaryIO, limit: int = MAX_LINE) -> Iterator[str]:
    """Every line of a seekable stream without its end; what cannot be decoded becomes U+FFFD.

    Raises:
        TooLong: a line is longer than `limit` bytes (characters, in UTF-16).
    """
    encoding = encoding_of(stream.read(4))
    stream.seek(0)
    if encoding == "utf-8":
        while raw := stream.readline(limit):
            if len(raw) >= limit and not raw.endswith(b"\n"):
                raise TooLong
            yield raw.decode("utf-8", "replace").rstrip("\r\n")
        return
    text = io.TextIOWrapper(stream, encoding, errors="replace", newline="\n")
    try:
        while line := text.readline(limit):
            if len(line) >= limit and not line.endswith("\n"):
                raise TooLong
            yield line.rstrip("\r\n")
    finally:
        text.detach()


def blocks(stream: BinaryIO, limit: int = MAX_LINE) -> Iterator[bytes]:
    """The bytes of a stream in blocks of whole lines, about a MiB each, for readers that decode many lines at once.

    Raises:
        TooLong: a line is longer than `limit` bytes; what stands before it was given.
    """
    while block := stream.read(_BLOCK):
        if not block.endswith(b"\n"):
            block += stream.readline(limit)
        if len(block) > limit:  # only then can one of its lines be
            before = _up_to_too_long(block, limit)
            if before is not None:
                yield before
                raise TooLong
        yield block


def _up_to_too_long(block: bytes, limit: int) -> bytes | None:
    """The lines before the first that is too long; None where none is."""
    start = 0
    while start < len(block):
        end = block.find(b"\n", start) + 1 or len(block)
        if end - start > limit:
            return block[:start]
        start = end
    return None


def without_progress_prefix(line: str) -> str:
    """`line` without the `#12 0.345 ` that BuildKit's plain progress puts before what a step prints."""
    return _PLAIN_PROGRESS.sub("", line) if line.startswith("#") else line
