"""What each instruction of a Dockerfile takes: files of contexts and arguments. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from ci_buildkit.plan.dockerfile import VARIABLE, NoDockerfile, commands
from ci_buildkit.record import DockerfileStageRecord, InstructionRecord

# Instructions that change only what an image says of itself: no step's result depends on them.
METADATA = frozenset(
    ["CMD", "ENTRYPOINT", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "STOPSIGNAL", "VOLUME"]
)
STEPS = frozenset(["ADD", "COPY", "RUN", "WORKDIR"])

Defaults = dict[str, tuple[int, str]]  # line and text by name


def read(text: str) -> tuple[DockerfileStageRecord, ...]:
    """The stages of a Dockerfile in order, after an unnamed one with the ARGs before the first FROM.

    What only describes the image is left out. An empty tuple for a text that is no Dockerfile.
    """
    try:
        instructions = commands(text)
    except NoDockerfile:
        return ()
    bodies: list[list[Any]] = [[]]
    for command in instructions:
        if command.cmd.upper() == "FROM":
            bodies.append([])
        bodies[-1].append(command)
    defaults = _defaults(bodies[0])
    return tuple(_stage(number, body, defaults if number else {}) for number, body in enumerate(bodies))


def _defaults(body: Iterable[Any]) -> Defaults:
    """The ARGs before the first FROM, whose defaults an ARG without one takes; what a default names is part of it."""
    found: Defaults = {}
    for command in body:
        for value in command.value if command.cmd.upper() == "ARG" else ():
            parts = [found[name][1] for name in _variables(value) if name in found]
            found[value.partition("=")[0]] = (command.start_line, "\0".join((value, *parts)))
    return found


def _stage(number: int, body: Iterable[Any], defaults: Defaults) -> DockerfileStageRecord:
    instructions = tuple(_instruction(command, defaults) for command in body if command.cmd.upper() not in METADATA)
    if not number:
        return DockerfileStageRecord(name="", base="", instructions=instructions)
    words = next(iter(body)).value
    name = words[2].lower() if len(words) > 2 and words[1].upper() == "AS" else str(number - 1)
    return DockerfileStageRecord(name=name, base=words[0].lower() if words else "", instructions=instructions)


def _instruction(command: Any, defaults: Defaults) -> InstructionRecord:
    keyword = command.cmd.upper()
    inherited = [defaults[value] for value in command.value if value in defaults] if keyword == "ARG" else []
    if keyword == "ARG":
        names = [value.partition("=")[0] for value in command.value]
    elif keyword == "ENV":
        names = [*command.value[::2], *_variables(command.original)]
    else:
        names = _variables(command.original)
    # The name that a FROM gives its stage is in no result.
    text = " ".join((*command.flags, *command.value[:1])) if keyword == "FROM" else command.original
    text = "\0".join((text, *(default for _, default in inherited)))
    return InstructionRecord(
        line=inherited[0][0] if inherited else command.start_line,
        keyword=keyword,
        hash=hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12],
        names=tuple(dict.fromkeys(names)),
        takes=_takes(keyword, command),
    )


def _variables(text: str) -> list[str]:
    return [one or other for one, other in VARIABLE.findall(text)]


def _takes(keyword: str, command: Any) -> dict[str, tuple[str, ...]]:
    """Patterns by context. A name that is a stage's or an image's is no context of any build and does no harm."""
    if keyword == "RUN":
        return _mounts(command.flags)
    if keyword not in {"ADD", "COPY"}:
        return {}
    flags = [flag.partition("=")[::2] for flag in command.flags]
    context = next((value.lower() for key, value in flags if key == "--from"), "")
    files = [_pattern(value) for value in command.value[:-1] if not _elsewhere(value)]
    without = [f"!{_pattern(value)}" for key, value in flags if key == "--exclude"]
    return {context: (*files, *without)} if files else {}


def _elsewhere(source: str) -> bool:
    """Whether a source is text in the Dockerfile itself, or fetched."""
    return source.startswith(("<<", "git@")) or "://" in source


def _mounts(flags: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What `RUN --mount=type=bind` shows; `bind` is the type of a mount that names none (Dockerfile reference)."""
    found: dict[str, tuple[str, ...]] = {}
    for flag in flags:
        key, _, value = flag.partition("=")
        fields = dict(part.partition("=")[::2] for part in value.split(","))
        if key == "--mount" and fields.get("type", "bind") == "bind":
            context = fields.get("from", "").lower()
            source = fields.get("source") or fields.get("src") or "."
            found[context] = (*found.get(context, ()), _pattern(source))
    return found


def _pattern(source: str) -> str:
    """A source as a pattern relative to its context; a variable may be anything."""
    return VARIABLE.sub("**", source).strip("/").removeprefix("./") or "."
