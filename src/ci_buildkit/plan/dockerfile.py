"""The stages of a Dockerfile and how they hang together.

Read by BuildKit's own parser (package `dockerfile`), since BuildKit's `--call` answers do not say which stage uses
which, nor what an image would run.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from ci_buildkit.errors import BuildFailed, ConfigurationError

_UNREADABLE = re.compile("[\0\ud800-\udfff]")
VARIABLE = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")


class NoDockerfile(ValueError):
    """A text that is no Dockerfile; the message says why."""


class DockerfileStage(Struct, frozen=True):
    """One `FROM`. `base` is written lower case as BuildKit compares names; `uses` are the stages that it needs at once.

    `args` are the ARG names that it declares, `starts` says whether it has a CMD or ENTRYPOINT of its own, `runs`
    whether it has a RUN; `workdir` is the last WORKDIR ("" without one); `line` is 1-based.
    """

    name: str
    base: str
    line: int
    uses: tuple[str, ...] = ()
    args: frozenset[str] = frozenset()
    starts: bool = False
    runs: bool = False
    workdir: str = ""
    platform: str = ""


class Dockerfile(Struct, frozen=True):
    """All stages in order. `base_args` are the names of arguments that a FROM line uses."""

    stages: tuple[DockerfileStage, ...] = ()
    base_args: frozenset[str] = frozenset()
    _index: dict[str, DockerfileStage] = field(default_factory=dict)

    def get(self, name: str) -> DockerfileStage | None:
        """A stage by name (or number), None where there is none."""
        return self._index.get(name.lower())

    def reach(self, name: str) -> tuple[str, ...]:
        """The stages that a stage is made from, itself first, each once."""
        seen: dict[str, None] = {}
        waiting = [name.lower()]
        while waiting:
            stage = self.get(waiting.pop(0))
            if stage is not None and stage.name not in seen:
                seen[stage.name] = None
                waiting += [stage.base, *stage.uses]
        return tuple(seen)

    def makers(self, name: str, wanted: Callable[[str], bool]) -> tuple[str, ...]:
        """The stages whose steps make what a stage holds, itself first.

        A stage without a RUN only gathers, so what it is made from is followed, and so on. Of what a stage with a RUN
        is made from only the stages with `wanted` names are.
        """
        found: dict[str, None] = {}
        waiting = [name.lower()]
        while waiting:
            stage = self.get(waiting.pop(0))
            if stage is not None and stage.name not in found:
                found[stage.name] = None
                waiting += [part for part in (*stage.uses, stage.base) if not stage.runs or wanted(part)]
        return tuple(found)

    def args(self, name: str) -> frozenset[str]:
        """The ARG names that a stage or any stage it is made from declares."""
        return frozenset(arg for part in self.reach(name) for arg in self._index[part].args)

    def workdir(self, name: str) -> str:
        """The WORKDIR in force at the end of a stage; "" where no stage of the file sets one."""
        stage = self.get(name)
        seen: set[str] = set()
        while stage is not None and stage.name not in seen:
            if stage.workdir:
                return stage.workdir
            seen.add(stage.name)
            stage = self.get(stage.base)
        return ""

    def misspelt(self) -> tuple[tuple[int, str, str], ...]:
        """FROM lines that look like a misspelt stage: line, what is written, the stage that may be meant.

        An image is rarely a bare word that differs from an earlier stage's name by a letter or two.
        """
        found = []
        for number, stage in enumerate(self.stages):
            earlier = [other.name for other in self.stages[:number]]
            if stage.base not in {*earlier, "scratch"} and stage.base.isidentifier():
                found += [
                    (stage.line, stage.base, near)
                    for near in difflib.get_close_matches(stage.base, earlier, n=1, cutoff=0.75)
                ]
        return tuple(found)

    def users(self, name: str) -> tuple[DockerfileStage, ...]:
        """The stages that use a stage at once, as base or as a source of files."""
        return tuple(s for s in self.stages if name.lower() in {s.base, *s.uses} and s.name != name.lower())


def read(path: Path) -> Dockerfile:
    """Parse a file. Raises ConfigurationError where it cannot be read and BuildFailed where it is no Dockerfile."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}", hint="name the Dockerfile with --file") from error
    try:
        return parse(commands(text))
    except NoDockerfile as error:
        raise BuildFailed(f"{path} is not a valid Dockerfile: {error}") from error


