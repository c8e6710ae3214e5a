"""What one archive holds."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct, field

from ci_buildkit.artifacts.stamp import Stamp


class Package(Struct):
    """The files and links of one platform, of one target where each has archives of its own (else `target` is "").

    `paths` lie below `folder`. `stamps` is what the builds of its files were given, by path; a file that is not there
    was given no version. `sbom` is None until there is one.
    """

    platform: str
    target: str
    folder: Path
    archive: Path
    paths: list[Path] = field(default_factory=list)
    stamps: dict[Path, Stamp] = field(default_factory=dict)
    sbom: Path | None = None
