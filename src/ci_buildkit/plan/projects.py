"""The projects of a repository, and which of them a change concerns. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from msgspec import Struct

from ci_buildkit.checkout.ignore import Ignore

LONGEST_NAME = 80


class Project(Struct, frozen=True):
    """A folder that has a pipeline of its own.

    `path` is relative to the working directory, as it is given to `--context`, `folder` to the repository's top, `name`
    is fit for the names of artifacts.
    """

    path: str
    folder: str
    name: str

    def holds(self, path: str) -> bool:
        """Whether a path, relative to the repository's top, lies in the project."""
        return self.folder in {".", path} or path.startswith(f"{self.folder}/")


class Standing(Struct, frozen=True):
    """A project, whether it is to be built, and why."""

    project: Project
    changed: bool
    why: str


def projects(paths: Iterable[tuple[str, str]]) -> tuple[Project, ...]:
    """The projects of these paths and folders, each folder once; no two have the same name."""
    taken: set[str] = set()
    found = []
    folders: dict[str, str] = {}
    for path, folder in paths:
        folders.setdefault(folder, path)
    for folder, path in folders.items():
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder).strip("-.")[:LONGEST_NAME] or "root"
        if name.lower() in taken:
            name = f"{name}-{hashlib.sha256(folder.encode(errors='surrogateescape')).hexdigest()[:8]}"
        taken.add(name.lower())
        found.append(Project(path, folder, name))
    return tuple(found)


def standings(
    known: Sequence[Project], changed: Sequence[str] | None, why: str, shared: Ignore, ignored: Ignore
) -> tuple[Standing, ...]:
    """What is to be built where these paths have changed; where nothing is known (None) all of it, and `why` says why.

    A path that is `ignored` concerns no project. One that is `shared`, or that lies in no project, concerns all of them:
    nothing can be known of what uses it.
    """
    if changed is None:
        return _all(known, why)
    paths = [path for path in changed if not ignored(path)]
    for path in paths:
        if shared(path):
            return _all(known, f"{path} is shared")
        if not any(project.holds(path) for project in known):
            return _all(known, f"{path} belongs to no project")
    return tuple(_standing(project, [path for path in paths if project.holds(path)]) for project in known)


def _all(known: Iterable[Project], why: str) -> tuple[Standing, ...]:
    return tuple(Standing(project, changed=True, why=why) for project in known)


def _standing(project: Project, paths: Sequence[str]) -> Standing:
    more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
    return Standing(project, changed=bool(paths), why=f"{paths[0]}{more}" if paths else "nothing in it changed")
