"""The action's scripts are not part of the package: they are loaded from their files."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ACTION = Path(__file__).parents[3] / "action"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"ci_buildkit_action_{name}", ACTION / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def boot() -> ModuleType:
    return load("boot")


@pytest.fixture
def run() -> ModuleType:
    return load("run")
