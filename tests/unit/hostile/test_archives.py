"""Archives: what a build sends back is unpacked inside its folder alone, and what we write is harmless to unpack."""

from __future__ import annotations

import gzip
import os
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.strategies import PAYLOADS, every, hostile

from ci_buildkit.act import runs
from ci_buildkit.act.outcome import Artifact
from ci_buildkit.artifacts import archive, files, names
from ci_buildkit.engine import recover
from ci_buildkit.engine.recover import Recovered, unpack
from ci_buildkit.errors import ConfigurationError

BLOCK = tarfile.BLOCKSIZE


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, *, form: Literal[1, 2] = tarfile.GNU_FORMAT, **more: object) -> bytes:  # fmt: skip
    """The header of one member."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.type = size, kind
    for key, value in more.items():
        setattr(entry, key, value)
    return entry.tobuf(form, errors="surrogateescape")


def content(data: bytes) -> bytes:
    """Data in whole blocks."""
    return data + b"\0" * (-len(data) % BLOCK)


def pax(**records: str) -> bytes:
    """A header that changes the next member's."""
    said = b""
    for key, value in records.items():
        text = f" {key.replace('_', '.')}={value}\n".encode()
        length = next(n for n in range(len(text), len(text) + 9) if len(str(n)) + len(text) == n)
        said += str(length).encode() + text
    return header("x", len(said), tarfile.XHDTYPE) + content(said)


END = b"\0" * 2 * BLOCK
FINE = header("fine.xml", 4) + content(b"<a/>")
HOSTILE = {
    "time that is none": pax(mtime="nan") + FINE + END,
    "time without end": pax(mtime="1e300") + FINE + END,
    "time of no year": header("fine.xml", 4, mtime=2**70) + content(b"<a/>") + END,
    "no end": FINE,
    "bad header": FINE + b"x" * BLOCK + END,
    "negative size": pax(size="-512") + FINE + END,
    "size that is none": pax(size="many") + FINE + END,
    "path that leads out": pax(path="../../out.xml") + FINE + END,
    "path with a NUL": pax(path="a\0b") + FINE + END,
    "headers of headers": b"".join(header("././@LongLink", 1, b"L") + content(b"x") for _ in range(3000)) + FINE + END,
    "file as folder": FINE + header("fine.xml/out.xml", 1) + content(b"x") + END,
    "folder as file": header("a/b.xml", 1) + content(b"x") + header("a", 1) + content(b"x") + END,
    "name too long": pax(path="n" * 5000) + FINE + END,
    "more than there is": header("half.xml", 2**33) + content(b"x"),
}


def packed(tmp: Path, data: bytes, *, pack: bool = True) -> Path:
    spool = tmp / "spool"
    spool.write_bytes(gzip.compress(data, 1) if pack else data)
    return spool


def inside(tmp: Path, folder: Path) -> list[Path]:
    """The files below a folder, beside which there is nothing but the archive."""
    found = [path for path in tmp.rglob("*") if not path.is_dir() and path.name != "spool"]
    assert all(path.is_relative_to(folder) for path in found), found
    return found


@pytest.mark.parametrize("pack", [True, False])
@pytest.mark.parametrize("name", HOSTILE)
def test_an_archive_of_anything_is_trouble_and_no_crash(tmp_path: Path, name: str, *, pack: bool) -> None:
    result = Recovered(begun=True, complete=True)
    unpack(result, packed(tmp_path, HOSTILE[name], pack=pack), tmp_path / "a" / "b")
    assert "cannot be unpacked" in result.trouble
    assert not result.complete
    assert [path.name for path in inside(tmp_path, tmp_path / "a" / "b")] == [Path(one).name for one in result.files]


def test_what_damaged_gzip_held_is_kept(tmp_path: Path) -> None:
    data = FINE + header("noise.xml", 1 << 20) + os.urandom(1 << 20) + END
    spool = packed(tmp_path, data)
    whole = bytearray(spool.read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 200] = b"\xff" * 200
    spool.write_bytes(whole)
    result = Recovered(begun=True, complete=True)
    unpack(result, spool, tmp_path / "to")
    assert result.files[0] == "fine.xml"
    assert not result.complete
    assert "CRC" in result.trouble or "cannot be unpacked" in result.trouble


@pytest.mark.parametrize(
    "bomb",
    [
        header("big.xml", 60 << 20) + b"\0" * (60 << 20),
        # As many zeros out of a hole of one header.
        pax(GNU_sparse_map="0,0", GNU_sparse_size=str(60 << 20)) + header("hole.xml"),
        b"".join(header(f"{n}.xml") for n in range(300)),
        header("././@LongLink", 30 << 20, b"L") + b"\0" * (30 << 20) + FINE,
        header("x", 30 << 20, tarfile.XHDTYPE) + b"\0" * (30 << 20) + FINE,
    ],
    ids=["zeros", "hole", "count", "long name", "pax"],
)
def test_a_little_that_becomes_much_is_not_unpacked(
    bomb: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recover, "MAX_UNPACKED", 50 << 20)
    monkeypatch.setattr(recover, "MAX_MEMBERS", 200)
    result = Recovered(begun=True, complete=True)
    unpack(result, packed(tmp_path, FINE + bomb + END), tmp_path / "to")
    assert not result.complete
    assert result.trouble
    assert result.files[0] == "fine.xml"
    assert sum(path.stat().st_size for path in inside(tmp_path, tmp_path / "to")) < 1 << 20


