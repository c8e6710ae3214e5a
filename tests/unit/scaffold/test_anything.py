"""Files that hold anything: `init` writes something valid or says what is wrong, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import dockerfile
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.scaffold.trees import LOCK, TREES, tree

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.dockerfile import parse
from ci_buildkit.scaffold.look import Look
from ci_buildkit.scaffold.plan import plan
from ci_buildkit.scaffold.tree import Tree
from ci_buildkit.scaffold.workflow import Wish

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["", "x", "$(id)", 'a" b', "a\nRUN evil", "node a.js", "${{ x }}"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["node", "start", "test", "a b", "lint", "build"]), inner)
    ),
    max_leaves=4,
)
KEYS = (
    "name", "version", "scripts", "bin", "main", "dependencies", "devDependencies", "engines", "volta", "packageManager",
    "workspaces", "files",
)  # fmt: skip
TABLES = ("project", "project.scripts", "project.optional-dependencies", "dependency-groups", "build-system", "tool", "tool.uv",
          "tool.poetry", "tool.poetry.group", "tool.poetry.dependencies", "tool.mypy")  # fmt: skip
# What no line of a Dockerfile of ours may begin with, whatever the repository holds.
FOREIGN = ("RUN evil", "id)")


def check(files: Tree) -> None:
    for file in plan(Look(tree=files), Wish()).files:
        if file.path.endswith("Dockerfile"):
            assert parse(dockerfile.parse_string(file.content)).get("lint")
            assert not any(line.strip().startswith(FOREIGN) for line in file.content.splitlines())
            assert "$(id)" not in file.content.replace('"$(id)"', "")
        elif file.path.endswith(".yml"):
            assert isinstance(yaml.safe_load(file.content), dict | None)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), JUNK))
def test_package_json(keys: dict[str, Any]) -> None:
    check(tree({"package.json": json.dumps(keys), "package-lock.json": LOCK}))


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("value", ["3", "[]", "[1]", "'x'", "{}", "{ dev = 3, 'a b' = [] }", "true"])
def test_pyproject(name: str, value: str) -> None:
    for lock in ("uv.lock", "poetry.lock", "pdm.lock", ""):
        check(tree({"pyproject.toml": f"{name} = {value}\n"}, *filter(None, [lock])))


@pytest.mark.parametrize("name", ["package", "package.name", "bin", "workspace", "toolchain"])
@pytest.mark.parametrize("value", ["3", "[]", "[{ name = 3 }]", "'$(id)'", "{ name = '$(id)' }"])
def test_cargo(name: str, value: str) -> None:
    check(tree({"Cargo.toml": f"{name} = {value}\n", "rust-toolchain.toml": f"{name} = {value}\n", "src/main.rs": ""}))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TREES)), st.text(max_size=40), st.integers(0, 400))
def test_a_damaged_file(name: str, noise: str, place: int) -> None:
    texts = {path: text[:place] + noise + text[place:] for path, text in TREES[name].texts.items()}
    try:
        check(Tree(TREES[name].files, texts))
    except ConfigurationError:
        assert name == "go-workspace"  # where the file itself is what makes it a project


def test_deep_nesting_is_no_way_out() -> None:
    check(tree({"package.json": "[" * 100_000}))
    check(tree({"pyproject.toml": "a = " + "[" * 100_000}))
