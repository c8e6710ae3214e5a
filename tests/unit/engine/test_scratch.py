"""Temporary folders of dead processes go, all others stay."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from msgspec.structs import replace

from ci_buildkit.engine import scratch
from ci_buildkit.engine.owner import Owner


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def left_behind(kind: str = "") -> Path:
    """A folder of a process that has ended: nobody started at tick 1 of this boot."""
    made = scratch.folder(kind)
    (made / scratch.OWNER).write_text(str(replace(Owner.here(), ticks=1)))
    return made


def test_the_folder_of_a_dead_process_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("stays")
    made = left_behind("login-")
    (made / "config.json").write_text("password")
    (made / "deep" / "er").mkdir(parents=True)
    (made / "contexts").symlink_to(elsewhere)
    scratch.sweep()
    assert list(tmp_path.iterdir()) == [elsewhere]
    assert (elsewhere / "file").read_text() == "stays"


def test_other_folders_stay(tmp_path: Path) -> None:
    living, kept, unknown = scratch.folder(), left_behind(), left_behind()
    scratch.keep(kept)
    (unknown / scratch.OWNER).write_bytes(b"\xff")
    (tmp_path / "ci-buildkit-file").write_text("")
    (tmp_path / "ci-buildkit-link").symlink_to(left_behind().rename(tmp_path / "outside"))
    (tmp_path / "outside" / "thesis.tex").touch()
    scratch.sweep()
    assert (tmp_path / "outside" / "thesis.tex").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {
        living.name, kept.name, unknown.name, "ci-buildkit-file", "ci-buildkit-link", "outside",
    }  # fmt: skip


def test_what_another_user_put_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    made = left_behind()
    (made / "file").touch()
    monkeypatch.setattr(os, "geteuid", lambda: made.stat().st_uid + 1)
    scratch.sweep()
    assert (made / "file").exists()


def test_nobody_else_can_look_into_one() -> None:
    assert scratch.folder().stat().st_mode & 0o777 == 0o700
