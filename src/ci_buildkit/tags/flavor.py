"""What holds for all tags: `latest`, a prefix and a suffix (docker/metadata-action, src/flavor.ts)."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.tags.records import fields, halves


class Flavor(Struct, frozen=True):
    """`latest` is auto, true or false; the prefix and suffix are put on `latest` itself where the second value says so."""

    latest: str = "auto"
    prefix: str = ""
    prefix_latest: bool = False
    suffix: str = ""
    suffix_latest: bool = False


def flavor(lines: Iterable[str]) -> Flavor:
    """The flavor of lines; later ones win.

    Raises:
        ConfigurationError: an entry is unknown or has a value that it cannot have.
    """
    values: dict[str, str] = {}
    for line in lines:
        affix = ""
        for field in fields(line):
            key, value = halves(field) or ("", field)
            if key in {"prefix", "suffix"}:
                affix = key
                values[key] = value
            elif key == "latest" and value in {"auto", "true", "false"}:
                values[key] = value
            elif key == "onlatest" and value in {"true", "false"}:
                values[affix + key] = value
            else:
                raise ConfigurationError(
                    f"flavor {line!r}: cannot read {field!r}",
                    hint="entries: latest=auto|true|false, prefix=TEXT, suffix=TEXT, each affix with onlatest=true|false",
                )
    return Flavor(
        latest=values.get("latest", "auto"),
        prefix=values.get("prefix", ""),
        prefix_latest=values.get("prefixonlatest") == "true",
        suffix=values.get("suffix", ""),
        suffix_latest=values.get("suffixonlatest") == "true",
    )
