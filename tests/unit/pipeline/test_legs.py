from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ci_buildkit.errors import OutputError
from ci_buildkit.pipeline import legs
from ci_buildkit.pipeline.legs import Leg

AMD64 = Leg(
    stage="image",
    name="localhost:5000/team/app",
    digest=f"sha256:{'a' * 64}",
    platforms=("linux/amd64",),
    tags=("1.2.3", "latest"),
    annotations=("index:a=b",),
    attestations=("provenance",),
    version="v1.2.3",
    revision="f" * 40,
)
ARM64 = msgspec.structs.replace(AMD64, digest=f"sha256:{'b' * 64}", platforms=("linux/arm64",))


def test_what_was_written_is_read_from_folders_below(tmp_path: Path) -> None:
    written = [legs.write(tmp_path / "one", ARM64), legs.write(tmp_path / "two" / "deep", AMD64)]
    assert [path.name.rsplit("-", 1)[0] for path in written] == ["image-linux-arm64", "image-linux-amd64"]
    (tmp_path / "one" / "run.json").write_text("{}")
    assert legs.read(tmp_path) == (AMD64, ARM64)


def test_files_of_many_machines_fit_into_one_folder(tmp_path: Path) -> None:
    many = [
        AMD64,
        ARM64,
        msgspec.structs.replace(AMD64, name="localhost:5000/team/other"),
        msgspec.structs.replace(AMD64, stage="image/x", platforms=("linux/s390x", "linux/arm/v7")),
        msgspec.structs.replace(AMD64, stage="image-x", platforms=("linux/s390x", "linux/riscv64")),
    ]
    assert len({legs.write(tmp_path, leg) for leg in many}) == len(many)
    assert len(legs.read(tmp_path)) == len(many)


def test_copies_of_one_leg_count_once(tmp_path: Path) -> None:
    path = legs.write(tmp_path / "a", AMD64)
    (tmp_path / "b").mkdir()
    shutil.copy(path, tmp_path / "b")
    assert legs.read(tmp_path) == (AMD64,)


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no"):
        legs.read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "change",
    [
        {"digest": "sha256:abc"},
        {"digest": "latest"},
        {"platforms": []},
        {"platforms": ["linux"]},
        {"name": "--builder"},
        {"tags": ["a b"]},
        {"tags": "latest"},
        {"tags": ["-x"]},
        {"stage": ""},
        {"schema": 2},
        {"revision": None},
    ],
)
def test_a_foreign_file_is_named(change: dict[str, Any], tmp_path: Path) -> None:
    path = legs.write(tmp_path, AMD64)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(OutputError, match=path.name) as raised:
        legs.read(tmp_path)
    assert raised.value.exit_code == 5


@pytest.mark.parametrize("text", [b"", b"{}", b"[1]", b"\xff", b"[" * 100_000, b'{"stage": "im', b" " * (1 << 21)])
def test_a_damaged_file_is_named(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.leg.json").write_bytes(text)
    with pytest.raises(OutputError, match=r"x\.leg\.json"):
        legs.read(tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": "v2"}, "the version is v1.2.3 and v2"),
        ({"revision": "0" * 40}, "the revision is"),
        ({"platforms": ("linux/arm64", "linux/amd64")}, "both are localhost:5000/team/app for linux/amd64"),
    ],
)
def test_legs_that_contradict_each_other_are_named(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    legs.write(tmp_path, AMD64)
    legs.write(tmp_path, msgspec.structs.replace(ARM64, **change))
    with pytest.raises(OutputError, match=reason) as raised:
        legs.read(tmp_path)
    assert raised.value.message.count(".leg.json") == 2
