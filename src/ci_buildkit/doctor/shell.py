"""The commands of a shell script, as far as a look at its words tells them. Pure.

It knows quotes, comments, operators and assignments, and runs nothing: what a variable holds stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r]+|\\\r?\n)
    | (?P<comment>(?:(?<=\s)|(?<=^)|(?<=;))\#[^\n]*)
    | (?P<operator>&&|\|\||\|&|;;|[|;\n()]|&(?![>&])(?<![<>]&))
    | (?P<part>'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$\{[^}]*\}|\$\(\(.*?\)\)|\$(?=\()|[^\s'"\\|;&()\#$]+|[\#$&'"\\])
    """,
    re.VERBOSE | re.DOTALL,
)
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
# Words that stand before a command and are none.
_BEFORE = frozenset(["!", "{", "if", "then", "else", "elif", "do", "while", "until", "time", "exec", "sudo", "env"]) | {
    "command",
    "nice",
    "nohup",
}
_RUNNERS = re.compile(r"(?:uv|poetry|pdm|pipenv|hatch) run (?:-\S+ )*|bundle exec |npx (?:-\S+ )*|python[\d.]* -m ")


class Command(Struct, frozen=True):
    """One command: `words` without quotes, what it `assigns` for itself, and the operator that comes `after` it."""

    words: tuple[str, ...]
    assigns: Mapping[str, str] = field(default_factory=dict)
    after: str = ""

    @property
    def line(self) -> str:
        """The words with one space between them, the program without its folder."""
        return " ".join((self.words[0].rpartition("/")[2] or self.words[0], *self.words[1:])) if self.words else ""

    @property
    def plain(self) -> str:
        """The same without what only runs it: `uv run`, `python -m`."""
        return _RUNNERS.sub("", self.line, count=1) if _RUNNERS.match(self.line) else self.line


def commands(script: str) -> tuple[Command, ...]:
    """The commands of a script in order."""
    return tuple(_commands(script))


def _commands(script: str) -> Iterator[Command]:
    words: list[str] = []
    word: str | None = None
    for token in _TOKEN.finditer(script):
        if token["part"] is not None:
            word = (word or "") + _unquoted(token["part"])
            continue
        if word is not None:
            words.append(word)
            word = None
        if token["operator"]:
            if words:
                yield _command(words, token["operator"])
            words = []
    if word is not None:
        words.append(word)
    if words:
        yield _command(words, "")


def _unquoted(part: str) -> str:
    if len(part) > 1 and part[0] == part[-1] and part[0] in "'\"":
        return part[1:-1]
    return part[1:] if part.startswith("\\") and len(part) > 1 else part


def _command(words: list[str], after: str) -> Command:
    assigns: dict[str, str] = {}
    at = 0
    while at < len(words):
        if found := _ASSIGNMENT.fullmatch(words[at]):
            assigns[found[1]] = found[2]
        elif words[at] not in _BEFORE:
            break
        at += 1
    return Command(tuple(words[at:]), assigns, after)


def assigned(script: str) -> frozenset[str]:
    """The names that a script gives a value itself, in whatever way."""
    found = {name for command in commands(script) for name in command.assigns}
    loose = re.findall(r"\b(?:read(?: -\w+)*|for|getopts \S+|printf -v|mapfile(?: -\w+)*)\s+([A-Za-z_]\w*)", script)
    written = re.findall(r"(?<![\w$.\-/{])([A-Za-z_]\w*)\+?=", script)
    return frozenset(found | set(loose) | set(written))
