"""Show the projects of a repository, and which of them changed: those that a job matrix has to build.

In a workflow, what changed is what the pull request or the push says; elsewhere the working tree is compared with the
default branch. Where that cannot be told, as in a shallow clone, every project counts as changed. So it does where a file
changed that is shared, or that belongs to no project.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_buildkit.errors import ConfigurationError

if TYPE_CHECKING:
    from ci_buildkit.checkout.changes import Changes
    from ci_buildkit.plan.projects import Standing

GLOB = frozenset("*?[")
EXAMPLES = """
ci-buildkit projects
ci-buildkit projects --changed-since origin/main
ci-buildkit projects 'services/*' --shared go.work --format matrix
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where projects are, what to compare with, and the format."""
    parser.add_argument(
        "paths", nargs="*", metavar="PATH",
        help="folders of projects, or patterns of such (default: every folder with a ci-buildkit.yml)",
    )  # fmt: skip
    parser.add_argument(
        "--changed-since",
        metavar="REF",
        default="",
        help="compare with the commit where REF was left (default: the event)",
    )
    lists = (
        ("--shared", "a change of these paths concerns all projects; patterns as in .dockerignore (repeat)"),
        ("--ignore", "a change of these paths concerns no project, in the same way (repeat)"),
    )
    for flag, text in lists:
        parser.add_argument(flag, metavar="PATTERN", action="append", default=[], help=text)
    parser.add_argument("--format", choices=("text", "json", "matrix"), default="text", help="(default: text)")


def call(arguments: argparse.Namespace) -> int:
    """Print the projects; 0 whether any changed or not.

    Raises:
        ConfigurationError: a path is no folder of the repository, a pattern fits none, or REF is no commit.
    """
    from ci_buildkit.cli.output import aligned, print_json
    from ci_buildkit.report.text import inert

    changes, found = find(Path(), arguments.paths, arguments.changed_since, arguments.shared, arguments.ignore)
    if arguments.format == "json":
        print_json(document(changes, found))
    elif arguments.format == "matrix":
        print_json(matrix(found))
    else:
        print(inert(changes.why))
        rows = [
            ("changed" if one.changed else "same", one.project.path, one.why if one.why != changes.why else "")
            for one in found
        ]
        print("\n".join(aligned(rows, {})))
    return 0


def find(
    folder: Path, paths: Sequence[str], since: str, shared: Iterable[str], ignored: Iterable[str]
) -> tuple[Changes, tuple[Standing, ...]]:
    """What changed in the checkout that `folder` is in, and how its projects stand. Raises ConfigurationError."""
    from ci_buildkit.checkout import git, ignore
    from ci_buildkit.checkout.changes import changes
    from ci_buildkit.plan.projects import projects, standings

    top = git.top(folder) or folder.resolve()
    known = projects((path, _inside(folder, path, top)) for path in _paths(folder, paths))
    found = changes(folder, os.environ, since)
    kept, left = ignore.parse("\n".join(shared)), ignore.parse("\n".join(ignored))
    return found, standings(known, found.paths, found.why, kept, left)


def document(changes: Changes, found: Iterable[Standing]) -> dict[str, Any]:
    """The keys of `--format json`."""
    return {
        "base": changes.base or None,
        "reason": changes.why,
        "projects": [
            {"path": one.project.path, "name": one.project.name, "changed": one.changed, "reason": one.why}
            for one in found
        ],
    }


def matrix(found: Iterable[Standing]) -> dict[str, Any]:
    """The job matrix of the changed projects. Raises ConfigurationError where GitHub would refuse it."""
    from ci_buildkit.plan.matrix import too_large

    entries = [{"project": one.project.path, "name": one.project.name} for one in found if one.changed]
    if said := too_large(len(entries)):
        raise ConfigurationError(said, hint="divide the projects among several workflows")
    return {"include": entries}


def _paths(folder: Path, words: Sequence[str]) -> Iterator[str]:
    """The projects' folders relative to `folder`."""
    from ci_buildkit.config.options import CONFIG_FILE

    if not words:
        found = sorted(path.parent.relative_to(folder).as_posix() for path in _files(folder, CONFIG_FILE))
        if not found:
            raise ConfigurationError(
                f"there is no folder with a {CONFIG_FILE}", hint="name the projects: ci-buildkit projects PATH..."
            )
        yield from found
    for word in words:
        pattern = GLOB & set(word) and not (folder / word).is_dir()
        yield from _matching(folder, word) if pattern else [_plain(folder, word)]


def _files(folder: Path, name: str) -> Iterator[Path]:
    """The files of this name that belong to the repository."""
    from ci_buildkit.checkout import git

    return (folder / path for path in git.files(folder, name) if (folder / path).is_file())


def _plain(folder: Path, word: str) -> str:
    import difflib

    if not (folder / word).is_dir():
        there = [path.relative_to(folder).as_posix() for path in sorted((folder / word).parent.glob("*/"))]
        near = difflib.get_close_matches(word.rstrip("/"), there, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "name a folder relative to the working directory"
        raise ConfigurationError(f"there is no project {word!r}", hint=hint)
    return (Path(word)).as_posix()


def _matching(folder: Path, pattern: str) -> list[str]:
    """The folders that a pattern fits and that have a pipeline: a Dockerfile, a bake file or settings."""
    from ci_buildkit.config.options import CONFIG_FILE
    from ci_buildkit.plan.targets import BAKE_FILES

    names = ("Dockerfile", *BAKE_FILES, CONFIG_FILE)
    try:
        found = [
            path.relative_to(folder).as_posix()
            for path in sorted(folder.glob(pattern))
            if path.is_dir() and any((path / name).is_file() for name in names)
        ]
    except (ValueError, NotImplementedError) as error:
        raise ConfigurationError(f"{pattern!r} is no pattern of folders: {error}") from error
    if not found:
        raise ConfigurationError(f"no folder with one of {', '.join(names)} fits {pattern!r}")
    return found


def _inside(folder: Path, path: str, top: Path) -> str:
    """A project's folder relative to the repository's top. Links are not followed: Git does not either."""
    whole = Path(os.path.normpath(folder.resolve() / path))
    try:
        return whole.relative_to(top.resolve()).as_posix()
    except ValueError:
        raise ConfigurationError(f"the project {path!r} lies outside of the repository {top}") from None
