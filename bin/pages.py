"""The Markdown pages of the repository: which there are, and their headings, links and blocks of code."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parent.parent
MARKDOWN = MarkdownIt("commonmark").enable("table")
NOTE = re.compile(r"<!-- (file|not run): (.+?) -->\s*")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code. `line` is that of its first line, from 1; `before` is the paragraph right above.

    `notes` are what a comment above says of it: `<!-- file: NAME -->` what file it is where its content does not tell,
    `<!-- not run: REASON -->` that a test cannot run it.
    """

    page: Path
    line: int
    language: str
    text: str
    notes: dict[str, str]
    before: str = ""

    @property
    def place(self) -> str:
        """The page inside the repository, and the line."""
        return f"{self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page.name}:{self.line}"


def documents(root: Path) -> list[Path]:
    """The Markdown files that are checked: those at the top, the documentation and the examples."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("examples/**/*.md")])


def tokens(text: str) -> Iterator[Token]:
    """All tokens of a Markdown text, those inside paragraphs too."""
    for token in MARKDOWN.parse(text):
        yield token
        yield from token.children or ()


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings as GitHub makes them: lower case, no punctuation, `-` for each space."""
    found: list[str] = []
    parsed = list(tokens(text))
    for heading, inline in itertools.pairwise(parsed):
        if heading.type == "heading_open":
            words = "".join(child.content for child in inline.children or () if child.type in {"text", "code_inline"})
            slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
            found.append(slug if slug not in found else f"{slug}-{found.count(slug)}")
    return set(found)


def links(text: str) -> Iterator[str]:
    """The targets of all links and images of a page."""
    for token in tokens(text):
        target = token.attrGet("href") if token.type == "link_open" else token.attrGet("src")
        if isinstance(target, str):
            yield unquote(target)


def spans(text: str) -> Iterator[str]:
    """The code inside of sentences and tables."""
    return (token.content for token in tokens(text) if token.type == "code_inline")


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    """The blocks of code of a page, or those in these languages."""
    notes: dict[str, str] = {}
    before = ""
    for token in MARKDOWN.parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.map and (not languages or token.info in languages):
            yield Block(page, token.map[0] + 2, token.info, token.content, notes, before)
        if token.type == "html_block":
            notes = dict(NOTE.findall(token.content))
        elif token.type == "inline":
            before, notes = token.content, {}
        elif token.type != "paragraph_close":
            before, notes = "", {}
