"""Exported binaries: checked against their platform, archived reproducibly, with checksums and a manifest.

Everything written depends on the files and the commit's time only, so two runs of one commit are byte-identical.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import tarfile
import time
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ci_buildkit.artifacts import machine
from ci_buildkit.problem import Problem
from ci_buildkit.record import BinaryRecord, VersionRecord

EARLIEST_ZIP = 315532800  # 1980-01-01, the first time that a zip entry can have
ATTESTATIONS = ("provenance.json", "sbom")  # BuildKit writes these beside exported files where attestations are on


@dataclass(frozen=True, slots=True)
class Collected:
    """What was exported, and what is wrong with it."""

    binaries: tuple[BinaryRecord, ...]
    problems: tuple[Problem, ...]


def collect(exports: Sequence[tuple[Path, Sequence[str]]], dist: Path, name: str, version: VersionRecord) -> Collected:
    """Move exported folders into `dist` and archive them, one archive a platform.

    Each export is a folder that BuildKit split by platform (`linux_arm64/...`), and the platforms that were asked
    for. Paths in the records are relative to the folder that holds `dist`.
    """
    files: dict[str, list[Path]] = {}
    problems: list[Problem] = []
    for folder, platforms in exports:
        for platform in platforms:
            source = folder / folder_name(platform)
            found = sorted(p for p in source.rglob("*") if p.is_file() and not p.is_symlink() and not _attestation(p))
            if not found:
                problems.append(
                    Problem(f"dist/{folder_name(platform)}", "missing", f"nothing was exported for {platform}")
                )
            for path in found:
                target = dist / folder_name(platform) / path.relative_to(source)
                if target.exists() and target.read_bytes() != path.read_bytes():
                    reason = "two binaries targets export different files of this name"
                    problems.append(Problem(f"dist/{target.relative_to(dist)}", "inconsistent", reason))
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(path, target)
                files.setdefault(platform, []).append(target)
    records: list[BinaryRecord] = []
    for platform, paths in files.items():
        archive = _archive(dist, name, version, platform, sorted(set(paths)))
        for path in sorted(set(paths)):
            kind = machine.of(path)
            relative = path.relative_to(dist.parent).as_posix()
            if wrong := machine.mismatch(kind, platform):
                problems.append(Problem(relative, "mismatch", wrong))
            records.append(
                BinaryRecord(
                    platform=platform,
                    path=relative,
                    size=path.stat().st_size,
                    sha256=digest(path),
                    format=kind.format,
                    archive=archive.relative_to(dist.parent).as_posix(),
                )
            )
    if records:
        _write_lists(dist, name, version, records)
    return Collected(tuple(records), tuple(problems))


def folder_name(platform: str) -> str:
    """The folder that BuildKit's local exporter makes for a platform: `linux/arm/v7` is `linux_arm_v7`."""
    return platform.replace("/", "_")


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _attestation(path: Path) -> bool:
    return path.name.startswith(ATTESTATIONS) and path.suffix == ".json"


def _archive(dist: Path, name: str, version: VersionRecord, platform: str, files: Sequence[Path]) -> Path:
    root = dist / folder_name(platform)
    stem = f"{name}_{version.value.removeprefix('v')}_{folder_name(platform)}".replace("/", "-")
    if platform.startswith("windows/"):
        path = dist / f"{stem}.zip"
        _zip(path, root, files, max(version.source_date_epoch, EARLIEST_ZIP))
    else:
        path = dist / f"{stem}.tar.gz"
        _tar(path, root, files, version.source_date_epoch)
    return path


def _tar(path: Path, root: Path, files: Iterable[Path], epoch: int) -> None:
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=epoch, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in files:
            entry = tarfile.TarInfo(file.relative_to(root).as_posix())
            entry.size, entry.mtime, entry.mode = file.stat().st_size, epoch, _mode(file)
            with file.open("rb") as content:
                archive.addfile(entry, content)


def _zip(path: Path, root: Path, files: Iterable[Path], epoch: int) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in files:
            entry = zipfile.ZipInfo(file.relative_to(root).as_posix(), time.gmtime(epoch)[:6])
            entry.external_attr = (0o100000 | _mode(file)) << 16
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            with file.open("rb") as content, archive.open(entry, "w", force_zip64=True) as out:
                shutil.copyfileobj(content, out, 1 << 20)


def _mode(file: Path) -> int:
    return 0o755 if file.stat().st_mode & 0o111 else 0o644


def _write_lists(dist: Path, name: str, version: VersionRecord, records: Sequence[BinaryRecord]) -> None:
    """checksums.txt in the form of sha256sum(1), and manifest.json."""
    archives = sorted({dist.parent / record.archive for record in records})
    sums = io.StringIO()
    entries = []
    for archive in archives:
        inside = [r for r in records if dist.parent / r.archive == archive]
        checksum = digest(archive)
        sums.write(f"{checksum}  {archive.name}\n")
        entries.append(
            {
                "name": archive.name,
                "platform": inside[0].platform,
                "size": archive.stat().st_size,
                "sha256": checksum,
                "files": [
                    {"path": r.path.split("/", 2)[2], "size": r.size, "sha256": r.sha256, "format": r.format}
                    for r in inside
                ],
            }
        )
    (dist / "checksums.txt").write_text(sums.getvalue(), encoding="utf-8")
    manifest = {
        "schema": 1,
        "name": name,
        "version": version.value,
        "revision": version.revision,
        "source_date_epoch": version.source_date_epoch,
        "archives": entries,
    }
    (dist / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
