"""The version in a program against the one that its build was given.

Judged is only what speaks for the program itself: what `-ldflags -X` set in its own packages, the commit or version that
the go command wrote down, the first line of what it answers to `--version`.
"""

from __future__ import annotations

import re

from msgspec import Struct

from ci_buildkit.artifacts.gobuild import GoBuild

VARIABLES = frozenset({"version", "appversion", "buildversion", "gitversion", "currentversion"})
# Of a program that tells its version, not of what it was made with: `go1.26` and `127.0.0.1:80` are none.
TOKEN = re.compile(r"(?<![\w.+:=])v?\d+\.\d+(?:\.\d+)?(?:[-+~][0-9A-Za-z.+~-]*[0-9A-Za-z])?(?![\w:/]|\.\w)")
NUMBERS = re.compile(r"v?(\d+(?:\.\d+){1,2})")
# Behind a version these make another one of it: 1.2.3 is not 1.2.3-rc1, 1.2.34 or 1.2.3.4.
OTHER = r"(?!\.?\d|[-.~]?(?:alpha|beta|rc|pre|dev|snapshot)|-\d+-g)"
PSEUDO = re.compile(r"[-.]\d{14}-(?P<revision>[0-9a-f]{12})(?:\+|$)")  # go.dev/ref/mod#pseudo-versions


class Stamp(Struct, frozen=True):
    """What a build was given: the values of its version arguments, and the commit ("" without Git)."""

    versions: tuple[str, ...]
    revision: str

    def named_in(self, text: str) -> bool:
        """Whether a text names one of the versions, with or without its `v`."""
        bare = (re.escape(version.removeprefix("v")) for version in self.versions)
        return any(re.search(rf"(?<![\d.]){one}{OTHER}", text, re.IGNORECASE) for one in bare)

    def may_write(self, version: str) -> bool:
        """Whether a version is another way to write a given one between two releases: 1.2.3.post4 for v1.2.3-4-gabc."""
        given = (NUMBERS.match(one) for one in self.versions)
        between = {found[1] for found in given if found and found.end() < len(found.string)}
        told = NUMBERS.match(version)
        return told is not None and told[1] in between


class Carried(Struct, frozen=True):
    """The version that a program tells, None where it tells none, and what is `wrong` with it, "" for nothing.

    `sure` says that there is no need to ask further.
    """

    version: str | None = None
    wrong: str = ""
    sure: bool = False


def of_go(build: GoBuild, stamp: Stamp | None) -> Carried:
    """What the go command wrote into a program. Without a stamp nothing is judged."""
    own = [
        (name, value)
        for name, value in build.variables()
        if name.rpartition(".")[2].lower() in VARIABLES and name.startswith(("main.", f"{build.module}/"))
    ]
    version = build.version if build.version not in {"", "(devel)"} else None
    if own:
        agreed = next((value for _, value in own if stamp and stamp.named_in(value)), None)
        name, value = own[0]
        if stamp and agreed is None:
            wrong = f"has {name}={value or '(nothing)'}, but {stamp.versions[0]} was injected"
            return Carried(value or version, wrong, sure=True)
        return Carried(agreed or value or version, sure=agreed is not None)
    return Carried(version, _wrong_source(build, version, stamp) if stamp else "")


def _wrong_source(build: GoBuild, version: str | None, stamp: Stamp) -> str:
    """Whether the go command saw another commit, or was told another version of the module."""
    pseudo = PSEUDO.search(version or "")
    revision = build.settings.get("vcs.revision") or (pseudo["revision"] if pseudo else "")
    if revision:
        other = stamp.revision and not stamp.revision.startswith(revision)
        return f"was built from commit {revision}, but this is {stamp.revision}" if other else ""
    if version and not stamp.named_in(version):
        return f"is version {version} of {build.module}, but {stamp.versions[0]} was injected"
    return ""


def of_answer(text: str, stamp: Stamp) -> Carried:
    """What a program printed when it was asked for its version."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    told = TOKEN.search(first)
    if stamp.named_in(text):
        named = next((found for found in TOKEN.findall(text) if stamp.named_in(found)), stamp.versions[0])
        return Carried(named, sure=True)
    if told is None or stamp.may_write(told[0]):
        return Carried(told[0] if told else None)
    return Carried(told[0], f"says that it is {told[0]} (--version), but {stamp.versions[0]} was injected", sure=True)
