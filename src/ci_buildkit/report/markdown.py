"""Untrusted text as GitHub Flavored Markdown that shows it and does nothing else.

Rules: GFM spec 0.29 (escapes, code spans, fences, tables, extended autolinks) and GitHub's own filters on top of it:
mentions, issue references, emoji shortcodes and `$math$`. None of the filters looks into code, and an empty HTML
comment inside a word stops them elsewhere without adding a character to what people copy.
"""

from __future__ import annotations

import re

from ci_buildkit.report.text import excerpt, one_line

_STRUCTURE = re.compile(r"[\\`*\[\]~|]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")
_BREAK = "<!-- -->"
# Each pattern ends just after the character behind which the break goes.
_ACTIVE = re.compile(
    r"@(?=[\w-])|#(?=\d)|\bGH-(?=\d)|\b(?:https?|ftps?|mailto|xmpp)(?=:)|\bwww(?=\.)|:(?=[\w+-]+:)",
    re.IGNORECASE,
)
_BLOCK_START = re.compile(r"^(?:[#+=>-]|\d+[.)])")
_TICKS = re.compile(r"`+")


def inline(text: str, limit: int = 300) -> str:
    """The text for a paragraph, list item or table cell: no markup, no link, no mention, one line."""
    # Marks survive the escaping below because it never touches these private characters.
    marked = _ACTIVE.sub(
        lambda found: found[0] + "\ue000", one_line(text, limit).replace("\ue000", "").replace("\ue001", "")
    )
    marked = marked.replace("$", "\ue001")
    escaped = marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    escaped = _STRUCTURE.sub(lambda found: "\\" + found[0], escaped)
    escaped = _BLOCK_START.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], escaped)
    return escaped.replace("\ue000", _BREAK).replace("\ue001", "<span>$</span>")


def code(text: str, limit: int = 300) -> str:
    """The text as a code span for anywhere but a table; a hyphen for an empty text."""
    shown = one_line(text, limit)
    if not shown:
        return "-"
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def cell(text: str, limit: int = 300) -> str:
    """The text as a code span for a table, where alone a backslash before a vertical bar is not shown."""
    return code(text, limit).replace("|", "\\|")


def whole(text: str) -> str:
    """A quantity that no line break parts: its spaces are no-break ones."""
    return text.replace(" ", "\u00a0")


def fence(text: str, *, lines: int = 40, characters: int = 4000) -> str:
    """The first part of the text as a fenced block whose fence nothing in the text can close."""
    shown = excerpt(text, lines, characters)
    ticks = "`" * max(3, _longest_run(shown) + 1)
    return f"{ticks}text\n{shown}\n{ticks}"


def link(label: str, url: str) -> str:
    """A link, or the plain label where the address is not http or https."""
    if not re.fullmatch(r"https?://[^\s<>\\|]+", url) or not url.isprintable():
        return inline(label)
    return f"[{inline(label)}](<{url}>)"


def table(header: list[str], rows: list[list[str]], align: str = "") -> str:
    """A table of cells that are already Markdown; `align` has a letter for each column, `r` for right."""
    rule = ["---:" if mark == "r" else "---" for mark in align.ljust(len(header), "l")]
    return "\n".join(f"| {' | '.join(row)} |" for row in [header, rule, *rows])


def _longest_run(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)
