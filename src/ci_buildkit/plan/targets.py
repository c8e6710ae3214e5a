"""The targets that exist: asked from BuildKit (`--call=targets`) or from the bake file (`bake --print`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from ci_buildkit.config.options import Options, pairs
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.dockerfile import Dockerfile, read

BAKE_FILES = ("docker-bake.hcl", "docker-bake.json")


class Asked(Protocol):
    """The questions that planning puts to the engine."""

    def targets(self, context: Path, file: Path, build_args: Mapping[str, str]) -> list[dict[str, Any]]:
        """The answer of `docker buildx build --call=targets,format=json`: a list of `{"name", "default", ...}`."""

    def bake_targets(self, file: Path) -> list[str]:
        """The names of all targets of a bake file."""

    def bake_print(self, file: Path, targets: Sequence[str]) -> dict[str, Any]:
        """The answer of `docker buildx bake --print`: `{"group": ..., "target": ...}`."""

    def bake_default(self, file: Path) -> frozenset[str]:
        """The targets that a bare `docker buildx bake` builds."""


class Target(Struct, frozen=True):
    """A target of the file. `stage` is the Dockerfile stage behind it, `definition` its bake definition.

    `default` marks what a plain `docker build` (or a bare `bake`) builds.
    """

    name: str
    stage: str
    file: Path
    dockerfile: Dockerfile
    definition: Mapping[str, Any]
    default: bool = False

    def is_called(self, word: str) -> bool:
        """Whether a word on the command line means this target: in any case, and as the Dockerfile writes it."""
        return self.name.lower() == bake_name(word.lower())

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms that the bake file asks for."""
        return tuple(self.definition.get("platforms", ()))


class Targets(Struct, frozen=True):
    """Every target, and the build file they stand in (a Dockerfile or a bake file)."""

    source: Path
    targets: tuple[Target, ...]

    def named(self, name: str) -> Target:
        """The target with this name. Raises ConfigurationError with the nearest and all names."""
        for target in self.targets:
            if target.is_called(name):
                return target
        raise unknown("target", name, self)


def bake_name(stage: str) -> str:
    """A Dockerfile stage's name as the name of a bake target, which may hold no dot (buildx, bake/bake.go)."""
    return stage.replace(".", "_")


def unknown(noun: str, name: str, targets: Targets) -> ConfigurationError:
    """The error for a name that no target has."""
    import difflib

    names = [target.name for target in targets.targets]
    near = difflib.get_close_matches(name, names, n=1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return ConfigurationError(
        f"there is no {noun} {name!r} in {targets.source}", hint=f"{guess}targets: {', '.join(names) or 'none'}"
    )


def source(options: Options) -> tuple[Path, bool]:
    """The build file and whether it is a bake file. Raises ConfigurationError where there is none.

    A bake file in the context wins over its Dockerfile, since it says more; naming a file decides.
    """
    if not options.context.is_dir():
        raise ConfigurationError(f"the context {options.context} is not a folder", hint="name it with --context")
    if options.file and options.bake_file:
        raise ConfigurationError("--file and --bake-file exclude each other", hint="give the one that is to be used")
    given = options.file or options.bake_file
    if given:
        if not given.is_file():
            beside = options.context / given
            if not beside.is_file():
                raise ConfigurationError(
                    f"there is no file {given}, neither here nor in the context {options.context}",
                    hint="name the Dockerfile with --file, or a bake file with --bake-file",
                )
            given = beside
        return given, options.bake_file is not None
    for name in BAKE_FILES:
        if (options.context / name).is_file():
            return options.context / name, True
    plain = options.context / "Dockerfile"
    if plain.is_file():
        return plain, False
    raise ConfigurationError(
        f"there is neither a Dockerfile nor a bake file in {options.context}",
        hint="name one with --file or --bake-file",
    )


def discover(options: Options, asked: Asked) -> Targets:
    """All targets of the repository's build file."""
    path, is_bake = source(options)
    return _from_bake(path, asked) if is_bake else _from_dockerfile(path, options, asked)


def _from_dockerfile(path: Path, options: Options, asked: Asked) -> Targets:
    args = pairs(options.build_arg)
    parsed = read(path)
    answers = asked.targets(options.context, path, args)
    taken = {str(answer.get("name") or "") for answer in answers}
    unnamed = next(name for name in ("image", "final", "default", "last-stage") if name not in taken)
    found = []
    for answer in answers:
        name = str(answer.get("name") or "")
        default = bool(answer.get("default"))
        if not name and not default:
            continue  # a stage without a name can only be built by its number
        definition: dict[str, Any] = {
            "context": str(options.context),
            "dockerfile": str(path.resolve()),
            # BuildKit finds no stage by the number of an unnamed one, but builds the last one where none is named.
            **({"target": name} if name else {}),
            **({"args": args} if args else {}),
        }
        stage = name or parsed.stages[-1].name
        found.append(Target(bake_name(name or unnamed), stage, path, parsed, definition, default))
    return Targets(path, tuple(found))


def _from_bake(path: Path, asked: Asked) -> Targets:
    names = asked.bake_targets(path)
    printed = asked.bake_print(path, names)
    defaults = asked.bake_default(path)
    folder = path.resolve().parent
    parsed: dict[Path, Dockerfile] = {}
    found = []
    for name in names:
        definition = dict(printed["target"].get(name, {}))
        file = _locate(definition, folder)
        graph = Dockerfile()
        if "dockerfile-inline" not in definition and file.is_file():
            graph = parsed[file] = parsed.get(file) or read(file)
        last = graph.stages[-1].name if graph.stages else name
        stage = str(definition.get("target", last)).lower()
        found.append(Target(name, stage, file, graph, definition, name in defaults))
    return Targets(path, tuple(found))


def _locate(definition: dict[str, Any], folder: Path) -> Path:
    """Make a local context absolute, since bake reads it relative to its own working directory; the Dockerfile's path."""
    context = str(definition.get("context", "."))
    if "://" in context or context.startswith("git@"):
        return folder / "remote" / str(definition.get("dockerfile", "Dockerfile"))
    definition["context"] = str((folder / context).resolve())
    file = Path(definition["context"]) / str(definition.get("dockerfile", "Dockerfile"))
    definition["dockerfile"] = str(file)
    return file


def contexts(definition: Mapping[str, Any]) -> list[str]:
    """The bake targets that a definition names as contexts."""
    values = map(str, definition.get("contexts", {}).values())
    return [value.removeprefix("target:") for value in values if value.startswith("target:")]
