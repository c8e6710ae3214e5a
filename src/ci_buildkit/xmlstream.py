"""XML that nobody trusts, read as a stream: no entities, no external anything, bounded memory.

expat with the rules of defusedxml (whose exceptions these are), without its pure-Python tree builder. What real tools
write against the rules of XML is mended on the way in, because one such character makes every parser refuse the whole
file: white space before the declaration, control characters, references to them, and bytes of another encoding.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, BinaryIO, Protocol
from xml.parsers import expat

from defusedxml.common import DefusedXmlException, EntitiesForbidden, ExternalReferenceForbidden

CHUNK = 256 * 1024
_FIRST_CHUNK = 4 * 1024
"""Chunks grow from here, so that a lane soon knows the form of what there is most of."""
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z][\w.:-]{0,39})[\"']")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# Text encodings for Python that no file is in, and that cost more than linear time.
_NOT_FOR_FILES = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"})
_CONTROL_BYTES = bytes(c for c in range(0x20) if c not in {0x09, 0x0A, 0x0D})
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ANSI = re.compile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b<&\n]*(?:\x07|\x1b\\\\)")
_REFERENCE = re.compile(r"&#(?:0*(\d{1,7})|[xX]0*([0-9a-fA-F]{1,6}));")
_HELD = 64
"""Characters at a chunk's end in which a reference or a terminal sequence may have begun; they wait for the next."""
_CUT_OFF = frozenset({"no element found", "unclosed token", "unclosed CDATA section"})

Parser = Any  # typeshed gives expat's parser type no name that exists at run time
Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]


class Lane(Protocol):
    """Reads the parts of a document that it knows the form of, faster than the parser, which never sees them."""

    def pieces(self, texts: Iterable[str], settled: Callable[[], bool]) -> Iterator[str]:
        """What the parser has to read of `texts`, in order.

        When a piece is asked for, the parser has read the one before. `settled` says that it then stands between two
        tokens and in no CDATA section: what follows is read as in any element's content.
        """

    def lines(self) -> int:
        """How many line ends were in what the parser was not given."""


class Refused(Exception):
    """The file breaks a rule or passes a limit; the message says which."""

    def __init__(self, message: str, *, limit: bool = False) -> None:
        """`limit` tells a limit that was passed from a file that is wrong."""
        super().__init__(message)
        self.limit = limit


def parser(start: Start, end: End | None = None) -> Parser:
    """An expat parser with these handlers that refuses entity declarations and external references."""
    made = expat.ParserCreate("utf-8")
    made.buffer_text = True
    made.EntityDeclHandler = _entity
    made.UnparsedEntityDeclHandler = _entity
    made.ExternalEntityRefHandler = _external
    made.StartElementHandler = start
    made.EndElementHandler = end
    return made


def _entity(name: str, *_: object) -> None:
    raise EntitiesForbidden(name, None, None, None, None, None)


def _external(context: str, base: str | None, system: str | None, public: str | None) -> int:
    raise ExternalReferenceForbidden(context, base, system, public)


def feed(made: Parser, stream: BinaryIO, *, token: int, lane: Lane | None = None) -> Iterator[None]:
    """Parses `stream`, yielding after each chunk so that the caller can hand out what its handlers found.

    Raises:
        Refused: the XML is not well-formed, declares an entity, is in an unknown encoding, or one tag is longer
            than `token` bytes. A handler may raise it too.
    """
    fed = 0
    cdata = _Cdata(made)
    texts: Iterable[str] = _mended(stream)
    if lane:
        texts = lane.pieces(texts, lambda: not cdata.open and bool(made.CurrentByteIndex == fed))
    try:
        for text in texts:
            data = text.encode("utf-8")
            if data:
                fed += len(data)
                made.Parse(data, False)  # noqa: FBT003 - expat takes it by position only
            if fed - made.CurrentByteIndex > token + CHUNK:
                message = f"one tag is longer than {token // 1024} KiB"
                raise Refused(message, limit=True)
            yield
        made.Parse(b"", True)  # noqa: FBT003
        yield
    except expat.ExpatError as error:
        message = f"not well-formed XML at {_place(error, lane.lines() if lane else 0)}: {_reason(error)}"
        raise Refused(message) from error
    except DefusedXmlException as error:
        message = "declares XML entities or refers to other files, which no report needs"
        raise Refused(message) from error


