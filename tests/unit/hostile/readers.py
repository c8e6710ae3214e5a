"""Small readers of what we write, by the rules of those who read it in earnest."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser

# Names that actions/runner registers (ActionCommandManager.cs, and the constants of its extensions).
REGISTERED = frozenset(
    [
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
        "internal-set-repo-path",
    ]
)
VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "rect",
        "source",
        "track",
        "wbr",
    ]
)


@cache
def ignorable(character: str) -> bool:
    """Whether a comparison by culture passes over a character: .NET's does, for what has no weight in Unicode's order."""
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Cn", "Co", "Mn", "Me"}


def weighed(line: str) -> str:
    """A line as a comparison by culture sees it."""
    if line.isascii() and line.isprintable():
        return line
    return "".join(character for character in line if not ignorable(character))


class Runner:
    """GitHub's runner: reads a log line by line and tells what it would execute (ActionCommand.cs, as it is published)."""

    def __init__(self) -> None:
        self._stopped = ""

    def executed(self, output: str) -> Iterator[tuple[str, str]]:
        """The commands of a log, each as its name and the rest, but for those that stop and resume commands."""
        for line in re.split(r"\r\n|\r|\n", output):
            found = self._new(line) or self._old(line)
            if self._stopped:
                self._stopped = "" if found and found[0] == self._stopped else self._stopped
            elif found and found[0] == "stop-commands":
                self._stopped = found[1]
            elif found and found[0] in REGISTERED:
                yield found

    @property
    def resumed(self) -> bool:
        """Whether commands are executed again at the end."""
        return not self._stopped

    def _new(self, line: str) -> tuple[str, str] | None:
        line = weighed(line).lstrip()
        if not line.startswith("::") or (end := line.find("::", 2)) < 0:
            return None
        return line[2:end].partition(" ")[0], line[end + 2 :]

    def _old(self, line: str) -> tuple[str, str] | None:
        line = weighed(line)
        start = line.find("##[")
        end = line.find("]", start)
        if start < 0 or end < 0:
            return None
        return line[start + 3 : end].partition(" ")[0], line[end + 1 :]


def values(text: str) -> dict[str, str]:
    """What GITHUB_OUTPUT or GITHUB_ENV sets, by the rules of the runner (FileCommandManager.cs); raises ValueError."""
    found: dict[str, str] = {}
    lines = iter(text.removesuffix("\n").split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, _, value = line.partition("=")
        elif heredoc >= 0:
            name, _, delimiter = line.partition("<<")
            value = "\n".join(_until(lines, delimiter))
        else:
            raise ValueError(line)
        if not name:
            raise ValueError(line)
        found[name] = value
    return found


def _until(lines: Iterator[str], delimiter: str) -> Iterator[str]:
    for line in lines:
        if line == delimiter:
            return
        yield line
    raise ValueError(delimiter)


def controls(text: str) -> set[str]:
    """The characters of a text with which it could do more than be shown: control, bidirectional, of no encoding."""
    bidirectional = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}
    return {
        character
        for character in set(text)
        if character not in "\n\t"
        and (unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in bidirectional)
    }


class Document(HTMLParser):
    """A piece of HTML: its elements with their attributes, and the text outside of scripts and styles."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.comments: list[str] = []
        self.text = ""
        self.prose = ""  # ... and outside of code
        self.unbalanced: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        self.unbalanced += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        if {"script", "style"}.isdisjoint(self._open):
            self.text += data
            # A comment parts a word for GitHub's filters, which look at one text after the other.
            self.prose += "" if {"code", "pre"} & set(self._open) else f"\0{data}"

    @property
    def tags(self) -> set[str]:
        """The names of all elements."""
        return {tag for tag, _ in self.elements}

    def all_of(self, attribute: str) -> list[str]:
        """The values of an attribute of all elements that have it."""
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]
