"""Write the first files that a repository needs: a workflow, the settings file and, where there is none, a Dockerfile.

It looks at what is there (languages, lock files, linters, tests, programs) and asks nothing. A Dockerfile or a bake file
that is there is used as it is. An empty repository gets a first program with a test, for --kind go, python or node.
What is there is never replaced without --force: files in the way are named, and nothing is written (exit code 2).
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit.errors import ConfigurationError

if TYPE_CHECKING:
    from ci_buildkit.scaffold.plan import Plan
    from ci_buildkit.scaffold.write import Change

KINDS = ("go", "python", "node", "rust", "java", "cpp")
ACTION = "org/ci-buildkit@v1"
# GitHub's documentation, "jobs.<job_id>.steps[*].uses".
USES = re.compile(r"[\w.-]+/[\w.-]+@[\w./-]+")
EXAMPLES = """
ci-buildkit init
ci-buildkit init hello --kind go                    # in an empty repository: a first program, too
ci-buildkit init --dry-run                          # what would be written
ci-buildkit init --image ghcr.io/acme/hello --force
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder, and how to write."""
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="the repository (default: this folder)"
    )
    parser.add_argument("--kind", choices=KINDS, help="what the project is (default: what its files say)")
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and write nothing")
    parser.add_argument("--force", action="store_true", help="replace what is in the way, and show what changes")
    parser.add_argument(
        "--action",
        default=ACTION,
        metavar="OWNER/NAME@REF",
        help=f"the action that the workflow uses (default: {ACTION})",
    )
    parser.add_argument(
        "--image", default="", metavar="NAME",
        help="where images go; with it the workflow pushes them, but not for a pull request",
    )  # fmt: skip


def call(arguments: argparse.Namespace) -> int:
    """Look, decide, write; returns 0.

    Raises:
        ConfigurationError: nothing tells what is built, or something is in the way.
        OutputError: a file cannot be written; none is left then.
    """
    from ci_buildkit.scaffold import write
    from ci_buildkit.scaffold.look import look
    from ci_buildkit.scaffold.plan import plan
    from ci_buildkit.scaffold.workflow import Wish

    if not USES.fullmatch(arguments.action):
        raise ConfigurationError(f"--action {arguments.action!r} is no action", hint=f"write it as {ACTION}")
    root = arguments.folder
    planned = plan(look(root), Wish(arguments.kind, arguments.action, _image(arguments.image)))
    changes = write.changes(root, planned.files)
    blocked = [change.file.path for change in changes if change.in_the_way]
    if arguments.dry_run or (arguments.force and blocked):
        _print(line for one in changes if arguments.dry_run or one.in_the_way for line in write.diff(one))
    if blocked and not arguments.force:
        names = "\n".join(f"  {path}" for path in blocked)
        shown = "" if arguments.dry_run else "; --dry-run shows what would change"
        raise ConfigurationError(f"in the way, so nothing was written:\n{names}", hint=f"--force replaces them{shown}")
    if not arguments.dry_run:
        write.write(root, changes)
        _print(_told(planned, changes, root))
    return 0


def _image(name: str) -> str:
    from ci_buildkit.tags.reference import checked_name

    return checked_name(name) if name else ""


def _told(planned: Plan, changes: Iterable[Change], root: Path) -> Iterator[str]:
    yield from (f"found: {line}" for line in planned.found)
    for change in changes:
        yield f"{_did(change)} {change.file.path}"
    yield from (f"note: {line}" for line in planned.notes)
    first = root / planned.folders[0]
    where = "" if first == Path() else f" --context {first}"
    yield f"next: `ci-buildkit run{where}`; then commit and push these files"


def _did(change: Change) -> str:
    if change.same:
        return "unchanged"
    if change.before is None:
        return "wrote"
    return "replaced" if change.file.mode == "write" else "added lines to"


def _print(lines: Iterable[str]) -> None:
    from ci_buildkit.report.text import inert

    for line in lines:
        print(inert(line))
