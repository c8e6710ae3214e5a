"""The names that BuildKit gives to the steps of a Dockerfile: `[linux/amd64->arm64 build 3/12] RUN go build`. Pure.

Made in BuildKit's frontend/dockerfile/dockerfile2llb/convert.go (`prefixCommand`): the platforms only in builds for
several, the stage only in files with several, the number padded to the width of the total.
"""

from __future__ import annotations

import re

from msgspec import Struct

PLATFORM = re.compile(r"^\[(?P<build>[a-z0-9]+/[a-z0-9]+(?:/v\d+)?)(?:->[a-z0-9/]+)? ")
_NAME = re.compile(
    r"^\[(?:(?P<platform>[a-z0-9]+/\S+) )?(?:(?P<stage>\S+) )? *(?P<number>\d+)/(?P<total>\d+)\] "
    r"(?:ONBUILD |LINK )?(?P<text>.*)",
    re.DOTALL,
)
_UNNAMED = re.compile(r"stage-\d+")


class StepName(Struct, frozen=True):
    """The parts of a name. `number` and `total` count the instructions of the stage that make steps, FROM included.

    A stage without a name is written `stage-N` by BuildKit and called N here; `stage` is "" where the file has only
    one. `platform` is "" in builds for one.
    """

    platform: str
    stage: str
    number: int
    total: int
    text: str

    @property
    def keyword(self) -> str:
        """The instruction: `RUN`, `COPY`, `FROM` ..."""
        return self.text.partition(" ")[0]


def parse(name: str) -> StepName | None:
    """The parts of a step's name; None where it is none of a Dockerfile's instructions."""
    found = _NAME.match(name)
    if not found:
        return None
    stage = found["stage"] or ""
    stage = stage.removeprefix("stage-") if _UNNAMED.fullmatch(stage) else stage
    return StepName(found["platform"] or "", stage, int(found["number"]), int(found["total"]), found["text"])
