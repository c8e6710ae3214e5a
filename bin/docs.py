"""`make docs`: the reference pages from the code, every link checked, and the site in `site/`.

With `--check` nothing is written: pages that are out of date and broken links are told, and the site is not built.
"""

from __future__ import annotations

import argparse
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import reference_pages
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parent.parent


def documents(root: Path) -> list[Path]:
    """The Markdown files whose links are checked: those at the top, the documentation and the examples."""
    return sorted([*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("examples/**/*.md")])


def tokens(text: str) -> Iterator[Token]:
    """All tokens of a Markdown text, those inside paragraphs too."""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
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


def broken(root: Path) -> list[str]:
    """Every link that leads nowhere inside the repository, with the page it stands on. Other hosts are not asked."""
    found = []
    for page in documents(root):
        text = page.read_text(encoding="utf-8")
        for link in links(text):
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (page.parent / parts.path).resolve() if parts.path else page
            where = f"{page.relative_to(root)}: {link}"
            if not target.exists() or not target.is_relative_to(root):
                found.append(f"{where}: there is no such file")
            elif parts.fragment and parts.fragment not in anchors(target.read_text(encoding="utf-8")):
                found.append(f"{where}: there is no such heading")
    return found


def outdated(root: Path) -> list[str]:
    """The generated pages that differ from what the code says now."""
    found = []
    for name, text in reference_pages.pages().items():
        path = root / "docs" / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            found.append(f"docs/{name}: is out of date; `make docs` writes it anew")
    return found


def write(root: Path) -> None:
    """Write the generated pages that changed."""
    for name, text in reference_pages.pages().items():
        path = root / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}")


def main() -> int:
    """Write or check; 0 when everything is right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args().check
    if not check:
        write(ROOT)
    wrong = [*outdated(ROOT), *broken(ROOT)]
    print("\n".join(wrong) or f"{len(documents(ROOT))} pages: generated ones are up to date, all links lead somewhere")
    if check or wrong:
        return int(bool(wrong))
    site = [sys.executable, "-m", "mkdocs", "--quiet", "build", "--strict", "--clean"]
    code = subprocess.run(site, cwd=ROOT, check=False).returncode
    print("the site is in site/" if code == 0 else "the site could not be built")
    return code


if __name__ == "__main__":
    sys.exit(main())
