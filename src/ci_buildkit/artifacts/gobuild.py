"""What the go command wrote into a program: `go version -m` shows the same.

The form is that of Go 1.18 and newer (go/src/debug/buildinfo/buildinfo.go): 32 bytes that begin with a magic, then two
texts, each after its length as a varint.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct, field

MAGIC = b"\xff Go buildinf:"
INLINE = 2  # a flag: the texts follow, as they do since Go 1.18
SENTINEL = 16  # bytes around the module's text
LIMIT = 1 << 20  # bytes that are read at most


class GoBuild(Struct, frozen=True):
    """The main module with its version ("" or "(devel)" where it has none), and the build settings."""

    module: str
    version: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def arm(self) -> int | None:
        """GOARM, the level of ARM that the program needs; None elsewhere."""
        level = self.settings.get("GOARM", "").partition(",")[0]
        return int(level) if level.isdecimal() else None

    def variables(self) -> Iterator[tuple[str, str]]:
        """What `-ldflags -X` set: variable and value. The go command does not write it down under -trimpath."""
        words = iter(_words(self.settings.get("-ldflags", "")))
        for word in words:
            if word in {"-X", "--X"}:
                assignment = next(words, "")
            elif word.startswith(("-X=", "--X=")):
                assignment = word.partition("=")[2]
            else:
                continue
            name, equals, value = assignment.partition("=")
            if equals:
                yield name, value


def read(file: BinaryIO, offset: int, size: int) -> GoBuild | None:
    """The build information at an offset of a file; None where there is none or it is damaged."""
    file.seek(offset)
    data = file.read(min(size, LIMIT))
    if len(data) < 32 or not data.startswith(MAGIC) or not data[15] & INLINE:
        return None
    _, position = _text(data, 32)  # Go's own version
    text, _ = _text(data, position)
    if len(text) < 2 * SENTINEL + 1 or text[-SENTINEL - 1 : -SENTINEL] != b"\n":
        return None
    return parse(text[SENTINEL:-SENTINEL].decode(errors="replace"))


def parse(text: str) -> GoBuild:
    """The text of `go version -m` without its first line and indent (go/src/runtime/debug/mod.go)."""
    module = version = ""
    settings: dict[str, str] = {}
    for line in text.split("\n"):
        kind, _, rest = line.partition("\t")
        if kind == "mod":
            module, _, rest = rest.partition("\t")
            version = rest.partition("\t")[0]
        elif kind == "build":
            key, _, value = rest.partition("=")
            settings[key] = _unquoted(value)
    return GoBuild(module, version, settings)


def _text(data: bytes, position: int) -> tuple[bytes, int]:
    """The text after a varint, and where it ends."""
    length = shift = 0
    while position < len(data) and shift < 64:
        byte = data[position]
        position += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return data[position : position + length], position + length


def _unquoted(value: str) -> str:
    """A value without Go's quotes (strconv.Quote), whose escapes are Python's too."""
    if value.startswith('"'):
        try:
            return str(ast.literal_eval(value))
        except (ValueError, SyntaxError):
            return value
    return value


def _words(flags: str) -> list[str]:
    try:
        return shlex.split(flags)
    except ValueError:  # a quote that never ends
        return flags.split()
