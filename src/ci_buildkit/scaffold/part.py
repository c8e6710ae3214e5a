"""One project of a repository: what was found of it."""

from __future__ import annotations

from msgspec import Struct

from ci_buildkit.scaffold.existing import Existing
from ci_buildkit.scaffold.project import Project


class Part(Struct, frozen=True):
    """A folder, "" for the top, with what its files show and the build file that is there; one of both is."""

    folder: str
    project: Project | None = None
    existing: Existing | None = None

    def path(self, name: str) -> str:
        """A file of the project, relative to the top."""
        return f"{self.folder}/{name}" if self.folder else name

    @property
    def crosses(self) -> bool:
        """Whether it is built for other platforms without emulation."""
        if self.existing is not None:
            return self.existing.crosses
        return self.project is not None and self.project.crosses

    @property
    def makes_image(self) -> bool:
        """Whether there is an image, or may be one: a bake file is not looked into."""
        if self.existing is not None:
            return self.existing.bake or "image" in self.existing.stages
        return self.project is not None and self.project.image
