"""The cache mounts that a plan's `RUN --mount=type=cache` name, and what can look into them. Pure but for reading the file.

BuildKit knows a mount by its id and the namespace of the build (frontend/dockerfile/dockerfile2llb/convert_runmount.go),
and by what it began with: an empty folder, or one with an owner and a mode of its own (solver/llbsolver/mounts/mount.go).
Neither the platform nor the place where it is mounted is part of that.
"""

from __future__ import annotations

import csv
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.dockerfile import Dockerfile, NoDockerfile, commands, parse
from ci_buildkit.plan.stages import Plan
from ci_buildkit.plan.words import Scope, UnknownVariable, expand
from ci_buildkit.tags.labels import plain_text

NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"  # the build argument (frontend/dockerfile/dockerui/config.go)
# What stands in a flag without quotes; nobody calls a cache otherwise.
PLAIN = re.compile(r"[\w./:@+=~-]+", re.ASCII)
UNITS = {"": 1, **{f"{letter}B": 1000**n for n, letter in enumerate("KMGT", 1)}}
UNITS |= {"B": 1, **{f"{letter}IB": 1024**n for n, letter in enumerate("KMGT", 1)}}


class Mount(Struct, frozen=True, order=True):
    """A cache mount: everything that makes it another one for BuildKit."""

    id: str
    namespace: str = ""
    uid: str = ""
    gid: str = ""
    mode: str = ""

    @property
    def options(self) -> str:
        """The identity within its namespace, as options of `--mount`."""
        own = (("id", self.id), ("uid", self.uid), ("gid", self.gid), ("mode", self.mode))
        return ",".join(f"{name}={value}" for name, value in own if value)


class Helper(Struct, frozen=True):
    """An image that the Dockerfile is made from, which may have `sh` and `tar`.

    `lines` are those of a Dockerfile that ends in its FROM, `args` and `contexts` what they need.
    """

    lines: tuple[str, ...]
    args: tuple[tuple[str, str], ...] = ()
    contexts: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The lines, without a line end behind the FROM."""
        return "\n".join(self.lines)

    @property
    def flags(self) -> tuple[str, ...]:
        """What `docker buildx build` takes for it."""
        args = (part for name, value in self.args for part in ("--build-arg", f"{name}={value}"))
        return (*args, *(part for name, value in self.contexts for part in ("--build-context", f"{name}={value}")))


class Mounts(Struct, frozen=True):
    """The mounts by the stage of the plan whose build uses them, how each is shared, and what was not understood."""

    of: Mapping[str, frozenset[Mount]]
    sharing: Mapping[Mount, str]
    helpers: tuple[Helper, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Mount, ...]:
        """Each once."""
        return tuple(sorted(self.sharing))


def check(options: Options) -> None:
    """Raise ConfigurationError where the options name no size, or something that is no folder."""
    size(options.cache_mounts_size)
    folder = options.persist_cache_mounts
    if folder and folder.exists() and not folder.is_dir():
        raise ConfigurationError(
            f"--persist-cache-mounts: {folder} is not a folder", hint="name a folder, or a new one"
        )


def size(text: str) -> int:
    """Bytes of "2GB", "512MiB", "1.5 GB" or "1000000". Raises ConfigurationError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *([A-Za-z]*)", text.strip(), re.ASCII)
    if not found or found[2].upper() not in UNITS:
        raise ConfigurationError(
            f"--cache-mounts-size: {text!r} is not a size", hint="write it like 500MB, 2GB or 512MiB"
        )
    return int(float(found[1]) * UNITS[found[2].upper()])


