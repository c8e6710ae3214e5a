"""The runs that are published, and a GitHub of our own that fails as it is told to."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.github_server import GitHub, serving

if TYPE_CHECKING:
    from types import ModuleType

    from ci_buildkit.github.api import Repository


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


@pytest.fixture
def server() -> Iterator[GitHub]:
    """GitHub on a free port of this machine."""
    with serving() as github:
        yield github


@pytest.fixture
def waits() -> list[float]:
    """The seconds that were waited for, or would have been."""
    return []


@pytest.fixture
def repository(server: GitHub, waits: list[float]) -> Iterator[Repository]:
    """The API of that GitHub, without waiting."""
    from ci_buildkit.github.api import Repository
    from ci_buildkit.github.retry import Retry

    made = Repository("octo/hello", "t", url=server.url, retry=Retry(sleep=waits.append), write_pause=0)
    yield made
    made.close()
