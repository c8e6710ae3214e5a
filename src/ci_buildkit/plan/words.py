"""Words of a Dockerfile with the values of their variables, as far as the file alone tells them. Pure.

The rules are those of BuildKit's frontend/dockerfile/shell/lex.go; what cuts or replaces text in a value
(`${NAME#PATTERN}` and its like) is left unknown.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

_PART = re.compile(
    r"""
      '(?P<single>[^']*)'
    | \\(?P<escaped>.)
    | (?P<quote>")
    | \$\{(?P<braced>\w+)(?:(?P<how>:?[-+])(?P<word>[^{}]*))?\}
    | \$(?P<plain>[A-Za-z_]\w*)
    | (?P<odd>\$\{)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class UnknownVariable(Exception):
    """A variable whose value the file does not tell. The text is its name."""


class Scope(Struct):
    """The variables at one place of a file; None for one that has a value nobody knows.

    `from_image` says that an image may have set others. `unset` are those that are declared and have no value.
    """

    values: dict[str, str | None] = field(default_factory=dict)
    from_image: bool = False
    unset: set[str] = field(default_factory=set)

    def copy(self) -> Scope:
        """The same variables, to go on with."""
        return Scope(dict(self.values), self.from_image, set(self.unset))

    def get(self, name: str) -> str | None:
        """A value, None where it is not set. Raises UnknownVariable."""
        value = self.values.get(name)
        if value is None and (name in self.values or (self.from_image and name not in self.unset)):
            raise UnknownVariable(name)
        return value

    def set(self, name: str, word: str) -> None:
        """Give a variable what a word is here, or nothing known."""
        try:
            self.values[name] = expand(word, self)
        except UnknownVariable:
            self.values[name] = None


def expand(text: str, scope: Scope) -> str:
    """A word without its quotes, with values in place of variables. Raises UnknownVariable."""
    done = ""
    quoted = False
    for part in _PART.finditer(text):
        if part["quote"]:
            quoted = not quoted
        elif part["single"] is not None:
            done += f"'{expand(part['single'], scope)}'" if quoted else part["single"]
        elif part["odd"]:
            raise UnknownVariable(text)
        elif name := part["braced"] or part["plain"]:
            done += _value(name, part["how"] or "", part["word"] or "", scope)
        else:
            done += part["escaped"] or part["other"]
    return done


def _value(name: str, how: str, word: str, scope: Scope) -> str:
    """`${name}`, `${name:-word}`, `${name-word}`, `${name:+word}` or `${name+word}`."""
    value = scope.get(name)
    is_there = bool(value) if how.startswith(":") else value is not None
    if how.endswith("+"):
        return expand(word, scope) if is_there else ""
    if how.endswith("-") and not is_there:
        return expand(word, scope)
    return value or ""
