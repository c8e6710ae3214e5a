"""Which instruction of a Dockerfile, and which of its arguments and files, is different from an earlier run's. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher

from msgspec import Struct

from ci_buildkit.checkout import ignore
from ci_buildkit.record import (
    BuildRecord,
    ContextRecord,
    DockerfileStageRecord,
    InputsRecord,
    InstructionRecord,
)
from ci_buildkit.report.stepgraph import STEPS
from ci_buildkit.stepname import StepName
from ci_buildkit.text import plural

Chain = tuple[InstructionRecord, ...]
LISTED = 3
# What the result of a COPY depends on besides its own line: nothing but variables that it mentions.
_ENVIRONMENT = frozenset(["ARG", "ENV"])


class Inputs(Struct, frozen=True):
    """The inputs of one build of a run: its stages of the Dockerfile, arguments and contexts."""

    build: BuildRecord
    stages: tuple[DockerfileStageRecord, ...]
    contexts: Mapping[str, ContextRecord]

    def stage(self, name: str) -> DockerfileStageRecord | None:
        """A stage by name, the only one by ""; None where there is none."""
        own = [stage for stage in self.stages if stage.name]
        if not name:
            return own[0] if len(own) == 1 else None
        return next((stage for stage in reversed(own) if stage.name == name.lower()), None)

    def parent(self, stage: DockerfileStageRecord) -> DockerfileStageRecord | None:
        """The stage that a stage is made from, None where that is an image."""
        earlier = self.stages[: self.stages.index(stage)]
        return next((one for one in reversed(earlier) if one.name and one.name == stage.base), None)

    def chain(self, stage: DockerfileStageRecord, place: int) -> Chain:
        """The instructions that a stage's instruction at `place` builds upon, from the first base on, itself last."""
        own = stage.instructions[: place + 1]
        parent = self.parent(stage)
        return (*self.chain(parent, len(parent.instructions) - 1), *own) if parent else own

    def place(self, step: StepName) -> tuple[DockerfileStageRecord, int] | None:
        """The instruction of a step; None where the file does not tell (ONBUILD of a base image shifts the numbers)."""
        stage = self.stage(step.stage)
        if stage is None:
            return None
        steps = [place for place, one in enumerate(stage.instructions) if one.keyword in STEPS]
        from_image = stage.base != "scratch" and self.parent(stage) is None
        number = step.number - 1 - from_image
        total = step.total - from_image
        if total != len(steps) or not 0 <= number < total:
            return None
        place = steps[number]
        return (stage, place) if stage.instructions[place].keyword == step.keyword else None


def inputs_of(record: InputsRecord, stage: str, dockerfile: str) -> Inputs | None:
    """The inputs of a stage of the run, or of another that was built from the same Dockerfile; None without any."""
    builds = sorted(record.builds, key=lambda build: build.stage != stage)
    build = next((one for one in builds if one.dockerfile == dockerfile), None)
    file = next((one for one in record.dockerfiles if one.path == dockerfile), None)
    if build is None or file is None:
        return None
    by_path = {context.path: context for context in record.contexts}
    contexts = {name: by_path[path] for name, path in build.contexts.items() if path in by_path}
    return Inputs(build, file.stages, contexts)


def changed_line(now: Inputs, before: Inputs, stage: DockerfileStageRecord, place: int) -> str:
    """What is said of the first line that is different for an instruction; "" where none is."""
    own = stage.instructions[place]
    earlier = _same(now, before, stage)
    if earlier is None:
        return f"the stage {stage.name} is new"
    matching = [n for n, one in enumerate(earlier.instructions) if one.hash == own.hash]
    if not matching:
        return f"the {own.keyword} line {_new_or_changed(stage, earlier, place)}"
    was = before.chain(earlier, min(matching, key=lambda n: abs(n - place)))
    return _difference(_relevant(now.chain(stage, place)), _relevant(was))


def _same(now: Inputs, before: Inputs, stage: DockerfileStageRecord) -> DockerfileStageRecord | None:
    """The earlier stage of the same name; one without a name, whose number moves, is counted from the end."""
    if not stage.name.isdigit():
        return before.stage(stage.name) or (before.stage("") if len(now.stages) == 2 else None)
    unnamed = [one.name for one in now.stages if one.name.isdigit()]
    was = [one.name for one in before.stages if one.name.isdigit()]
    from_end = len(unnamed) - unnamed.index(stage.name)
    return before.stage(was[-from_end]) if from_end <= len(was) else None


def _new_or_changed(stage: DockerfileStageRecord, earlier: DockerfileStageRecord, place: int) -> str:
    """Changed where the line that stood there is gone, else new."""
    kept = {one.hash for one in stage.instructions}
    was = earlier.instructions[place : place + 1]
    return (
        "changed"
        if was and was[0].keyword == stage.instructions[place].keyword and was[0].hash not in kept
        else "is new"
    )


