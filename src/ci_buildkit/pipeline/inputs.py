"""What a run builds from, gathered for its record while the builds run."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ci_buildkit.config.credentials import suspicious
from ci_buildkit.plan.stages import Plan, Stage
from ci_buildkit.record import BuildRecord, ContextRecord, DockerfileRecord, DockerfileStageRecord, InputsRecord

INLINE = "dockerfile-inline"
LATEST = 5.0  # seconds that a run which is over waits for them


class Gathering:
    """A thread that looks at the inputs of a plan."""

    def __init__(self, plan: Plan, root: Path) -> None:
        """Begin. `root` is the repository's folder, which paths are told relative to."""
        self._found = InputsRecord()
        self._thread = threading.Thread(target=self._gather, args=(plan, root), name="inputs", daemon=True)
        self._thread.start()

    def record(self) -> InputsRecord:
        """What was found; nothing where that takes longer than all builds did."""
        self._thread.join(LATEST)
        return InputsRecord() if self._thread.is_alive() else self._found

    def _gather(self, plan: Plan, root: Path) -> None:
        try:
            self._found = gather(plan, root)
        except OSError:  # a folder that went away: its builds fail and say so
            return


def gather(plan: Plan, root: Path) -> InputsRecord:
    """The inputs of all stages of a plan. What looks at them is imported here: in a thread, while the builds run."""
    from ci_buildkit.checkout import inputs

    texts: dict[str, DockerfileRecord] = {}
    looks: dict[str, tuple[Path, Path | None]] = {}
    builds = []
    for stage in plan.stages:
        file = _file(stage.definition)
        path = _told(file, root) if file else f"{stage.name}:{'inline' if INLINE in stage.definition else 'remote'}"
        if path not in texts:
            texts[path] = DockerfileRecord(path=path, stages=_read(stage.definition, file))
        contexts = {}
        for name, folder in _contexts(stage.definition).items():
            own = None if name else inputs.own_ignore(file)
            contexts[name] = _told(folder, root) + (f":{own.name}" if own else "")
            looks.setdefault(contexts[name], (folder, file if own else None))
        builds.append(_build(stage, path, contexts))
    named = _named(texts.values())
    return InputsRecord(
        contexts=tuple(_look(path, folder, file, named) for path, (folder, file) in looks.items()),
        dockerfiles=tuple(texts.values()),
        builds=tuple(builds),
    )


def _build(stage: Stage, dockerfile: str, contexts: dict[str, str]) -> BuildRecord:
    definition = stage.definition
    return BuildRecord(
        stage=stage.name,
        dockerfile=dockerfile,
        contexts=contexts,
        args={name: short_hash(name, str(value or "")) for name, value in definition.get("args", {}).items()},
        no_cache=bool(definition.get("no-cache")),
        no_cache_stages=tuple(str(name).lower() for name in definition.get("no-cache-filter", ())),
    )


def short_hash(name: str, value: str) -> str:
    """A hash that tells two values of an argument apart; of what looks like a credential so short that it says nothing."""
    digits = 4 if suspicious(name, value) else 8
    return hashlib.sha256(f"{name}\0{value}".encode(errors="surrogateescape")).hexdigest()[:digits]


def _look(path: str, folder: Path, file: Path | None, named: Iterable[str]) -> ContextRecord:
    from ci_buildkit.checkout import inputs

    found = inputs.look(folder, file, named)
    return ContextRecord(path=path, files=found.files, complete=found.complete)


def _named(dockerfiles: Iterable[DockerfileRecord]) -> frozenset[str]:
    """All paths that instructions name."""
    return frozenset(
        pattern
        for dockerfile in dockerfiles
        for stage in dockerfile.stages
        for instruction in stage.instructions
        for patterns in instruction.takes.values()
        for pattern in patterns
    )


def _file(definition: Mapping[str, Any]) -> Path | None:
    """None for one in a bake file, and for one in a remote context: its path is relative."""
    file = Path(str(definition.get("dockerfile", "")))
    return file if file.is_absolute() and INLINE not in definition else None


def _read(definition: Mapping[str, Any], file: Path | None) -> tuple[DockerfileStageRecord, ...]:
    from ci_buildkit.plan import sources

    if file is None:
        return sources.read(str(definition.get(INLINE, "")))
    return sources.read(file.read_text(encoding="utf-8", errors="surrogateescape")) if file.is_file() else ()


def _contexts(definition: Mapping[str, Any]) -> dict[str, Path]:
    """The contexts that are folders of this machine, by name."""
    given = {"": str(definition.get("context", ".")), **definition.get("contexts", {})}
    return {name.lower(): Path(value) for name, value in given.items() if "://" not in value and Path(value).is_dir()}


def _told(path: Path, root: Path) -> str:
    """A path relative to the repository: two machines tell it alike."""
    return os.path.relpath(path.resolve(), root.resolve())
