"""The paths that a SARIF run's artifact locations are (3.4): URIs, absolute or relative to bases that may be nested."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ci_buildkit.fields import mapping, sequence, string
from ci_buildkit.text import name

if TYPE_CHECKING:
    from collections.abc import Mapping

# RFC 3986; one letter is a Windows drive that somebody wrote as it is.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_FILE = re.compile(r"file:(?://(?:localhost)?(?=/)|(?=/[^/])|(?=//))", re.IGNORECASE)
_DRIVE = re.compile(r"/[A-Za-z]:/")
_MAX_BASES = 16


class Paths:
    """Turns artifact locations into paths; remembers what it has turned."""

    def __init__(self, run: Mapping[str, Any]) -> None:
        """`run` has the artifacts and the base URIs."""
        self._artifacts = sequence(run.get("artifacts"))
        self._bases = mapping(run.get("originalUriBaseIds"))
        self._found: dict[tuple[str, str], str] = {}

    def of(self, location: dict[str, Any]) -> str:
        """The path, absolute where its base is known; "" where the location names none."""
        if not location.get("uri"):
            location = self._artifact(location.get("index"))
        uri, base = string(location.get("uri")), string(location.get("uriBaseId"))
        path = self._found.get((uri, base))
        if path is None:
            path = self._found[uri, base] = name(_path(self._absolute(uri, base)))
        return path

    def _artifact(self, index: object) -> dict[str, Any]:
        if not isinstance(index, int) or not 0 <= index < len(self._artifacts):
            return {}
        return mapping(mapping(self._artifacts[index]).get("location"))

    def _absolute(self, uri: str, base: str) -> str:
        """3.14.14: each base may be relative to another; a circle of them ends somewhere."""
        for _ in range(_MAX_BASES):
            if not base or not uri or uri.startswith("/") or _SCHEME.match(uri):
                break
            outer = mapping(self._bases.get(base))
            folder = string(outer.get("uri"))
            if folder:
                uri = f"{folder.rstrip('/')}/{uri}"
            base = string(outer.get("uriBaseId"))
        return uri


def _path(uri: str) -> str:
    """The path of a `file` or relative URI, decoded; any other URI as it is."""
    found = _FILE.match(uri)
    if found is None and _SCHEME.match(uri):
        return uri
    path = uri[found.end() :] if found else uri
    return unquote(path[1:] if _DRIVE.match(path) else path, errors="replace")
