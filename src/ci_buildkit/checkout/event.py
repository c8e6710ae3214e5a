"""GitHub's event, as far as the version needs it. One of the three places that may read the process environment."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Event(Struct, frozen=True):
    """What triggered the workflow; empty strings outside GitHub Actions. `epoch` is SOURCE_DATE_EPOCH where set."""

    tag: str = ""
    revision: str = ""
    epoch: int | None = None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Event:
        """Read GITHUB_REF_TYPE, GITHUB_REF_NAME, GITHUB_SHA and SOURCE_DATE_EPOCH."""
        tag = environ.get("GITHUB_REF_NAME", "") if environ.get("GITHUB_REF_TYPE") == "tag" else ""
        epoch = environ.get("SOURCE_DATE_EPOCH", "").strip()
        return cls(tag, environ.get("GITHUB_SHA", ""), int(epoch) if epoch.isdecimal() else None)
