"""The checkout that versions, labels and caches are made from."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ci_buildkit.checkout import git
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.machine import Machine


class Checkout(Struct, frozen=True):
    """What Git says of the folder; `program` that there is Git, `repository` that the folder is in one."""

    program: bool = True
    repository: bool = True
    commit: str = ""
    tag: str = ""
    dirty: bool = False
    shallow: bool = False
    origin: bool = True


def look(machine: Machine) -> Checkout:
    """Ask Git."""
    if not machine.find("git"):
        return Checkout(program=False)
    if git.top(machine.root) is None:
        return Checkout(repository=False)
    head = git.head(machine.root)
    return Checkout(
        commit=head.revision if head else "",
        tag=head.tag if head else "",
        dirty=bool(head and head.dirty),
        shallow=git.is_shallow(machine.root),
        origin=bool(git.remote_url(machine.root)),
    )


def versioned(found: Checkout, given: str | None) -> Iterator[Flaw]:
    """Whether a version can be made from it; `given` is the version that the settings say."""
    if given or not found.program or not found.repository:
        return
    if not found.commit:
        yield Flaw(None, "the repository has no commit, so the version is v0.0.0+unknown; commit something")
    elif found.shallow and not found.tag:
        said = "the clone is shallow and has no tag, so the version is v0.0.0+gCOMMIT; run git fetch --unshallow --tags"
        yield Flaw(None, said, severity="warning")
    elif not found.tag:
        yield Flaw(None, "no tag can be reached from the commit, so the version is v0.0.0+gCOMMIT; run git tag v0.1.0")


def complete(found: Checkout) -> Iterator[Flaw]:
    """Whether there is a repository at all."""
    lost = "the version is v0.0.0+unknown, and labels and the comparison with other runs are missing"
    if not found.program:
        yield Flaw(None, f"there is no git command on PATH: {lost}; install git")
    elif not found.repository:
        yield Flaw(None, f"the folder is in no Git repository: {lost}; run git init and commit")


def described(found: Checkout) -> Iterator[Flaw]:
    """What makes a version or a label say less than it could."""
    if found.commit and found.dirty:
        yield Flaw(None, "tracked files differ from the commit, so the version ends in -dirty; commit or stash them")
    if found.commit and not found.origin:
        said = (
            "there is no remote called origin, so images have no label with their source; git remote add origin ADDRESS"
        )
        yield Flaw(None, said)
