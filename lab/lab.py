"""Bring the engine up, take it down, or say how it is: ``python3 lab/lab.py up|down|status [--quiet]``.

Needs Python 3.10 and its standard library only: it runs before any virtual environment exists.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

CHECKOUT = Path(__file__).resolve().parent.parent
# Run as a file, Python puts lab/ itself first; the package is one level up.
sys.path[0] = str(CHECKOUT)

from lab import console, debian, emulation, environment, images, languages, runner, tools  # noqa: E402
from lab.console import EXIT_ENGINE, LabError, say, step  # noqa: E402
from lab.engine import Engine  # noqa: E402
from lab.places import DAYS_KEPT, SPACE_TO_BUILD, SPACE_TO_START, Places, Store, digest, require_space  # noqa: E402
from lab.registry import Registry  # noqa: E402

if TYPE_CHECKING:
    from types import FrameType

    from lab.layers import Image


class Lab:
    """The embedded engine of this user: tools, registry, images, emulation, dockerd."""

    def __init__(self) -> None:
        """Describe the lab; nothing is started."""
        self.places = Places.of_user()
        self.store = Store(self.places)
        self.registry = Registry(self.places)
        self.engine = Engine(self.places)
        self.mark = self.places.run / "definition"

    def definition(self) -> str:
        """Return the hash of everything in this checkout and machine that defines the lab."""
        npm = (runner.NODE, languages.NPM)
        locks = [path for folder in npm for path in folder.glob("*.json")]
        own = sorted([*Path(CHECKOUT, "lab").glob("*.py"), *tools.MODULES.glob("*/go.*"), *locks])
        return digest(*own, images.ca_bundle(), debian.release(), debian.native(), str(self.places.cache))

    def running(self) -> bool:
        """Tell whether the whole lab of this definition runs and answers."""
        try:
            same = self.mark.read_text() == self.definition()
        except OSError:
            return False
        forced = os.environ.get("CI_BUILDKIT_LAB_PORT", "")
        return same and forced in {"", str(self.registry.port)} and self.registry.healthy() and self.engine.healthy()

    def up(self) -> None:
        """Build what is missing, start what does not run. Raises LabError with the reason when it cannot."""
        check_rights()
        self.store.sweep()
        require_space(self.places.cache, SPACE_TO_START)
        self.mark.unlink(missing_ok=True)
        tools.require_go()
        debian.require(debian.TO_RUN)
        folders = self.build()
        self.places.run.mkdir(parents=True, exist_ok=True)
        with step("started the registry"):
            self.registry.up()
        with step("filled the registry"):
            for image in self.images():
                self.registry.fill(self.store, image)
        self.places.sockets.mkdir(parents=True, exist_ok=True, mode=0o711)
        key = digest(*(str(folders[name]) for name in ("moby", "runc")))
        with step("started dockerd"):
            self.engine.up(self.registry.port, key)
            emulation.up(self.store, self.places)
        (self.places.run / "buildkitd.toml").write_text(environment.buildkitd_config(self.registry.port))
        environment.prepare_client(self.places.run / "docker-config", folders["buildx"] / "buildx")
        with step("pulled the BuildKit image"):
            environment.pull_builder(shutil.which("docker") or self.places.bin / "docker", self.values())
        self.store.prune(DAYS_KEPT)
        self.mark.write_text(self.definition())

    def build(self) -> dict[str, Path]:
        """Return the folder of each tool; builds two at a time what is not in the cache yet."""
        missing = [one for one in tools.TOOLS if not self.store.path("tools", one.name, one.key).is_dir()]
        if missing:
            require_space(self.places.cache, SPACE_TO_BUILD)
            say(f"building {', '.join(one.name for one in missing)}; this is done once and takes some minutes")
        if any(one.static_cgo for one in missing):
            debian.require(debian.TO_BUILD_RUNC, () if debian.has_libseccomp() else debian.LIBSECCOMP)
        with ThreadPoolExecutor(2) as pool:
            building = {one.name: pool.submit(tools.build, self.store, one) for one in tools.TOOLS}
            try:
                # These wait for the network or use one processor at most: done beside the Go builds.
                self.prepare()
                folders = {name: task.result() for name, task in building.items()}
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                console.end_children()
                raise
        self.link(folders)
        return folders

    def prepare(self) -> None:
        """Fetch from Debian and the Go module proxy what the images need, and write the layers that need no tool."""
        for name in ("tini", "qemu-user-static"):
            debian.unpacked(self.store, name, debian.native())
        if not shutil.which("docker"):
            debian.unpacked(self.store, "docker.io", debian.native())
        layers = {layer.key: layer for image in self.images() for one in image.layers.values() for layer in one}
        for layer in layers.values():
            if layer.name not in tools.BY_NAME:
                layer.blob(self.store)

    def link(self, folders: dict[str, Path]) -> None:
        """Make the folder that goes on PATH: a link to each program of this definition."""
        self.places.bin.mkdir(exist_ok=True)
        programs = {
            one.name: one for name, folder in folders.items() if "previous" not in name for one in folder.iterdir()
        }
        programs["docker-init"] = debian.unpacked(self.store, "tini", debian.native()) / "usr" / "bin" / "tini-static"
        if not shutil.which("docker"):
            programs["docker"] = debian.unpacked(self.store, "docker.io", debian.native()) / "usr" / "bin" / "docker"
        for name, program in programs.items():
            part = self.places.bin / f".{name}"
            part.unlink(missing_ok=True)
            part.symlink_to(program)
            part.replace(self.places.bin / name)

    def values(self) -> dict[str, str]:
        """Return the variables of ``.lab/env``."""
        config = self.places.run / "docker-config"
        return {
            "DOCKER_HOST": f"unix://{self.engine.socket}",
            "DOCKER_CONFIG": str(config),
            "BUILDX_CONFIG": str(config / "buildx"),
            "CI_BUILDKIT_LAB_REGISTRY": f"localhost:{self.registry.port}",
            "CI_BUILDKIT_BUILDER_IMAGE": environment.BUILDER_IMAGE,
            "CI_BUILDKIT_BUILDKITD_CONFIG": str(self.places.run / "buildkitd.toml"),
            "CI_BUILDKIT_BUILDER_DRIVER_OPTS": "network=host",
            "CI_BUILDKIT_RUNNER_IMAGE": f"localhost:{self.registry.port}/{environment.RUNNER_IMAGE}:latest",
        }

    def images(self) -> list[Image]:
        """Return every image of the registry, each ready to be made."""
        return [*images.table(self.store), runner.image(self.store), *languages.table(self.store)]

    def down(self) -> None:
        """End and remove everything the lab started; the cache of outputs stays. Safe to repeat."""
        if not self.places.run.exists() and not self.places.sockets.exists():
            return
        check_rights()
        self.mark.unlink(missing_ok=True)
        emulation.down(self.places)
        self.engine.down()
        self.registry.down()
        shutil.rmtree(self.places.run, ignore_errors=True)


def check_rights() -> None:
    """Raise LabError unless run as root: dockerd mounts, makes bridges and packet rules."""
    if os.geteuid():
        raise LabError(
            what="the lab needs root",
            why=f"this is user {os.geteuid()}",
            then="run `sudo -E make lab`, or set up Docker for your user",
        )


def up() -> str:
    """Write ``.lab/env`` for the machine's Docker or the lab, started when needed; return what was done."""
    wanted = environment.choice()
    lab = Lab()
    with lab.places.locked():
        if wanted != "never" and lab.running():
            return share(lab)
        # A lab that runs (of another version of these files, say) was chosen before; do not ask again.
        if wanted == "auto" and lab.engine.healthy():
            wanted = "always"
        reason = "" if wanted == "always" else environment.why_no_docker(lab.places.cache / "machine-docker")
        if wanted != "always" and not reason:
            environment.write(CHECKOUT, environment.lines({}, None), {"engine": environment.MACHINE})
            return "this machine's Docker is used"
        if wanted == "never":
            raise LabError(
                what="this machine's Docker cannot be used",
                why=reason,
                then=f"mend it, or unset {environment.CHOICE} to get the embedded engine",
            )
        if reason:
            say(f"using the embedded engine, because {reason}")
        lab.up()
        return share(lab)


