"""Where the tags of an image stand before they move: at the same image already, at another one, or nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from ci_buildkit.engine import trouble
from ci_buildkit.engine.patience import patiently
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.engine.registry import QUESTIONS, Held, Registry, Top
from ci_buildkit.errors import ConfigurationError, EngineError
from ci_buildkit.pipeline import flaws
from ci_buildkit.pipeline.goal import Goal
from ci_buildkit.plan.annotations import parse


class Standing(Struct, frozen=True):
    """The digests that tags have now, by tag: `same` are of the image that was built, `other` are not.

    `held` is one of the same, whole.
    """

    same: Mapping[str, str]
    other: Mapping[str, str]
    held: Held | None = None


def tops(registry: Registry, goal: Goal, cancellation: Cancellation, *, strict: bool = False) -> tuple[Top | None, ...]:
    """What each tag of a goal stands for, None where there is no such image. Raises EngineError.

    Registries refuse to speak of a repository that the first push will make; only `strict` takes that for an error.
    """
    with ThreadPoolExecutor(max_workers=QUESTIONS) as pool:
        return tuple(pool.map(lambda tag: _top(registry, goal.reference(tag), cancellation, strict=strict), goal.tags))


def of(registry: Registry, goal: Goal, found: Sequence[Top | None], cancellation: Cancellation) -> Standing:
    """Where the tags of a goal stand, which `tops` has found. Raises EngineError where the registry does not answer."""
    whole: dict[str, Held | None] = {}
    same: dict[str, str] = {}
    other: dict[str, str] = {}
    for tag, top in zip(goal.tags, found, strict=True):
        if top is None:
            continue
        if top.digest not in whole:
            whole[top.digest] = _whole(registry, goal, top, cancellation) if is_same(goal, top) else None
        (same if whole[top.digest] else other)[tag] = top.digest
    return Standing(same, other, next(filter(None, whole.values()), None))


def _top(registry: Registry, reference: str, cancellation: Cancellation, *, strict: bool) -> Top | None:
    try:
        return patiently(lambda: registry.top(reference), cancellation)
    except EngineError as error:
        if strict or not trouble.lasts(error.message):
            raise
        return None


def _whole(registry: Registry, goal: Goal, top: Top, cancellation: Cancellation) -> Held | None:
    """What the registry holds of it, None where that lacks something that was asked for."""
    held = patiently(lambda: registry.held(f"{goal.name}@{top.digest}"), cancellation)
    return held if held and not flaws.of(held, goal.run.stage.platforms, goal.attest) else None


def is_same(goal: Goal, top: Top) -> bool:
    """Whether a tag stands at the image that was built.

    Its index has another digest after every build, since provenance says when that was. What counts are the images of
    the platforms, and what the index is to say of itself.
    """
    wanted = _of_index(goal.annotations)
    return top.images == goal.run.manifests and all(top.annotations.get(k) == v for k, v in wanted.items())


def _of_index(annotations: Iterable[str]) -> dict[str, str]:
    """The annotations that the index itself gets; one without a kind goes to the manifests."""
    parsed = filter(None, map(parse, annotations))
    return {found.key: found.value for found in parsed if "index" in found.kinds and not found.platform}


def check_immutable(goal: Goal, standing: Standing) -> None:
    """Raise ConfigurationError where a tag would move from one image to another."""
    for tag, digest in standing.other.items():
        raise ConfigurationError(
            f"{goal.reference(tag)} is {digest} already, {goal.built} was built, and --immutable-tags lets no tag move; "
            "release under a new tag"
        )
