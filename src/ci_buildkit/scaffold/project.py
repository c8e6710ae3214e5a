"""What was found of one project: the words that the language modules, the templates and the plan share."""

from __future__ import annotations

import re
import shlex
from typing import Literal, get_args

from msgspec import Struct

Kind = Literal["go", "python", "node", "rust", "java", "cpp"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# What may be the name of a stage.
STAGE = re.compile(r"[a-z][a-z0-9_.-]*")
# Names of stages that every Dockerfile of ours has.
STAGES = frozenset(["base", "build", "binaries", "dev", "image", "install", "lint", "scratch", "test", "test-results"])


class Project(Struct, frozen=True):
    """One project.

    `facts` is what the template of its kind is filled with. `said` is what was found, for people, `notes` what is left
    for them. `ignored` are lines that its `.dockerignore` needs. `crosses` says whether it is built for other platforms
    without emulation, `image` whether it makes one.
    """

    kind: Kind
    facts: object
    said: tuple[str, ...]
    notes: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    crosses: bool = False
    image: bool = True


class Program(Struct, frozen=True):
    """A program that a project builds: its name, what the compiler is given for it, and the stage of its image."""

    name: str
    source: str = ""
    stage: str = "image"


def programs(found: dict[str, str]) -> tuple[Program, ...]:
    """Programs by name; the image of a single one is called `image`, of several each has its program's name."""
    if len(found) == 1:
        return tuple(Program(name, source) for name, source in found.items())
    return tuple(Program(name, source, _stage(name)) for name, source in sorted(found.items()))


def _stage(name: str) -> str:
    word = re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-._")
    return word if STAGE.fullmatch(word) and word not in STAGES else f"image-{word or 'program'}"


def words(*parts: str) -> str:
    """Words of a shell command, quoted where they must be."""
    return shlex.join(part for part in parts if part)


def mountable(file: str) -> bool:
    """Whether a path can stand in a `--mount=` as it is."""
    return re.fullmatch(r"[\w./@+-]+", file) is not None
