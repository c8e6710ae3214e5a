"""Where images go: names and tags. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.targets import bake_name
from ci_buildkit.record import VersionRecord


@dataclass(frozen=True, slots=True)
class Image:
    """Where one image stage is pushed: `name:tag` for each tag."""

    stage: str
    name: str
    tags: tuple[str, ...]

    @property
    def references(self) -> tuple[str, ...]:
        """Complete references."""
        return tuple(f"{self.name}:{tag}" for tag in self.tags)


def named_images(options: Options, stages: Mapping[str, Iterable[str]], version: VersionRecord) -> tuple[Image, ...]:
    """The images that have a name, for image stages given with the tags that their bake targets have.

    A plain `--image` names the only image, or begins the names of several. Raises ConfigurationError for a name that
    no registry would take.
    """
    own = {bake_name(name): value for name, equals, value in (e.partition("=") for e in options.image) if equals}
    plain = [entry for entry in options.image if "=" not in entry]
    for name in own:
        if name not in stages:
            raise ConfigurationError(
                f"--image names the target {name!r}, which is not an image of this run",
                hint=f"image targets: {', '.join(stages) or 'none'}",
            )
    tag = image_tag(version.value)
    images = []
    for stage, tags in stages.items():
        names = [own[stage]] if stage in own else [n if len(stages) == 1 else f"{n}-{stage}" for n in plain]
        images += [_image(stage, name, tag) for name in names]
        if not options.image:
            images += [_reference(stage, reference) for reference in tags]
    return tuple(images)


def _image(stage: str, name: str, tag: str) -> Image:
    """An image by name; a tag in the name itself is kept and wins over the version."""
    last = name.rsplit("/", 1)[-1]
    return _reference(stage, name) if ":" in last else Image(stage, _checked(name), (tag,))


def _reference(stage: str, reference: str) -> Image:
    name, _, tag = reference.rpartition(":") if ":" in reference.rsplit("/", 1)[-1] else (reference, "", "latest")
    return Image(stage, _checked(name), (tag,))


def _checked(name: str) -> str:
    """The name where it fits the reference grammar (distribution/reference); raises ConfigurationError otherwise."""
    component = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
    host = r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]+)?/"
    if not re.fullmatch(rf"(?:{host})?{component}(?:/{component})*", name):
        raise ConfigurationError(
            f"{name!r} is not a valid image name",
            hint="write [HOST[:PORT]/]NAME in lower case, for example ghcr.io/org/app",
        )
    return name


def image_tag(version: str) -> str:
    """The version as a tag: characters that a tag may not have become `-`, at most 128 of them (reference grammar)."""
    text = re.sub(r"[^A-Za-z0-9_.-]", "-", version).lstrip(".-")
    return text[:128] or "latest"
