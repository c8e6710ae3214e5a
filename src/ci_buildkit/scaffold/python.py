"""What a Python project is made of. Pure."""

from __future__ import annotations

import configparser
import re

from msgspec import Struct

from ci_buildkit.scaffold import ranges
from ci_buildkit.scaffold.installer import Installer, installer
from ci_buildkit.scaffold.project import Project
from ci_buildkit.scaffold.tables import Table, table, toml
from ci_buildkit.scaffold.tree import Tree

MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile")
MARKERS = (*MANIFESTS, "*.py")
# The oldest that is maintained comes first: what runs there runs on the later ones, and has wheels of every package.
PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.10", "3.9", "3.8")
PYTEST, RUFF = "9.2.0", "0.17.6"
IGNORED = (".venv", "**/__pycache__", "**/.*_cache")
# Build backends that take the version from Git, which is no part of a build context.
GIT_VERSIONS = ("setuptools-scm", "setuptools_scm", "hatch-vcs")
SCRIPTS = ("main.py", "app.py", "server.py", "manage.py")


class Python(Struct, frozen=True):
    """What the template needs.

    `linters` are commands of the lint stage; `ruff` and `pytest` versions to install, "" where the project brings its
    own. `packaged` says whether a wheel is built, `git_version` whether its version comes from Git. `start` are the
    words that start the program, empty where there is none; `copied` says that it is no part of the wheel.
    """

    version: str
    installer: Installer
    linters: tuple[str, ...]
    ruff: str
    pytest: str
    tests: bool
    packaged: bool
    git_version: bool
    start: tuple[str, ...]
    copied: bool


def find(tree: Tree) -> Project:
    """The Python project at the top of a tree."""
    pyproject = toml(tree.text("pyproject.toml"))
    named = _named(tree)
    linters = _linters(tree, pyproject, named)
    tests = bool(tree.matching("*test_*.py", "*_test.py", "*/tests.py", "tests.py"))
    packaged = "build-system" in pyproject or bool(tree.first("setup.py"))
    start = _start(tree, pyproject, packaged=packaged)
    facts = Python(
        version=_version(tree, pyproject),
        installer=installer(tree, pyproject),
        linters=linters,
        ruff="" if "ruff" in named or not any(one.startswith("ruff") for one in linters) else RUFF,
        pytest="" if "pytest" in named else PYTEST,
        tests=tests,
        packaged=packaged,
        git_version=any(one in str(pyproject.get("build-system")) for one in GIT_VERSIONS),
        start=start,
        copied=not packaged or (len(start) > 1 and start[1] != "-m"),
    )
    said = [f"Python {facts.version}", facts.installer.said, *(linter.split()[0] for linter in linters)]
    said += ["pytest"] if tests else []
    said += [f"starts with `{' '.join(start)}`"] if start else []
    broken = bool(tree.text("pyproject.toml").strip()) and not pyproject
    notes = ["pyproject.toml is no TOML, so nothing of it was read"] if broken else []
    notes += [] if tests else ["no test_*.py: there is no test stage"]
    notes += [] if packaged else ["nothing says how to build a package ([build-system] in pyproject.toml): no binaries"]
    notes += (
        ["the image starts Django's development server; put your own in the last line"] if "manage.py" in start else []
    )
    notes += [] if start else ["no script, no __main__.py and no main.py: there is no stage for an image"]
    return Project("python", facts, tuple(said), tuple(notes), IGNORED, image=bool(start))


def _version(tree: Tree, pyproject: Table) -> str:
    named = ranges.exact(tree.line(".python-version")) or ranges.exact(tree.line("runtime.txt").removeprefix("python-"))
    if named:
        return named
    project_range = str(table(pyproject, "project").get("requires-python", ""))
    poetry = table(pyproject, "tool", "poetry", "dependencies").get("python", "")
    written = re.search(r"python_requires\s*=\s*[\"']?([^\"'\n]+)", tree.text("setup.cfg") + tree.text("setup.py"))
    for asked in (project_range, str(poetry), written[1] if written else ""):
        if found := ranges.choose(asked, PYTHONS):
            return found
    return PYTHONS[0]


