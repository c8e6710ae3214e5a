"""The folder that keeps cache mounts."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import msgspec
import pytest

from ci_buildkit.pipeline import shelf
from ci_buildkit.pipeline.shelf import Entry, Index, Shelf, fitting, merged
from ci_buildkit.plan.mounts import Mount


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def kept(tmp_path: Path, warnings: list[str]) -> Shelf:
    return Shelf(tmp_path / "kept", warnings.append)


def keep(kept: Shelf, mount: Mount, content: bytes = b"content") -> Entry:
    with kept.making() as folder:
        (folder / "0.tar").write_bytes(content)
        return kept.keep(folder / "0.tar", mount, "key", "print", "755 0 0")


def test_what_was_kept_is_found_again(kept: Shelf, warnings: list[str]) -> None:
    assert kept.index() == Index()
    entry = keep(kept, Mount("/go/pkg/mod", uid="5"))
    kept.put(Index(mounts=(entry,), empty={"test 1/2": 1.5}))
    assert kept.index() == Index(mounts=(entry,), empty={"test 1/2": 1.5})
    assert kept.is_sound(entry)
    assert entry.mount == Mount("/go/pkg/mod", uid="5")
    assert sorted(path.name for path in kept.folder.iterdir()) == [entry.file, "index.json"]
    assert entry.file.startswith("go-pkg-mod-")
    assert warnings == []


def test_what_belongs_to_nothing_goes_and_what_is_foreign_stays(kept: Shelf) -> None:
    first = keep(kept, Mount("a"))
    kept.put(Index(mounts=(first,)))
    (kept.folder / "own.tar").touch()
    fresh, old = (keep(kept, Mount(name), name.encode()) for name in "xy")
    left = kept.folder / f"{shelf.NEW}left"
    left.mkdir()
    ago = time.time() - 2 * shelf.STALE
    os.utime(kept.folder / old.file, (ago, ago))
    os.utime(left, (ago, ago))
    second = keep(kept, Mount("a"), b"other")
    kept.put(Index(mounts=(second,)))
    # `fresh` may be what another run has just put there.
    assert {path.name for path in kept.folder.iterdir()} == {second.file, fresh.file, "own.tar", "index.json"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"schema": 2}', '{"schema": 1, "mounts": [{"id": 1}]}', '{"schema": 1, "mounts": {}}', "\xff"],
)
def test_an_index_that_cannot_be_read_counts_for_nothing(kept: Shelf, warnings: list[str], text: str) -> None:
    kept.folder.mkdir()
    (kept.folder / "index.json").write_text(text, encoding="latin-1")
    assert kept.index() == Index()
    assert "is not readable" in warnings[0]


def test_a_file_elsewhere_is_never_read(kept: Shelf) -> None:
    entry = keep(kept, Mount("a"))
    document = json.loads(msgspec.json.encode(Index(mounts=(entry,))))
    document["mounts"][0]["file"] = "../outside-0123456789abcdef.tar"
    (kept.folder / "index.json").write_text(json.dumps(document))
    assert kept.index() == Index()


def test_damaged_files_are_told(kept: Shelf, warnings: list[str]) -> None:
    entry = keep(kept, Mount("a"))
    path = kept.folder / entry.file
    path.write_bytes(b"CONTENT")
    assert not kept.is_sound(entry)
    path.unlink()
    assert not kept.is_sound(entry)
    path.symlink_to("/etc/passwd")
    assert not kept.is_sound(entry)
    assert ["is missing or damaged" in text for text in warnings] == [True] * 3


def sized(name: str, size: int, saved: str = "") -> Entry:
    return Entry(id=name, file="f", size=size, sha256="", fingerprint="", root="", saved=saved)


def test_the_largest_of_this_run_and_the_oldest_of_others_do_not_fit() -> None:
    entries = [sized("big", 60), sized("small", 10), sized("old", 20, "2024"), sized("new", 20, "2025")]
    kept, lost = fitting(entries, [Mount("big"), Mount("small")], 95)
    assert [entry.id for entry in kept] == ["big", "new", "small"]
    assert [entry.id for entry in lost] == ["old"]
    assert [entry.id for entry in fitting(entries, [Mount("big"), Mount("small")], 65)[0]] == ["new", "old", "small"]


def test_changes_take_the_place_of_entries() -> None:
    changed = merged([sized("a", 1), sized("b", 1), sized("c", 1)], {Mount("a"): sized("a", 2), Mount("b"): None})
    assert [(entry.id, entry.size) for entry in changed] == [("a", 2), ("c", 1)]
