"""Binaries on the real engine: asked for their version in a build step, archived the same everywhere, described."""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import support

from ci_buildkit.engine import program
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation

LOOP = b"\xeb\xfe"  # jmp to itself
AMD64 = ("--platform", "linux/amd64")


def executable(code: bytes) -> bytes:
    """A static ELF program for amd64: a header, one segment, the code."""
    base, start = 0x400000, 64 + 56
    size = start + len(code)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, 62, 1, base + start, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096) + code


def saying(text: str, code: int = 0) -> bytes:
    """A program that prints a text and ends: write(1, text, length), exit(code)."""
    write = b"\xb8\x01\0\0\0\xbf\x01\0\0\0\x48\x8d\x35" + struct.pack("<i", 5 + 2 + 5 + 5 + 2)
    write += b"\xba" + struct.pack("<i", len(text)) + b"\x0f\x05"
    return executable(write + b"\xb8\x3c\0\0\0\xbf" + struct.pack("<i", code) + b"\x0f\x05" + text.encode())


def tool(project: Path, content: bytes, name: str = "tool") -> None:
    """A project whose binaries are one file that is there already, given a version that it need not have."""
    (project / name).write_bytes(content)
    (project / name).chmod(0o755)
    (project / "Dockerfile").write_text(f"FROM scratch AS binaries\nARG VERSION\nCOPY {name} /\n")
    support.commit(project, "v1.2.3")


