"""How the packages that a Python project needs are installed, by its lock file or what stands for one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from ci_buildkit.scaffold.project import mountable, words
from ci_buildkit.scaffold.tables import Table, table
from ci_buildkit.scaffold.tree import Tree

# Versions of the tools where the project names none.
TOOLS = {"uv": "0.13.9", "poetry": "2.5.1", "pdm": "2.29.4", "pipenv": "2026.10.3"}
DEVELOPMENT = re.compile(r"(^|[-_./])(dev|develop|development|test|tests|testing|lint|ci)([-_.]|$)")
# A requirement that is a folder, as the project itself is in `-e .`: then the sources are needed.
LOCAL = re.compile(r"^\s*(?:(?:-e|--editable)[\s=]*)?\.{1,2}(?:[/\[]|\s*$)", re.MULTILINE)
GROUPS = ("dev", "test", "tests", "testing", "lint", "ci")


class Installer(Struct, frozen=True):
    """The commands of one package manager.

    `tool` is what is installed to have it, "" for pip, with another package `beside` it where it needs that. `files` are
    bound where packages are installed. `develop` installs what tests and linters need too, `produce` only what the program
    needs; both are empty where there is nothing, and both use the folder `cache`. `add` installs a package by name, `build`
    makes a wheel, and `own` installs the project itself without what it needs; these use the folder `added`.
    """

    said: str
    tool: str = ""
    version: str = ""
    beside: str = ""
    cache: str = "/root/.cache/pip"
    added: str = "/root/.cache/pip"
    settings: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    develop: str = ""
    produce: str = ""
    add: str = "pip install"
    build: str = "pip wheel --no-deps --wheel-dir /out ."
    own: str = "pip install --no-deps"


LOCKED = {
    "pdm.lock": Installer(
        said="pdm.lock",
        tool="pdm",
        version=TOOLS["pdm"],
        beside="hishel<2",  # pdm takes any, and does not start with 2.0
        cache="/root/.cache/pdm",
        files=("pyproject.toml", "pdm.lock"),
        develop="pdm sync --no-self --dev",
        produce="pdm sync --no-self --prod",
    ),
    "Pipfile.lock": Installer(
        said="Pipfile.lock",
        tool="pipenv",
        version=TOOLS["pipenv"],
        cache="/root/.cache/pipenv",
        files=("Pipfile", "Pipfile.lock"),
        develop="pipenv sync --dev",
        produce="pipenv sync",
    ),
}


def installer(tree: Tree, pyproject: Table) -> Installer:
    """The package manager of a project: by its lock file, else by how it writes its requirements."""
    if "uv.lock" in tree.files:
        return _uv(pyproject)
    if "poetry.lock" in tree.files:
        return _poetry(pyproject)
    if lock := tree.first(*LOCKED):
        return LOCKED[lock]
    if found := _requirement_files(tree):
        return _pip(tree, found)
    return _unlocked(tree, pyproject)


def _with_uv(said: str, **given: Any) -> Installer:
    return Installer(
        said=said,
        tool="uv",
        version=TOOLS["uv"],
        cache="/root/.cache/uv",
        added="/root/.cache/uv",
        settings=("UV_COMPILE_BYTECODE=1", "UV_LINK_MODE=copy", "UV_PYTHON_DOWNLOADS=never"),
        add="uv pip install",
        build="uv build --wheel --out-dir /out && rm -f /out/.gitignore",
        own="uv pip install --no-deps",
        **given,
    )


def _uv(pyproject: Table) -> Installer:
    groups = _options("--group", table(pyproject, "dependency-groups"), but="dev")
    extras = _options("--extra", table(pyproject, "project", "optional-dependencies"))
    install = "uv sync --locked --no-install-project"
    # The members of a workspace are part of its lock file.
    workspace = "workspace" in table(pyproject, "tool", "uv")
    return _with_uv(
        "uv.lock",
        files=() if workspace else ("pyproject.toml", "uv.lock"),
        develop=words(*install.split(), *groups, *extras),
        produce=f"{install} --no-dev",
    )


def _unlocked(tree: Tree, pyproject: Table) -> Installer:
    """uv, since pip cannot install what pyproject.toml asks for without the project itself."""
    if not table(pyproject, "project"):
        # With a setup.py only the project itself knows its requirements, so its sources are needed to install them.
        install = "uv pip install ." if tree.first("setup.py", "setup.cfg") else ""
        return _with_uv("packages without a lock file" if install else "no packages", produce=install, develop=install)
    groups = _options("--group", table(pyproject, "dependency-groups"))
    extras = _options("--extra", table(pyproject, "project", "optional-dependencies"))
    return _with_uv(
        "pyproject.toml without a lock file",
        files=("pyproject.toml",),
        develop=words("uv", "pip", "install", "--requirements", "pyproject.toml", *extras, *groups),
        produce="uv pip install --requirements pyproject.toml",
    )


def _poetry(pyproject: Table) -> Installer:
    groups = table(pyproject, "tool", "poetry", "group")
    optional = [
        name
        for name, group in groups.items()
        if isinstance(group, dict) and group.get("optional") and re.fullmatch(r"[\w.-]+", name)
    ]
    return Installer(
        said="poetry.lock",
        tool="poetry",
        version=TOOLS["poetry"],
        cache="/root/.cache/pypoetry",
        files=("pyproject.toml", "poetry.lock"),
        develop=words("poetry", "install", "--no-interaction", "--no-root", *_options("--with", optional)),
        produce="poetry install --no-interaction --no-root --only main",
    )


def _requirement_files(tree: Tree) -> tuple[str, ...]:
    """Files of requirements at the top and in the folder `requirements`, as far as a mount can name them."""
    found = (*tree.at_top("requirements*.txt", "*-requirements.txt"), *tree.matching("requirements/*.txt"))
    return tuple(file for file in found if mountable(file))


def _pip(tree: Tree, files: tuple[str, ...]) -> Installer:
    development = tuple(file for file in files if DEVELOPMENT.search(file.removeprefix("requirements/")))
    own = tuple(file for file in files if file not in development)
    # Of several that are not for development only the usual names are meant to be installed together.
    production = [
        file for file in own if re.search(r"(^|/)(requirements|base|main|prod|production|runtime)\.txt$", file)
    ] or list(own)
    everything = (*production, *development)
    bound = (*files, *(file for file in tree.at_top("constraints*.txt") if mountable(file)))
    hashed = [file for file in everything if "--hash=" in tree.texts.get(file, "")]

    def command(listed: tuple[str, ...]) -> str:
        # Where one requirement has hashes pip wants them of all, so files with and without are installed apart.
        apart = ([file for file in listed if file in hashed], [file for file in listed if file not in hashed])
        flags = (("--require-hashes",), ())
        return " && \\\n    ".join(
            words("pip", "install", *flag, *(word for file in some for word in ("--requirement", file)))
            for flag, some in zip(flags, apart, strict=True)
            if some
        )

    local = any(LOCAL.search(tree.texts.get(file, "")) for file in files)
    return Installer(
        said=", ".join(everything) + (" with hashes" if len(hashed) == len(everything) else ""),
        files=() if local else bound,
        develop=command(everything),
        produce=command(tuple(production)),
    )


def _options(option: str, names: Iterable[str], but: str = "") -> list[str]:
    """`--group dev --group test`: the option for each of the names that are for development."""
    found = [name for name in names if name.lower() in GROUPS and name != but]
    return [word for name in found for word in (option, name)]
