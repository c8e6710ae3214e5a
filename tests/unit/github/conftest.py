"""The runs that the annotations are made of."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="session")
def runs() -> ModuleType:
    """The module `../report/fixtures.py`: tests are not a package, so it is loaded by path."""
    file = Path(__file__).parents[1] / "report" / "fixtures.py"
    spec = importlib.util.spec_from_file_location("report_fixtures", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
