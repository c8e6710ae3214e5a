"""The builder that the settings name, and whether the platforms that are asked for can be executed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from msgspec import Struct

from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.machine import Machine
from ci_buildkit.engine import machines
from ci_buildkit.engine.builder import silent
from ci_buildkit.plan.targets import BAKE_FILES

# What buildx and the image specification write in several ways (containerd/platforms, `Normalize`).
SAME = {"linux/arm64/v8": "linux/arm64", "linux/arm": "linux/arm/v7", "linux/amd64/v1": "linux/amd64"}
DEFAULT = "default"  # the builder of docker's own daemon


class Builder(Struct, frozen=True):
    """A builder as buildx knows it. `trouble` is why it cannot be used, `absent` that there is none of that name."""

    name: str
    driver: str = ""
    platforms: tuple[str, ...] = ()
    trouble: str = ""
    absent: bool = False
    stopped: bool = False


class Emulation(Struct, frozen=True):
    """The platforms that are asked for and by what, and those that can be executed; none are known without a daemon."""

    wanted: tuple[tuple[str, str], ...] = ()
    possible: tuple[str, ...] = ()


def look(machine: Machine) -> Builder | None:
    """The builder that the settings name; None where they name none."""
    return inspected(machine, machine.options.builder) if machine.options.builder else None


def inspected(machine: Machine, name: str) -> Builder:
    """A builder as it is; nothing is started."""
    reply = machine.ask("docker", "buildx", "inspect", name)
    if not reply.good:
        return Builder(name, trouble=reply.said, absent="no builder" in reply.said.lower())
    nodes, driver = machines.read(reply.out), machines.driver(reply.out)
    dead = [node for node in nodes if not node.alive]
    idle = [node for node in dead if not node.error]
    stopped = bool(idle) and driver == "docker-container"
    trouble = "" if stopped or not dead else silent(dead)
    return Builder(name, driver, machines.platforms(nodes), trouble, stopped=stopped)


def emulation(machine: Machine, builder: Builder | None) -> Emulation:
    """What the settings and the bake file ask for, and what the builder, or docker's own, lists."""
    wanted = [(platform, "the setting platform") for platform in machine.options.platform]
    wanted = wanted or [(platform, file) for file, platform in _of_bake(machine)]
    if not wanted:
        return Emulation()
    known = builder if builder and builder.platforms else inspected(machine, DEFAULT)
    return Emulation(tuple(dict.fromkeys(wanted)), known.platforms)


def bake_file(machine: Machine) -> str:
    """The name of the bake file that a run takes, "" where it takes a Dockerfile."""
    if machine.options.bake_file:
        return str(machine.options.bake_file)
    return "" if machine.options.file else next((name for name in BAKE_FILES if (machine.root / name).is_file()), "")


def _of_bake(machine: Machine) -> Iterator[tuple[str, str]]:
    """The bake file and each platform that its targets name."""
    name = bake_file(machine)
    if not name:
        return
    beside = machine.root / name
    file = str(beside if beside.is_file() else name)
    listed = machine.ask("docker", "buildx", "bake", "--file", file, "--list=type=targets,format=json")
    try:
        targets = [str(entry["name"]) for entry in json.loads(listed.out) if not entry.get("group")]
        printed = json.loads(machine.ask("docker", "buildx", "bake", "--file", file, "--print", *targets).out)
    except (ValueError, KeyError, TypeError):  # the file is wrong, which is told with its lines
        return
    for target in (printed.get("target") or {}).values():
        yield from ((name, platform) for platform in target.get("platforms") or ())


def exists(builder: Builder | None) -> Iterator[Flaw]:
    """Whether the builder is there and answers."""
    if builder is None:
        return
    name = builder.name
    if builder.absent:
        how = f"the next run makes it, with an empty cache; ci-buildkit builder create {name} does that now"
        yield Flaw(None, f"there is no builder {name}: {how}", severity="notice")
    elif builder.stopped:
        yield Flaw(None, f"the builder {name} does not run; the next run starts it", severity="notice")
    elif builder.trouble:
        yield Flaw(None, f"the builder {name} cannot be used: {builder.trouble}")


def emulated(found: Emulation) -> Iterator[Flaw]:
    """Platforms that neither the machine nor an emulator executes."""
    possible = {normal(platform) for platform in found.possible}
    for platform, source in found.wanted if possible else ():
        if platform.startswith("linux/") and normal(platform) not in possible:
            architecture = platform.split("/")[1]
            yield Flaw(
                None,
                f"{platform}, which {source} asks for, is executed neither by the machine nor by an emulator: only stages that "
                "cross-compile (FROM --platform=$BUILDPLATFORM) are sure to build; register QEMU: docker run --privileged --rm "
                f"tonistiigi/binfmt --install {architecture}",
            )


def normal(platform: str) -> str:
    """A platform as buildx lists it."""
    return SAME.get(platform, platform)