names_of_members = hostile.map(lambda text: text.encode("utf-8", "replace").decode()[:200].strip("\0") or "x")


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(names_of_members, st.sampled_from([b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"S"])), max_size=4)
)
@example([(PAYLOADS["name that leads out"], b"0")])
@example([("link", b"2"), ("link/canary", b"0")])
def test_names_of_any_kind_stay_inside(members: list[tuple[str, bytes]]) -> None:
    data = b"".join(
        header(name, 0, kind, form=tarfile.PAX_FORMAT, linkname="../..", devmajor=1, devminor=3)
        for name, kind in members
    )
    with tempfile.TemporaryDirectory() as made:
        tmp = Path(made)
        result = Recovered(begun=True, complete=True)
        unpack(result, packed(tmp, data + END), tmp / "a" / "b")
        found = inside(tmp, tmp / "a" / "b")
        assert all(path.is_file() and not path.is_symlink() for path in found)
        assert len(found) <= len(result.files) <= sum(kind in {b"0", b"S"} for _, kind in members)


@settings(deadline=None, max_examples=20)
@given(raw=st.binary(max_size=2000))
@example(raw=b"\x1f\x8b" + b"\0" * 50)
def test_any_bytes_are_trouble_and_no_crash(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as made:
        result = Recovered(begun=True, complete=True)
        unpack(result, packed(Path(made), raw, pack=False), Path(made, "to"))
        inside(Path(made), Path(made, "to"))


def test_an_artifact_stays_in_its_folder_and_on_its_disk(tmp_path: Path) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name in ("../out.txt", "/out.txt", "a/../../out.txt", "fine.txt"):
            made.writestr(name, "x")
        link = zipfile.ZipInfo("link")
        link.external_attr = archive.LINK << 16
        made.writestr(link, "../../etc")
    runs.unpack(Artifact("a", file, 0), tmp_path / "to" / "a")
    found = [path for path in tmp_path.rglob("*") if not path.is_dir() and path != file]
    assert all(path.is_relative_to(tmp_path / "to" / "a") and not path.is_symlink() for path in found)
    assert (tmp_path / "to/a/fine.txt").read_text() == "x"
    data = bytearray(file.read_bytes())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = b"\xff" * 3 + b"\x7f"  # a size of 2 GiB, of which there are more than the disk has
    many = b"".join(bytes(data[entry : data.rindex(b"PK\x05\x06")]) for _ in range(20_000))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 20_000, 20_000, len(many), 0, 0)
    file.write_bytes(many + end)
    with pytest.raises(OSError, match="No space left"):
        runs.unpack(Artifact("a", file, 0), tmp_path / "to" / "b")
    assert list((tmp_path / "to" / "b").iterdir()) == []


def member(text: str) -> str:
    """A payload as a name that Linux takes."""
    parts = [part[:80] for part in text.replace("\0", "").split("/") if part.strip() not in {"", ".", ".."}]
    return "/".join(parts[:3]) or "x"


@pytest.mark.parametrize("windows", [False, True], ids=["tar", "zip"])
def test_what_a_build_exports_is_harmless_to_unpack(tmp_path: Path, *, windows: bool) -> None:
    source, dist = tmp_path / "source", tmp_path / "dist"
    for number, payload in enumerate(PAYLOADS.values()):
        path = source / str(number) / os.fsdecode(member(payload).encode("utf-8", "surrogatepass"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    for name, leads in {"out": "../../out", "root": "/etc", "chain": "out", "self": "self", "fine": "0"}.items():
        (source / name).symlink_to(leads)
    os.mkfifo(source / "pipe")
    taken = files.Taken(dist, "dist")
    files.take(source, taken, windows=windows)
    told = "\n".join(problem.path for problem in taken.problems)
    assert {"dist/out", "dist/root", "dist/chain", "dist/self", "dist/pipe"} <= set(told.split("\n"))
    told.encode()
    target = tmp_path / f"a.{'zip' if windows else 'tar.gz'}"
    archive.write(target, dist, taken.paths, 1_700_000_000)
    to = tmp_path / "to"
    if windows:
        with zipfile.ZipFile(target) as found:
            assert all(not files.NOT_ON_WINDOWS.intersection(name) for name in found.namelist())
            assert all(".." not in name.split("/") and not name.startswith("/") for name in found.namelist())
            assert found.testzip() is None
        return
    # The filter refuses whatever could leave the folder or is no file; Debian 12's Python has none, its tar has.
    to.mkdir()
    subprocess.run(["tar", "-xzf", target, "-C", to], check=True)
    with tarfile.open(target) as found:
        for entry in found:
            assert entry.isfile() or entry.issym()
            assert not entry.name.startswith("/")
            assert ".." not in entry.name.split("/")
            assert entry.mode in {0o644, 0o755, 0o777}
            assert (entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, "", "")
    for path in to.rglob("*"):
        assert path.resolve().is_relative_to(to)


@settings(deadline=None, max_examples=100)
@given(hostile, hostile)
@example(every, every)
@example("/", "/")
def test_archives_have_names_of_files(name: str, version: str) -> None:
    try:
        made = names.archives("{name}_{version}_{os}_{arch}{variant}", name, version, [("t", "linux/amd64")])
    except ConfigurationError:
        return
    (file,) = made.values()
    assert "/" not in file
    assert "\\" not in file
    assert not file.startswith((".", "-"))
    assert not any(ord(character) < 32 or ord(character) == 127 for character in file)
    assert Path("x", file).name == file


def test_the_harness_would_notice(tmp_path: Path) -> None:
    """The same archive unpacked without care does leave its folder."""
    data = header("../out.xml", 1) + content(b"x") + END
    (tmp_path / "a").mkdir()
    code = f"import tarfile, io; tarfile.open(fileobj=io.BytesIO({data!r})).extractall({str(tmp_path / 'a')!r})"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, capture_output=True)
    assert done.returncode == 0
    assert (tmp_path / "out.xml").exists()
