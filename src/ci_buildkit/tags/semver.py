"""Semantic versions as node-semver reads them (classes/semver.js, internal/re.js)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ci_buildkit.tags.records import BLANK

LONGEST = 256
SAFE = 2**53 - 1
"""The greatest number of a version: JavaScript's MAX_SAFE_INTEGER."""

_NUMBER = r"(?:0|[1-9][0-9]*)"
_PART = rf"(?:[0-9]*[a-zA-Z-][a-zA-Z0-9-]*|{_NUMBER})"
_VERSION = re.compile(
    rf"v?({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_PART}(?:\.{_PART})*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)

Value = str | int | bool | tuple[str, ...]


def parse(text: str) -> Mapping[str, Value] | None:
    """The parts of a version by the names that patterns use; None where it is no semantic version.

    `version` is without `v` and without build metadata; `prerelease` is () for a release.
    """
    match = _VERSION.fullmatch(text.strip(BLANK))
    if not match or len(text) > LONGEST:
        return None
    major, minor, patch = (int(match[group]) for group in (1, 2, 3))
    if max(major, minor, patch) > SAFE:
        return None
    prerelease = f"-{match[4]}" if match[4] else ""
    return {
        "raw": text,
        "version": f"{major}.{minor}.{patch}{prerelease}",
        "major": major,
        "minor": minor,
        "patch": patch,
        "prerelease": tuple(match[4].split(".")) if match[4] else (),
        "build": tuple(match[5].split(".")) if match[5] else (),
        "loose": True,
    }