def find(plan: Plan, home: str) -> Mounts:
    """The mounts of all stages that the plan builds. `home` is the builder's own platform."""
    of: dict[str, frozenset[Mount]] = {}
    sharing: dict[Mount, str] = {}
    helpers: dict[Helper, None] = {}
    notes: dict[str, None] = {}
    for stage in plan.stages:
        found: dict[Mount, str] = {}
        for definition in _definitions(plan, stage.definition):
            text = _text(definition)
            if text is None:
                notes[f"those of {stage.name} are not kept: its Dockerfile is not on this machine"] = None
            for platform in stage.platforms or (home,):
                reading = _Reading(text or "", definition, platform, home)
                found |= reading.mounts
                helpers |= dict.fromkeys(reading.helpers)
                notes |= dict.fromkeys(reading.notes)
        of[stage.name] = frozenset(found)
        sharing = {**found, **sharing}
    spaces = sorted({mount.namespace for mount in sharing})
    if len(spaces) > 1:  # a build has one
        sharing = {mount: how for mount, how in sharing.items() if mount.namespace == spaces[0]}
        of = {name: used & sharing.keys() for name, used in of.items()}
        notes[f"only cache mounts of one {NAMESPACE} are kept, here {spaces[0]!r}"] = None
    return Mounts(of, sharing, tuple(helpers), tuple(notes))


