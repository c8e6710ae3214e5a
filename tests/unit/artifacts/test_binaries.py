"""Binaries: their headers against their platforms, archives byte for byte, checksums and the manifest."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from ci_buildkit.artifacts import machine
from ci_buildkit.artifacts.binaries import collect, digest, folder_name
from ci_buildkit.artifacts.machine import Machine
from ci_buildkit.record import VersionRecord

VERSION = VersionRecord(value="v1.2.3", revision="a" * 40, dirty=False, source="tag", source_date_epoch=1700000000)


def elf(number: int, *, big: bool = False) -> bytes:
    """The header of an ELF executable (System V gABI): class, data, version, padding, type, machine."""
    order: Literal["big", "little"] = "big" if big else "little"
    ident = b"\x7fELF\x02" + (b"\x02" if big else b"\x01") + b"\x01" + bytes(9)
    return ident + (2).to_bytes(2, order) + number.to_bytes(2, order) + bytes(100)


def pe(number: int) -> bytes:
    """The header of a PE executable: the DOS stub's e_lfanew at 60, then the signature and the machine."""
    return b"MZ" + bytes(58) + (128).to_bytes(4, "little") + bytes(64) + b"PE\0\0" + number.to_bytes(2, "little")


def macho(number: int) -> bytes:
    """The header of a 64-bit Mach-O file: magic and cputype."""
    return b"\xcf\xfa\xed\xfe" + number.to_bytes(4, "little") + bytes(100)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (elf(62), Machine("ELF", "amd64")),
        (elf(183), Machine("ELF", "arm64")),
        (elf(40), Machine("ELF", "arm")),
        (elf(22, big=True), Machine("ELF", "s390x")),
        (elf(9999), Machine("ELF", "")),
        (pe(0x8664), Machine("PE", "amd64")),
        (pe(0xAA64), Machine("PE", "arm64")),
        (macho(0x0100000C), Machine("Mach-O", "arm64")),
        (macho(0x01000007), Machine("Mach-O", "amd64")),
        (b"#!/bin/sh\n", Machine("other", "")),
        (b"", Machine("other", "")),
        (b"MZ", Machine("other", "")),
        (b"MZ" + bytes(58) + b"\xff\xff\xff\x7f", Machine("other", "")),
        (b"\x7fELF", Machine("other", "")),
    ],
)
def test_what_an_executable_was_built_for(tmp_path: Path, content: bytes, found: Machine) -> None:
    (tmp_path / "x").write_bytes(content)
    assert machine.of(tmp_path / "x") == found


def test_this_python_is_an_executable_of_this_machine() -> None:
    found = machine.of(Path(sys.executable).resolve())
    assert found == Machine("ELF", {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, found.architecture))


@pytest.mark.parametrize(
    ("found", "platform", "wrong"),
    [
        (Machine("ELF", "amd64"), "linux/amd64", None),
        (Machine("ELF", "amd64"), "linux/amd64/v3", None),
        (Machine("ELF", "arm"), "linux/arm/v7", None),
        (Machine("ELF", "mips"), "linux/mips64le", None),
        (Machine("ELF", ""), "linux/riscv64", None),
        (Machine("ELF", "amd64"), "freebsd/amd64", None),
        (Machine("PE", "amd64"), "windows/amd64", None),
        (Machine("Mach-O", "arm64"), "darwin/arm64", None),
        (Machine("other", ""), "linux/arm64", None),
        (Machine("ELF", "amd64"), "linux/arm64", "is built for amd64, not for arm64"),
        (Machine("ELF", "amd64"), "windows/amd64", "is ELF, but windows/amd64 needs PE"),
        (Machine("PE", "amd64"), "linux/amd64", "is PE, but linux/amd64 needs ELF"),
        (Machine("ELF", "arm64"), "darwin/arm64", "is ELF, but darwin/arm64 needs Mach-O"),
    ],
)
def test_a_binary_for_the_wrong_platform_is_told(found: Machine, platform: str, wrong: str | None) -> None:
    assert machine.mismatch(found, platform) == wrong


