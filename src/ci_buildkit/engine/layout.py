"""Images that were kept in a folder: what BuildKit's OCI exporter wrote there (OCI image-spec, image-layout.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ci_buildkit import jsontext
from ci_buildkit.engine.registry import INDEXES, Held, manifests
from ci_buildkit.errors import OutputError, said


def read(folder: Path) -> Held:
    """The image in a folder, once everything that it names was found there.

    Raises OutputError where the layout is damaged or not complete.
    """
    with contextlib.suppress(OSError):
        (folder / "ingest").rmdir()  # the exporter leaves its empty working folder
    if "imageLayoutVersion" not in _document(folder / "oci-layout"):
        raise OutputError(f"{folder.name} is no OCI layout: its oci-layout file says no version")
    entries = _listed(folder / "index.json")
    if (number := len({entry.get("digest") for entry in entries})) != 1:  # an entry for each tag
        raise OutputError(f"the OCI layout {folder.name} has {number} images instead of one")
    digest = str(entries[0].get("digest"))
    entries = entries[:1]
    if entries[0].get("mediaType") in INDEXES:
        entries = _listed(_blob(folder, entries[0]))
    bodies = [_document(_blob(folder, entry)) for entry in entries]
    for body in bodies:
        for part in filter(None, (body.get("config"), *body.get("layers", ()))):
            _blob(folder, part)
    return Held(digest, manifests(entries, bodies))


def _blob(folder: Path, descriptor: Mapping[str, Any]) -> Path:
    """The file of a descriptor. Raises OutputError where it is missing or of another size."""
    digest = str(descriptor.get("digest"))
    algorithm, _, name = digest.partition(":")
    path = folder / "blobs" / algorithm / Path(name).name
    try:
        size = path.stat().st_size
    except OSError as error:
        raise OutputError(f"the OCI layout {folder.name} lacks {digest}: {said(error)}") from error
    if size != descriptor.get("size"):
        raise OutputError(f"the OCI layout {folder.name} has {size} bytes of {digest} instead of {descriptor['size']}")
    return path


def _listed(path: Path) -> list[dict[str, Any]]:
    """What an index names."""
    return list(_document(path).get("manifests") or ())


def _document(path: Path) -> dict[str, Any]:
    try:
        found = jsontext.loads(path.read_bytes())
    except OSError as error:
        raise OutputError(f"the OCI layout cannot be read: {said(error)}") from error
    except jsontext.Broken as error:
        raise OutputError(f"the OCI layout cannot be read: {path.name}: {error}") from error
    if not isinstance(found, dict):
        raise OutputError(f"the OCI layout cannot be read: {path.name} is no object")
    return found
