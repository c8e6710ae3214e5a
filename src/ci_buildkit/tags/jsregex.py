"""JavaScript's regular expressions in Python: the constructs that differ are written anew (ECMA-262, Patterns)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ci_buildkit.errors import ConfigurationError

if TYPE_CHECKING:
    import regex

SECONDS = 1.0
"""What a match may take: some expressions would take for ever."""
FLAGS = frozenset("dgimsuvy")

_PIECE = re.compile(
    r"""(?P<escape>\\(?:u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|c[A-Za-z]|k<[A-Za-z_$][\w$]*>|[0-9]+|.))
    |(?P<group>\((?:\?(?:[:=!]|<[=!]|<[A-Za-z_$][\w$]*>))?)
    |(?P<count>\{[0-9]+(?:,[0-9]*)?\})
    |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def match(pattern: str, text: str, flags: str = "") -> Sequence[str | None] | None:
    """What `text.match(new RegExp(pattern, flags))` gives: the whole match and the groups, or None.

    With the flag `g` all whole matches instead.

    Raises:
        ConfigurationError: the pattern or its flags are none, or the match takes more than a second.
    """
    import regex

    if not FLAGS.issuperset(flags) or len(set(flags)) != len(flags) or {"u", "v"}.issubset(flags):
        raise _bad(pattern, f"the flags {flags!r} are wrong")
    try:
        compiled = _compiled(pattern, flags)
        if "g" in flags:
            return [found[0] for found in compiled.finditer(text, timeout=SECONDS)] or None
        # `y` matches at the start alone.
        found = (compiled.match if "y" in flags else compiled.search)(text, timeout=SECONDS)
    except TimeoutError as error:
        raise _bad(pattern, f"{text!r} takes too long to match") from error
    except (regex.error, OverflowError, RecursionError, MemoryError, ValueError) as error:
        raise _bad(pattern, str(error)) from error
    return [found[0], *found.groups()] if found else None


def _bad(pattern: str, reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"cannot use the regular expression {pattern!r}: {reason}",
        hint="write it as JavaScript does, or /PATTERN/FLAGS",
    )


def _compiled(pattern: str, flags: str) -> regex.Pattern[str]:
    import regex

    options = regex.VERSION0 | regex.ASCII
    options |= regex.IGNORECASE if "i" in flags else 0
    return regex.compile(_translated(pattern, flags), options)


def _translated(pattern: str, flags: str) -> str:
    written: list[str] = []
    in_class = ""
    for piece in _PIECE.finditer(pattern):
        text = piece[0]
        if in_class:
            in_class, text = _in_class(piece, in_class)
        elif text == "[":
            in_class, text = "[", ""
        elif piece["escape"]:
            text = _escape(text)
        elif piece["group"]:
            text = text.replace("(?<", "(?P<") if text.endswith(">") else text
        elif not piece["count"]:
            text = _special(text, written[-1] if written else "", flags)
        written.append(text)
    if in_class:
        raise ValueError("a class is not closed")
    return "".join(written)


def _special(text: str, before: str, flags: str) -> str:
    """A single character outside of classes."""
    multiline, everything = "m" in flags, "s" in flags
    if text == "^":
        return r"(?:^|(?<=[\n\r\u2028\u2029]))" if multiline else r"\A"
    if text == "$":
        return r"(?=[\n\r\u2028\u2029]|\Z)" if multiline else r"\Z"
    if text == ".":
        return r"[\s\S]" if everything else r"[^\n\r\u2028\u2029]"
    if text == "?" and before.endswith("("):
        raise ValueError("the group begins with something that JavaScript does not know")
    if text == "+" and (before in {"*", "+", "?"} or before.startswith("{")):
        raise ValueError("nothing to repeat before `+`")
    return "\\" + text if text in "{}]#&~" else text


def _in_class(piece: re.Match[str], opened: str) -> tuple[str, str]:
    """A piece of a class: what is open of it after the piece, and what is to be written."""
    text = piece[0]
    begin = opened if opened in {"[", "[^"} else ""
    if opened == "[" and text == "^":
        return "[^", ""
    if text == "]":
        return "", {"[": r"(?!)", "[^": r"[\s\S]"}.get(begin, "]")
    if piece["escape"]:
        return "open", begin + _escape(text, in_class=True)
    return "open", begin + re.sub(r"([\[&~|{}()^$.*+?#])", r"\\\1", text)


def _escape(text: str, *, in_class: bool = False) -> str:
    """An escape; one that means nothing to JavaScript is the character itself."""
    kind, more = text[1], text[2:]
    if kind in "sS" and not in_class:
        written = f"[{'^' if kind == 'S' else ''}{_SPACE}]"
    elif kind in "dDwWSnrtfv" or (kind in "bB" and not in_class):
        written = text
    elif kind == "k" and more:
        written = f"(?P={more[1:-1]})"
    elif kind.isdigit():
        written = r"\x00" if text == r"\0" or in_class else text
    elif kind == "c" and more:
        written = f"\\x{ord(more) % 32:02x}"
    elif kind in "ux" and more:
        written = re.escape(chr(int(more.strip("{}"), 16)))
    else:
        written = {"s": _SPACE, "b": r"\x08"}.get(kind, re.escape(kind))
    return written
