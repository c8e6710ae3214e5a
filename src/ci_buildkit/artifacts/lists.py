"""What lists the archives: checksums.txt in the form of sha256sum(1), and manifest.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ci_buildkit.artifacts.package import Package
from ci_buildkit.record import BinaryRecord, VersionRecord


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(
    dist: Path, name: str, version: VersionRecord, packages: Sequence[Package], records: Sequence[BinaryRecord]
) -> None:
    """Write both lists of what is in `dist`, archives in the order of their names."""
    known = {dist.parent / record.path: record for record in records}
    packages = sorted(packages, key=lambda package: package.archive.name)
    archives = [_entry(package, known) for package in packages]
    files = [part for entry in archives for part in (entry, entry.get("sbom")) if part]
    sums = "".join(f"{file['sha256']}  {file['name']}\n" for file in files)
    (dist / "checksums.txt").write_text(sums, encoding="utf-8")
    manifest = {
        "schema": 1,
        "name": name,
        "version": version.value,
        "revision": version.revision,
        "source_date_epoch": version.source_date_epoch,
        "archives": archives,
    }
    (dist / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _entry(package: Package, known: dict[Path, BinaryRecord]) -> dict[str, Any]:
    named = {"target": package.target} if package.target else {}
    sbom = {"sbom": _file(package.sbom)} if package.sbom else {}
    files = [_member(path, package.folder, known) for path in package.paths]
    return {**_file(package.archive), "platform": package.platform, **named, **sbom, "files": files}


def _file(path: Path) -> dict[str, Any]:
    return {"name": path.name, "size": path.stat().st_size, "sha256": digest(path)}


def _member(path: Path, folder: Path, known: dict[Path, BinaryRecord]) -> dict[str, Any]:
    name = path.relative_to(folder).as_posix()
    if path.is_symlink():
        return {"path": name, "link": str(path.readlink())}
    record = known[path]
    return {"path": name, "size": record.size, "sha256": record.sha256, "format": record.format}
