"""Where the images of a run are to be, the image of a stage under one name, and how far they have come. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from ci_buildkit.pipeline.pushed import Approval, Pushed
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.plan.annotations import annotations_of
from ci_buildkit.plan.stages import Plan


class Goal(Struct, frozen=True, eq=False):
    """The image that a stage built, the name that it goes to, and its tags there."""

    run: StageRun
    name: str
    tags: tuple[str, ...]

    @property
    def stage(self) -> str:
        """The stage's name."""
        return self.run.stage.name

    @property
    def attest(self) -> Sequence[Any]:
        """The `attest` entries of its bake target."""
        return tuple(self.run.stage.definition.get("attest", ()))

    @property
    def annotations(self) -> tuple[str, ...]:
        """Its annotations, `[KIND:]KEY=VALUE`."""
        return annotations_of(self.run.stage.definition)

    @property
    def built(self) -> str:
        """The digest of the image that the stage built, "" where nothing was exported."""
        return str(self.run.metadata.get("containerimage.digest", ""))

    def reference(self, tag: str) -> str:
        """NAME:TAG."""
        return f"{self.name}:{tag}"


class State(Struct):
    """How far one image has come under one name. `tags` are those that still have to move."""

    goal: Goal
    tags: tuple[str, ...]
    image: Pushed | None = None
    approval: Approval | None = None
    done: bool = False
    unchanged: bool = False


def goals(plan: Plan, built: Sequence[StageRun]) -> list[Goal]:
    """A goal for each name of each image that was built, in the plan's order."""
    found = []
    for run in built:
        tags: dict[str, list[str]] = {}
        for image in plan.images:
            if image.stage == run.stage.name:
                tags.setdefault(image.name, []).extend(image.tags)
        found += [Goal(run, name, tuple(dict.fromkeys(own))) for name, own in tags.items()]
    return found
