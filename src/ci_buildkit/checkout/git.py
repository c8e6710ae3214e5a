"""What Git says of a folder. Only reading commands; never a network access."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from msgspec import Struct


class Head(Struct, frozen=True):
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


def clean_files(folder: Path) -> dict[str, str]:
    """Git's blob ids of the tracked files below `folder` that are as the index has them, by path relative to it."""
    said = _git(folder, "ls-files", "-z", "-s", "-t", "-c", "-m", "-d")
    found: dict[str, str] = {}
    changed = set()
    for entry in (said or "").split("\0"):
        about, _, path = entry.partition("\t")
        tag, _, blob, *_ = (*about.split(), "", "", "")
        if tag == "H":
            found[path] = blob
        elif path:
            changed.add(path)
    return {path: blob for path, blob in found.items() if path not in changed}


def branch(folder: Path) -> str:
    """The branch that is checked out; "" where none is (a detached head) or there is no repository."""
    return _git(folder, "symbolic-ref", "--short", "--quiet", "HEAD") or ""


def default_branch(folder: Path) -> str:
    """The default branch of `origin` as the last clone saw it; "" where Git does not know."""
    return (_git(folder, "symbolic-ref", "--short", "--quiet", "refs/remotes/origin/HEAD") or "").removeprefix(
        "origin/"
    )


def revision(folder: Path) -> str:
    """The commit that is checked out; "" outside a repository or before the first commit."""
    return _git(folder, "rev-parse", "--verify", "--quiet", "HEAD") or ""


def commit_time(folder: Path, commit: str) -> str:
    """The committer's time of a commit, as RFC 3339; "" where the repository does not have it."""
    return _git(folder, "log", "-1", "--no-show-signature", "--format=%cI", "--end-of-options", commit, "--") or ""


def remote_url(folder: Path) -> str:
    """The address of `origin`, which may hold a password; "" without one."""
    return _git(folder, "remote", "get-url", "origin") or ""


def repository_name(address: str) -> str:
    """The last part of a repository's address, as `git clone` calls its folder; "" where there is none."""
    path = re.sub(r"^[\w+.-]+://[^/]*", "", address).rstrip("/").removesuffix("/.git").rstrip("/")
    return re.split(r"[/:]", path)[-1].removesuffix(".git")


def ref(folder: Path) -> str:
    """The complete name of what is checked out: a branch, a tag, a pull request; "" where nothing names it.

    A detached head is named by what points at it: a tag before a pull request (as actions/checkout fetches one, in
    `refs/remotes/pull/`), a branch and a branch of a remote. Otherwise by what holds it: the branch, remote branch or
    tag that changed last. docker/actions-toolkit (src/git.ts, `getDetachedRef`) reads the same from `%D`, where names
    that hold commas or stand beside others cannot be told apart.
    """
    if symbolic := _git(folder, "symbolic-ref", "--quiet", "HEAD"):
        return symbolic
    here = _refs(folder, "--points-at", "HEAD", "--sort=-refname")
    kinds = ("refs/tags/", "refs/remotes/pull/", "refs/heads/", "refs/remotes/")
    named = [ref for kind in kinds for ref in here if ref.startswith(kind)]
    if not named:
        around = _refs(folder, "--contains", "HEAD", "--sort=-committerdate", "refs/heads", "refs/remotes")
        around += _refs(folder, "--contains", "HEAD", "refs/tags")
        named = [
            ref for kind in ("refs/heads/", "refs/remotes/", "refs/tags/") for ref in around if ref.startswith(kind)
        ]
    return _local(named[0]) if named else ""


def _refs(folder: Path, *words: str) -> list[str]:
    """Complete names of refs, without the symbolic `origin/HEAD`."""
    found = _git(folder, "for-each-ref", "--format=%(refname)", *words) or ""
    return [line for line in found.splitlines() if not line.endswith("/HEAD")]


def _local(ref: str) -> str:
    """A remote's branch or pull request as what it is there."""
    if not ref.startswith("refs/remotes/"):
        return ref
    remote, _, name = ref.removeprefix("refs/remotes/").partition("/")
    return f"refs/pull/{name}" if remote == "pull" else f"refs/heads/{name}"


def commit(folder: Path, name: str) -> str:
    """The commit that a branch, tag or revision stands for; "" where the repository does not have it."""
    return _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}") or ""


def parents(folder: Path, commit: str) -> tuple[str, ...]:
    """The parents of a commit, as far as the clone goes."""
    return tuple((_git(folder, "rev-list", "--max-count=1", "--parents", commit) or "").split()[1:])


def merge_base(folder: Path, one: str, other: str) -> str:
    """The commit that two commits come from; "" where the clone has none."""
    return _git(folder, "merge-base", one, other) or ""


def changed(folder: Path, base: str, head: str = "") -> tuple[str, ...] | None:
    """The paths that differ between two commits, relative to the repository's top: both of a file that was renamed.

    Without `head` the working tree is compared, new files included. Submodules count, whatever `ignore` in .gitmodules
    says: the commit that is built in them is another. None where Git cannot tell.
    """
    found = _git(
        folder,
        "diff",
        "--name-only",
        "-z",
        "--no-renames",
        "--no-relative",
        "--no-ext-diff",
        "--ignore-submodules=none",
        base,
        *filter(None, [head]),
        "--",
    )
    new = "" if head else _git(folder, "ls-files", "-z", "--others", "--exclude-standard", "--full-name", ":/")
    if found is None or new is None:
        return None
    return tuple(path for path in f"{found}\0{new}".split("\0") if path)


def files(folder: Path, name: str) -> tuple[str, ...]:
    """The files of this name below `folder`, relative to it, but for ignored ones."""
    said = _git(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", f":(glob)**/{name}")
    return tuple(path for path in dict.fromkeys((said or "").split("\0")) if path)


def ignores(folder: Path, path: str) -> bool:
    """Whether Git ignores a path, relative to `folder`, that need not be there; never outside a repository."""
    return _git(folder, "check-ignore", "--quiet", "--", path) is not None


def is_shallow(folder: Path) -> bool:
    """Whether the clone was cut off at some depth, so that tags and history may be missing."""
    return _git(folder, "rev-parse", "--is-shallow-repository") == "true"
