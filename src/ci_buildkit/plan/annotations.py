"""Annotations of images, `[KIND[,KIND][[PLATFORM]]:]KEY=VALUE`: what they are of, and which a build can take. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan import attestations
from ci_buildkit.tags.labels import plain_text

_KIND = r"(?:index-descriptor|manifest-descriptor|index|manifest)"
# As buildx util/buildflags/annotations has it, via ParseAnnotationKey of BuildKit's exptypes.
_WRITTEN = re.compile(
    rf"(?:(?P<kinds>{_KIND}(?:,{_KIND})*)(?P<where>\[(?P<platform>[^\]]+)\])?:)?(?P<pair>[^=]+=.*)", re.DOTALL
)
_OF_INDEX = frozenset({"index", "index-descriptor"})


class Annotation(Struct, frozen=True):
    """One annotation. Without `kinds` it is of the manifests, without a `platform` of those of all."""

    kinds: tuple[str, ...]
    platform: str
    key: str
    value: str


def parse(text: str) -> Annotation | None:
    """An annotation as it is written; None where it is none."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    key, _, value = found["pair"].partition("=")
    return Annotation(tuple(filter(None, (found["kinds"] or "").split(","))), found["platform"] or "", key, value)


def annotations_of(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """The annotations of a bake target, as they are without a bake file around them."""
    return tuple(plain_text(str(entry)) for entry in definition.get("annotations", ()))


def check_annotations(definition: Mapping[str, Any], platforms: tuple[str, ...]) -> None:
    """Raise ConfigurationError for an annotation of an index where an image has none: BuildKit would fail."""
    for entry in definition.get("annotations", ()):
        if not _has_index(definition, platforms) and _kept(entry) != entry:
            raise ConfigurationError(
                f"{plain_text(entry)!r} is for an index, which an image of one platform without attestations has not",
                hint="write manifest:K=V, or leave --provenance on",
            )


def without_index(definition: Mapping[str, Any], platforms: tuple[str, ...]) -> dict[str, Any]:
    """A bake target without what BuildKit would refuse: annotations of an index that others will join the image in."""
    if "annotations" not in definition or _has_index(definition, platforms):
        return dict(definition)
    left = [entry for entry in map(_kept, definition["annotations"]) if entry]
    return {**definition, "annotations": left}


def _has_index(definition: Mapping[str, Any], platforms: tuple[str, ...]) -> bool:
    """Whether BuildKit makes an index: of several platforms, and of attestations (exporter/containerimage/writer.go).

    buildx adds provenance where nothing is said of it.
    """
    asked = attestations.asked(definition.get("attest", ()))
    return len(platforms) > 1 or asked.get("provenance", True) or asked.get("sbom", False)


def _kept(entry: str) -> str:
    """An annotation without the kinds that an index has; "" where no kind is left."""
    found = _WRITTEN.fullmatch(entry)
    if found is None or not found["kinds"]:
        return entry
    kinds = [kind for kind in found["kinds"].split(",") if kind not in _OF_INDEX]
    return f"{','.join(kinds)}{found['where'] or ''}:{found['pair']}" if kinds else ""
