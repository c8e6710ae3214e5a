"""Names of archives and folders of platforms."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping

from ci_buildkit.errors import ConfigurationError

PLACEHOLDERS = ("name", "version", "os", "arch", "variant", "target")
# Separators, and what artifacts and Windows do not take in a name.
FORBIDDEN = re.compile(r'[\x00-\x20\x7f"*/:<>?\\|]')
LONGEST = 200  # bytes; with its ending and that of its SBOM a name stays below a file system's 255

Key = tuple[str, str]  # target and platform


def check(template: str) -> None:
    """Raise ConfigurationError where a template of `--archive-name` cannot be filled in."""
    try:
        fields = [field for field in string.Formatter().parse(template) if field[1] is not None]
    except ValueError as error:
        raise ConfigurationError(f"--archive-name {template!r}: {error}", hint=_hint()) from error
    for _, name, spec, conversion in fields:
        written = f"{name}{(conversion and f'!{conversion}') or ''}{spec and f':{spec}'}"
        if written not in PLACEHOLDERS:
            raise ConfigurationError(
                f"--archive-name {template!r} has the unknown placeholder {{{written}}}", hint=_hint()
            )


def _hint() -> str:
    return f"there are {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}"


def by_target(template: str) -> bool:
    """Whether each target has archives of its own, rather than all of a platform one."""
    return any(field[1] == "target" for field in string.Formatter().parse(template))


def archives(template: str, name: str, version: str, keys: Iterable[Key]) -> dict[Key, str]:
    """The archive's file name for each target and platform, as BuildKit writes it.

    Raises ConfigurationError where a name is empty or too long, or two archives would have the same.
    """
    check(template)
    names: dict[Key, str] = {}
    owners: dict[str, Key] = {}
    for target, platform in keys:
        values = {"name": name, "version": version.removeprefix("v"), "target": target, **_parts(platform)}
        stem = FORBIDDEN.sub("-", template.format_map(values)).lstrip(".-")
        if not stem or len(stem.encode(errors="replace")) > LONGEST:
            raise ConfigurationError(
                f"--archive-name {template!r} gives {platform} {'a name that is too long' if stem else 'no name'}",
                hint=_hint(),
            )
        archive = stem + (".zip" if platform.startswith("windows/") else ".tar.gz")
        key = (target if by_target(template) else "", normal(platform))
        if (other := owners.setdefault(archive.lower(), key)) != key:
            two = " and ".join(" of ".join(filter(None, (one[1], one[0]))) for one in (other, key))
            raise ConfigurationError(
                f"--archive-name {template!r} gives {two} the same name {archive}",
                hint="add {os}, {arch}, {variant} or {target} to it",
            )
        names[target, normal(platform)] = archive
    return names


def _parts(platform: str) -> Mapping[str, str]:
    system, architecture, *variant = normal(platform).split("/")
    return {"os": system, "arch": architecture, "variant": "".join(variant)}


def normal(platform: str) -> str:
    """A platform as BuildKit writes it: without the variant that all of an architecture have, ARM always with one.

    After containerd/platforms, normalizeArch; the folders of the local exporter are named so.
    """
    system, architecture, *rest = platform.split("/")
    variant = rest[0] if rest else ""
    if architecture == "arm":
        variant = f"v{variant.removeprefix('v') or 7}"
    elif (architecture, variant) in {("arm64", "8"), ("arm64", "v8"), ("amd64", "v1")}:
        variant = ""
    return "/".join(filter(None, (system, architecture, variant)))


def folder(platform: str) -> str:
    """The folder that BuildKit's local exporter makes for a platform: `linux/arm/v7` is `linux_arm_v7`."""
    return normal(platform).replace("/", "_")