def test_a_native_program_that_tells_another_version_closes_the_gates(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    tool(project, saying("tool 0.9.0\n"))
    run = support.run(project, environment, "--builder", builder, *AMD64)
    assert run.code == 5, run.output
    assert "dist/linux_amd64/tool: says that it is 0.9.0 (--version), but v1.2.3 was injected" in run.output
    [binary] = run.record["binaries"]
    assert (binary["version"], binary["linkage"], binary["stripped"]) == ("0.9.0", "static", True)
    assert (run.folder / binary["archive"]).is_file()
    unchecked = support.run(project, environment, "--builder", builder, *AMD64, "--no-check-version")
    assert unchecked.code == 0, unchecked.output
    assert unchecked.record["binaries"][0]["version"] is None


def test_a_program_is_asked_once(project: Path, environment: dict[str, str], builder: str, tmp_path: Path) -> None:
    tool(project, saying(f"tool v1.2.3 of {tmp_path}\n"))
    own = {**environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    run = support.run(project, own, "--builder", builder, *AMD64)
    assert run.code == 0, run.output
    assert run.record["binaries"][0]["version"] == "v1.2.3"
    answers = (tmp_path / "cache" / "ci-buildkit" / "answers").iterdir()
    [kept] = [path for path in answers if path.read_text().startswith("tool")]
    kept.write_text("tool v6.6.6")
    again = support.run(project, own, "--builder", builder, *AMD64)
    assert again.code == 5, again.output
    assert "v6.6.6" in again.output


def asked(environment: dict[str, str], builder: str, folder: Path, content: bytes) -> str:
    """What a program answers, asked without the rest of a run and without kept answers."""
    (folder / "program").write_bytes(content)
    buildx = Buildx({**environment, "XDG_CACHE_HOME": str(folder / "cache")})
    return program.version(buildx, builder, folder / "program", "hash", folder / "work", Cancellation())


def test_a_program_is_not_mistaken_for_the_last_one(environment: dict[str, str], builder: str, tmp_path: Path) -> None:
    """BuildKit takes a file of one context for that of another where folder, name, size and time are the same."""
    buildx = Buildx({**environment, "XDG_CACHE_HOME": str(tmp_path / "cache")})
    for text in ("tool 1.0.0", "tool 2.0.0"):
        file = tmp_path / text.replace(" ", "-") / "program"
        file.parent.mkdir()
        file.write_bytes(saying(text))
        os.utime(file, (1_700_000_000, 1_700_000_000))
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert program.version(buildx, builder, file, digest, file.parent / "0", Cancellation()) == text


@pytest.mark.parametrize(
    "content",
    [saying("tool 0.9.0\n", code=2), executable(b"\x0f\x0b"), b"\x7fELF no program"],
    ids=["fails", "dies", "none"],
)
def test_a_program_that_knows_no_version_is_not_judged(
    environment: dict[str, str], builder: str, tmp_path: Path, content: bytes
) -> None:
    assert asked(environment, builder, tmp_path, content) == ""
    assert not (tmp_path / "work").exists()


def test_a_program_that_goes_on_is_ended(
    environment: dict[str, str], builder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "SECONDS", 2.0)
    began = time.monotonic()
    assert asked(environment, builder, tmp_path, executable(LOOP)) == ""
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("template", "said"),
    [("{nmae}", "unknown placeholder {nmae}"), ("{name}-{os}", "linux/amd64 and linux/arm64 the same name")],
)
def test_names_are_refused_before_anything_is_built(
    project: Path, environment: dict[str, str], builder: str, template: str, said: str
) -> None:
    tool(project, b"text")
    words = ("--platform", "linux/amd64,linux/arm64", "--archive-name", template)
    run = support.run(project, environment, "--builder", builder, *words)
    assert run.code == 2, run.output
    assert said in run.output
    assert not run.folder.exists()


def test_what_cannot_be_archived_is_told_and_the_rest_is_there(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    (project / "Dockerfile").write_text(
        "FROM --platform=$BUILDPLATFORM alpine AS build\nWORKDIR /out\n"
        "RUN echo x >tool && chmod 4711 tool && ln -s tool inside && ln -s /etc/passwd absolute && ln -s ../../x out && "
        "mkfifo pipe && mkdir deep && echo y >'deep/a b' && chmod 0 deep\n"
        "FROM scratch AS binaries\nCOPY --from=build /out /\n"
    )
    # BuildKit takes both for what they mean, and calls its folders so.
    run = support.run(project, environment, "--builder", builder, "--platform", "linux/arm64/v8,linux/arm")
    assert run.code == 5, run.output
    for folder in ("linux_arm64", "linux_arm_v7"):
        assert f"dist/{folder}/absolute: is a link to /etc/passwd; make it relative" in run.output
        assert f"dist/{folder}/out: is a link to ../../x, which is not there" in run.output
        assert f"dist/{folder}/pipe: is neither a file nor a link" in run.output
    assert len(run.record["problems"]) == 6
    with tarfile.open(run.folder / "dist" / "project_0.0.0+unknown_linux_armv7.tar.gz") as archive:
        assert {m.name: (m.mode, m.linkname) for m in archive} == {
            "deep/a b": (0o644, ""),
            "inside": (0o777, "tool"),
            "tool": (0o755, ""),
        }
    assert (run.folder / "dist" / "linux_arm64" / "inside").is_symlink()


@pytest.fixture
def elsewhere(environment: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """Another umask, time zone and locale, and nothing kept of earlier runs."""
    umask = os.umask(0o077)
    own = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANG": "C", "XDG_CACHE_HOME": str(tmp_path / "other")}
    yield {**environment, **own}
    os.umask(umask)


@pytest.fixture
def other_builder(environment: dict[str, str]) -> Iterator[str]:
    """A builder that has built nothing yet."""
    name = f"e2e-binaries-{os.getpid()}"
    support.command(["builder", "create", name], environment, check=True)
    yield name
    support.command(["builder", "rm", name], environment, check=True)


def dist(run: support.Run) -> dict[str, bytes]:
    """The files of `dist` itself."""
    assert run.code == 0, run.output
    return {path.name: path.read_bytes() for path in (run.folder / "dist").iterdir() if path.is_file()}


def several(project: Path) -> None:
    """Two targets, three platforms, links and odd names."""
    tool(project, saying("tool 1.2.3\n"))
    (project / "Dockerfile").write_text(
        "FROM --platform=$BUILDPLATFORM alpine AS build\nARG VERSION\nARG TARGETPLATFORM\nCOPY tool /tool\n"
        "RUN mkdir -p /out/share && echo $VERSION >'/out/share/Ünï çode' && ln -s share /out/link && echo x >/out/X\n"
        "RUN case $TARGETPLATFORM in linux/amd64) cp /tool /out/tool ;; *) echo $TARGETPLATFORM >/out/tool ;; esac\n"
        "FROM scratch AS binaries\nCOPY --from=build /out /\nFROM scratch AS bins\nCOPY --from=build /out/tool /\n"
    )
    support.commit(project)
    support.git(project, "tag", "-f", "v1.2.3")


def test_runs_of_one_commit_are_the_same_on_any_machine(
    project: Path,
    environment: dict[str, str],
    builder: str,
    other_builder: str,
    request: pytest.FixtureRequest,
) -> None:
    several(project)
    template = ("--archive-name", "{target}-{os}-{arch}")
    words = ("--platform", "linux/amd64,linux/arm/v7,windows/amd64", *template)
    first = support.run(project, environment, "--builder", builder, *words, report="first")
    second = support.run(
        project, request.getfixturevalue("elsewhere"), "--builder", other_builder, *words, report="second"
    )
    assert dist(first) == dist(second)
    kinds = ("linux-amd64.tar.gz", "linux-arm.tar.gz", "windows-amd64.zip")
    names = [f"{target}-{kind}" for target in ("binaries", "bins") for kind in kinds]
    assert set(dist(first)) == {*names, "checksums.txt", "manifest.json"}
    subprocess.run(["sha256sum", "-c", "--strict", "checksums.txt"], cwd=first.folder / "dist", check=True, timeout=10)


def test_an_archive_is_written_once(project: Path, environment: dict[str, str], builder: str, tmp_path: Path) -> None:
    tool(project, saying("tool 1.2.3\n"))
    own = {**environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    words = ("--builder", builder, *AMD64)
    first = dist(support.run(project, own, *words))
    folder = tmp_path / "cache" / "ci-buildkit" / "archives"
    [kept] = folder.iterdir()
    other = b"other bytes"
    kept.write_bytes(other)
    assert dist(support.run(project, own, *words)) == first  # what is damaged counts for nothing
    [kept] = folder.iterdir()
    kept.unlink()
    identity = kept.name.partition("-")[0]
    (folder / f"{identity}-{hashlib.sha256(other).hexdigest()}").write_bytes(other)
    assert dist(support.run(project, own, *words))["project_1.2.3_linux_amd64.tar.gz"] == other


def described(run: support.Run, name: str) -> dict[str, Any]:
    """The SPDX document of the archive with a file, which the lists name, too."""
    files = dist(run)
    [binary] = [one for one in run.record["binaries"] if one["path"].endswith(f"/{name}")]
    document = Path(binary["archive"]).name + ".spdx.json"
    assert binary["sbom"] == f"dist/{document}"
    assert json.loads(files["manifest.json"])["archives"][0]["sbom"]["name"] == document
    subprocess.run(["sha256sum", "-c", "--strict", "checksums.txt"], cwd=run.folder / "dist", check=True, timeout=10)
    return dict(json.loads(files[document]))


def test_syft_describes_each_archive_the_same_way(
    project: Path, environment: dict[str, str], builder: str, syft: Path
) -> None:
    tool(project, saying("tool 1.2.3\n"))
    own = {**environment, "PATH": f"{syft.parent}:{environment['PATH']}"}
    words = ("--builder", builder, *AMD64, "--sbom", "true")
    first = support.run(project, own, *words, report="first")
    assert dist(first) == dist(support.run(project, own, *words, report="second"))
    document = described(first, "tool")
    assert document["creationInfo"]["created"] == support.DATE
    assert [file["fileName"] for file in document["files"]] == ["tool"]


def test_buildkit_s_scanner_stands_in_for_syft(
    project: Path, environment: dict[str, str], builder: str, scanner: str
) -> None:
    tool(project, saying("tool 1.2.3\n"))
    dockerfile = (project / "Dockerfile").read_text()
    once = "FROM alpine AS once\nRUN cat /proc/sys/kernel/random/uuid >/once\n"
    (project / "Dockerfile").write_text(f"{once}{dockerfile}COPY --from=once /once /\n")
    words = ("--builder", builder, *AMD64, "--sbom", f"generator={scanner}", "--no-cache")
    support.commit(project)
    support.git(project, "tag", "-f", "v1.2.3")
    run = support.run(project, environment, *words)
    document = described(run, "tool")
    assert document["creationInfo"]["created"] == support.DATE
    assert {file["fileName"] for file in document["files"]} >= {"tool"}
    first, _, scanning = run.log("binaries").partition("# the SBOM")
    assert "random/uuid >/once\n" in first  # what is described is what was built, not another build of it
    assert re.search(r"^#(\d+) .*random/uuid >/once\n(?:.*\n)*?#\1 CACHED$", scanning, re.MULTILINE)


def test_without_any_scanner_the_binaries_are_there_and_the_run_says_what_to_do(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    tool(project, b"text")
    run = support.run(project, environment, "--builder", builder, *AMD64, "--sbom", "generator=localhost:1/none")
    assert run.code == 5, run.output
    assert "there is no SBOM of project_1.2.3_linux_amd64.tar.gz: syft is not on PATH" in run.output
    assert "put syft on PATH" in run.output
    assert run.stage("binaries")["outcome"] == "passed"
    assert set(json.loads((run.folder / "dist" / "manifest.json").read_text())["archives"][0]) == {
        "name", "size", "sha256", "platform", "files",
    }  # fmt: skip
