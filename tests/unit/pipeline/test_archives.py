"""What the binaries of a checkout are called."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from ci_buildkit.pipeline import archives
from ci_buildkit.plan.stages import Plan


@dataclass
class Of:
    """The part of a plan that is looked at."""

    context: Path


def name(context: Path) -> str:
    """What its binaries are called."""
    return archives.program(cast("Plan", Of(context)))


def test_a_checkout_is_called_after_its_repository_wherever_it_is(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "part").mkdir(parents=True)
        words = ["git", "-C", str(tmp_path / folder)]
        subprocess.run([*words, "init", "-q"], check=True)
        subprocess.run([*words, "remote", "add", "origin", "https://example.com/org/app.git"], check=True)
        assert name(tmp_path / folder) == "app"
        assert name(tmp_path / folder / "part") == "part"


def test_without_an_origin_the_folder_names_it(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert name(tmp_path / "plain") == "plain"
    subprocess.run(["git", "init", "-q", str(tmp_path / "new")], check=True)
    assert name(tmp_path / "new") == "new"
