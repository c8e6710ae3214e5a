"""What Git says of a folder. Only reading commands; never a network access."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Head:
    """The commit that is checked out.

    `tag` is the nearest tag reachable from it ("" without any), `distance` the commits since, `dirty` whether tracked
    files differ from it, `time` its committer time in seconds since 1970.
    """

    revision: str
    tag: str
    distance: int
    dirty: bool
    time: int


def _git(folder: Path, *words: str) -> str | None:
    """Output of a git command, None where git is missing or refuses.

    The checkout may belong to another user, as in a job container: `safe.directory` given on the command line is
    honoured (git-config(1), "safe.directory").
    """
    command = ["git", "--no-optional-locks", "-c", "safe.directory=*", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None


def head(folder: Path) -> Head | None:
    """The head of the repository that `folder` is in; None outside a repository or before the first commit."""
    commit = _git(folder, "log", "-1", "--no-show-signature", "--format=%H %ct")
    if not commit:
        return None
    revision, time = commit.split()
    described = _git(folder, "describe", "--tags", "--long", "--always", "--abbrev=40") or revision
    # Not `describe --dirty`: it rewrites .git/index, which busts the cache of a context that holds .git.
    dirty = bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))
    tag, distance = "", 0
    if "-g" in described:  # TAG-DISTANCE-gREVISION; without a tag --always gives the bare revision
        tag, count, _ = described.rsplit("-", 2)
        distance = int(count)
    return Head(revision, tag, distance, dirty, int(time))


def top(folder: Path) -> Path | None:
    """The repository's top folder, None outside one."""
    found = _git(folder, "rev-parse", "--show-toplevel")
    return Path(found) if found else None


def branch(folder: Path) -> str:
    """The branch that is checked out; "" where none is (a detached head) or there is no repository."""
    return _git(folder, "symbolic-ref", "--short", "--quiet", "HEAD") or ""


def default_branch(folder: Path) -> str:
    """The default branch of `origin` as the last clone saw it; "" where Git does not know."""
    return (_git(folder, "symbolic-ref", "--short", "--quiet", "refs/remotes/origin/HEAD") or "").removeprefix(
        "origin/"
    )
