"""Where images go: names and tags. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.targets import bake_name
from ci_buildkit.record import VersionRecord
from ci_buildkit.tags.reference import checked_name, checked_tag


class Image(Struct, frozen=True):
    """Where one image stage is pushed: `name:tag` for each tag."""

    stage: str
    name: str
    tags: tuple[str, ...]

    @property
    def references(self) -> tuple[str, ...]:
        """Complete references."""
        return tuple(f"{self.name}:{tag}" for tag in self.tags)


def named_images(
    options: Options, stages: Mapping[str, Iterable[str]], version: VersionRecord, made: tuple[str, ...] | None = None
) -> tuple[Image, ...]:
    """The images that have a name, for image stages given with the tags that their bake targets have.

    A plain `--image` names the only image, or begins the names of several. `made` are the tags that options ask for;
    without them the version is the tag. Raises ConfigurationError for a name or a tag that no registry would take, and
    where images would be pushed without a tag.
    """
    own = {bake_name(name): value for name, equals, value in (e.partition("=") for e in options.image) if equals}
    plain = [entry for entry in options.image if "=" not in entry]
    for name in own:
        if name not in stages:
            raise ConfigurationError(
                f"--image names the target {name!r}, which is not an image of this run",
                hint=f"image targets: {', '.join(stages) or 'none'}",
            )
    given = (image_tag(version.value),) if made is None else made
    images = []
    for stage, tags in stages.items():
        names = [own[stage]] if stage in own else [n if len(stages) == 1 else f"{n}-{stage}" for n in plain]
        images += [_image(stage, name, given) for name in names]
        if not options.image and made is None:
            images += [_image(stage, reference, ("latest",)) for reference in tags]
        elif not options.image:
            images += [Image(stage, checked_name(name), given) for name in dict.fromkeys(map(_name, tags))]
    if options.push and any(not image.tags for image in images):
        raise ConfigurationError(
            "no line of --tag made a tag, and images are pushed with one",
            hint="add a line that always makes a tag, as type=sha, or push only where there is one",
        )
    return tuple(images)


def _image(stage: str, name: str, tags: tuple[str, ...]) -> Image:
    """An image by name; a tag in the name itself is kept and wins over others."""
    bare = _name(name)
    return Image(stage, checked_name(bare), (checked_tag(name[len(bare) + 1 :]),) if bare != name else tags)


def _name(reference: str) -> str:
    """A reference without its tag."""
    return reference.rpartition(":")[0] if ":" in reference.rpartition("/")[2] else reference


def image_tag(version: str) -> str:
    """The version as a tag: characters that a tag may not have become `-`, at most 128 of them (reference grammar)."""
    text = re.sub(r"[^A-Za-z0-9_.-]", "-", version).lstrip(".-")
    return text[:128] or "latest"
