"""Archives that earlier runs wrote, found by what their bytes follow from."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest

from ci_buildkit.artifacts import archive, lists
from ci_buildkit.pipeline.depot import Depot

EPOCH = 1700000000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of files as an archive is made of."""
    folder = tmp_path / "files"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / name).write_bytes(name.encode() * 100)
        (folder / name).chmod(0o644)
    return folder


def identity(folder: Path, name: str = "x.tar.gz", epoch: int = EPOCH) -> str:
    members = sorted(folder.iterdir())
    checksums = {path: lists.digest(path) for path in members if not path.is_symlink()}
    return archive.identity(folder.parent / name, folder, members, epoch, checksums)


def test_an_archive_of_the_same_files_is_the_same_wherever_they_are(folder: Path, tmp_path: Path) -> None:
    before = identity(folder)
    os.utime(folder / "a", (1, 1))
    (folder / "a").chmod(0o600)
    folder.rename(tmp_path / "elsewhere")
    assert identity(tmp_path / "elsewhere", "other-name.tar.gz") == before


def test_all_that_changes_an_archive_makes_it_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [identity(folder), identity(folder, "x.zip"), identity(folder, epoch=EPOCH + 1)]
    (folder / "a").chmod(0o755)
    seen.append(identity(folder))
    (folder / "a").write_bytes(b"b" * 100)
    seen.append(identity(folder))
    (folder / "a").rename(folder / "c")
    seen.append(identity(folder))
    (folder / "c").unlink()
    (folder / "c").symlink_to("b")
    seen.append(identity(folder))
    (folder / "c").unlink()
    (folder / "c").symlink_to("d")
    seen.append(identity(folder))
    monkeypatch.setattr(zlib, "ZLIB_RUNTIME_VERSION", "another")
    seen.append(identity(folder))
    assert len(set(seen)) == len(seen)


def test_what_was_kept_is_taken_and_what_is_damaged_is_not(tmp_path: Path) -> None:
    depot = Depot({"XDG_CACHE_HOME": str(tmp_path / "cache")})
    target = tmp_path / "target"
    assert not depot.take("one", target)
    original = tmp_path / "archive"
    original.write_bytes(b"archive")
    depot.keep("one", original)
    original.write_bytes(b"changed in place")
    assert depot.take("one", target)
    assert target.read_bytes() == b"archive"
    assert not depot.take("on", target)
    assert not depot.take("two", target)
    [kept] = (tmp_path / "cache" / "ci-buildkit" / "archives").iterdir()
    kept.write_bytes(b"damaged")
    assert not depot.take("one", target)
    assert not kept.exists()


def test_what_was_not_used_for_long_makes_room(tmp_path: Path) -> None:
    depot, target = Depot({"XDG_CACHE_HOME": str(tmp_path)}, limit=25), tmp_path / "target"
    folder = tmp_path / "ci-buildkit" / "archives"
    for number, name in enumerate(("old", "used", "new")):
        (tmp_path / name).write_bytes(name.encode().ljust(10))
        depot.keep(name, tmp_path / name)
        for path in folder.glob(f"{name}-*"):
            os.utime(path, (number, number))
        if name == "used":
            assert depot.take("old", target)  # now it is used later than the others
    assert [name for name in ("old", "used", "new") if depot.take(name, target)] == ["old", "new"]
    (tmp_path / "large").write_bytes(bytes(26))
    depot.keep("large", tmp_path / "large")
    assert not depot.take("large", target)
    assert depot.take("old", target)


def test_a_folder_that_cannot_be_used_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "ci-buildkit").write_bytes(b"a file")
    (tmp_path / "archive").write_bytes(b"archive")
    depot = Depot({"XDG_CACHE_HOME": str(tmp_path)})
    depot.keep("one", tmp_path / "archive")
    assert not depot.take("one", tmp_path / "target")