def share(lab: Lab) -> str:
    """Write ``.lab/env`` of this checkout for the running lab; return a line about it."""
    environment.write(
        CHECKOUT, environment.lines(lab.values(), lab.places.bin), {"engine": "lab", "cache": str(lab.places.cache)}
    )
    return f"the lab runs, registry at localhost:{lab.registry.port}; use it with `. .lab/env`"


def down() -> str:
    """Take the lab down; return a line about it."""
    lab = Lab()
    with lab.places.locked():
        lab.down()
    environment.forget(CHECKOUT)
    return "the lab is down; its cache stays"


def status() -> str:
    """Return one JSON line about the engine in use; raises LabError when it does not run."""
    if environment.uses_machine(CHECKOUT):
        return json.dumps({"engine": environment.MACHINE})
    lab = Lab()
    if not lab.running():
        raise LabError(what="the lab does not run", why="it was not started, or not from this version", then="make lab")
    versions = {one.name: one.version for one in tools.TOOLS}
    return json.dumps(
        {"registry": f"localhost:{lab.registry.port}", "cache": str(lab.places.cache), "versions": versions}
    )


def interrupted(signum: int, _frame: FrameType | None) -> NoReturn:
    """End child processes and leave; what they were making is swept by the next call."""
    sys.stderr.write("lab: interrupted; the next call goes on from here\n")
    console.end_children()
    raise SystemExit(130 if signum == signal.SIGINT else 128 + signum)


def main() -> int:
    """Run the command line; return the exit code (0, 4 for engine trouble, 130 interrupted)."""
    parser = argparse.ArgumentParser(description="The embedded engine: dockerd, BuildKit, a registry, base images.")
    parser.add_argument("command", choices=("up", "down", "status"))
    parser.add_argument("--quiet", action="store_true", help="errors only")
    options = parser.parse_args()
    if options.quiet:
        console.be_quiet()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, interrupted)
    begin = time.monotonic()
    try:
        text = {"up": up, "down": down, "status": status}[options.command]()
    except LabError as error:
        sys.stderr.write(f"lab: error: {error}\n")
        return EXIT_ENGINE
    if options.command == "status":
        sys.stdout.write(f"{text}\n")
    else:
        say(f"{text} ({time.monotonic() - begin:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