def export(folder: Path, files: dict[str, bytes]) -> Path:
    """A folder as BuildKit's local exporter leaves it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755)
    return folder


FILES = {
    "linux_amd64/client": elf(62),
    "linux_amd64/lib/data.txt": b"data",
    "linux_arm_v7/client": elf(40),
    "windows_amd64/client.exe": pe(0x8664),
}
PLATFORMS = ("linux/amd64", "linux/arm/v7", "windows/amd64")


def test_each_platform_gets_an_archive_a_checksum_and_a_place_in_the_manifest(tmp_path: Path) -> None:
    dist = tmp_path / "report" / "dist"
    dist.mkdir(parents=True)
    made = collect([(export(tmp_path / "out", FILES), PLATFORMS)], dist, "app", VERSION)
    assert made.problems == ()
    assert [(one.platform, one.path, one.format) for one in made.binaries] == [
        ("linux/amd64", "dist/linux_amd64/client", "ELF"),
        ("linux/amd64", "dist/linux_amd64/lib/data.txt", "other"),
        ("linux/arm/v7", "dist/linux_arm_v7/client", "ELF"),
        ("windows/amd64", "dist/windows_amd64/client.exe", "PE"),
    ]
    first = made.binaries[0]
    assert (first.archive, first.size) == ("dist/app_1.2.3_linux_amd64.tar.gz", len(elf(62)))
    assert first.sha256 == hashlib.sha256(elf(62)).hexdigest()
    with tarfile.open(dist / "app_1.2.3_linux_amd64.tar.gz") as archive:
        assert {m.name: (m.mode, m.mtime, m.uid) for m in archive} == {
            "client": (0o755, 1700000000, 0),
            "lib/data.txt": (0o755, 1700000000, 0),
        }
    with zipfile.ZipFile(dist / "app_1.2.3_windows_amd64.zip") as packed:
        assert packed.namelist() == ["client.exe"]
        assert packed.read("client.exe") == pe(0x8664)
        assert packed.infolist()[0].external_attr >> 16 == 0o100755
    checked = subprocess.run(["sha256sum", "-c", "checksums.txt"], cwd=dist, capture_output=True, text=True, check=True)
    assert checked.stdout.count(": OK") == 3
    manifest = json.loads((dist / "manifest.json").read_text())
    assert [entry["platform"] for entry in manifest["archives"]] == list(PLATFORMS)
    assert manifest["archives"][0]["files"][1]["path"] == "lib/data.txt"
    assert (manifest["version"], manifest["revision"]) == ("v1.2.3", "a" * 40)


def test_two_runs_of_one_commit_are_byte_for_byte_the_same(tmp_path: Path) -> None:
    seen = []
    for number in range(2):
        dist = tmp_path / str(number) / "dist"
        dist.mkdir(parents=True)
        source = export(tmp_path / f"out{number}", FILES if number else dict(reversed(FILES.items())))
        for path in source.rglob("*"):
            os.utime(path, (number * 1000.0, number * 1000.0))
        (source / "linux_amd64/client").chmod(0o700 if number else 0o755)
        collect([(source, PLATFORMS)], dist, "app", VERSION)
        seen.append({path.name: digest(path) for path in sorted(dist.iterdir()) if path.is_file()})
    assert seen[0] == seen[1]
    assert len(seen[0]) == 5


def test_a_platform_without_files_is_missed(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    made = collect(
        [(export(tmp_path / "out", {"linux_amd64/x": elf(62)}), ("linux/amd64", "linux/arm64"))], dist, "app", VERSION
    )
    (problem,) = made.problems
    assert (problem.path, problem.kind) == ("dist/linux_arm64", "missing")
    assert problem.reason == "nothing was exported for linux/arm64"
    assert len(made.binaries) == 1


def test_a_binary_for_another_platform_is_a_problem_and_still_there(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    made = collect([(export(tmp_path / "out", {"linux_arm64/x": elf(62)}), ("linux/arm64",))], dist, "app", VERSION)
    assert [(p.path, p.kind, p.reason) for p in made.problems] == [
        ("dist/linux_arm64/x", "mismatch", "is built for amd64, not for arm64")
    ]
    assert (dist / "linux_arm64/x").is_file()
    assert made.binaries


def test_links_and_attestations_are_left_out(tmp_path: Path) -> None:
    source = export(
        tmp_path / "out", {"linux_amd64/x": elf(62), "linux_amd64/provenance.json": b"{}", "linux_amd64/sbom.json": b""}
    )
    (source / "linux_amd64/passwd").symlink_to("/etc/passwd")
    dist = tmp_path / "dist"
    dist.mkdir()
    made = collect([(source, ("linux/amd64",))], dist, "app", VERSION)
    assert [one.path for one in made.binaries] == ["dist/linux_amd64/x"]


def test_several_targets_share_a_platform_s_archive_and_must_agree(tmp_path: Path) -> None:
    one = export(tmp_path / "one", {"linux_amd64/client": elf(62), "linux_amd64/same": b"s"})
    two = export(
        tmp_path / "two", {"linux_amd64/client": elf(62) + b"!", "linux_amd64/same": b"s", "linux_amd64/b": b"b"}
    )
    dist = tmp_path / "dist"
    dist.mkdir()
    made = collect([(one, ("linux/amd64",)), (two, ("linux/amd64",))], dist, "app", VERSION)
    assert sorted(b.path for b in made.binaries) == [f"dist/linux_amd64/{name}" for name in ("b", "client", "same")]
    assert len({b.archive for b in made.binaries}) == 1
    (problem,) = made.problems
    assert problem.kind == "inconsistent"
    assert (dist / "linux_amd64/client").read_bytes() == elf(62)


def test_nothing_exported_writes_nothing(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    assert collect([], dist, "app", VERSION).binaries == ()
    assert list(dist.iterdir()) == []


def test_an_old_commit_and_a_strange_version_still_make_archives(tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    old = VERSION.model_copy(update={"source_date_epoch": 0, "value": "feature/x+1"})
    made = collect([(export(tmp_path / "out", FILES), PLATFORMS)], dist, "app", old)
    assert {one.archive for one in made.binaries} == {
        "dist/app_feature-x+1_linux_amd64.tar.gz",
        "dist/app_feature-x+1_linux_arm_v7.tar.gz",
        "dist/app_feature-x+1_windows_amd64.zip",
    }
    with zipfile.ZipFile(dist / "app_feature-x+1_windows_amd64.zip") as packed:
        assert packed.infolist()[0].date_time[0] == 1980


def test_a_platform_as_a_folder() -> None:
    assert folder_name("linux/arm/v7") == "linux_arm_v7"
