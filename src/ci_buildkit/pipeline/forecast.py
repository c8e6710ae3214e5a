"""What an image is when it is pushed, noted for later runs: to find it out, BuildKit writes every layer anew.

It follows from the image as it lies in the builder, from how it is exported, and from the version of BuildKit.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from ci_buildkit import jsontext
from ci_buildkit.engine.answers import Answer
from ci_buildkit.fields import mapping, sequence, string


class AsPushed(Struct, frozen=True):
    """The digests of an image's platforms as they are pushed, and what buildx' metadata file says of it."""

    manifests: frozenset[str]
    metadata: Mapping[str, Any]


class Forecast:
    """What is noted of one image."""

    def __init__(
        self, environ: Mapping[str, str], local: Iterable[str], target: Mapping[str, Any], versions: Iterable[str]
    ) -> None:
        """`local` are the digests of its platforms in the builder, `target` the bake target of a push but for the names,
        `versions` those of BuildKit.
        """
        digests = sorted(local)
        question = json.dumps([digests, target, list(versions)], sort_keys=True)
        # An inline cache is in the image and tells of the builder's: it does not follow.
        certain = bool(digests) and "cache-to" not in target
        self._answer = Answer(environ, ("pushed", question)) if certain else None

    def get(self) -> AsPushed | None:
        """What was noted; None where nothing was."""
        try:
            noted = mapping(jsontext.loads((self._answer and self._answer.get()) or "{}"))
        except jsontext.Broken:
            return None
        manifests = frozenset(map(string, sequence(noted.get("manifests"))))
        return AsPushed(manifests, mapping(noted.get("metadata"))) if manifests else None

    def put(self, pushed: AsPushed) -> None:
        """Note it."""
        if self._answer:
            self._answer.put(json.dumps({"manifests": sorted(pushed.manifests), "metadata": pushed.metadata}))
