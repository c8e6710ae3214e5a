"""The finished folder `dist`, read back for a release and checked against its own lists, which must agree."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from ci_buildkit import jsontext
from ci_buildkit.errors import OutputError, said
from ci_buildkit.fields import mapping, sequence, string
from ci_buildkit.text import name as shown

if TYPE_CHECKING:
    from ci_buildkit.record import VersionRecord

CHECKSUMS, MANIFEST = "checksums.txt", "manifest.json"
MAX_LIST = 16 << 20
_LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\0]+)")
_NEXT = "run `ci-buildkit run` again; nothing was released"


class File(Struct, frozen=True):
    """One file to release; `size` is in bytes, `sha256` in hex, both of the file itself."""

    path: Path
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The file's name, without folder."""
        return self.path.name


def read(dist: Path, version: VersionRecord) -> tuple[File, ...]:
    """The archives and SBOMs that the lists name, then manifest.json, then checksums.txt.

    Other files in the folder are none of the run's.

    Raises:
        OutputError: a file is missing, a link, empty or of other content than a list says, the lists differ, or they
            are of another run than `version`.
    """
    if dist.is_symlink():
        raise OutputError(f"{dist} is a link", hint=_NEXT)
    lists = [_file(dist / name) for name in (MANIFEST, CHECKSUMS)]
    sums = _checksums(lists[1].path)
    manifest = mapping(_manifest(lists[0].path))
    if (manifest.get("version"), manifest.get("revision")) != (version.value, version.revision):
        raise OutputError(f"{lists[0].path} is of another run than run.json, which has {version.value}", hint=_NEXT)
    listed = {string(one.get("name")): one for one in _entries(manifest)}
    if differing := sums.keys() ^ listed.keys():
        raise OutputError(f"{shown(min(differing))} is in only one of {CHECKSUMS} and {MANIFEST} of {dist}", hint=_NEXT)
    files = [_file(dist / name) for name in sorted(sums)]
    for file in files:
        entry = listed[file.name]
        if not file.sha256 == sums[file.name] == entry.get("sha256") or file.size != entry.get("size"):
            raise OutputError(
                f"{shown(str(file.path))} is not the file that {CHECKSUMS} and {MANIFEST} list", hint=_NEXT
            )
    return (*files, *lists)


def _entries(manifest: dict[str, object]) -> list[dict[str, object]]:
    """What the manifest says of each archive, and of its SBOM."""
    archives = [mapping(one) for one in sequence(manifest.get("archives"))]
    return [*archives, *(sbom for one in archives if (sbom := mapping(one.get("sbom"))))]


def _file(path: Path) -> File:
    try:
        if path.is_symlink() or not path.is_file():
            raise OutputError(f"{shown(str(path))} is missing, or no file", hint=_NEXT)
        with path.open("rb") as content:
            checksum = hashlib.file_digest(content, "sha256").hexdigest()
            size = content.tell()
    except OSError as error:
        raise OutputError(f"{shown(str(path))} cannot be read: {said(error)}", hint=_NEXT) from error
    if not size:
        raise OutputError(f"{shown(str(path))} is empty", hint=_NEXT)
    return File(path, size, checksum)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LIST + 1)
        if len(data) > MAX_LIST:
            raise OutputError(f"{path} is larger than {MAX_LIST >> 20} MiB", hint=_NEXT)
        return data.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise OutputError(f"{path} cannot be read: {error}", hint=_NEXT) from error


def _checksums(path: Path) -> dict[str, str]:
    """SHA-256 by name, in the form of sha256sum(1)."""
    sums: dict[str, str] = {}
    for line in _text(path).removesuffix("\n").split("\n"):
        match = _LINE.fullmatch(line)
        if not match or match[2] in {".", "..", *sums}:
            raise OutputError(f"{path} has a line that sha256sum does not write, or a name twice", hint=_NEXT)
        sums[match[2]] = match[1]
    return sums


def _manifest(path: Path) -> object:
    try:
        return jsontext.loads(_text(path))
    except jsontext.Broken as error:
        raise OutputError(f"{path} is no JSON: {error}", hint=_NEXT) from error