class _Cdata:
    """Whether a parser is inside a CDATA section."""

    def __init__(self, made: Parser) -> None:
        self.open = False
        made.StartCdataSectionHandler = self._start
        made.EndCdataSectionHandler = self._end

    def _start(self) -> None:
        self.open = True

    def _end(self) -> None:
        self.open = False


def _place(error: expat.ExpatError, lines: int) -> str:
    return f"line {error.lineno + lines}" if lines else f"line {error.lineno}, column {error.offset + 1}"


def _reason(error: expat.ExpatError) -> str:
    text = expat.ErrorString(error.code) or "unknown error"
    return f"{text}, so the file is empty or cut off" if text in _CUT_OFF else text


@lru_cache(maxsize=1)
def root_tag(head: bytes) -> str | None:
    """The name of the root element without its namespace prefix; None where `head` does not begin like XML.

    The last answer is remembered, because every reader asks the same of one file.
    """
    found: list[str] = []

    def start(tag: str, _attributes: dict[str, str]) -> None:
        if not found:
            found.append(local(tag))

    made = parser(start)
    try:
        for _ in feed(made, io.BytesIO(head), token=len(head)):
            if found:
                break
    except Refused:
        pass
    return found[0] if found else None


def local(tag: str) -> str:
    """The name of an element without its namespace prefix."""
    return tag.rpartition(":")[2] if ":" in tag else tag


def _mended(stream: BinaryIO) -> Iterator[str]:
    """The text of `stream` in chunks, with nothing in it that XML forbids as a character."""
    size = min(_FIRST_CHUNK, CHUNK)
    chunk = stream.read(size)
    encoding = _encoding(chunk)
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    held, begun = "", False
    while chunk:
        text = held + decoder.decode(chunk)
        suspect = encoding != "utf-8" or bool(held) or _is_suspect(chunk)
        hold = max(text.rfind("&", -_HELD), text.rfind("\x1b", -_HELD))
        held = text[hold:] if hold >= 0 else ""
        text = _mend(text[:hold] if hold >= 0 else text, suspect=suspect)
        if not begun:
            text = text.lstrip("\ufeff \t\r\n")
            begun = bool(text)
        if text:
            yield text
        size = min(size * 2, CHUNK)
        chunk = stream.read(size)
    rest = _mend(held + decoder.decode(b"", final=True), suspect=True)
    if rest:
        yield rest


def _is_suspect(chunk: bytes) -> bool:
    """Whether UTF-8 may hold a character that XML forbids; U+FFFE and U+FFFF begin with these two bytes."""
    return any(map(chunk.__contains__, _CONTROL_BYTES)) or (not chunk.isascii() and b"\xef\xbf" in chunk)


def _mend(text: str, *, suspect: bool) -> str:
    if "&" in text and "&#" in text:
        mended = _REFERENCE.sub(_reference, text)
        suspect = suspect or mended != text
        text = mended
    if suspect and _CONTROLS.search(text):
        text = _CONTROLS.sub("", _ANSI.sub("", text))
    return text


def _reference(found: re.Match[str]) -> str:
    """ESC as itself, so that the sequence it begins is taken out whole; nothing for what XML forbids."""
    code = int(found[1]) if found[1] else int(found[2], 16)
    if code == 0x1B:
        return "\x1b"
    allowed = code in {0x9, 0xA, 0xD} or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0xFFFF < code < 0x110000
    return found[0] if allowed else ""


def _encoding(head: bytes) -> str:
    """The encoding by byte order mark, by the NULs of a first `<`, by declaration, else UTF-8.

    Raises:
        Refused: the declared encoding is none that Python knows for text.
    """
    for bom, encoding in _BOMS:
        if head.startswith(bom):
            return encoding
    if head.startswith((b"<\0", b"\0<")):
        return "utf-16-le" if head.startswith(b"<") else "utf-16-be"
    declared = _DECLARED.match(head)
    if not declared:
        return "utf-8"
    name = declared[1].decode("ascii")
    try:
        encoding = codecs.lookup(name).name
        if encoding.startswith(("utf-16", "utf-32")):
            return "utf-8"  # the declaration itself was readable as ASCII, so the file is in neither
        b"    ".decode(name)  # refuses codecs that are not of text
    except (LookupError, UnicodeError, ValueError) as error:
        message = f"is in an unknown encoding, {name!r}"
        raise Refused(message) from error
    if encoding in _NOT_FOR_FILES:
        message = f"is in an unusable encoding, {name!r}"
        raise Refused(message)
    return encoding
