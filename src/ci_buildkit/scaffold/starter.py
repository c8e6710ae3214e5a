"""The smallest program with a test, for a repository that is still empty. Pure."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase

from ci_buildkit.scaffold import render
from ci_buildkit.scaffold.golang import GO
from ci_buildkit.scaffold.look import Look
from ci_buildkit.scaffold.node import NODES
from ci_buildkit.scaffold.project import Kind
from ci_buildkit.scaffold.python import PYTEST, PYTHONS, RUFF
from ci_buildkit.scaffold.tree import Tree

# What a repository may hold before anything is in it.
NOTHING = (
    "*.md", "*.rst", ".editorconfig", ".gitattributes", ".gitignore", ".dockerignore", ".github/*", "CODEOWNERS",
    "COPYING*", "LICENSE*", "LICENCE*", "NOTICE*", "README*", "docs/*",
)  # fmt: skip
STARTERS: Mapping[Kind, Mapping[str, str]] = {
    "go": {"go.mod": "go.mod", "main.go": "main.go", "main_test.go": "main_test.go"},
    "python": {
        "pyproject.toml": "pyproject.toml",
        "src/{package}/__init__.py": "init.py",
        "src/{package}/__main__.py": "main.py",
        "tests/test_{package}.py": "test.py",
    },
    "node": {
        "package.json": "package.json",
        "package-lock.json": "package-lock.json",
        "eslint.config.js": "eslint.config.js",
        "src/main.js": "main.js",
        "src/greet.js": "greet.js",
        "test/greet.test.js": "greet.test.js",
    },
}
UNTRACKED: Mapping[Kind, tuple[str, ...]] = {
    "python": (".venv/", "__pycache__/", "*.egg-info/", ".pytest_cache/", ".ruff_cache/"),
    "node": ("node_modules/",),
}
TAKEN = frozenset({*sys.stdlib_module_names, *keyword.kwlist, "src", "tests", "pytest", "ruff", "setuptools", "pip"})


def is_empty(tree: Tree) -> bool:
    """Whether a repository holds only what says something of a program that is not there yet."""

    return all(any(fnmatchcase(file, pattern) for pattern in NOTHING) for file in tree.files)


def files(look: Look, kind: Kind) -> dict[str, str]:
    """The files of a first program, by path."""
    name = slug(look.name)
    package = name.replace("-", "_")
    values = {
        "name": name,
        "package": f"{package}_app" if package in TAKEN else package,
        "module": f"{look.host}/{look.path}" if look.host and look.path else f"example.com/{name}",
        "go": GO,
        "python": PYTHONS[0],
        "node": NODES[0],
        "pytest": PYTEST,
        "ruff": RUFF,
    }
    return {
        path.format_map(values): render.template(f"starter/{kind}/{template}", **values)
        for path, template in STARTERS[kind].items()
    }


def slug(name: str) -> str:
    """A name as npm, PyPI and Go all take it: small letters, digits and `-`, a letter first."""
    word = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return word[:60].strip("-") if re.match(r"[a-z]", word) else "app"
