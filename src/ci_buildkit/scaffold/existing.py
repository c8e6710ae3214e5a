"""A Dockerfile or bake file that is there already: which of its stages do what. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from ci_buildkit.config.options import Options
from ci_buildkit.plan import kinds
from ci_buildkit.plan.dockerfile import Dockerfile, DockerfileStage, NoDockerfile, commands, parse
from ci_buildkit.plan.targets import BAKE_FILES, Target, Targets, bake_name
from ci_buildkit.record import Kind
from ci_buildkit.scaffold.tree import Tree

# Where a Dockerfile is that builds the whole repository, when it is not at the top.
ELSEWHERE = (
    "Dockerfile.*", "*.Dockerfile", "*.dockerfile", "docker/Dockerfile*", "docker/*/Dockerfile", "deploy/Dockerfile*",
    "deployment/Dockerfile*", "container/Dockerfile*", "ci/Dockerfile*", "docker/*.Dockerfile",
)  # fmt: skip
NO_DOCKERFILE = re.compile(r"\.(dockerignore|j2|md|tmpl|tpl|template)$")
# What an unusual name of a stage may tell.
HINTS: Mapping[Kind, re.Pattern[str]] = {
    "lint": re.compile(r"lint|style|static|analy[sz]|quality|ruff|flake8|clippy|mypy|checkstyle"),
    "test": re.compile(r"(?<!la)test|spec|pytest|jest|coverage"),
    "binaries": re.compile(r"dist|out|export|package|bundle|artifact|asset"),
}


class Existing(Struct, frozen=True):
    """A build file, relative to its project.

    `stages` are the targets by kind that a run takes by itself, `options` the options that name others. `crosses` says
    whether it compiles for other platforms without emulation.
    """

    file: str
    bake: bool = False
    stages: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    crosses: bool = False
    notes: tuple[str, ...] = ()


def find(tree: Tree, *, elsewhere: bool) -> Existing | None:
    """The build file that a run would take, or with `elsewhere` one that has another place or name; None without any."""
    if bake := tree.first(*BAKE_FILES):
        return Existing(
            bake, bake=True, notes=(f"{bake} is used as it is: `ci-buildkit plan` shows what its targets are",)
        )
    if "Dockerfile" in tree.files:
        return read("Dockerfile", tree.text("Dockerfile"))
    found = [file for file in tree.matching(*ELSEWHERE) if not NO_DOCKERFILE.search(file)] if elsewhere else []
    if not found:
        return None
    file = min(found, key=lambda one: (not re.search(r"prod|release|ci", one), one.count("/"), one))
    others = tuple(one for one in found if one != file)
    notes = (f"{file} is used; `file:` in ci-buildkit.yml chooses another: {', '.join(others)}",) if others else ()
    existing = read(file, tree.texts.get(file, ""))
    return replace(existing, notes=(*notes, *existing.notes))


def read(file: str, text: str) -> Existing:
    """What a Dockerfile's stages do."""
    try:
        parsed = parse(commands(text))
    except NoDockerfile as error:
        return Existing(file, notes=(f"{file} is no valid Dockerfile, `ci-buildkit doctor` says more: {error}",))
    if not parsed.stages:
        return Existing(file, notes=(f"{file} has no stage",))
    taken = kinds.classify(Options(), _targets(file, parsed))
    stages: dict[Kind, tuple[str, ...]] = {}
    for name, kind in taken.items():
        stages[kind] = (*stages.get(kind, ()), name)
    options: dict[str, tuple[str, ...]] = {}
    for kind in ("lint", "test", "binaries"):
        if kind not in stages and (found := _hinted(parsed, kind, {*taken, *(n for o in options.values() for n in o)})):
            options[f"{kind}-target"] = found
    missing = [kind for kind in ("lint", "test") if kind not in stages and f"{kind}-target" not in options]
    notes = (f"{file} has no {' and no '.join(missing)} stage: only what it has is run",) if missing else ()
    return Existing(file, stages=stages, options=options, crosses=_crosses(parsed), notes=notes)


def _crosses(parsed: Dockerfile) -> bool:
    """Whether a stage on the builder's own platform asks for which one it compiles."""
    own = [stage.name for stage in parsed.stages if "BUILDPLATFORM" in stage.platform]
    asking = [stage.name for stage in parsed.stages if "TARGETARCH" in stage.args]
    return any(set(own) & set(parsed.reach(name)) for name in asking)


def _targets(file: str, parsed: Dockerfile) -> Targets:
    """The stages as the targets that BuildKit would tell of."""
    last = parsed.stages[-1]
    return Targets(
        Path(file),
        tuple(
            Target(
                bake_name("image" if one.name.isdigit() else one.name),
                one.name,
                Path(file),
                parsed,
                {},
                default=one is last,
            )
            for one in parsed.stages
            if not one.name.isdigit() or one is last
        ),
    )


def _hinted(parsed: Dockerfile, kind: Kind, taken: Iterable[str]) -> tuple[str, ...]:
    """The stages whose names hint at a kind, without those that another one of them is made from."""
    found = [stage for stage in parsed.stages if _hints(stage, kind) and stage.name not in taken]
    inner = {part for stage in found for part in parsed.reach(stage.name) if part != stage.name}
    return tuple(stage.name for stage in found if stage.name not in inner)


def _hints(stage: DockerfileStage, kind: Kind) -> bool:
    named = not stage.name.isdigit() and HINTS[kind].search(stage.name) is not None
    # What is exported as files begins with nothing, and starts nothing.
    return named and not stage.starts and (kind != "binaries" or stage.base == "scratch")
