"""What is pinned in a lock, and what is wrong with it that needs no service to tell. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# As uv writes it: one requirement, perhaps for some machines only, and hashes of its files. Nothing else may stand there:
# an option, an address or a folder would lead the installer elsewhere.
LINE = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+]+)(?: ; (?P<marker>[^\\#]+?))?(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)
# Licences of what runs for users, under which Apache-2.0 software may use it as it is, by any name that a package has for one.
ACCEPTED = re.compile(
    r"MIT|MIT License|MIT-0|Apache-2\.0|Apache Software License|BSD License|BSD-[23]-Clause|PSF-2\.0|CNRI-Python"
    r"|Python Software Foundation License|Public Domain"
    r"|MPL-2\.0|Mozilla Public License 2\.0|GNU Library or Lesser General Public License"
)


@dataclass(frozen=True, slots=True)
class Pin:
    """One requirement of a lock; its marker says for which machines, "" for all."""

    name: str
    version: str
    marker: str = ""
    hashes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The line of a lock."""
        return " ".join((f"{self.name}=={self.version}", *([f"; {self.marker}"] if self.marker else []), *self.hashes))

    @property
    def applies(self) -> bool:
        """Whether it is for the machine and the Python that this runs on."""
        marker = Requirement(f"{self.name} ; {self.marker}").marker if self.marker else None
        return marker is None or marker.evaluate()


def pins(text: str) -> list[Pin]:
    """What a lock pins, without the lines that are none."""
    matches = (LINE.fullmatch(line) for line in _lines(text))
    return [
        Pin(canonicalize_name(one["name"]), one["version"], one["marker"] or "", tuple(one["hashes"].split()))
        for one in matches
        if one
    ]


def not_pinned(text: str) -> list[str]:
    """Lines that are anything but one version with hashes of its files."""
    return [line for line in _lines(text) if not LINE.fullmatch(line)]


def _lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\n", " ", text).splitlines():
        found = " ".join(line.split())
        if found and not found.startswith("#"):
            yield found


def out_of_range(wanted: Sequence[str], locked: Sequence[Pin]) -> list[str]:
    """Requirements of the package whose locked version is not in the range that its metadata promises to work."""
    versions: dict[str, list[str]] = {}
    for pin in locked:
        versions.setdefault(pin.name, []).append(pin.version)
    return [
        f"{one}: the lock has {' and '.join(found) or 'none'}"
        for one in wanted
        if not (found := versions.get(canonicalize_name(Requirement(one).name), []))
        or not all(Requirement(one).specifier.contains(version, prereleases=True) for version in found)
    ]


def disagreeing(run: Sequence[Pin], tested: Sequence[Pin]) -> list[str]:
    """What users run in another version than the one that tests run."""
    known = {(pin.name, pin.version) for pin in tested}
    return [f"{pin.name} {pin.version}" for pin in run if (pin.name, pin.version) not in known]


def licence(metadata: Mapping[str, Any]) -> str:
    """What a package says of its licence: an SPDX expression, else its classifiers, else a short text; "" for nothing.

    The fields are those of core metadata (packaging.python.org, "Core metadata specifications") in pip's JSON form.
    """
    if expression := metadata.get("license_expression"):
        return str(expression)
    named = [
        one.rpartition(" :: ")[2].partition(" (")[0]
        for one in metadata.get("classifier", ())
        if one.startswith("License :: ")
    ]
    if said := [one for one in named if one not in {"OSI Approved", "Freely Distributable", "DFSG approved"}]:
        return " AND ".join(said)
    first = str(metadata.get("license") or "").strip().partition("\n")[0].strip()
    return "" if first == "UNKNOWN" else first


def accepted(named: str) -> bool:
    """Whether users may run it under every licence of an expression; of alternatives one is enough."""
    return bool(named) and all(
        any(ACCEPTED.fullmatch(one.strip("() ")) for one in choice.split(" OR ")) for choice in named.split(" AND ")
    )
