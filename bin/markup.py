"""How the reference pages are written: a page, tables, code spans, sentences."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

DEFAULT = re.compile(r"\s*\(default: ([^)]+)\)$")
NOTE = "Made by `make docs` from {source}: change that, not this page."


def page(title: str, source: str, *parts: str) -> str:
    """A page: title, note, parts."""
    return "\n\n".join([f"# {title}", NOTE.format(source=source), *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """A code span; as HTML where it holds a bar, which Markdown's dialects escape in different ways inside tables."""
    if "|" in text:
        return f"<code>{html.escape(text).replace('|', '&#124;')}</code>"
    return f"`{text}`"


def sentence(text: str) -> str:
    """A description as a sentence, its default last; a first word that is written in its own way stays so."""
    if found := DEFAULT.search(text):
        text = f"{text[: found.start()]}. Default: {code(found[1])}.".removeprefix(". ")
    first, _, rest = text.partition(" ")
    first = first if {".", ":"} & set(first) or not first.islower() else first.capitalize()
    text = f"{first} {rest}".strip()
    return text if not text or text.endswith(".") else f"{text}."
