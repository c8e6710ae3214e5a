"""Labels and annotations: what the repository gives, and own ones (docker/metadata-action, src/meta.ts)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ci_buildkit.tags.context import Context

PREFIX = "org.opencontainers.image."
"""Of the keys that OCI's image specification defines (annotations.md)."""

_KIND = "(?:manifest|index)(?:-descriptor)?"
_LEVEL = re.compile(rf"{_KIND}(?:,{_KIND})*(?:\[[^\]]*\])?:")
# How ICU sorts what is no letter (the root collation); digits and letters follow.
_MARKS = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$"


def labels(context: Context, version: str, created: datetime, own: Iterable[str]) -> dict[str, str]:
    """Those that the repository gives and `own` entries `K=V`, sorted as there; a later one of a key wins.

    An entry without `=` is left out. `created` is written in UTC, with milliseconds.
    """
    found = {PREFIX + key: value for key, value in _given(context, version, created).items()}
    for entry in own:
        key, equals, value = entry.partition("=")
        if equals:
            found[key] = value
    return {key: found[key] for key in sorted(found, key=_collated)}


def leveled(found: Mapping[str, str], levels: Sequence[str]) -> list[str]:
    """`LEVEL:K=V` for each level; a key that names its level itself keeps that one (`index:K`).

    How levels are written: `[KIND[,KIND][[PLATFORM]]:]KEY=VALUE` (buildx, docs/reference/buildx_build.md, `--annotation`).
    """
    given = [f"{level}:{key}={value}" for level in levels for key, value in found.items() if not _LEVEL.match(key)]
    return given + [f"{key}={value}" for key, value in found.items() if _LEVEL.match(key)]


def bake_text(text: str) -> str:
    """A text as it stands in a bake file, where `${` and `%{` begin a template even in JSON (HCL's specification)."""
    return text.replace("${", "$${").replace("%{", "%%{")


def plain_text(text: str) -> str:
    """What a text in a bake file stands for: `bake_text` the other way round."""
    return text.replace("$${", "${").replace("%%{", "%{")


def _given(context: Context, version: str, created: datetime) -> dict[str, str]:
    repository = context.repository
    return {
        "title": repository.name,
        "description": repository.description,
        "url": repository.url,
        "source": repository.url,
        "version": version,
        "created": created.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "revision": context.sha,
        "licenses": repository.license,
    }


def _collated(key: str) -> tuple[list[tuple[int, int]], list[bool]]:
    """Punctuation before digits before letters; capitals count only where all else is equal."""
    primary = []
    for character in unicodedata.normalize("NFD", key):
        if character.isspace():
            primary.append((0, 0))
        elif character in _MARKS:
            primary.append((1, _MARKS.index(character)))
        elif not unicodedata.category(character).startswith("M"):
            primary.append((2, ord(character.lower()[0])))
    return primary, [character.isupper() for character in key]
