"""What a registry takes as a name and as a tag (distribution, reference/regexp.go and reference/reference.go)."""

from __future__ import annotations

import re

from ci_buildkit.errors import ConfigurationError

LONGEST_TAG = 128
LONGEST_NAME = 255

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_NAME = re.compile(rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{LONGEST_TAG - 1}}}")


def checked_name(name: str) -> str:
    """The name of an image, without a tag. Raises ConfigurationError where no registry would take it."""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} is not a valid image name",
            hint="write [HOST[:PORT]/]NAME in lower case, for example ghcr.io/org/app",
        )
    return name


def checked_tag(tag: str) -> str:
    """The tag. Raises ConfigurationError where no registry would take it."""
    if not _TAG.fullmatch(tag):
        long = len(tag) > LONGEST_TAG
        raise ConfigurationError(
            f"{tag!r} is not a valid tag" + (f": it has {len(tag)} characters" if long else ""),
            hint=f"a tag has 1 to {LONGEST_TAG} letters, digits, `_`, `.` and `-`, and begins with none of the last two",
        )
    return tag
