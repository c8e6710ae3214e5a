"""Builders: made, reused, removed, and leftovers of dead runs swept."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci_buildkit.engine.buildx import Buildx, explain
from ci_buildkit.engine.owner import Owner
from ci_buildkit.errors import ConfigurationError, EngineError

PREFIX = "ci-buildkit-"
CONTAINER_PREFIX = "buildx_buildkit_"
# BuildKit cuts a step's log at 2 MiB and 200 KiB/s and drops its tail (util/progress/logs); -1 lifts both limits.
UNLIMITED_LOGS = {"env.BUILDKIT_STEP_LOG_MAX_SIZE": "-1", "env.BUILDKIT_STEP_LOG_MAX_SPEED": "-1"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The builder that a run asks for; without a name a new one with a name of its own."""

    name: str | None = None
    image: str | None = None
    config: Path | None = None
    driver_opts: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Builder:
    """A running builder. `created` says that this process made it, `kept` that it stays when the run ends."""

    name: str
    driver: str
    buildkit: str
    platforms: tuple[str, ...]
    created: bool
    kept: bool

    @property
    def native(self) -> tuple[str, ...]:
        """The platforms that the builder's machine executes itself: buildx lists them first (amd64 and its levels)."""
        first = self.platforms[0] if self.platforms else ""
        return tuple(p for p in self.platforms if p == first or p.startswith(f"{first}/v") or p == "linux/386")


def ensure(buildx: Buildx, wanted: Wanted) -> Builder:
    """The builder of that name, made where it does not exist, and running.

    Raises EngineError where docker refuses, ConfigurationError where the configuration file does not exist.
    """
    if wanted.name and (found := inspect(buildx, wanted.name, kept=True)):
        return found
    return create(buildx, wanted)


def create(buildx: Buildx, wanted: Wanted) -> Builder:
    """Make and boot a docker-container builder. What a failed attempt left is removed."""
    if wanted.config and not wanted.config.is_file():
        raise ConfigurationError(f"the buildkitd configuration {wanted.config} does not exist")
    name = wanted.name or PREFIX + secrets.token_hex(4)
    options = {**UNLIMITED_LOGS, **(wanted.driver_opts or {})}
    if not wanted.name:
        options[f"env.{Owner.VARIABLE}"] = str(Owner.here())
    if wanted.image:
        options["image"] = wanted.image
    words = [word for key, value in options.items() for word in ("--driver-opt", _quoted(f"{key}={value}"))]
    if wanted.config:
        words += ["--buildkitd-config", str(wanted.config)]
    try:
        # Not through python-on-whales: it lists all builders to look at the new one, which dials those of dead hosts
        # and fails when another process removes its own meanwhile, and it does not quote options that hold commas.
        buildx.call("buildx", "create", "--name", name, "--driver", "docker-container", *words, "--bootstrap")
    except EngineError as error:
        with contextlib.suppress(EngineError):
            remove(buildx, name)
        raise EngineError(
            f"the builder could not be made: {error.message}",
            hint=error.hint or "check the BuildKit image (--builder-image) and driver options (--driver-opt)",
        ) from error
    made = inspect(buildx, name, created=True, kept=bool(wanted.name))
    if made is None:
        raise EngineError(f"the builder {name} vanished right after it was made")
    return made


def _quoted(option: str) -> str:
    """A driver option as buildx reads it: one field of CSV."""
    return '"' + option.replace('"', '""') + '"' if any(c in option for c in ',"\n') else option


def inspect(buildx: Buildx, name: str, *, created: bool = False, kept: bool = False) -> Builder | None:
    """A builder as it is, booted when it is not running; None where there is none of that name."""
    try:
        text = buildx.call("buildx", "inspect", name)
        if _field(text, "Status") != "running":
            text = buildx.call("buildx", "inspect", "--bootstrap", name)
    except EngineError as error:
        if "no builder" in error.message.lower() or "not found" in error.message.lower():
            return None
        raise
    return Builder(
        name=name,
        driver=_field(text, "Driver"),
        buildkit=_field(text, "BuildKit version") or _field(text, "Buildkit"),
        platforms=tuple(p.strip().rstrip("*") for p in _field(text, "Platforms").split(",") if p.strip()),
        created=created,
        kept=kept,
    )


def _field(text: str, name: str) -> str:
    """The last value of `Name: value` in the listing of `docker buildx inspect`."""
    values = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(f"{name}:")]
    return values[-1] if values else ""


def remove(buildx: Buildx, name: str) -> None:
    """Remove a builder, its container and its cache. Raises EngineError where docker refuses."""
    buildx.call("buildx", "rm", "--force", name)


def listed(buildx: Buildx) -> list[dict[str, Any]]:
    """All builders that buildx knows: `name`, `driver`, `status` of the first node and the `platforms` of all."""
    lines = buildx.call("buildx", "ls", "--format", "{{json .}}").splitlines()
    found: dict[str, dict[str, Any]] = {}
    for entry in (json.loads(line) for line in lines if line.strip()):
        nodes = entry.get("Nodes") or []
        platforms = dict.fromkeys(p for node in nodes for p in node.get("Platforms") or ())
        status = str((nodes[0].get("Status") if nodes else "") or "inactive")
        name = str(entry.get("Name", ""))
        found.setdefault(
            name, {"name": name, "driver": entry.get("Driver", ""), "status": status, "platforms": list(platforms)}
        )
    return list(found.values())


def sweep(buildx: Buildx) -> list[str]:
    """Remove builders whose run died without removing them; returns their names.

    They are found by their containers, since the builder's own record may have vanished with a job container.
    """
    from python_on_whales.exceptions import DockerException

    swept = []
    try:
        containers = buildx.docker.container.list(all=True, filters=[("name", f"{CONTAINER_PREFIX}{PREFIX}")])
    except DockerException as error:
        raise explain(error.stderr or str(error)) from error
    for container in containers:
        with contextlib.suppress(DockerException, EngineError):  # another sweep may be faster
            owner = Owner.of(container.config.env or ())
            if owner is None or owner.alive():
                continue
            name = container.name
            container.remove(force=True, volumes=True)
            builder = name.removeprefix(CONTAINER_PREFIX).removesuffix("0")
            swept.append(builder)
            buildx.docker.volume.remove(f"{name}_state")
            remove(buildx, builder)
    return swept
