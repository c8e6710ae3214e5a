from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.errors import ConfigurationError, OutputError
from ci_buildkit.scaffold import write
from ci_buildkit.scaffold.plan import File


def state(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_new_files(tmp_path: Path) -> None:
    changes = write.changes(tmp_path, [File("a/b.txt", "b\n"), File("c.txt", "c\n", "add")])
    assert not any(change.in_the_way or change.same for change in changes)
    write.write(tmp_path, changes)
    assert state(tmp_path) == {"a/b.txt": "b\n", "c.txt": "c\n"}


def test_lines_are_added_behind_what_is_there(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9\r\n")
    [change] = write.changes(tmp_path, [File(".gitignore", "x\n", "add")])
    assert not change.in_the_way
    write.write(tmp_path, [change])
    assert (tmp_path / ".gitignore").read_bytes() == b"caf\xe9\r\nx\n"


def test_only_what_would_be_lost_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "same").write_text("x\n")
    (tmp_path / "other").write_text("y\n")
    same, other = write.changes(tmp_path, [File("same", "x\n"), File("other", "x\n")])
    assert (same.same, same.in_the_way) == (True, False)
    assert (other.same, other.in_the_way) == (False, True)


def test_all_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("before\n")
    files = [File("kept", "after\n"), File("new/deep/a.txt", "a\n"), File("x" * 300, "too long a name\n")]
    with pytest.raises(OutputError, match="cannot be written"):
        write.write(
            tmp_path,
            [write.Change(file, b"before\n" if file.path == "kept" else None, file.content.encode()) for file in files],
        )
    assert state(tmp_path) == {"kept": "before\n"}
    assert not (tmp_path / "new").exists()


def test_what_is_no_file_is_refused_all_of_it_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / ".github").write_text("")
    (tmp_path / "link").symlink_to("/etc/hostname")
    files = [File("folder", ""), File(".github/workflows/ci.yml", ""), File("link", ""), File("fine", "")]
    with pytest.raises(ConfigurationError) as raised:
        write.changes(tmp_path, files)
    assert raised.value.message.splitlines() == [
        f"{tmp_path}/folder is no file",
        f"{tmp_path}/.github is no folder, and .github/workflows/ci.yml would be in it",
        f"{tmp_path}/link is a link",
    ]


def test_diff(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one\ntwo\n")
    changed, new = write.changes(tmp_path, [File("a", "one\n2\n"), File("b", "x\n")])
    assert list(write.diff(changed)) == ["--- a/a", "+++ b/a", "@@ -1,2 +1,2 @@", " one", "-two", "+2"]
    assert list(write.diff(new)) == ["--- /dev/null", "+++ b/b", "@@ -0,0 +1 @@", "+x"]
