"""What images are described with: tags, labels and annotations, as the options ask for them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from ci_buildkit.config.options import Options
from ci_buildkit.plan.images import image_tag
from ci_buildkit.record import VersionRecord
from ci_buildkit.tags.labels import bake_text

if TYPE_CHECKING:
    from ci_buildkit.tags.context import Context


class Description(Struct, frozen=True):
    """`labels` are what the repository gives, `own` those of the options; `warnings` say which lines made no tag."""

    tags: tuple[str, ...]
    labels: Mapping[str, str]
    own: Mapping[str, str]
    annotations: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def applied(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        """An image's bake target with the labels and annotations.

        Labels of the bake file count more than the repository's, and those of the options most.
        """
        labels = {**_bake_texts(self.labels), **definition.get("labels", {}), **_bake_texts(self.own)}
        annotations = [*definition.get("annotations", ()), *map(bake_text, self.annotations)]
        given = {"labels": labels, "annotations": annotations}
        return {**definition, **{key: value for key, value in given.items() if value}}


def wanted(options: Options) -> bool:
    """Whether any option says something about tags, labels or annotations."""
    return bool(options.tag or options.flavor or options.label or options.annotation)


def describe(
    options: Options, about: Context, version: VersionRecord, now: datetime, environ: Mapping[str, str]
) -> Description:
    """The description that all images of a run get.

    Without `--tag` the version is the tag. Images are `created` at SOURCE_DATE_EPOCH, so that the same commit makes the
    same image; labels without a value are left out. Raises ConfigurationError for a line that cannot be read.
    """
    from ci_buildkit.tags.metadata import Inputs, metadata

    lines = options.tag or (f"type=raw,value={image_tag(version.value)}",)
    created = datetime.fromtimestamp(version.source_date_epoch, UTC)
    given = Inputs(tags=lines, flavor=options.flavor)
    bare = metadata(given, about, now, environ, created)
    found = metadata(replace(given, labels=options.label, annotations=options.annotation), about, now, environ, created)
    return Description(
        tags=tuple(dict.fromkeys(found.version.tags)),
        labels={key: value for key, value in bare.labels.items() if value},
        own={key: value for key, value in found.labels.items() if key and bare.labels.get(key) != value},
        annotations=tuple(entry for entry in found.annotations if not entry.endswith("="))
        if options.annotation
        else (),
        warnings=found.warnings,
    )


def _bake_texts(labels: Mapping[str, str]) -> dict[str, str]:
    return {bake_text(key): bake_text(value) for key, value in labels.items()}