def _relevant(chain: Chain) -> Chain:
    own = chain[-1]
    if own.keyword == "RUN":
        return tuple(one for one in chain if one.keyword != "FROM")
    names = set(own.names)
    return tuple(
        one for one in chain if one.keyword in STEPS or (one.keyword in _ENVIRONMENT and names.intersection(one.names))
    )


def _difference(now: Chain, before: Chain) -> str:
    matcher = SequenceMatcher(None, [one.hash for one in before], [one.hash for one in now], autojunk=False)
    for kind, i, _, j, _ in matcher.get_opcodes():
        if kind == "delete":
            return f"the {before[i].keyword} line no longer stands before it"
        if kind != "equal":
            what = "changed" if kind == "replace" else "is new"
            return f"the {now[j].keyword} line before it {what} (line {now[j].line})"
    return ""


def changed_arguments(now: Inputs, before: Inputs, chain: Chain) -> list[str]:
    """The build arguments with other values that a step, the last of `chain`, can see: all for a RUN.

    A WORKDIR gives its folder the time SOURCE_DATE_EPOCH (dockerfile2llb/convert.go, `dispatchWorkdir`).
    """
    own = chain[-1]
    declared = {name for one in chain if one.keyword == "ARG" for name in one.names}
    seen = declared if own.keyword == "RUN" else declared.intersection(own.names)
    if own.keyword == "WORKDIR":
        seen = {*seen, "SOURCE_DATE_EPOCH"}
    return different_arguments(now, before, seen)


def different_arguments(now: Inputs, before: Inputs, names: Iterable[str]) -> list[str]:
    """Those of the named arguments that got another value, sorted."""
    was, args = before.build.args, now.build.args
    return sorted(name for name in names if was.get(name) != args.get(name))


def changed_files(now: Inputs, before: Inputs, own: InstructionRecord) -> list[tuple[str, str]]:
    """What an instruction takes and is different: path and what happened, `changed`, `is new`, `was removed` ..."""
    found: dict[str, str] = {}
    for context, patterns in own.takes.items():
        if context in now.contexts and context in before.contexts:
            found |= _between(now.contexts[context].files, before.contexts[context].files, patterns)
    return sorted(found.items())


def _between(now: Mapping[str, str], before: Mapping[str, str], patterns: Sequence[str]) -> dict[str, str]:
    different = [path for path in {**before, **now} if now.get(path) != before.get(path)]
    takes = _Takes(patterns)
    return {
        path: _happened(before.get(path), now.get(path))
        for path in different
        if takes(path) and not (_folded(path, now) or _folded(path, before))
    }


class _Takes:
    """Whether sources take a path."""

    def __init__(self, patterns: Sequence[str]) -> None:
        """Patterns of a COPY or a mount; `!` stands before those of `--exclude`."""
        wanted = [pattern for pattern in patterns if not pattern.startswith("!")]
        self._all = "." in wanted
        self._wanted = ignore.compiled(wanted)
        self._below = tuple(f"{pattern}/" for pattern in wanted)
        self._without = ignore.compiled(pattern[1:] for pattern in patterns if pattern.startswith("!"))

    def __call__(self, path: str) -> bool:
        """A folder counts where something in it may be taken."""
        name = path.rstrip("/")
        if self._without.fullmatch(name):
            return False
        inside = path.endswith("/") and any(below.startswith(path) for below in self._below)
        return self._all or inside or self._wanted.fullmatch(name) is not None


def _folded(path: str, files: Mapping[str, str]) -> bool:
    """Whether only a folder above or files below a path are told in the other list."""
    parts = path.rstrip("/").split("/")
    if path not in files and any("/".join(parts[:n]) + "/" in files for n in range(1, len(parts))):
        return True
    return path.endswith("/") and path not in files and any(other.startswith(path) for other in files)


def _happened(was: str | None, now: str | None) -> str:
    if was is None:
        return "is new"
    if now is None:
        return "was removed"
    if was.partition(":")[0] == now.partition(":")[0]:
        return f"has other permissions ({was.rpartition(':')[2]} before, {now.rpartition(':')[2]} now)"
    return "changed"


def told(files: Sequence[tuple[str, str]]) -> str:
    """`go.sum changed`, `a.go and b.go changed`, `a.go is new, b.go changed and 7 more files`."""
    whats = {what for _, what in files}
    paths = [path for path, _ in files[:LISTED]]
    more = len(files) - len(paths)
    if len(whats) == 1:
        tail = [plural(more, "more file")] if more else []
        return f"{_and([*paths, *tail])} {_verb(files[0][1], len(files))}"
    shown = [f"{path} {what}" for path, what in files[:LISTED]]
    return _and([*shown, *([plural(more, "more file")] if more else [])])


def _verb(what: str, count: int) -> str:
    if count == 1:
        return what
    return what.replace("is new", "are new").replace("was removed", "were removed").replace("has other", "have other")


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
