"""The version that everything is stamped with, made from Git."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ci_buildkit.checkout.event import Event
from ci_buildkit.checkout.git import Head, head
from ci_buildkit.record import VersionRecord

Source = Literal["tag", "describe", "input", "fallback"]

UNKNOWN = "v0.0.0+unknown"
# 1980-01-01T00:00:00Z, the earliest time that a zip archive can hold: the time of files where Git tells none.
EPOCH_WITHOUT_GIT = 315532800
LATEST = 2**32 - 1  # 2106, the last time that a gzip file can hold (RFC 1952); no clock is there yet


def version(folder: Path, event: Event, given: str | None = None) -> VersionRecord:
    """The version of the checkout at `folder`. `given` overrides the value and nothing else."""
    return decide(head(folder), event, given)


def decide(commit: Head | None, event: Event, given: str | None = None) -> VersionRecord:
    """The rule.

    On a clean tagged commit the tag; otherwise what `git describe` says (TAG-DISTANCE-gREVISION, `-dirty` added);
    `v0.0.0+gREVISION` where no tag can be reached, as in a shallow clone; `v0.0.0+unknown` without Git. A workflow
    that a tag triggered takes that tag even where the clone lacks it, and prefers it to others on the same commit.
    """
    value, source = _value(commit, event)
    epoch = commit.time if commit else EPOCH_WITHOUT_GIT
    return VersionRecord(
        value=given or value,
        revision=commit.revision if commit else event.revision,
        dirty=commit.dirty if commit else False,
        source="input" if given else source,
        source_date_epoch=min(event.epoch if event.epoch is not None else epoch, LATEST),
    )


def _value(commit: Head | None, event: Event) -> tuple[str, Source]:
    if commit is None:
        return (event.tag, "tag") if event.tag else (UNKNOWN, "fallback")
    on_event_tag = event.tag and event.revision in {"", commit.revision}
    tag, distance = (event.tag, 0) if on_event_tag else (commit.tag, commit.distance)
    short = commit.revision[:7]
    if not tag:
        return f"v0.0.0+g{short}" + (".dirty" if commit.dirty else ""), "fallback"
    if distance == 0 and not commit.dirty:
        return tag, "tag"
    value = tag if distance == 0 else f"{tag}-{distance}-g{short}"
    return value + ("-dirty" if commit.dirty else ""), "describe"
