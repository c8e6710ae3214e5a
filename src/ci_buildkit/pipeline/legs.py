"""What one machine pushed of an image, as a small JSON file: the legs that `ci-buildkit merge` joins.

The files of many machines can be put into one folder: their names differ where their images or platforms do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from ci_buildkit import atomic, jsontext
from ci_buildkit.errors import OutputError, said
from ci_buildkit.pipeline.session import safe_name

SCHEMA = 1
SUFFIX = ".leg.json"
LARGEST = 1 << 20  # bytes; a leg has hundreds

# As in the reference grammar (distribution/reference), so that no word of docker's command line comes from a file.
Name = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9\[][A-Za-z0-9._:/\[\]-]*\Z")]
Tag = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\Z")]
Digest = Annotated[str, msgspec.Meta(pattern=r"\Asha256:[0-9a-f]{64}\Z")]
Platform = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9]+/[a-z0-9_.-]+(/[a-z0-9_.-]+)?\Z")]


class Leg(msgspec.Struct, frozen=True, kw_only=True):
    """An image that was pushed by digest, without tags.

    `tags` and `annotations` (`[KIND:]KEY=VALUE`) are what the joined image is to get; `attestations` (`provenance`,
    `sbom`) what each platform was pushed with.
    """

    stage: Annotated[str, msgspec.Meta(min_length=1)]
    name: Name
    digest: Digest
    platforms: Annotated[tuple[Platform, ...], msgspec.Meta(min_length=1)]
    tags: tuple[Tag, ...]
    annotations: tuple[str, ...] = ()
    attestations: tuple[str, ...] = ()
    version: str
    revision: str
    schema: int = SCHEMA


def write(folder: Path, leg: Leg) -> Path:
    """Write a leg into a folder; returns the file. Raises OutputError where it cannot be written."""
    which = "\0".join((leg.stage, leg.name, *sorted(leg.platforms)))
    digest = hashlib.sha256(which.encode()).hexdigest()[:12]
    where = leg.platforms[0] if len(leg.platforms) == 1 else f"{len(leg.platforms)}-platforms"
    path = folder / f"{safe_name(leg.stage)[:80]}-{safe_name(where)}-{digest}{SUFFIX}"
    atomic.write(path, jsontext.dumps(leg, indent=True))
    return path


def read(folder: Path) -> tuple[Leg, ...]:
    """All legs in a folder and the folders below, by stage, name and platform; copies of one count once.

    Raises:
        OutputError: there is no leg, a file is damaged or no leg, or two legs contradict each other.
    """
    paths = sorted(path for path in folder.rglob(f"*{SUFFIX}") if path.is_file())
    if not paths:
        raise OutputError(
            f"there is no *{SUFFIX} file in {folder}",
            hint="`ci-buildkit run --push-by-digest` leaves them in its report: collect them from every machine",
        )
    found: dict[Leg, Path] = {}
    for path in paths:
        found.setdefault(_read(path), path)
    _agree(found)
    return tuple(sorted(found, key=lambda leg: (leg.stage, leg.name, leg.platforms)))


def _read(path: Path) -> Leg:
    try:
        if path.stat().st_size > LARGEST:
            raise OutputError(f"{path} is no leg of an image: it is larger than {LARGEST} bytes")
        leg = jsontext.typed(Leg)(path.read_bytes())
    except OSError as error:
        raise OutputError(f"{path} cannot be read: {said(error)}") from error
    except jsontext.Broken as error:
        raise OutputError(
            f"{path} is no leg of an image, or a damaged one: {error}", hint="run the machine that wrote it again"
        ) from error
    if leg.schema != SCHEMA:
        raise OutputError(
            f"{path} is a leg of schema {leg.schema}, and this release reads {SCHEMA}",
            hint="use one release of ci-buildkit on all machines",
        )
    return leg


def _agree(found: Mapping[Leg, Path]) -> None:
    first = next(iter(found))
    images: dict[tuple[str, str, str], Leg] = {}
    for leg in found:
        for what in ("version", "revision"):
            if (one := getattr(first, what)) != (other := getattr(leg, what)):
                raise _not_of_one_run(found[first], found[leg], f"the {what} is {one or 'none'} and {other or 'none'}")
        for platform in leg.platforms:
            if (twin := images.setdefault((leg.stage, leg.name, platform), leg)) is not leg:
                raise _not_of_one_run(found[twin], found[leg], f"both are {leg.name} for {platform}")


def _not_of_one_run(first: Path, second: Path, why: str) -> OutputError:
    return OutputError(f"{first} and {second} contradict each other: {why}", hint="put only the legs of one run there")