def commands(text: str) -> list[Any]:
    """The instructions of a Dockerfile in order, as BuildKit's own parser has them. Raises NoDockerfile.

    What follows a `\\` at the very end is to the parser an instruction without a name, which BuildKit refuses.
    """
    import dockerfile  # a Go library: 10 ms to load

    try:
        found = list(dockerfile.parse_string(readable(text)))
    except dockerfile.GoParseError as error:
        raise NoDockerfile(str(error)) from error
    for command in found:
        if command.cmd is None:
            raise NoDockerfile(f"line {command.start_line} is continued, but nothing follows")
    return found


def readable(text: str) -> str:
    """The text with U+FFFD where the package `dockerfile` ends reading (a NUL) or dies (a lone surrogate)."""
    return _UNREADABLE.sub("\ufffd", text)


def parse(instructions: Iterable[Any]) -> Dockerfile:
    """Build the graph from what `commands` gives."""
    stages: list[DockerfileStage] = []
    base_args: set[str] = set()
    names: set[str] = set()
    body: list[Any] = []
    current: Any = None

    def close() -> None:
        if current is not None:
            stage = _stage(current, body, str(len(stages)), names)
            stages.append(stage)
            names.update({stage.name, str(len(stages) - 1)})

    for command in instructions:
        if command.cmd.upper() != "FROM":
            body.append(command)
            continue
        close()
        current, body = command, []
        base_args.update(a or b for a, b in VARIABLE.findall(command.original))
    close()
    index = {str(number): stage for number, stage in enumerate(stages)}
    index.update({stage.name: stage for stage in stages})
    return Dockerfile(tuple(stages), frozenset(base_args), index)


def with_argument(text: str, stages: Iterable[str], value: str) -> str:
    """The text of a Dockerfile in which these stages declare one argument more, so that their RUN steps miss the cache.

    Unlike `--no-cache-filter` that leaves their cache mounts as they are: BuildKit prunes the mounts of steps that it
    is told not to look up (moby/buildkit solver/llbsolver/bridge.go).
    """
    wanted = {name.lower() for name in stages}
    lines = text.split("\n")  # as BuildKit counts them
    froms = [command for command in commands(text) if command.cmd.upper() == "FROM"]
    for number, command in reversed(list(enumerate(froms))):
        if _name(command, str(number)) in wanted:
            lines.insert(command.end_line, f"ARG CI_BUILDKIT_RUN={value}")
    return "\n".join(lines)


def _name(command: Any, number: str) -> str:
    """The name of the stage that a FROM begins, its number where it has none."""
    words = command.value
    return words[2].lower() if len(words) > 2 and words[1].upper() == "AS" else number


def _stage(command: Any, body: list[Any], number: str, names: set[str]) -> DockerfileStage:
    words = command.value
    uses = [source for instruction in body for source in _sources(instruction) if source in names]
    kinds = [instruction.cmd.upper() for instruction in body]
    workdirs = [i.value[0] for i in body if i.cmd.upper() == "WORKDIR" and i.value]
    return DockerfileStage(
        name=_name(command, number),
        base=words[0].lower() if words else "",
        line=command.start_line,
        uses=tuple(dict.fromkeys(uses)),
        args=frozenset(v.partition("=")[0] for i in body if i.cmd.upper() == "ARG" for v in i.value),
        starts="CMD" in kinds or "ENTRYPOINT" in kinds,
        runs="RUN" in kinds,
        workdir=workdirs[-1] if workdirs else "",
        platform=next((f.partition("=")[2] for f in command.flags if f.startswith("--platform=")), ""),
    )


def _sources(instruction: Any) -> list[str]:
    """The stages or images that `COPY --from=` and `RUN --mount=...,from=` name."""
    found = []
    for flag in instruction.flags:
        key, _, value = flag.partition("=")
        if key == "--from":
            found.append(value.lower())
        elif key == "--mount":
            parts = dict(part.partition("=")[::2] for part in value.split(","))
            if parts.get("from"):
                found.append(parts["from"].lower())
    return found
