"""What is wrong with the machine that the pipeline runs on: everything is asked side by side, and nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct, field

from ci_buildkit.config import sources
from ci_buildkit.config.options import Options
from ci_buildkit.doctor import (
    machine_act,
    machine_builder,
    machine_checkout,
    machine_disk,
    machine_docker,
    machine_linters,
    machine_registry,
    workflows,
)
from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.flaw import Rule
from ci_buildkit.doctor.machine import Machine
from ci_buildkit.doctor.machine_act import Act
from ci_buildkit.doctor.machine_builder import Builder, Emulation
from ci_buildkit.doctor.machine_checkout import Checkout
from ci_buildkit.doctor.machine_disk import Disk
from ci_buildkit.doctor.machine_docker import Docker
from ci_buildkit.doctor.machine_registry import Registry
from ci_buildkit.errors import ConfigurationError


class Facts(Struct, frozen=True):
    """What was found out about the machine. `settings` is the folder of docker's settings."""

    options: Options = field(default_factory=Options)
    settings: str = "~/.docker"
    docker: Docker | None = None
    builder: Builder | None = None
    bake: bool = False
    emulation: Emulation = field(default_factory=Emulation)
    disks: tuple[Disk, ...] = ()
    registries: tuple[Registry, ...] = ()
    checkout: Checkout = field(default_factory=Checkout)
    act: Act | None = None

    @property
    def driver(self) -> str:
        """The driver of the builder that a run takes."""
        return self.builder.driver if self.builder and self.builder.driver else self.options.driver

    @property
    def pushes(self) -> bool:
        """Whether a run pushes."""
        return self.options.push or self.options.push_by_digest


RULES: tuple[Rule[Facts], ...] = (
    Rule("no-docker", "error", "There is no docker command.", lambda f: machine_docker.command(f.docker)),
    Rule("no-daemon", "error", "The Docker daemon does not answer.", lambda f: machine_docker.daemon(f.docker, f.driver)),
    Rule("no-buildx", "error", "Docker has no buildx.", lambda f: machine_docker.plugin(f.docker, f.settings)),
    Rule("old-buildx", "error", "Buildx is too old.", lambda f: machine_docker.outdated(f.docker, bake=f.bake)),
    Rule("clock", "warning", "This machine and the daemon's have different times.", lambda f: machine_docker.clock(f.docker)),
    Rule("builder", "error", "The builder of the settings does not exist, run, or answer.", lambda f: machine_builder.exists(f.builder)),
    Rule("no-emulation", "warning", "A platform that nothing executes.", lambda f: machine_builder.emulated(f.emulation)),
    Rule("disk", "warning", "Little room is left.", lambda f: machine_disk.full(f.disks)),
    Rule("no-registry", "error", "A registry does not answer.", lambda f: machine_registry.reachable(f.registries, pushes=f.pushes)),
    Rule("no-login", "error", "A login is missing or refused.", lambda f: machine_registry.logins(f.registries, pushes=f.pushes)),
    Rule("no-repository", "warning", "There is no Git repository.", lambda f: machine_checkout.complete(f.checkout)),
    Rule("no-tag", "notice", "No version can be made from Git.", lambda f: machine_checkout.versioned(f.checkout, f.options.version)),
    Rule("checkout", "notice", "Changed files, or no origin.", lambda f: machine_checkout.described(f.checkout)),
    Rule("no-act", "notice", "There is no act.", lambda f: machine_act.missing(f.act)),
    Rule("no-runner-image", "notice", "act's image is not here.", lambda f: machine_act.without_image(f.act)),
)  # fmt: skip


def examine(root: Path, environ: Mapping[str, str]) -> list[Diagnosis]:
    """All that is wrong with the machine, and what its own linters find in the workflows.

    `environ` is the environment that a run would have. No question takes longer than `machine.SECONDS`.
    """
    asked = Machine(root, environ, _options(root, environ))
    with ThreadPoolExecutor(max_workers=2) as pool:
        linted = pool.submit(lambda: machine_linters.look(asked, workflows.examine(root)))
        facts = gather(asked)
        said = [diagnosis for rule in RULES for diagnosis in rule.diagnoses("", facts)]
        return [*said, *linted.result()]


def _options(root: Path, environ: Mapping[str, str]) -> Options:
    """The options in force; the defaults where the settings are wrong, which is told with their lines elsewhere."""
    try:
        return sources.load({"context": root}, environ).options
    except ConfigurationError:
        return Options(context=root)


def gather(asked: Machine) -> Facts:
    """Ask everything, what does not depend on another answer at the same time."""
    has_workflows = any(file.path.startswith(".github/workflows/") for file in workflows.files(asked.root))
    with ThreadPoolExecutor(max_workers=8) as pool:
        docker = pool.submit(machine_docker.look, asked)
        builder = pool.submit(lambda: machine_builder.look(asked) if asked.find("docker") else None)
        disks = pool.submit(machine_disk.look, asked)
        checkout = pool.submit(machine_checkout.look, asked)
        works = pool.submit(lambda: bool((found := docker.result()) and found.buildx and found.server))
        emulation = pool.submit(
            lambda: machine_builder.emulation(asked, builder.result()) if works.result() else Emulation()
        )
        registries = pool.submit(lambda: machine_registry.look(asked, builder.result()) if works.result() else ())
        act = pool.submit(lambda: machine_act.look(asked, docker.result(), workflows=has_workflows))
        return Facts(
            options=asked.options,
            settings=str(machine_registry.settings_folder(asked.environ)),
            docker=docker.result(),
            builder=builder.result(),
            bake=bool(machine_builder.bake_file(asked)),
            emulation=emulation.result(),
            disks=(*disks.result(), *machine_disk.of_docker(docker.result())),
            registries=registries.result(),
            checkout=checkout.result(),
            act=act.result(),
        )
