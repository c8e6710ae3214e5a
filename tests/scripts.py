"""The scripts of `bin/`, which is no package."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

BIN = Path(__file__).parents[1] / "bin"


def script(name: str) -> ModuleType:
    """A file of `bin/` as a module, which imports those beside it."""
    sys.path.insert(0, str(BIN))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(BIN))
