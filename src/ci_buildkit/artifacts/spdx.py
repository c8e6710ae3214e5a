"""SPDX documents (SPDX 2.3, JSON) of archives: what scanners wrote, made the same for the same content."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

ENDING = ".spdx.json"
LISTS = {"packages": "SPDXID", "files": "SPDXID", "relationships": ""}  # and what names an entry; "" for all of it


def document(texts: Sequence[bytes], name: str, epoch: int) -> bytes:
    """One document of those that scanners wrote about parts of one archive; in-toto statements about them will do.

    The time is `epoch` (seconds since 1970) instead of the scan's, and the namespace, which has to be another for each
    content (SPDX 2.3, 6.5), comes from the content instead of a random number.

    Raises:
        ValueError: a text is no SPDX document, or there is none.
    """
    parsed = [_parsed(text) for text in texts]
    if not parsed:
        raise ValueError("there is no document")
    first = parsed[0]
    for key, identity in LISTS.items():
        entries = [entry for one in parsed for entry in one.get(key, ())]
        if entries:
            first[key] = _sorted(entries, identity)
    first["name"] = name
    created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    first["creationInfo"] = {**first.get("creationInfo", {}), "created": created}
    first.pop("documentNamespace", None)
    number = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(first, sort_keys=True))
    first["documentNamespace"] = f"https://spdx.org/spdxdocs/{name}-{number}"
    return (json.dumps(first, indent=2, sort_keys=True) + "\n").encode()


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        read = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if isinstance(read, dict) and "predicate" in read:
        read = read["predicate"]
    if not isinstance(read, dict) or not str(read.get("spdxVersion", "")).startswith("SPDX-"):
        raise ValueError("it is no SPDX document")
    if not isinstance(read.get("creationInfo", {}), dict):
        raise ValueError("its creationInfo is no object")
    for key in LISTS:
        if not isinstance(read.get(key, []), list) or not all(isinstance(entry, dict) for entry in read.get(key, ())):
            raise ValueError(f"its {key} are no list of objects")
    return read


def _sorted(entries: Sequence[dict[str, Any]], identity: str) -> list[dict[str, Any]]:
    """The entries in one order, each once."""
    known = {str(entry.get(identity)) if identity else json.dumps(entry, sort_keys=True): entry for entry in entries}
    return [known[key] for key in sorted(known)]
