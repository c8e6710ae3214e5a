"""Images that are in a registry by digest and have no tag of this run yet, and whether they may get them."""

from __future__ import annotations

from msgspec import Struct

from ci_buildkit.engine.registry import Held
from ci_buildkit.pipeline.judge import PASSED, Verdict


class Pushed(Struct, frozen=True):
    """The image of a stage under one name. `held` is what the registry holds, which was checked."""

    stage: str
    name: str
    digest: str
    held: Held

    @property
    def reference(self) -> str:
        """NAME@DIGEST."""
        return f"{self.name}@{self.digest}"


class Approval(Struct, frozen=True):
    """What came of signing and trying out an image: only where each one passed do tags move.

    `smoked` are the platforms on which its commands succeeded.
    """

    pushed: Pushed
    verdict: Verdict = PASSED
    signed: bool = False
    smoked: tuple[str, ...] = ()
