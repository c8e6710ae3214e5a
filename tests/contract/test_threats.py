"""The threat model: every line names tests that there are, every attacker has a table and a sentence on what is left to do."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "threat-model.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", PAGE)))
SECTIONS = {part.partition("\n")[0]: part for part in PAGE.split("\n## ")[1:]}
ATTACKERS = {name: text for name, text in SECTIONS.items() if "| Could |" in text}


@pytest.mark.parametrize("named", NAMED)
def test_a_named_test_is_there(named: str) -> None:
    path, _, name = named.partition("::")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert name in functions if name else functions


def test_who_attacks_is_whom_we_know_of() -> None:
    assert set(ATTACKERS) == {
        "A pull request from a fork", "Code of a dependency, inside RUN", "A registry, or who is between",
        "Who writes a cache", "A compromised action or package", "Logs and reports", "Others on the same machine",
    }  # fmt: skip


@pytest.mark.parametrize("name", ATTACKERS)
def test_every_line_is_shown_by_a_test_and_something_is_left(name: str) -> None:
    lines = [
        line
        for line in ATTACKERS[name].splitlines()
        if line.startswith("| ") and not line.startswith(("| Could", "| ---"))
    ]
    assert lines
    assert [line for line in lines if "`tests/" not in line.split(" | ")[-1]] == []
    assert "\nYours: " in ATTACKERS[name]
