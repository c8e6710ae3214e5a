"""What to write differently in a Dockerfile so that less runs, said only where a run shows it. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatch

from ci_buildkit.report.dockerfilediff import Inputs
from ci_buildkit.report.stepgraph import Node
from ci_buildkit.report.text import duration, one_line

# Commands that fetch dependencies, and the files that say which.
FETCHES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"go mod (?:download|verify)", ("go.mod", "go.sum", "go.work", "go.work.sum")),
    (r"npm (?:ci|install|i)\b", ("package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc")),
    (r"yarn(?: install)?(?: --| *$|\b(?= ?&&))", ("package.json", "yarn.lock", ".yarnrc.yml")),
    (r"pnpm (?:install|i|fetch)\b", ("package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc")),
    (r"pip3? install\b.* -r\b|pip3? install\b.*--requirement", ("requirements*.txt", "constraints*.txt")),
    (r"uv sync\b", ("pyproject.toml", "uv.lock")),
    (r"poetry install\b", ("pyproject.toml", "poetry.lock")),
    (r"cargo fetch\b", ("Cargo.toml", "Cargo.lock")),
    (r"bundle install\b", ("Gemfile", "Gemfile.lock")),
    (r"composer install\b", ("composer.json", "composer.lock")),
    (r"mvn\b.* dependency:", ("pom.xml",)),
    (r"(?:apt-get|apk|dnf|microdnf|yum)\b.* (?:install|add)\b", ()),
)
# What is in a context by oversight: no build of the program reads them.
NEEDLESS = (".git/", ".github/*", ".dockerignore", "Dockerfile*", "*.Dockerfile", "ci-report/*", ".gitignore")


def of(
    node: Node, files: Sequence[str], arguments: Sequence[str], following: Sequence[Node], inputs: Inputs | None
) -> str:
    """The advice for a first cause with what changed for it and the steps that followed; "" for none."""
    of_use = [file for file in files if not _is_needless(file)]
    if files and not of_use:
        names = ", ".join(dict.fromkeys(_ignored_as(file) for file in files))
        return f"add {names} to .dockerignore: it is sent with the context, and each change of it runs this step again"
    if files and node.name.keyword in {"ADD", "COPY"}:
        return _copy_first(node, of_use, following, inputs)
    if arguments:
        return _argument_later(node, arguments, following, inputs)
    return ""


def _is_needless(file: str) -> bool:
    return any(fnmatch(file, pattern) for pattern in NEEDLESS)


def _ignored_as(file: str) -> str:
    return file.partition("/")[0] if "/" in file else file


def _copy_first(node: Node, files: Sequence[str], following: Sequence[Node], inputs: Inputs | None) -> str:
    """For the costliest step that fetches dependencies and ran because of a file that it does not need."""
    for step in sorted(following, key=lambda one: -one.seconds):
        needs = _needs(step)
        if needs is None or any(_is_one_of(file, needs) for file in files):
            continue
        copy, fetch = (f"`{one_line(one.name.text, 60)}`" for one in (node, step))
        saved = f"that would have saved {duration(step.seconds)}"
        if not needs:
            return f"{copy} comes before {fetch}, which needs no file of the context: put it after; {saved}"
        there = [name for name in _present(needs, inputs) if name] or list(needs[:2])
        return f"{copy} comes before {fetch}: copy {' and '.join(there)} first, fetch, and copy the rest after that; {saved}"
    return ""


def _needs(step: Node) -> tuple[str, ...] | None:
    if step.name.keyword != "RUN":
        return None
    return next((needs for command, needs in FETCHES if re.search(command, step.name.text)), None)


def _is_one_of(file: str, needs: Sequence[str]) -> bool:
    """A folder that stands for its files may hold one of them."""
    return file.endswith("/") or any(fnmatch(file.rpartition("/")[2], name) for name in needs)


def _present(needs: Sequence[str], inputs: Inputs | None) -> list[str]:
    files = inputs.contexts[""].files if inputs and "" in inputs.contexts else {}
    return [file for name in needs for file in files if fnmatch(file, name) and "/" not in file]


def _argument_later(node: Node, arguments: Sequence[str], following: Sequence[Node], inputs: Inputs | None) -> str:
    """For a RUN that ran because of an argument that it does not mention: a RUN has all that are declared before it."""
    place = inputs.place(node.name) if inputs else None
    if place is None or node.name.keyword != "RUN" or set(arguments) & set(place[0].instructions[place[1]].names):
        return ""
    names = ", ".join(f"ARG {name}" for name in arguments)
    saved = sum(one.seconds for one in (node, *following))
    return (
        f"{names} stands before `{one_line(node.name.text, 60)}`, which does not name it: declare it below, right before "
        f"the step that uses it; up to {duration(saved)} ran for nothing"
    )
