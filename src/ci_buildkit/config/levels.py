"""How bad something must be to make a run red: the levels of `--fail-on`, for tests, lint and checks of the Dockerfile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

Level = Literal["failures", "errors", "warnings", "nothing"]

# The levels that make sense for each kind: a test gives no warnings, and a check has no exit code to fail with.
LEVELS: Mapping[str, tuple[Level, ...]] = {
    "tests": ("failures", "errors", "nothing"),
    "lint": ("failures", "errors", "warnings", "nothing"),
    "checks": ("errors", "warnings", "nothing"),
}

# `LEVEL` or `KIND=LEVEL`, as `FailOn.parse` takes it.
PATTERN = "|".join(
    [
        *(f"{kind}[ \\t]*=[ \\t]*(?:{'|'.join(levels)})" for kind, levels in LEVELS.items()),
        *dict.fromkeys(level for levels in LEVELS.values() for level in levels),
    ]
)


class FailOn(Struct, frozen=True):
    """The level of each kind.

    `failures` is what the tests or the linter themselves call a failure, `errors` and `warnings` what is at least that
    severe, `nothing` lets everything pass that is known: a run that failed for an unknown reason is red at any level.
    """

    tests: Level = "failures"
    lint: Level = "failures"
    checks: Level = "nothing"

    @classmethod
    def parse(cls, words: Iterable[str]) -> FailOn:
        """The levels that `LEVEL` and `KIND=LEVEL` words set; the last word about a kind wins.

        A plain `LEVEL` is meant for every kind that has it.

        Raises:
            ValueError: a word names a kind or a level that there is not.
        """
        found = cls()
        for word in words:
            kind, equals, level = (part.strip() for part in word.rpartition("="))
            found = replace(found, **(_one(kind, level) if equals else _all(level)))
        return found


def _one(kind: str, word: str) -> dict[str, Level]:
    if kind not in LEVELS:
        msg = f"there is no kind {kind!r}; there are {_listed(LEVELS)}"
        raise ValueError(msg)
    for level in LEVELS[kind]:
        if level == word:
            return {kind: level}
    msg = f"{kind} cannot fail on {word!r}; there are {_listed(LEVELS[kind])}"
    raise ValueError(msg)


def _all(word: str) -> dict[str, Level]:
    found = {kind: level for kind, levels in LEVELS.items() for level in levels if level == word}
    if not found:
        msg = f"nothing can fail on {word!r}; there are {_listed(dict.fromkeys(sum(LEVELS.values(), ())))}"
        raise ValueError(msg)
    return found


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}"
