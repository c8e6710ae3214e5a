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
# What begins a group that is counted, where escapes and classes are left out.
_GROUP = re.compile(r"\((?!\?)|\(\?<[A-Za-z_$]")
_NO_GROUP = re.compile(r"\\.|\[(?:\\.|[^\]])*\]", re.DOTALL)
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
    before = in_class = ""
    groups = len(_GROUP.findall(_NO_GROUP.sub("", pattern)))
    for piece in _PIECE.finditer(pattern):
        text = piece[0]
        if in_class:
            in_class, text = _in_class(piece, in_class)
        elif text == "[":
            in_class, text = "[", ""
        elif piece["escape"]:
            text = _escape(text, groups)
        elif piece["group"]:
            text = text.replace("(?<", "(?P<") if text.endswith(">") else text
        elif text in {"*", "+", "?"} or piece["count"]:
            _check_repeat(text, before)
        else:
            text = _special(text, flags)
        written.append(text)
        before = piece[0]
    if in_class:
        raise ValueError("a class is not closed")
    return "".join(written)


def _check_repeat(text: str, before: str) -> None:
    """Raise ValueError where JavaScript has nothing to repeat: after an assertion, an opening or another quantifier."""
    quantified = before in {"*", "+", "?"} or (before.startswith("{") and before != "{")
    if before in {"", "^", "$", "|", r"\b", r"\B"} or before.startswith("(") or (quantified and text != "?"):
        raise ValueError(f"there is nothing to repeat before {text!r}")


def _special(text: str, flags: str) -> str:
    """A single character outside of classes."""
    multiline, everything = "m" in flags, "s" in flags
    if text == "^":
        return r"(?:^|(?<=[\n\r\u2028\u2029]))" if multiline else r"\A"
    if text == "$":
        return r"(?=[\n\r\u2028\u2029]|\Z)" if multiline else r"\Z"
    if text == ".":
        return r"[\s\S]" if everything else r"[^\n\r\u2028\u2029]"
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
        return "open", begin + _escape(text, 0, in_class=True)
    return "open", begin + re.sub(r"([\[&~|{}()^$.*+?#])", r"\\\1", text)


def _escape(text: str, groups: int, *, in_class: bool = False) -> str:
    """An escape; one that means nothing to JavaScript is the character itself."""
    kind, more = text[1], text[2:]
    if kind in "sS" and not in_class:
        written = f"[{'^' if kind == 'S' else ''}{_SPACE}]"
    elif kind in "dDwWSnrtfv" or (kind in "bB" and not in_class):
        written = text
    elif kind == "k" and more:
        written = f"(?P={more[1:-1]})"
    elif kind.isdigit():
        written = text if 0 < int(text[1:]) <= groups else _octal(text[1:])
    elif kind == "c" and more:
        written = f"\\x{ord(more) % 32:02x}"
    elif kind in "ux" and more:
        written = re.escape(chr(int(more.strip("{}"), 16)))
    else:
        written = {"s": _SPACE, "b": r"\x08"}.get(kind, re.escape(kind))
    return written


def _octal(digits: str) -> str:
    """Digits after a backslash that are no reference to a group (ECMA-262, Annex B)."""
    octal = re.match("[0-3][0-7]{0,2}|[4-7][0-7]?", digits)
    return re.escape(chr(int(octal[0], 8))) + digits[octal.end() :] if octal else digits
