"""One line of the tag language: its type and attributes (docker/metadata-action, src/tag.ts)."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

from msgspec import Struct

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.tags.jsnumber import number
from ci_buildkit.tags.records import BLANK, fields

Type = Literal["schedule", "semver", "pep440", "match", "edge", "ref", "raw", "sha"]

TYPES: tuple[Type, ...] = get_args(Type)
PRIORITIES: Mapping[Type, float] = {
    "schedule": 1000,
    "semver": 900,
    "pep440": 900,
    "match": 800,
    "edge": 700,
    "ref": 600,
    "raw": 200,
    "sha": 100,
}
DEFAULTS: Mapping[Type, Mapping[str, str]] = {
    "schedule": {"pattern": "nightly"},
    "semver": {"value": "", "match": ""},
    "pep440": {"value": "", "match": ""},
    "match": {"group": "0", "value": ""},
    "edge": {"branch": ""},
    "ref": {},
    "raw": {},
    "sha": {"prefix": "sha-", "format": "short"},
}
REQUIRED: Mapping[Type, str] = {
    "semver": "pattern",
    "pep440": "pattern",
    "match": "pattern",
    "ref": "event",
    "raw": "value",
}
CHOICES: Mapping[Type, tuple[str, tuple[str, ...]]] = {
    "ref": ("event", ("branch", "tag", "pr")),
    "sha": ("format", ("short", "long")),
}
USUAL = ("type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr")
"""The lines where none is given."""


class TagLine(Struct, frozen=True):
    """A line. `attributes` has the defaults of its type filled in; `text` is as it was written."""

    type: Type
    attributes: Mapping[str, str]
    text: str

    @property
    def priority(self) -> float:
        """What lines are sorted by, highest first; NaN where the attribute is no number."""
        return number(self.attributes["priority"]) if "priority" in self.attributes else PRIORITIES[self.type]


def tag_lines(lines: Iterable[str]) -> list[TagLine]:
    """The lines read and sorted by priority, the usual ones where there are none.

    Raises:
        ConfigurationError: a type, an event or a format is unknown, an attribute is missing, a group is no number.
    """
    found = [parse(line) for line in lines] or [parse(line) for line in USUAL]
    return sorted(found, key=functools.cmp_to_key(_order))


def _order(one: TagLine, other: TagLine) -> int:
    """Negative where `one` comes first; a priority that is no number is neither before nor after any other."""
    return (one.priority < other.priority) - (one.priority > other.priority)


def parse(line: str) -> TagLine:
    """One line. Raises ConfigurationError as `tag_lines`."""
    kind = "raw"
    given: dict[str, str] = {}
    for field in fields(line):
        key, equals, value = field.partition("=")
        if not key or not equals:  # a field that begins with `=` is a value, too
            given["value"] = field
        elif (name := key.strip(BLANK).lower()) == "type":
            kind = value.strip(BLANK)
        else:
            given[name] = value.strip(BLANK)
    if kind not in TYPES:
        raise ConfigurationError(f"tag {line!r}: there is no type {kind!r}", hint=f"types: {', '.join(TYPES)}")
    return _complete(kind, given, line)


def _complete(kind: Type, given: dict[str, str], line: str) -> TagLine:
    if (required := REQUIRED.get(kind)) and required not in given:
        raise ConfigurationError(
            f"tag {line!r}: the attribute {required!r} is missing", hint=f"write type={kind},{required}=..."
        )
    attributes = {**DEFAULTS[kind], **given}
    if kind in CHOICES:
        name, choices = CHOICES[kind]
        if attributes[name] not in choices:
            raise ConfigurationError(
                f"tag {line!r}: there is no {name} {attributes[name]!r}", hint=f"write one of {', '.join(choices)}"
            )
    if kind == "match" and math.isnan(number(attributes["group"])):
        raise ConfigurationError(
            f"tag {line!r}: the group {attributes['group']!r} is no number",
            hint="0 is the whole match, 1 the first group in parentheses",
        )
    if kind == "ref" and attributes["event"] == "pr":
        attributes.setdefault("prefix", "pr-")
    return TagLine(kind, attributes, line)
