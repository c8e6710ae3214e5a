"""What the binaries of a checkout are called."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ci_buildkit.pipeline.archives import program


def test_a_checkout_is_called_after_its_repository_wherever_it_is(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder / "part").mkdir(parents=True)
        words = ["git", "-C", str(tmp_path / folder)]
        subprocess.run([*words, "init", "-q"], check=True)
        subprocess.run([*words, "remote", "add", "origin", "https://example.com/org/app.git"], check=True)
        assert program(tmp_path / folder) == "app"
        assert program(tmp_path / folder / "part") == "part"


def test_without_an_origin_the_folder_names_it(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert program(tmp_path / "plain") == "plain"
    subprocess.run(["git", "init", "-q", str(tmp_path / "new")], check=True)
    assert program(tmp_path / "new") == "new"
