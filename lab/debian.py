"""Debian packages: commands the machine must have, and files taken out of packages without installing them."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from .console import LabError, run, step
from .places import digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .places import Store

# Debian's name of an architecture, by what uname and by what Docker calls it.
OF_MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}
OF_PLATFORM = {"linux/amd64": "amd64", "linux/arm64": "arm64", "linux/arm/v7": "armhf"}
APT = ("-qq", "-o", "DPkg::Lock::Timeout=120", "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3")

# Command or file that shows that the package is there.
TO_RUN = {"iptables": "iptables", "ip": "iproute2", "git": "git"}
TO_BUILD_RUNC = {"gcc": "gcc", "pkg-config": "pkg-config"}
LIBSECCOMP = ("libseccomp-dev", "libc6-dev")


def native() -> str:
    """Return this machine's architecture in Go's and Docker's words."""
    machine = platform.machine()
    if machine not in OF_MACHINE:
        raise LabError(
            what="the lab cannot run here", why=f"the processor is {machine}", then="use a machine with amd64 or arm64"
        )
    return OF_MACHINE[machine]


def release() -> str:
    """Return the distribution's name and release, which decide the versions of its packages."""
    try:
        return Path("/etc/os-release").read_text()
    except OSError:
        return ""


def search_path() -> str:
    """Return PATH with the folders of system commands, which a plain user's PATH may lack."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def missing(commands: dict[str, str]) -> list[str]:
    """Return the packages of those commands that are not there."""
    return [package for command, package in commands.items() if not shutil.which(command, path=search_path())]


def has_libseccomp() -> bool:
    """Tell whether the static libseccomp and its header are installed."""
    return Path("/usr/include/seccomp.h").exists() and any(Path("/usr/lib").glob("*/libseccomp.a"))


def require(commands: dict[str, str], extra: Iterable[str] = ()) -> None:
    """Install the packages of missing commands, and ``extra`` ones, with apt-get.

    Raises LabError where there is no apt-get or it fails.
    """
    packages = sorted({*missing(commands), *extra})
    if not packages:
        return
    listed = " ".join(packages)
    if not shutil.which("apt-get"):
        raise LabError(
            what=f"{listed} missing",
            why="this is no Debian machine (no apt-get)",
            then=f"install {listed} and try again",
        )
    command = ["apt-get", *APT, "install", "-y", "--no-install-recommends", *packages]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"installed {listed}"):
        try:
            run(command, env=environment)
        except LabError:
            # The package lists are absent or old; only now is the update worth its seconds.
            with contextlib.suppress(LabError):
                run(["apt-get", *APT, "update"], env=environment)
            try:
                run(command, env=environment)
            except LabError as error:
                raise LabError(
                    what=f"cannot install {listed}", why=str(error), then=f"install {listed} by hand, then try again"
                ) from error


def unpacked(store: Store, package: str, architecture: str) -> Path:
    """Return a folder with the package's files, for any Debian architecture, fetched but not installed.

    The machine's own package lists stay as they are: the lists go to a temporary folder.
    """

    def make(work: Path) -> None:
        options = [
            *APT,
            "-o",
            f"APT::Architecture={architecture}",
            "-o",
            f"APT::Architectures={architecture}",
            "-o",
            f"Dir::State::lists={_lists(store, architecture)}",
            "-o",
            "Dir::Cache::pkgcache=",
            "-o",
            "Dir::Cache::srcpkgcache=",
        ]
        with step(f"fetched {package} for {architecture}"):
            if not any(_lists(store, architecture).glob("*Packages*")):
                # One of several lists may be out of step for a while (a mirror being renewed); the rest may do.
                with contextlib.suppress(LabError):
                    run(["apt-get", *options, "update"], cwd=work)
            run(["apt-get", *options, "download", package], cwd=work)
            archive = next(work.glob("*.deb"))
            run(["dpkg", "-x", archive, work])
            archive.unlink()

    if not shutil.which("apt-get"):
        raise LabError(
            what=f"cannot fetch {package}", why="there is no apt-get", then="run the lab on a Debian machine"
        )
    return store.ensure("debian", f"{package}-{architecture}", digest(release(), package, architecture), make)


def _lists(store: Store, architecture: str) -> Path:
    folder = store.root / "partial" / f"lists-{architecture}"
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    return folder
