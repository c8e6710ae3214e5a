"""Whether GitHub would run a workflow for a push or pull request: act looks at the event's name alone. Pure.

Patterns: GitHub, "Workflow syntax", Filter pattern cheat sheet. Filters by `paths` count as fulfilled: which files a push
changed depends on what was pushed before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

PUSH, PULL_REQUEST, DISPATCH, CALL = "push", "pull_request", "workflow_dispatch", "workflow_call"
TAG = "tag"  # our word for a push of a tag
USUAL_TYPES = ("opened", "synchronize", "reopened")  # of pull_request where no types are named


class Trigger(Struct, frozen=True):
    """What happened: GitHub's name of the event, the complete ref, and of a pull request the branch that it goes to."""

    event: str
    ref: str = ""
    base: str = ""


def fires(filters: object, trigger: Trigger) -> bool:
    """Whether what stands below the event in `on:` lets the trigger pass."""
    given = filters if isinstance(filters, Mapping) else {}
    if trigger.event == PUSH:
        return _push(given, trigger.ref)
    if trigger.event.startswith(PULL_REQUEST):
        types = _list(given.get("types")) or USUAL_TYPES
        return bool(set(types) & set(USUAL_TYPES)) and _passes(given, "branches", trigger.base)
    return True


def _push(given: Mapping[str, Any], ref: str) -> bool:
    """A filter for one kind of ref alone leaves the other kind out."""
    kind, other = ("tags", "branches") if ref.startswith("refs/tags/") else ("branches", "tags")
    name = ref.split("/", 2)[-1]
    if _has(given, kind):
        return _passes(given, kind, name)
    return not _has(given, other)


def _has(given: Mapping[str, Any], kind: str) -> bool:
    return kind in given or f"{kind}-ignore" in given


def _passes(given: Mapping[str, Any], kind: str, name: str) -> bool:
    if kind in given:
        return matches(_list(given[kind]), name)
    return not matches(_list(given.get(f"{kind}-ignore")), name)


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether a branch or tag is among those that patterns name; a later `!pattern` takes away again."""
    found = False
    for pattern in patterns:
        negative = pattern.startswith("!")
        if re.fullmatch(_regex(pattern.removeprefix("!")), name):
            found = not negative
    return found


def _regex(pattern: str) -> str:
    parts = []
    for part in re.findall(r"\*+|\[[^\]]*\]|\\.|.", pattern):
        if part.startswith("*"):
            parts.append("[^/]*" if part == "*" else ".*")
        elif part in {"?", "+"} or part.startswith("["):
            parts.append(part)
        else:
            parts.append(re.escape(part.removeprefix("\\") or part))
    try:
        return re.compile("".join(parts)).pattern
    except re.error:  # GitHub refuses such a pattern; it names nothing
        return r"(?!)"


def _list(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in (value if isinstance(value, list) else [value]) if item is not None)
