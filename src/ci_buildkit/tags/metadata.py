"""Everything that the inputs say of an image: its version, tags, labels and annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from ci_buildkit.tags.context import Context
from ci_buildkit.tags.expressions import Expressions, short_length
from ci_buildkit.tags.flavor import flavor
from ci_buildkit.tags.image import image_names
from ci_buildkit.tags.labels import bake_text, labels, leveled
from ci_buildkit.tags.records import lines
from ci_buildkit.tags.tagline import tag_lines
from ci_buildkit.tags.version import Version, version


class Inputs(Struct, frozen=True):
    """What users write; each text is one line or several."""

    images: Sequence[str] = ()
    tags: Sequence[str] = ()
    flavor: Sequence[str] = ()
    labels: Sequence[str] = ()
    annotations: Sequence[str] = ()


class Metadata(Struct, frozen=True):
    """The answer. `annotations` are `LEVEL:K=V`; `warnings` say which lines made nothing and why."""

    version: Version
    images: tuple[str, ...]
    labels: Mapping[str, str]
    annotations: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def references(self) -> list[str]:
        """Each tag for each image; the tags alone where there is no image."""
        tags = self.version.tags
        return [f"{image}:{tag}" for image in self.images for tag in tags] if self.images else list(tags)


def metadata(
    inputs: Inputs, context: Context, now: datetime, environ: Mapping[str, str], created: datetime | None = None
) -> Metadata:
    """The metadata of images.

    `now` is what dates are made of, and what labels call the creation where `created` is not given. `environ` may hold
    DOCKER_METADATA_SHORT_SHA_LENGTH and DOCKER_METADATA_ANNOTATIONS_LEVELS.

    Raises:
        ConfigurationError: a line cannot be read, or makes a name or a tag that no registry takes.
    """
    images = image_names(lines(inputs.images))
    tags = tag_lines(lines(inputs.tags))
    fill = Expressions(context, now, short_length(environ.get("DOCKER_METADATA_SHORT_SHA_LENGTH", "")))
    made = version(tags, flavor(lines(inputs.flavor)), fill)
    own = [[fill(line) for line in lines(given, fields_follow=False)] for given in (inputs.labels, inputs.annotations)]
    found = [labels(context, made.main or "", created or now, entries) for entries in own]
    levels = (environ.get("DOCKER_METADATA_ANNOTATIONS_LEVELS") or "manifest").split(",")
    annotated = tuple(leveled(found[1], levels))
    return Metadata(made, tuple(images), found[0], annotated, tuple(dict.fromkeys(fill.warnings)))


def bake_file(found: Metadata, target: str, *, annotated: bool = False) -> dict[str, Any]:
    """A bake file with one target for others to inherit; with the annotations only where they were asked for."""
    arguments = {"DOCKER_META_IMAGES": ",".join(found.images)}
    if found.version.main is not None:
        arguments["DOCKER_META_VERSION"] = found.version.main
    definition: dict[str, Any] = {
        "tags": found.references,
        "labels": {bake_text(key): bake_text(value) for key, value in found.labels.items()},
        "args": arguments,
    }
    if annotated:
        definition["annotations"] = [bake_text(entry) for entry in found.annotations]
    return {"target": {target: definition}}