def _definitions(plan: Plan, definition: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A bake target and those that are its contexts, and theirs."""
    every = {**plan.linked, **{stage.name: stage.definition for stage in plan.stages}}
    waiting, seen = [definition], set[str]()
    while waiting:
        one = waiting.pop()
        yield one
        for name in _linked(one).values():
            if name in every and name not in seen:
                seen.add(name)
                waiting.append(every[name])


def _linked(definition: Mapping[str, Any]) -> dict[str, str]:
    """The contexts that are bake targets, by name."""
    given = definition.get("contexts", {}).items()
    return {name.lower(): value.removeprefix("target:") for name, value in given if value.startswith("target:")}


def _text(definition: Mapping[str, Any]) -> str | None:
    """The text of a target's Dockerfile; None for one in a remote context."""
    if (inline := definition.get("dockerfile-inline")) is not None:
        return str(inline)
    context = str(definition.get("context", "."))
    if "://" in context or context.startswith("git@"):
        return None
    try:
        return Path(str(definition.get("dockerfile"))).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _parsed(text: str) -> list[Any]:
    try:
        return commands(text)
    except NoDockerfile:  # the build says so
        return []


class _Reading:
    """What one build of a target for one platform uses: `mounts` with how they are shared, `helpers`, `notes`."""

    def __init__(self, text: str, definition: Mapping[str, Any], platform: str, home: str) -> None:
        self.mounts: dict[Mount, str] = {}
        self.helpers: dict[Helper, None] = {}
        self.notes: list[str] = []
        args = definition.get("args", {}).items()
        self._args = {plain_text(name): plain_text(str(value)) for name, value in args if value is not None}
        self._definition = definition
        self._global = Scope({**_platform("BUILD", home), **_platform("TARGET", platform)})
        self._head: list[str] = []
        self._names: set[str] = set()
        self._scopes: dict[str, Scope] = {}
        self._roots: dict[str, Any] = {}
        commands = _parsed(text)
        self._read(commands, parse(commands))

    def _read(self, commands: Sequence[Any], graph: Dockerfile) -> None:
        wanted = str(self._definition.get("target", ""))
        last = graph.stages[-1].name if graph.stages else ""
        reached = set(graph.reach(wanted if graph.get(wanted) else last))
        number, name, scope = -1, "", self._global
        for command in commands:
            keyword = command.cmd.upper()
            if keyword == "FROM":
                number += 1
                name, scope = graph.stages[number].name, self._begin(command, graph.stages[number].name, str(number))
            elif keyword == "ARG":
                self._declare(command, scope, is_global=number < 0)
            elif keyword == "ENV":
                for key, value in zip(command.value[::2], command.value[1::2], strict=False):
                    scope.set(key, value)
            elif keyword == "RUN" and name in reached:
                self._run(command, name, scope)

    def _begin(self, command: Any, name: str, number: str) -> Scope:
        """The variables that a stage begins with."""
        try:
            base = expand(command.value[0], self._global).lower()
        except UnknownVariable:
            base = ""
        scope = self._scopes[base].copy() if base in self._scopes else Scope(from_image=base != "scratch")
        self._roots[name] = self._roots.get(base, None if base == "scratch" else command)
        self._scopes[name] = self._scopes[number] = scope
        self._roots[number] = self._roots[name]
        return scope

    def _declare(self, command: Any, scope: Scope, *, is_global: bool) -> None:
        if is_global:
            self._head.append(command.original)
        for text in command.value:
            name, has_default, default = text.partition("=")
            if is_global:
                self._names.add(name)
            if name in self._args:
                scope.values[name] = self._args[name]
            elif has_default:
                scope.set(name, default)
            elif not is_global and name in self._global.values:
                scope.values[name] = self._global.values[name]
            else:
                scope.unset.add(name)

    def _run(self, command: Any, stage: str, scope: Scope) -> None:
        for flag in command.flags:
            key, _, value = flag.partition("=")
            if key != "--mount":
                continue
            fields = _fields(value)
            if fields.get("type", "").lower() != "cache":
                continue
            try:
                self._add({name: expand(text, scope) for name, text in fields.items()})
            except UnknownVariable as error:
                shown = fields.get("id") or fields.get("target", "")
                self.notes.append(
                    f"the cache mount {shown} is not kept: what {error} is, only the image knows; give it an id"
                )
                continue
            if root := self._roots[stage]:
                self._add_helper(root)

    def _add(self, fields: Mapping[str, str]) -> None:
        identity = fields.get("id") or _clean(fields["target"])
        parts = [identity, *(fields.get(key, "") for key in ("uid", "gid", "mode", "sharing"))]
        if fields.get("from") or fields.get("source"):
            self.notes.append(
                f"the cache mount {identity} is not kept: it begins with files from elsewhere (from, source)"
            )
        elif not all(PLAIN.fullmatch(part) for part in parts if part):
            self.notes.append(f"the cache mount {identity} is not kept: its id has unusual characters")
        else:
            mount = Mount(identity, self._args.get(NAMESPACE, ""), *parts[1:4])
            self.mounts.setdefault(mount, parts[4].lower())

    def _add_helper(self, command: Any) -> None:
        """The image that a FROM names, unless another bake target makes it."""
        if command.value[0].lower() in _linked(self._definition):
            return
        contexts = {k: v for k, v in self._definition.get("contexts", {}).items() if not v.startswith("target:")}
        words = ["FROM", *command.flags, command.value[0]]
        args = {name: value for name, value in self._args.items() if name in self._names}
        helper = Helper((*self._head, " ".join(words)), tuple(args.items()), tuple(contexts.items()))
        self.helpers[helper] = None


def _fields(value: str) -> dict[str, str]:
    """The fields of a mount, with their longest names (frontend/dockerfile/instructions/commands_runmount.go)."""
    long = {"dst": "target", "destination": "target", "src": "source"}
    found: dict[str, str] = {}
    for field in next(csv.reader([value]), []):
        key, _, text = field.partition("=")
        found[long.get(key.lower(), key.lower())] = text
    return {"target": "", **found}


def _clean(path: str) -> str:
    """A target as BuildKit makes an id of it (Go's path.Clean)."""
    return re.sub(r"^//", "/", posixpath.normpath(path))


def _platform(prefix: str, platform: str) -> dict[str, str | None]:
    """The automatic arguments (docs.docker.com/reference/dockerfile, "Automatic platform ARGs in the global scope")."""
    system, architecture, variant = (*platform.split("/"), "", "")[:3]
    variant = {"arm": variant or "v7", "arm64": variant.removeprefix("v8")}.get(architecture, variant)
    whole = "/".join(filter(None, (system, architecture, variant)))
    values = (("PLATFORM", whole), ("OS", system), ("ARCH", architecture), ("VARIANT", variant))
    return {f"{prefix}{name}": value for name, value in values}
