"""Archives whose bytes follow from the files and the commit's time: tar.gz, and zip for Windows."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

FORMAT = 1  # another number for each change here that gives the same files other bytes
# Against 6, the default of gzip(1): half the time, and programs become 1 to 2 % larger.
LEVEL = 5
EARLIEST_ZIP = 315532800  # 1980-01-01, the first time that a zip entry can have
LINK, FILE = 0o120777, 0o100000  # file types with their modes (sys/stat.h)


def write(path: Path, root: Path, members: Iterable[Path], epoch: int) -> None:
    """Write files and links below `root` into an archive, in the order given, with the time `epoch` (since 1970)."""
    if path.suffix == ".zip":
        _zip(path, root, members, max(epoch, EARLIEST_ZIP))
    else:
        _tar(path, root, members, epoch)


def identity(path: Path, root: Path, members: Iterable[Path], epoch: int, checksums: Mapping[Path, str]) -> str:
    """What the bytes of the archive that `write` would make follow from, as one hash; `checksums` are those of the files."""
    parts: list[object] = [FORMAT, LEVEL, zlib.ZLIB_RUNTIME_VERSION, path.suffix, epoch]
    for member in members:
        name = member.relative_to(root).as_posix()
        parts.append([name, str(member.readlink())] if member.is_symlink() else [name, mode(member), checksums[member]])
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _tar(path: Path, root: Path, members: Iterable[Path], epoch: int) -> None:
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=epoch, compresslevel=LEVEL) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in members:
            entry = tarfile.TarInfo(member.relative_to(root).as_posix())
            entry.mtime = epoch
            if member.is_symlink():
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, str(member.readlink()), 0o777
                archive.addfile(entry)
                continue
            entry.size, entry.mode = member.stat().st_size, mode(member)
            with member.open("rb") as content:
                archive.addfile(entry, content)


def _zip(path: Path, root: Path, members: Iterable[Path], epoch: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for member in members:
            entry = zipfile.ZipInfo(member.relative_to(root).as_posix(), time.gmtime(epoch)[:6])
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            if member.is_symlink():
                entry.external_attr = LINK << 16
                archive.writestr(entry, str(member.readlink()))
                continue
            entry.external_attr = (FILE | mode(member)) << 16
            with member.open("rb") as content, archive.open(entry, "w", force_zip64=True) as out:
                shutil.copyfileobj(content, out, 1 << 20)


def mode(file: Path) -> int:
    """755 for what can be executed, else 644: the rest of a mode comes from the builder's umask."""
    return 0o755 if file.stat().st_mode & 0o111 else 0o644