def _named(tree: Tree) -> frozenset[str]:
    """The names of tools that the project's own dependencies have, wherever they are written."""
    files = tree.at_top("pyproject.toml", "setup.*", "requirements*.txt", "Pipfile", "*requirements.txt")
    text = "\n".join(tree.texts.get(file, "") for file in (*files, *tree.matching("requirements/*.txt")))
    # As a requirement or a key: not [tool.pytest], and not pytest-cov alone.
    pattern = r"""(?:^|["'\s])(ruff|pytest|mypy|flake8|pylint)(?=\s*(?:[\[=<>~!;"'@,]|$))"""
    return frozenset(re.findall(pattern, text, re.MULTILINE))


def _linters(tree: Tree, pyproject: Table, named: frozenset[str]) -> tuple[str, ...]:
    """The commands of the linters that the project uses; ruff where it uses none."""
    tools = table(pyproject, "tool")
    setup = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        setup.read_string(tree.text("setup.cfg") + "\n" + tree.text("tox.ini"))
    except configparser.Error:
        setup.clear()
    sections = {section.split("-")[0] for section in setup.sections()}
    found = []
    if "ruff" in named or "ruff" in tools or tree.first("ruff.toml", ".ruff.toml"):
        found.append("ruff check .")
    for tool, command, files in (
        ("flake8", "flake8", (".flake8",)),
        ("pylint", "pylint --recursive=y .", (".pylintrc", "pylintrc")),
        ("mypy", "mypy" if _mypy_has_files(tools, setup) else "mypy .", ("mypy.ini", ".mypy.ini")),
    ):
        # A tool is run where it is installed; a configuration alone does not bring it.
        configured = tool in tools or tool in sections or tree.first(*files)
        if tool in named and (configured or tool != "mypy"):
            found.append(command)
    return tuple(found) or ("ruff check .",)


def _mypy_has_files(tools: Table, setup: configparser.ConfigParser) -> bool:
    own = table(tools, "mypy")
    return bool({"files", "packages", "modules"} & own.keys()) or setup.has_option("mypy", "files")


def _start(tree: Tree, pyproject: Table, *, packaged: bool) -> tuple[str, ...]:
    """How the program starts: a console script, a package's __main__, a script at the top."""
    scripts = [
        *table(pyproject, "project", "scripts"), *table(pyproject, "tool", "poetry", "scripts"),
        *re.findall(r"console_scripts[\"']?\s*[:=]\s*\[?\s*[\"']?([\w.-]+)\s*=", tree.text("setup.cfg") + tree.text("setup.py")),
    ]  # fmt: skip
    scripts = [name for name in scripts if re.fullmatch(r"[\w.-]+", name)]
    if packaged and scripts:
        return (scripts[0],)
    # What is below src can be imported only once it is installed.
    pattern = r"(?:src/)?(\w+)/__main__\.py" if packaged else r"(\w+)/__main__\.py"
    packages = [found[1] for file in tree.files if (found := re.fullmatch(pattern, file))]
    if packages:
        return ("python", "-m", min(packages))
    script = tree.first(*SCRIPTS) or _script(tree)
    if script == "manage.py":
        return ("python", script, "runserver", "0.0.0.0:8000")
    return ("python", script) if script else ()


def _script(tree: Tree) -> str:
    """The only file at the top that is meant to be started, "" where there is none or more than one."""
    meant = re.compile(r"""^if __name__ == ["']__main__["']""", re.MULTILINE)
    found = [file for file in tree.at_top("*.py") if meant.search(tree.texts.get(file, ""))]
    found = [
        file for file in found if file not in {"setup.py", "conftest.py", "noxfile.py"} and not file.startswith("test_")
    ]
    return found[0] if len(found) == 1 else ""
