"""The manual page: right for man, complete, the same wherever it is made, and in the wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ci_buildkit.cli.main import COMMANDS
from ci_buildkit.config.options import Options, option_string
from ci_buildkit.errors import PRECEDENCE

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "man" / "ci-buildkit.1"


def shown() -> str:
    """The page as a terminal shows it, without overstriking."""
    command = ["mandoc", "-T", "utf8", "-O", "width=100", str(PAGE)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return re.sub(r".\x08", "", text)


def test_mandoc_finds_nothing_wrong() -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(PAGE)], capture_output=True, text=True, check=False
    )
    released = re.search(r"^## \[\d", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    # Before the first release the page has no date.
    found = [line for line in done.stdout.splitlines() if released or "missing date" not in line]
    assert found == []


def test_the_page_has_every_command_option_and_exit_code() -> None:
    text = shown()
    for name in COMMANDS:
        assert f"   ci-buildkit {name}\n" in text
        assert re.search(rf"^   +ci-buildkit {name}\b", text.partition("EXAMPLES")[2], re.MULTILINE), "an example"
    for name in Options.model_fields:
        words = "STAGE" if name == "stages" else f"--{option_string(name)}"
        assert re.search(rf"^ +(?:-\w \w+, )?{words}\b", text, re.MULTILINE), words
    codes = text.partition("EXIT STATUS")[2].partition("EXAMPLES")[0]
    assert all(re.search(rf"^ +{code}  ", codes, re.MULTILINE) for code in PRECEDENCE)


@pytest.mark.parametrize("columns", ["40", "200"])
def test_the_page_does_not_depend_on_the_terminal(columns: str) -> None:
    code = "import manual_page; print(manual_page.manual(), end='')"
    environment = {**os.environ, "COLUMNS": columns, "PYTHONPATH": str(ROOT / "bin")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == PAGE.read_text(encoding="utf-8")


def test_the_wheel_installs_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [one for one in archive.namelist() if one.endswith("/data/share/man/man1/ci-buildkit.1")]
        assert archive.read(name).decode() == PAGE.read_text(encoding="utf-8")
