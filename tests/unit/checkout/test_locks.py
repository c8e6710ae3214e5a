"""The hash of a context's lock files."""

from __future__ import annotations

from pathlib import Path

from ci_buildkit.checkout import locks


def test_the_key_changes_with_lock_files_and_with_nothing_else(tmp_path: Path) -> None:
    assert locks.key([tmp_path]) == ""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "go.sum").write_text("a")
    first = locks.key([tmp_path])
    assert len(first) == 16
    (tmp_path / "main.go").write_text("x")
    assert locks.key([tmp_path]) == first
    (tmp_path / "requirements-dev.txt").write_text("x")
    second = locks.key([tmp_path])
    assert second != first
    (tmp_path / ".dockerignore").write_text("*.txt\n")
    assert locks.key([tmp_path]) == first
    (tmp_path / "sub" / "go.sum").write_text("b")
    assert locks.key([tmp_path]) not in {first, second}
