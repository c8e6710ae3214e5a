"""Exported binaries: gathered, judged, archived byte for byte, listed."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tarfile
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.unit.artifacts.samples import sample

from ci_buildkit.artifacts import archive, binaries, lists, names
from ci_buildkit.artifacts.binaries import Export
from ci_buildkit.artifacts.package import Package
from ci_buildkit.artifacts.stamp import Stamp
from ci_buildkit.problem import Problem
from ci_buildkit.record import BinaryRecord, VersionRecord

VERSION = VersionRecord(value="v1.2.3", revision="a" * 40, dirty=False, source="tag", source_date_epoch=1700000000)
USUAL = "{name}_{version}_{os}_{arch}{variant}"
GIVEN = Stamp(("v1.2.3",), "a" * 40)
FILES = {
    "linux_amd64/client": sample("go-linux-amd64"),
    "linux_amd64/lib/data.txt": b"data",
    "linux_arm_v7/client": sample("go-linux-arm"),
    "windows_amd64/client.exe": sample("go-windows-amd64"),
}
PLATFORMS = ("linux/amd64", "linux/arm/v7", "windows/amd64")


@dataclass(frozen=True)
class Made:
    dist: Path
    packages: Sequence[Package]
    records: Sequence[BinaryRecord]
    problems: Sequence[Problem]

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(problem.path, problem.reason) for problem in self.problems]


def export(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A folder as BuildKit's local exporter leaves it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755)
    return folder


def made(dist: Path, *exports: Export, template: str = USUAL, answers: Mapping[str, str] | None = None) -> Made:
    """What a run makes of exports, but for what takes a builder."""
    dist.mkdir(parents=True)
    keys = [(one.target, platform) for one in exports for platform in one.platforms]
    named = names.archives(template, "app", VERSION.value, keys)
    packages, problems = binaries.gather(exports, dist, named, by_target=names.by_target(template))
    seen = binaries.look(packages)
    for package in packages:
        archive.write(package.archive, package.folder, package.paths, VERSION.source_date_epoch)
    records, wrong = binaries.judge(seen, answers or {}, dist)
    lists.write(dist, "app", VERSION, packages, records)
    return Made(dist, packages, records, [*problems, *wrong])


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    return tmp_path / "report" / "dist"


def test_each_platform_gets_an_archive_a_checksum_and_a_place_in_the_manifest(tmp_path: Path, dist: Path) -> None:
    run = made(dist, Export("bin", export(tmp_path / "out", FILES), PLATFORMS))
    assert run.said == []
    assert [(one.platform, one.path, one.format, one.linkage, one.stripped) for one in run.records] == [
        ("linux/amd64", "dist/linux_amd64/client", "ELF", "static", True),
        ("linux/amd64", "dist/linux_amd64/lib/data.txt", "other", None, None),
        ("linux/arm/v7", "dist/linux_arm_v7/client", "ELF", "static", True),
        ("windows/amd64", "dist/windows_amd64/client.exe", "PE", "dynamic", True),
    ]
    first = run.records[0]
    assert (first.archive, first.size) == ("dist/app_1.2.3_linux_amd64.tar.gz", len(FILES["linux_amd64/client"]))
    assert first.sha256 == hashlib.sha256(FILES["linux_amd64/client"]).hexdigest()
    with tarfile.open(dist / "app_1.2.3_linux_amd64.tar.gz") as packed:
        assert {m.name: (m.mode, m.mtime, m.uid) for m in packed} == {
            "client": (0o755, 1700000000, 0),
            "lib/data.txt": (0o755, 1700000000, 0),
        }
    with zipfile.ZipFile(dist / "app_1.2.3_windows_amd64.zip") as zipped:
        assert zipped.namelist() == ["client.exe"]
        assert zipped.read("client.exe") == FILES["windows_amd64/client.exe"]
        assert zipped.infolist()[0].external_attr >> 16 == 0o100755
    checked = subprocess.run(["sha256sum", "-c", "checksums.txt"], cwd=dist, capture_output=True, text=True, check=True)
    assert checked.stdout.count(": OK") == 3
    manifest = json.loads((dist / "manifest.json").read_text())
    assert [entry["platform"] for entry in manifest["archives"]] == list(PLATFORMS)
    assert manifest["archives"][0]["files"][1]["path"] == "lib/data.txt"
    assert (manifest["version"], manifest["revision"]) == ("v1.2.3", "a" * 40)


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """Another time zone and umask."""
    umask, zone = os.umask(0o077), os.environ.get("TZ")
    os.environ["TZ"] = "Pacific/Kiritimati"
    time.tzset()
    yield
    os.umask(umask)
    os.environ.pop("TZ")
    if zone is not None:
        os.environ["TZ"] = zone
    time.tzset()


def built(folder: Path, *, turned: bool) -> dict[str, str]:
    """The hashes of what a run makes; `turned` exports the same files in another order with other times and modes."""
    source = export(folder / "out", dict(reversed(FILES.items())) if turned else FILES)
    (source / "linux_amd64/link").symlink_to("client")
    for path in source.rglob("*"):
        os.utime(path, (turned * 1000.0, turned * 1000.0), follow_symlinks=False)
    (source / "linux_amd64/client").chmod(0o4711 if turned else 0o755)
    (source / "linux_amd64/lib/data.txt").chmod(0o600 if turned else 0o664)
    dist = made(folder / "dist", Export("bin", source, PLATFORMS)).dist
    return {path.name: lists.digest(path) for path in sorted(dist.iterdir()) if path.is_file()}


def test_two_runs_of_one_commit_are_byte_for_byte_the_same(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    first = built(tmp_path / "first", turned=False)
    request.getfixturevalue("elsewhere")
    assert built(tmp_path / "second", turned=True) == first
    assert len(first) == 5


def test_a_platform_without_files_is_missed(tmp_path: Path, dist: Path) -> None:
    source = export(tmp_path / "out", {"linux_amd64/x": FILES["linux_amd64/client"]})
    run = made(dist, Export("bin", source, ("linux/amd64", "linux/arm64")))
    assert run.said == [("dist/linux_arm64", "nothing was exported for linux/arm64")]
    assert [one.kind for one in run.problems] == ["missing"]
    assert len(run.records) == 1


def test_platforms_are_found_where_buildkit_writes_them(tmp_path: Path, dist: Path) -> None:
    source = export(tmp_path / "out", {"linux_arm64/x": sample("go-linux-arm64"), "linux_arm_v7/x": b"x"})
    run = made(dist, Export("bin", source, ("linux/arm64/v8", "linux/arm", "linux/arm/v7")))
    assert run.said == []
    assert [one.platform for one in run.records] == ["linux/arm64", "linux/arm/v7"]


def test_a_binary_for_another_platform_is_a_problem_and_still_there(tmp_path: Path, dist: Path) -> None:
    files = {"linux_arm64/x": sample("go-linux-amd64"), "linux_arm64/y": b"\x7fELF\x02\x01"}
    run = made(dist, Export("bin", export(tmp_path / "out", files), ("linux/arm64",)))
    assert run.said[0] == ("dist/linux_arm64/x", "is built for amd64, not for arm64")
    path, reason = run.said[1]
    assert (path, reason.partition(":")[0]) == ("dist/linux_arm64/y", "begins as ELF but cannot be read as such")
    assert [one.kind for one in run.problems] == ["mismatch", "unreadable"]
    assert (dist / "linux_arm64/x").is_file()
    assert len(run.records) == 2


def test_links_that_stay_inside_are_kept(tmp_path: Path, dist: Path) -> None:
    source = export(tmp_path / "out", {"linux_amd64/lib/x.so.1": b"x", "windows_amd64/a": b"a"})
    (source / "linux_amd64/lib/x.so").symlink_to("x.so.1")
    (source / "linux_amd64/lib64").symlink_to("lib")
    (source / "windows_amd64/b").symlink_to("a")
    run = made(dist, Export("bin", source, ("linux/amd64", "windows/amd64")))
    assert run.said == []
    with tarfile.open(run.packages[0].archive) as packed:
        assert {m.name: m.linkname for m in packed} == {"lib/x.so": "x.so.1", "lib/x.so.1": "", "lib64": "lib"}
    with zipfile.ZipFile(run.packages[1].archive) as zipped:
        assert (zipped.read("b"), zipped.getinfo("b").external_attr >> 16) == (b"a", 0o120777)
    assert [one.path for one in run.records] == ["dist/linux_amd64/lib/x.so.1", "dist/windows_amd64/a"]
    assert json.loads((dist / "manifest.json").read_text())["archives"][0]["files"][2] == {
        "path": "lib64",
        "link": "lib",
    }
    assert str((dist / "linux_amd64/lib64").readlink()) == "lib"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("/linux_amd64/etc/passwd", "is a link to /etc/passwd; make it relative"),
        ("../../../etc/passwd", "is a link to ../../../etc/passwd, which is not there"),
        ("../linux_arm64/x", "is a link to ../linux_arm64/x, out of the exported folder"),
        ("nowhere", "is a link to nowhere, which is not there"),
        ("link", "is a link to link, which is not there"),
        (os.fsdecode(b"\xff"), "the name of what it is a link to is no valid UTF-8"),
    ],
)
def test_other_links_are_told_and_left_out(tmp_path: Path, dist: Path, target: str, said: str) -> None:
    source = export(tmp_path / "out", {"linux_amd64/x": b"x", "linux_arm64/x": b"x"})
    (source / "linux_amd64/link").symlink_to(target)
    run = made(dist, Export("bin", source, ("linux/amd64", "linux/arm64")))
    [(path, reason)] = run.said
    assert path == "dist/linux_amd64/link"
    assert reason.startswith(said)
    assert [one.path for one in run.records] == ["dist/linux_amd64/x", "dist/linux_arm64/x"]


def test_what_is_no_file_is_told(tmp_path: Path, dist: Path) -> None:
    source = export(tmp_path / "out", {"linux_amd64/x": b"x", "linux_amd64/deep/y": b"y"})
    os.mkfifo(source / "linux_amd64/pipe")
    (source / "linux_amd64/deep").chmod(0)
    run = made(dist, Export("bin", source, ("linux/amd64",)))
    assert run.said == [("dist/linux_amd64/pipe", "is neither a file nor a link")]
    assert [one.path for one in run.records] == ["dist/linux_amd64/deep/y", "dist/linux_amd64/x"]


def test_odd_names(tmp_path: Path, dist: Path) -> None:
    odd = ["-rf", " ", "a\nb", "..x", "ü", "a\\..\\b", "c:d", "x" * 200]
    source = export(
        tmp_path / "out", {f"{one}/{name}": b"" for name in odd for one in ("linux_amd64", "windows_amd64")}
    )
    os.close(os.open(os.fsencode(source / "linux_amd64") + b"/\xff", os.O_CREAT))
    run = made(dist, Export("bin", source, ("linux/amd64", "windows/amd64")))
    assert sorted(run.said) == [
        ("dist/linux_amd64/\\udcff", "the name is no valid UTF-8"),
        *((f"dist/windows_amd64/{name}", "Windows has no file of this name") for name in ("a\nb", "a\\..\\b", "c:d")),
    ]
    with tarfile.open(run.packages[0].archive) as packed:
        assert packed.getnames() == sorted(odd)
    with zipfile.ZipFile(run.packages[1].archive) as zipped:
        assert sorted(zipped.namelist()) == sorted(["-rf", " ", "..x", "ü", "x" * 200])


def test_several_targets_share_a_platform_s_archive_and_must_agree(tmp_path: Path, dist: Path) -> None:
    one = export(tmp_path / "one", {"linux_amd64/client": b"1", "linux_amd64/same": b"s", "linux_amd64/d": b"d"})
    two = export(
        tmp_path / "two", {f"linux_amd64/{name}": b"2" for name in ("client", "b", "d/e")} | {"linux_amd64/same": b"s"}
    )
    run = made(dist, Export("one", one, ("linux/amd64",)), Export("two", two, ("linux/amd64",)))
    assert sorted(b.path for b in run.records) == [f"dist/linux_amd64/{name}" for name in ("b", "client", "d", "same")]
    assert len({b.archive for b in run.records}) == 1
    assert [(path, reason.partition(";")[0]) for path, reason in run.said] == [
        ("dist/linux_amd64/client", "two binaries targets export different files of this name"),
        ("dist/linux_amd64/d/e", "another binaries target exports a file that is a folder here"),
    ]
    assert (dist / "linux_amd64/client").read_bytes() == b"1"


def test_targets_that_export_the_same_are_fine(tmp_path: Path, dist: Path) -> None:
    exports = [Export(name, export(tmp_path / name, {"linux_amd64/x": b"x"}), ("linux/amd64",)) for name in ("a", "b")]
    run = made(dist, *exports)
    assert run.said == []
    assert [one.path for one in run.records] == ["dist/linux_amd64/x"]


def test_targets_with_archives_of_their_own(tmp_path: Path, dist: Path) -> None:
    exports = [
        Export(name, export(tmp_path / name, {"linux_amd64/x": name.encode()}), ("linux/amd64",)) for name in ("a", "b")
    ]
    run = made(dist, *exports, template="{target}_{os}")
    assert run.said == []
    assert [(one.path, one.archive) for one in run.records] == [
        ("dist/a/linux_amd64/x", "dist/a_linux.tar.gz"),
        ("dist/b/linux_amd64/x", "dist/b_linux.tar.gz"),
    ]
    manifest = json.loads((dist / "manifest.json").read_text())
    assert [(one["target"], one["files"][0]["path"]) for one in manifest["archives"]] == [("a", "x"), ("b", "x")]


def test_an_old_commit_still_makes_a_zip(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    archive.write(tmp_path / "old.zip", tmp_path, [tmp_path / "x"], 0)
    with zipfile.ZipFile(tmp_path / "old.zip") as packed:
        assert packed.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)


def test_the_lists_name_the_sboms(tmp_path: Path, dist: Path) -> None:
    run = made(dist, Export("bin", export(tmp_path / "out", FILES), ("linux/amd64",)))
    run.packages[0].sbom = dist / "app_1.2.3_linux_amd64.tar.gz.spdx.json"
    run.packages[0].sbom.write_text("{}")
    records, _ = binaries.judge(binaries.look(run.packages), {}, dist)
    lists.write(dist, "app", VERSION, run.packages, records)
    assert {one.sbom for one in records} == {"dist/app_1.2.3_linux_amd64.tar.gz.spdx.json"}
    [entry] = json.loads((dist / "manifest.json").read_text())["archives"]
    assert entry["sbom"] == {
        "name": "app_1.2.3_linux_amd64.tar.gz.spdx.json",
        "size": 2,
        "sha256": hashlib.sha256(b"{}").hexdigest(),
    }
    checked = subprocess.run(["sha256sum", "-c", "checksums.txt"], cwd=dist, capture_output=True, text=True, check=True)
    assert checked.stdout.count(": OK") == 2


def test_who_is_asked_for_a_version(tmp_path: Path, dist: Path) -> None:
    files = {
        "linux_amd64/static": sample("go-linux-amd64"),
        "linux_amd64/told": sample("go-linux-amd64-ldflags"),
        "linux_amd64/dynamic": sample("c-dynamic"),
        "linux_amd64/text": b"1.2.3",
        "linux_amd64/data": sample("c-static-pie"),
        "linux_arm64/static": sample("go-linux-arm64"),
    }
    source = export(tmp_path / "out", files)
    (source / "linux_amd64/data").chmod(0o644)
    run = made(dist, Export("bin", source, ("linux/amd64", "linux/arm64"), GIVEN))
    asked = binaries.questions(binaries.look(run.packages), ("linux/amd64", "linux/amd64/v2"))
    assert [one.path.name for one in asked] == ["static"]
    versions = {one.path: one.version for one in run.records}
    assert versions["dist/linux_amd64/told"] == "v1.2.3"
    assert not any(versions[path] for path in versions if path != "dist/linux_amd64/told")
    unstamped = made(dist.with_name("other"), Export("bin", export(tmp_path / "again", files), ("linux/amd64",)))
    assert binaries.questions(binaries.look(unstamped.packages), ("linux/amd64",)) == []


def test_what_a_program_answers_is_judged(tmp_path: Path, dist: Path) -> None:
    files = {"linux_amd64/good": sample("go-linux-amd64"), "linux_amd64/bad": sample("c-static-pie")}
    answers = {
        hashlib.sha256(files["linux_amd64/good"]).hexdigest(): "tool 1.2.3",
        hashlib.sha256(files["linux_amd64/bad"]).hexdigest(): "tool 0.9.0",
    }
    source = export(tmp_path / "out", files)
    run = made(dist, Export("bin", source, ("linux/amd64",), GIVEN), answers=answers)
    assert run.said == [("dist/linux_amd64/bad", "says that it is 0.9.0 (--version), but v1.2.3 was injected")]
    assert [one.kind for one in run.problems] == ["mismatch"]
    assert [one.version for one in run.records] == ["0.9.0", "1.2.3"]


def test_what_the_headers_tell_is_judged_on_every_platform(tmp_path: Path, dist: Path) -> None:
    files = {"linux_amd64/a": sample("go-linux-amd64-ldflags"), "linux_amd64/b": sample("go-linux-amd64-vcs")}
    wanted = Stamp(("v2.0.0",), "a" * 40)
    run = made(dist, Export("bin", export(tmp_path / "out", files), ("linux/amd64",), wanted))
    assert run.said == [
        ("dist/linux_amd64/a", "has main.version=v1.2.3, but v2.0.0 was injected"),
        (
            "dist/linux_amd64/b",
            f"was built from commit 44d35a013c3629a1b8148cc18ebb5c784c5cec96, but this is {'a' * 40}",
        ),
    ]
