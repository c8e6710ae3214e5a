"""Moves the tags of images that are in place, and says where they stand when that fails."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial

from ci_buildkit.engine.patience import patiently
from ci_buildkit.engine.registry import Registry
from ci_buildkit.errors import CiBuildkitError, EngineError, Interrupted
from ci_buildkit.pipeline.pushed import Pushed
from ci_buildkit.pipeline.session import Session


def move(session: Session, registry: Registry, image: Pushed, tags: Sequence[str]) -> None:
    """Give an image its tags, all by one command.

    Raises:
        EngineError: the registry refuses, or gave trouble at every attempt.
        Interrupted: the run was cancelled.
    """
    if not tags:
        return
    session.emit(partial(session.view.phase, f"tagging {', '.join(f'{image.name}:{tag}' for tag in tags)}"))
    try:
        patiently(lambda: registry.tag(image.reference, tags), session.cancellation)
    except EngineError as error:
        told = _told(registry, image, tags)
        if session.cancellation.cancelled:
            raise Interrupted(f"interrupted while tags moved: {told}") from error
        raise EngineError(f"tagging {image.reference} failed ({told}): {error.message}") from error


def _told(registry: Registry, image: Pushed, tags: Sequence[str]) -> str:
    """Where the tags stand now: one command may have moved some of them."""
    moved: list[str] = []
    left: list[str] = []
    unknown: list[str] = []
    for tag in tags:
        where = unknown
        with contextlib.suppress(CiBuildkitError):
            where = moved if registry.digest(f"{image.name}:{tag}") == image.digest else left
        where.append(tag)
    said = {"moved": moved, "not moved": left, "nobody knows of": unknown}
    return "; ".join(f"{words}: {', '.join(found)}" for words, found in said.items() if found)
