"""The package that is published: everything of the source is in the wheel, and the source archive makes the same wheel."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from ci_buildkit import __version__

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "ci_buildkit"


def build(folder: Path, target: Path) -> list[Path]:
    """Build the wheel and the source archive of a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(target)]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return sorted(target.iterdir())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source archive and the wheel of this checkout."""
    wheel, archive = build(ROOT, tmp_path_factory.mktemp("package"))
    return archive, wheel


def named(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as content:
        return set(content.namelist())


def test_the_wheel_has_every_file_of_the_source(built: tuple[Path, Path]) -> None:
    files = {path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    there = {name for name in named(built[1]) if name.startswith("ci_buildkit/")}
    assert there == {path.relative_to(SOURCE.parent).as_posix() for path in files}
    assert {
        "ci_buildkit/report/report.html.j2",
        "ci_buildkit/report/report.css",
        "ci_buildkit/report/report.js",
    } <= there
    assert any(name.startswith("ci_buildkit/scaffold/templates/") for name in there)


def test_the_source_archive_makes_the_same_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(built[0]) as archive:
        archive.extractall(tmp_path, filter="data")
    [wheel, _] = build(next(tmp_path.iterdir()), tmp_path / "again")
    assert named(wheel) == named(built[1])


def test_names_are_those_that_the_release_takes(built: tuple[Path, Path]) -> None:
    assert [path.name for path in built] == [
        f"ci_buildkit-{__version__}.tar.gz",
        f"ci_buildkit-{__version__}-py3-none-any.whl",
    ]
    text = (ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8")
    for name in ("ci_buildkit-${GITHUB_REF_NAME#v}-py3-none-any.whl", "ci_buildkit-${GITHUB_REF_NAME#v}.tar.gz"):
        assert name in text
