"""The folders `dist` of several machines put together: archives side by side, and one list of all of them."""

from __future__ import annotations

import filecmp
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_buildkit import jsontext
from ci_buildkit.artifacts import dist
from ci_buildkit.errors import OutputError
from ci_buildkit.fields import mapping, sequence, string
from ci_buildkit.text import name as shown

if TYPE_CHECKING:
    from ci_buildkit.record import VersionRecord

LISTS = (dist.MANIFEST, dist.CHECKSUMS)


def join(folders: Iterable[Path], target: Path, version: VersionRecord) -> None:
    """Copy every file of the folders into `target` and write both lists anew. Files that are the same are one.

    Raises:
        OutputError: a folder does not hold what its own lists say, is of another version, or has another file under a
            name that was there before.
    """
    archives: list[dict[str, Any]] = []
    head: dict[str, Any] = {}
    for folder in folders:
        dist.read(folder, version)
        _copy(folder, target)
        manifest = mapping(jsontext.loads((folder / dist.MANIFEST).read_bytes()))
        head = head or {key: value for key, value in manifest.items() if key != "archives"}
        archives += [mapping(one) for one in sequence(manifest.get("archives"))]
    if head:
        _write(target, head, {string(one.get("name")): one for one in archives})


def _copy(folder: Path, target: Path) -> None:
    top = folder.resolve()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        there = target / inside
        if (path.is_dir() and not path.is_symlink()) or inside.as_posix() in LISTS:
            continue
        if not path.resolve().is_relative_to(top):
            raise OutputError(
                f"{shown(str(path))} is a link out of its folder", hint="run the machine that made it again"
            )
        if there.exists() or there.is_symlink():
            if not _same(path, there):
                raise OutputError(
                    f"two machines made different files called {shown(inside.as_posix())}",
                    hint="tell them apart by platform: {os} and {arch} in --archive-name",
                )
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, there, follow_symlinks=False)


def _same(one: Path, other: Path) -> bool:
    if one.is_symlink() or other.is_symlink():
        return one.is_symlink() and other.is_symlink() and one.readlink() == other.readlink()
    return other.is_file() and filecmp.cmp(one, other, shallow=False)


def _write(target: Path, head: dict[str, Any], archives: dict[str, dict[str, Any]]) -> None:
    entries = [archives[name] for name in sorted(archives)]
    files = [part for entry in entries for part in (entry, mapping(entry.get("sbom"))) if part]
    sums = "".join(f"{file['sha256']}  {file['name']}\n" for file in files)
    (target / dist.CHECKSUMS).write_text(sums, encoding="utf-8")
    text = json.dumps({**head, "archives": entries}, indent=2)
    (target / dist.MANIFEST).write_text(f"{text}\n", encoding="utf-8")
