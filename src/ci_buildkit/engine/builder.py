"""Builders: made, reused, removed, and leftovers of dead runs swept."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ci_buildkit.engine import machines
from ci_buildkit.engine.buildx import Buildx, explain, inspection
from ci_buildkit.engine.machines import Machine
from ci_buildkit.engine.nodes import CONTAINER, KUBERNETES, REMOTE, Node, create_words
from ci_buildkit.engine.owner import Owner
from ci_buildkit.errors import ConfigurationError, EngineError

PREFIX = "ci-buildkit-"
CONTAINER_PREFIX = "buildx_buildkit_"
EXISTS = "existing instance for"  # docker/buildx builder/builder.go
RANDOM_BYTES = 4  # of the name of a builder that goes with its run
# BuildKit cuts a step's log at 2 MiB and 200 KiB/s and drops its tail (util/progress/logs); -1 lifts both limits.
UNLIMITED_LOGS = {"env.BUILDKIT_STEP_LOG_MAX_SIZE": "-1", "env.BUILDKIT_STEP_LOG_MAX_SPEED": "-1"}


class Wanted(Struct, frozen=True):
    """The builder that a run asks for; without a name a new one with a name of its own."""

    name: str | None = None
    image: str | None = None
    config: Path | None = None
    driver: str = CONTAINER
    nodes: tuple[Node, ...] = (Node(),)


class Builder(Struct, frozen=True):
    """A builder of which a machine at least runs. `created` says that this process made it, `kept` that it stays when
    the run ends.
    """

    name: str
    driver: str
    machines: tuple[Machine, ...]
    created: bool
    kept: bool

    @property
    def living(self) -> tuple[Machine, ...]:
        """The machines that answer."""
        return tuple(machine for machine in self.machines if machine.alive)

    @property
    def dead(self) -> tuple[Machine, ...]:
        """The machines that do not answer."""
        return tuple(machine for machine in self.machines if not machine.alive)

    @property
    def buildkit(self) -> str:
        """The version of BuildKit on the first machine that answers, like "v0.34.2"."""
        return next((machine.buildkit for machine in self.living), "")

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platforms of all machines that answer, each once; the first is that of targets without platforms."""
        return machines.platforms(self.living)

    @property
    def native(self) -> tuple[str, ...]:
        """The platforms that one of its machines executes itself."""
        return tuple(dict.fromkeys(platform for machine in self.living for platform in machine.native))


def ensure(buildx: Buildx, wanted: Wanted) -> Builder:
    """The builder of that name, made where it does not exist, and running.

    Raises EngineError where docker refuses, ConfigurationError where the configuration file does not exist.
    """
    if wanted.name and (found := inspect(buildx, wanted.name, kept=True)):
        return found
    return create(buildx, wanted)


def create(buildx: Buildx, wanted: Wanted) -> Builder:
    """Make and boot a builder of all its nodes. What a failed attempt left is removed.

    Raises EngineError where a node cannot be made. One that only does not answer is no reason while others do, unless
    the builder is to be kept.
    """
    if wanted.config and not wanted.config.is_file():
        raise ConfigurationError(f"the buildkitd configuration {wanted.config} does not exist")
    name = wanted.name or PREFIX + secrets.token_hex(RANDOM_BYTES)
    try:
        _make(buildx, wanted, name)
        made = inspect(buildx, name, created=True, kept=bool(wanted.name))
        if made is None:
            raise EngineError(f"the builder {name} vanished right after it was made")
        if made.dead and (made.kept or not made.living):
            raise EngineError(silent(made.dead), hint="start BuildKit there, and check the endpoint and certificates")
        if len(wanted.nodes) > 1 and wanted.driver != KUBERNETES:  # which places its pods by their platforms itself
            made = _spread(buildx, wanted, made)
    except BaseException as error:
        if isinstance(error, EngineError) and EXISTS in error.message:  # another run was faster, and it is that one's
            if found := inspect(buildx, name, kept=True):
                return found
            raise
        with contextlib.suppress(EngineError):
            remove(buildx, name)
        if not isinstance(error, EngineError):  # an interruption
            raise
        raise EngineError(
            f"the builder could not be made: {error.message}",
            hint=error.hint or "check the BuildKit image (--builder-image) and driver options (--driver-opt, --node)",
        ) from error
    return made


def _make(buildx: Buildx, wanted: Wanted, name: str) -> None:
    """Make the nodes and boot them all at once."""
    # Not through python-on-whales: it lists all builders to look at the new one, which dials those of dead hosts and
    # fails when another process removes its own meanwhile, and it does not quote options that hold commas.
    several = len(wanted.nodes) > 1
    for number, node in enumerate(wanted.nodes):
        options = dict(node.options)
        if wanted.driver != REMOTE:
            image = {"image": wanted.image} if wanted.image else {}
            owner = {} if wanted.name else {f"env.{Owner.VARIABLE}": str(Owner.here())}
            options = {**UNLIMITED_LOGS, **image, **options, **owner}
        fixed = node.platforms if wanted.driver == KUBERNETES or not several else ()
        complete = replace(node, options=options, platforms=fixed)
        words = create_words(wanted.driver, name, complete, append=number > 0, config=wanted.config)
        # A remote one runs or does not; buildx would wait for it.
        last = number + 1 == len(wanted.nodes) and wanted.driver != REMOTE
        buildx.call("buildx", "create", *words, *(["--bootstrap"] if last else []))


def _spread(buildx: Buildx, wanted: Wanted, made: Builder) -> Builder:
    """Tell buildx which machine builds what, as soon as it is known what they can."""
    wished = {machine.name: node.platforms for machine, node in zip(made.machines, wanted.nodes, strict=True)}
    lists = machines.assigned(made.machines, wished)
    for found, node in zip(made.machines, wanted.nodes, strict=True):
        if fixed := lists[found.name]:
            again = ["--name", made.name, "--node", found.name, "--platform", ",".join(fixed)]
            buildx.call("buildx", "create", *again, *([node.endpoint] if node.endpoint else []))
    every = [
        replace(m, fixed=lists[m.name], platforms=tuple(dict.fromkeys((*m.platforms, *wished[m.name]))))
        for m in made.machines
    ]
    return replace(made, machines=tuple(every))


def silent(dead: Iterable[Machine]) -> str:
    """What to say of machines that do not answer: each by name, and why."""
    from ci_buildkit.engine import reach

    return "; ".join(f"node {machine.shown} does not answer: {reach.reason(machine)}" for machine in dead)


def inspect(buildx: Buildx, name: str, *, created: bool = False, kept: bool = False) -> Builder | None:
    """A builder as it is, booted when it is not running; None where there is none of that name."""
    try:
        text = buildx.call(*inspection(name))
        found = machines.read(text)
        # Nobody here can boot a remote one, and buildx waits 20 s for it.
        if machines.driver(text) != REMOTE and not (found and all(m.alive or m.error for m in found)):
            text = buildx.call("buildx", "inspect", "--bootstrap", name)
    except EngineError as error:
        if "no builder" in error.message.lower() or "not found" in error.message.lower():
            return None
        raise
    return Builder(name, machines.driver(text), machines.read(text), created, kept)


def remove(buildx: Buildx, name: str) -> None:
    """Remove a builder, its container and its cache. Raises EngineError where docker refuses."""
    buildx.call("buildx", "rm", "--force", name, shielded=True)


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
            builder = name.removeprefix(CONTAINER_PREFIX)[: len(PREFIX) + 2 * RANDOM_BYTES]  # the rest is the node's
            swept.append(builder)
            buildx.docker.volume.remove(f"{name}_state")
            remove(buildx, builder)
    return swept
