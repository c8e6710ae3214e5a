"""What an option's type does not say: its topic, how it is written, and what each of its values looks like."""

from __future__ import annotations

import re
from typing import Literal, get_args

from msgspec import Struct

from ci_buildkit.config import levels, timeouts

Topic = Literal["what runs", "images", "binaries", "results", "policies", "caches", "builder", "report"]
# The headings of `--help` and of the page on options, in this order.
TOPICS: tuple[Topic, ...] = get_args(Topic)


class Form(Struct, frozen=True):
    """What a value looks like.

    `pattern` is a regular expression for the whole value that means the same in Python and in ECMA-262, for which it
    becomes a part of the schema. `told` is what an error says of a value that does not match; "" where the option has a
    check of its own.
    """

    pattern: str
    told: str = ""

    def fits(self, value: str) -> bool:
        """Whether a value matches."""
        return re.fullmatch(self.pattern, value) is not None


# A name of a pair, up to its `=`.
PAIR_NAME = r"[ \t\r\n]*[^= \t\r\n][^=]*"
PAIR = Form(PAIR_NAME + r"=[\s\S]*", "is not of the form NAME=VALUE")
PLATFORM = Form(
    r'[^ \t\r\n/,"]+(?:/[^ \t\r\n/,"]+){1,2}',
    "is not a platform; write OS/ARCH or OS/ARCH/VARIANT, for example linux/arm64",
)
NUMBER = Form(r"[0-9]+(?:\.0+)?", "is not a whole number, 0 or more")
FAIL_ON = Form(levels.PATTERN)
TIMEOUT = Form(timeouts.PATTERN, "is not a duration; write 90s, 10m or 1h30m, or test=10m for one stage or kind")


class Flag(Struct, frozen=True):
    """How an option is written.

    `split`: a list option that also takes commas (not where a value itself may hold one, as in `--build-arg`).
    `mapping`: a list option whose values are `K=V`, so that the file may hold a mapping.
    `switch`: an option that takes text, and `true` and `false` too.
    `environment`: the variable that sets it, where it is not `CI_BUILDKIT_` and the option's name.
    `action`: whether it is an input of the action too.
    """

    topic: Topic
    short: str | None = None
    metavar: str | None = None
    split: bool = False
    mapping: bool = False
    switch: bool = False
    form: Form | None = None
    environment: str | None = None
    action: bool = True
