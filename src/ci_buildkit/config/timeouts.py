"""How long stages may take: the values of `--stage-timeout`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from msgspec import Struct, field

SECONDS = {"h": 3600, "m": 60, "s": 1}
# As Go writes durations, in hours, minutes and seconds: 90s, 10m, 1h30m.
DURATION = r"(?:[0-9]+(?:\.[0-9]+)?[hms])+"
# `DURATION` or `WHAT=DURATION`, as `Timeouts.parse` takes it.
PATTERN = rf"(?:[^=]*[^= \t][ \t]*=[ \t]*)?{DURATION}"


class Timeout(Struct, frozen=True):
    """How long a stage may take; `text` as the user wrote it."""

    text: str
    seconds: float


class Timeouts(Struct, frozen=True):
    """The time of each stage: what is `named`, by a stage's name or its kind, or what holds for `every` one."""

    every: Timeout | None = None
    named: dict[str, Timeout] = field(default_factory=dict)

    @classmethod
    def parse(cls, words: Iterable[str]) -> Timeouts:
        """What `DURATION` and `WHAT=DURATION` words say, which have the form of `PATTERN`; the last about a name wins.

        Raises:
            ValueError: a duration is 0.
        """
        every, named = None, dict[str, Timeout]()
        for word in words:
            name, equals, text = (part.strip() for part in word.rpartition("="))
            timeout = Timeout(text, seconds(text))
            if not timeout.seconds:
                msg = f"{word!r} leaves no time; leave it out where a stage may take as long as it likes"
                raise ValueError(msg)
            if equals:
                named[name] = timeout
            else:
                every = timeout
        return cls(every, named)

    def of(self, calls: Iterable[Callable[[str], bool]], kind: str) -> Timeout | None:
        """The time of a stage: by a name that one of `calls` knows, in their order, else of its kind, else of all."""
        for called in calls:
            for name, timeout in self.named.items():
                if called(name):
                    return timeout
        return self.named.get(kind, self.every)


def seconds(text: str) -> float:
    """A duration in seconds. Parts add up: `1h30m` is 5400."""
    return sum(float(number) * SECONDS[unit] for number, unit in re.findall(r"([0-9.]+)([hms])", text))
