"""The images that get the tags (docker/metadata-action, src/image.ts)."""

from __future__ import annotations

from collections.abc import Sequence

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.tags.records import fields, halves
from ci_buildkit.tags.reference import checked_name


def image_names(lines: Sequence[str]) -> list[str]:
    """The names of the images that are not switched off, in lower case.

    A line is `NAME` or `name=NAME,enable=true|false`; one line alone may name several images, `NAME,NAME`.

    Raises:
        ConfigurationError: an attribute is unknown or wrong, or a name is none.
    """
    if len(lines) == 1 and all(halves(field) is None for field in fields(lines[0])):
        names = [name.lower() for name in fields(lines[0])]
    else:
        names = [name for line in lines if (name := _name(line))]
    return [checked_name(name) for name in names]


def _name(line: str) -> str:
    """The name in one line; "" where it is switched off."""
    name, enable = "", "true"
    for field in fields(line):
        key, value = halves(field) or ("name", field)
        if key == "name":
            name = value.lower()
        elif key == "enable" and value in {"true", "false"}:
            enable = value
        else:
            raise ConfigurationError(
                f"image {line!r}: cannot read {field!r}", hint="write NAME or name=NAME,enable=true|false"
            )
    if not name:
        raise ConfigurationError(f"image {line!r} has no name", hint="write NAME or name=NAME,enable=true|false")
    return name if enable == "true" else ""
