"""What `ci-buildkit init` decides from: a repository's files and what Git says of it. Reads, changes nothing."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct, field

from ci_buildkit.checkout import git
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.scaffold import tree
from ci_buildkit.scaffold.tree import Tree

# Host and path of a repository's address, as URL or as ssh has it; a user and a password before the host are left out.
ADDRESS = re.compile(r"(?:[\w+.-]+://(?:[^/@]*@)?|(?:[^/@:]+@)?)([\w.-]+)(?::\d+)?[:/]+(.+?)/?(?:\.git)?/?")
SAFE = re.compile(r"[\w./-]+")


class Look(Struct, frozen=True):
    """A repository.

    `name` is what it is called, `branch` its default branch; `host` and `path` are where `origin` is, as `github.com`
    and `acme/demo`, both "" without one.
    """

    tree: Tree = field(default_factory=Tree)
    name: str = "app"
    branch: str = "main"
    host: str = ""
    path: str = ""


def look(root: Path) -> Look:
    """A repository at its top folder.

    Raises ConfigurationError where there is no such folder, or where it is a folder inside of a repository, in which
    GitHub would not find a workflow.
    """
    if not root.is_dir():
        raise ConfigurationError(f"there is no folder {root}", hint=f"make it first: mkdir -p {root}")
    top = git.top(root)
    if top is not None and top.resolve() != root.resolve():
        raise ConfigurationError(
            f"{root} is inside of the repository {top}, and GitHub reads workflows only at its top",
            hint=f"name the top: ci-buildkit init {top}; or run `git init` in {root} to make it a repository of its own",
        )
    host, path = place(git.remote_url(root)) if top else ("", "")
    branch = (git.default_branch(root) or git.branch(root)) if top else ""
    return Look(
        tree=tree.read(root),
        name=path.rpartition("/")[2] or root.resolve().name or "app",
        branch=branch or "main",
        host=host,
        path=path,
    )


def place(address: str) -> tuple[str, str]:
    """The host and the path of a repository's address; two times "" for a folder, and for what is neither."""
    found = ADDRESS.fullmatch(address.strip())
    if not found or address.startswith(("/", ".", "file:")) or not SAFE.fullmatch(found[2]):
        return "", ""
    return found[1].lower(), found[2].strip("/")
