"""Image layers and images as OCI layouts, written without an engine and the same on every run.

Follows the OCI image specification 1.1 (layer, config, manifest, index, layout).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .places import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

    from .places import Store

CREATED = "2025-01-01T00:00:00Z"
MODIFIED = 1735689600  # the same moment: file times must not depend on when a layer was made
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


class _Hashing:
    """A writer that passes bytes on and knows their sha256 and number."""

    def __init__(self, to: IO[bytes]) -> None:
        self.to, self.hash, self.size = to, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        """Pass ``data`` on."""
        self.hash.update(data)
        self.size += len(data)
        return self.to.write(data)

    def flush(self) -> None:
        """Pass a flush on."""
        self.to.flush()

    @property
    def digest(self) -> str:
        """Return the digest so far in OCI's form."""
        return f"sha256:{self.hash.hexdigest()}"


class LayerWriter:
    """Adds files to one layer; paths are relative to the image's root, owner is root."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        """Write to ``archive``."""
        self._archive = archive
        self._known: set[str] = set()

    def _entry(self, path: str, mode: int, kind: bytes) -> tarfile.TarInfo:
        parent = str(Path(path).parent)
        if parent != "." and parent not in self._known:
            self.directory(parent)
        self._known.add(path)
        entry = tarfile.TarInfo(path)
        entry.type, entry.mode, entry.mtime = kind, mode, MODIFIED
        return entry

    def directory(self, path: str, mode: int = 0o755) -> None:
        """Add a directory, its parents first."""
        if path not in self._known:
            self._archive.addfile(self._entry(path, mode, tarfile.DIRTYPE))

    def text(self, path: str, content: str, mode: int = 0o644) -> None:
        """Add a file with the given content."""
        entry = self._entry(path, mode, tarfile.REGTYPE)
        data = content.encode()
        entry.size = len(data)
        self._archive.addfile(entry, io.BytesIO(data))

    def file(self, path: str, source: Path, mode: int = 0o644) -> None:
        """Add a copy of ``source``, following links."""
        entry = self._entry(path, mode, tarfile.REGTYPE)
        entry.size = source.stat().st_size
        with source.open("rb") as content:
            self._archive.addfile(entry, content)

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link to ``target``."""
        entry = self._entry(path, 0o777, tarfile.SYMTYPE)
        entry.linkname = target
        self._archive.addfile(entry)

    def tree(
        self,
        source: Path,
        at: str,
        *,
        skip: Callable[[str], bool] = lambda _path: False,
        executable: Callable[[str], bool] = lambda _path: False,
    ) -> None:
        """Add the folder ``source`` under ``at`` in a fixed order.

        ``skip`` and ``executable`` are asked of each relative path: left out, and made executable whatever its mode.
        """
        for folder, folders, names in os.walk(source):
            below = os.path.relpath(folder, source)
            folders[:] = sorted(name for name in folders if not skip(os.path.normpath(f"{below}/{name}")))
            if below != ".":
                self.directory(f"{at}/{below}" if at else below)
            for name in sorted([*names, *(one for one in folders if Path(folder, one).is_symlink())]):
                relative = os.path.normpath(f"{below}/{name}")
                if not skip(relative):
                    mode = 0o755 if executable(relative) else 0o200
                    self._add(Path(folder, name), f"{at}/{relative}" if at else relative, mode)

    def _add(self, source: Path, path: str, mode: int) -> None:
        found = source.lstat()
        if stat.S_ISLNK(found.st_mode):
            self.link(path, str(source.readlink()))
        elif stat.S_ISREG(found.st_mode):
            self.file(path, source, stat.S_IMODE(found.st_mode) | mode)


@dataclass(frozen=True)
class Layer:
    """One layer: ``write`` fills it, ``key`` is the hash of everything that its content depends on."""

    name: str
    key: str
    write: Callable[[LayerWriter], None]

    def blob(self, store: Store) -> tuple[Path, dict[str, Any]]:
        """Return the compressed layer's file and its facts (digest, size, diff_id); made on the first call."""
        folder = store.ensure("layers", self.name, self.key, self._make)
        return folder / "layer.tar.gz", json.loads((folder / "layer.json").read_text())

    def _make(self, work: Path) -> None:
        with (work / "layer.tar.gz").open("wb") as file:
            outer = _Hashing(file)
            # Level 1: a layer is read on this machine only, so seconds count and bytes do not.
            with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=cast("Any", outer), mtime=0) as packed:
                inner = _Hashing(cast("IO[bytes]", packed))
                with tarfile.open(
                    fileobj=cast("Any", inner), mode="w|", format=tarfile.PAX_FORMAT, bufsize=1 << 20
                ) as archive:
                    self.write(LayerWriter(archive))
        facts = {"digest": outer.digest, "size": outer.size, "diff_id": inner.digest}
        (work / "layer.json").write_text(json.dumps(facts))


@dataclass(frozen=True)
class Image:
    """One entry of the image table: a repository's name, its tags, and per platform the layers, lowest first."""

    name: str
    tags: tuple[str, ...]
    layers: Mapping[str, Sequence[Layer]]
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Return the hash of what defines the image, tags left out."""
        keys = {platform: [layer.key for layer in layers] for platform, layers in self.layers.items()}
        return digest(json.dumps([keys, dict(self.config)], sort_keys=True))

    def layout(self, store: Store) -> Path:
        """Return the folder of the image as an OCI layout; made on the first call."""
        return store.ensure("images", self.name.replace("/", "_"), self.key, lambda work: self._make(store, work))

    def _make(self, store: Store, work: Path) -> None:
        (work / "blobs" / "sha256").mkdir(parents=True)
        manifests = [self._manifest(store, work, platform) for platform in self.layers]
        index = _blob(work, INDEX_TYPE, {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": manifests})
        (work / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (work / "index.json").write_text(
            json.dumps({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [index]})
        )

    def _manifest(self, store: Store, work: Path, platform: str) -> dict[str, Any]:
        system, architecture, *variant = platform.split("/")
        where = {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
        described, diff_ids = [], []
        for layer in self.layers[platform]:
            source, facts = layer.blob(store)
            place = work / "blobs" / "sha256" / facts["digest"].partition(":")[2]
            if not place.exists():
                os.link(source, place)
            described.append({"mediaType": LAYER_TYPE, "digest": facts["digest"], "size": facts["size"]})
            diff_ids.append(facts["diff_id"])
        history = [
            {"created": CREATED, "created_by": f"ci-buildkit lab: {layer.name}"} for layer in self.layers[platform]
        ]
        config = {
            "created": CREATED,
            **where,
            "config": dict(self.config),
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": history,
        }
        content = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _blob(work, CONFIG_TYPE, config),
            "layers": described,
        }
        return {**_blob(work, MANIFEST_TYPE, content), "platform": where}


def _blob(work: Path, media_type: str, content: dict[str, Any]) -> dict[str, Any]:
    data = json.dumps(content, sort_keys=True).encode()
    hashed = hashlib.sha256(data).hexdigest()
    (work / "blobs" / "sha256" / hashed).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{hashed}", "size": len(data)}
