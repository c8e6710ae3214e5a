"""Cache mounts between runs: what one builder's mounts held, the next one's hold."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e import support

# The lint step tells what its mounts hold before it adds to them; the other stages use none.
DOCKERFILE = """
ARG VERSION=latest
FROM alpine:$VERSION AS base
FROM base AS lint
ARG RUN
RUN --mount=type=cache,target=/c --mount=type=cache,target=/o,id=own,uid=1000,gid=7,mode=0750,sharing=locked \\
    --mount=type=cache,target=/never \\
    find /c /o -mindepth 0 -exec stat -c "%n %a %u %g %Y %h" {} + | sort && cat /c/sub/file /o/file 2>/dev/null; \\
    [ -e /c/sub ] || { mkdir /c/sub && echo content >/c/sub/file && chmod 640 /c/sub/file && chown 12:34 /c/sub/file \\
    && touch -d "2001-02-03 04:05:06" /c/sub/file && ln /c/sub/file /c/sub/hard && ln -s file /c/link \\
    && echo hidden >/c/.hidden && chmod 1711 /c && echo other >/o/file; }
FROM base AS test
RUN mkdir /out && echo '<testsuite name="s" tests="1"><testcase name="works"/></testsuite>' >/out/junit.xml
"""


@pytest.fixture
def project(project: Path) -> Path:
    (project / "Dockerfile").write_text(DOCKERFILE)
    return project


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "kept"


@pytest.fixture
def own_builder(environment: dict[str, str]) -> Iterator[str]:
    """The name of a builder that is not there yet."""
    name = f"mounts-{os.getpid()}"
    yield name
    support.command(["builder", "rm", name], environment)


def run(
    project: Path,
    environment: dict[str, str],
    kept: Path,
    *words: str,
    stages: tuple[str, ...] = ("lint",),
    code: int = 0,
) -> support.Run:
    done = support.run(project, environment, *stages, "--persist-cache-mounts", str(kept), *words)
    assert done.code == code, done.output
    return done


def printed(done: support.Run) -> list[str]:
    """What the lint step printed."""
    return re.findall(r"^#\d+ [\d.]+ (.*)", done.log("lint"), re.MULTILINE)


def index(kept: Path) -> dict[str, dict[str, object]]:
    return {entry["id"]: entry for entry in json.loads((kept / "index.json").read_text())["mounts"]}


def test_a_new_builder_has_what_the_last_one_s_mounts_held(
    project: Path, environment: dict[str, str], kept: Path
) -> None:
    (project / "go.sum").write_text("one\n")
    first = run(project, environment, kept)
    assert printed(first)[:2] == [line for line in printed(first) if line.startswith("/")]
    assert re.search(r"cache mounts: saved 2, \d\.\d MB in ", first.output)
    assert first.record["cache_mounts"]["saved"] == 2
    entries = index(kept)
    assert set(entries) == {"/c", "own"}
    for entry in entries.values():
        assert (kept / str(entry["file"])).stat().st_size == entry["size"]
    with tarfile.open(kept / str(entries["own"]["file"])) as archive:
        assert archive.getnames() == [".", "./file"]

    second = run(project, environment, kept, stages=("lint", "test"))
    assert re.search(r"cache mounts: restored 2, \d\.\d MB in ", second.output)
    assert "warning" not in second.output
    assert re.search(r"the steps that use them took [\d.]+ s, [\d.]+ s when they were empty", second.output)
    assert second.record["cache_mounts"]["restored"] == 2
    assert second.record["cache_mounts"]["saved"] == 0
    assert "nothing changed in them" in second.output
    lines = printed(second)
    assert "/c/sub/file 640 12 34 981173106 2" in lines
    assert "/c/sub/hard 640 12 34 981173106 2" in lines
    assert any(line.startswith("/c/link 777 0 0 ") for line in lines)
    assert any(line.startswith("/c/.hidden 644 0 0 ") for line in lines)
    assert any(line.startswith("/c 1711 0 0 ") for line in lines)
    assert any(line.startswith("/o 750 1000 7 ") for line in lines)
    assert lines[-2:] == ["content", "other"]
    assert index(kept) == entries

    (project / "go.sum").write_text("two\n")
    third = run(project, environment, kept)
    assert "(of other lock files)" in third.output
    assert {entry["key"] for entry in index(kept).values()}.isdisjoint(entry["key"] for entry in entries.values())


def test_a_builder_that_stays_keeps_its_own_and_nothing_of_ours(
    project: Path, environment: dict[str, str], kept: Path, own_builder: str
) -> None:
    run(project, environment, kept, "--builder", own_builder)
    cached = run(project, environment, kept, "--builder", own_builder)
    assert "cache mounts" not in cached.output
    assert cached.record["cache_mounts"] == dict.fromkeys(cached.record["cache_mounts"], 0)
    again = run(project, environment, kept, "--builder", own_builder, "--build-arg", "RUN=2")
    assert printed(again)[-1] == "other"
    assert "restored" not in again.output
    command = ["docker", "buildx", "du", "--builder", own_builder, "--verbose"]
    usage = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    assert "cached mount /c " in usage
    left = re.findall(r"^Description:.*ci-buildkit.mounts.*", usage, re.MULTILINE)
    assert [line for line in left if "cached mount" not in line] == []


def test_a_failed_step_s_mounts_are_kept_too(project: Path, environment: dict[str, str], kept: Path) -> None:
    (project / "Dockerfile").write_text("FROM alpine AS lint\nRUN --mount=type=cache,target=/c echo x >/c/x; exit 3\n")
    done = run(project, environment, kept, code=1)
    assert done.stage("lint")["outcome"] == "failed"
    assert set(index(kept)) == {"/c"}


def test_an_interrupted_run_keeps_nothing(project: Path, environment: dict[str, str], kept: Path, builder: str) -> None:
    step = f"echo {project} >/c/x; echo asleep; sleep 60"
    (project / "Dockerfile").write_text(f"FROM alpine AS lint\nRUN --mount=type=cache,target=/c {step}\n")
    started = support.start(project, environment, "lint", "--builder", builder, "--persist-cache-mounts", str(kept))
    started.wait_for("[lint] asleep")
    started.interrupt(signal.SIGINT)
    assert started.finish(60).code == 130
    assert not kept.exists()


def test_damage_is_a_warning_and_the_mount_begins_empty(project: Path, environment: dict[str, str], kept: Path) -> None:
    run(project, environment, kept)
    file = kept / str(index(kept)["/c"]["file"])
    file.write_bytes(b"\0" * file.stat().st_size)
    (kept / "foreign.txt").write_text("mine")
    done = run(project, environment, kept)
    assert f"warning: cache mounts: {file} is missing or damaged; the cache mount /c begins empty" in done.output
    assert "restored 1, " in done.output
    assert printed(done)[-1] == "other"
    assert set(index(kept)) == {"/c", "own"}
    assert (kept / "foreign.txt").read_text() == "mine"


def test_what_does_not_fit_is_said_and_left_out(project: Path, environment: dict[str, str], kept: Path) -> None:
    (project / "Dockerfile").write_text(
        "FROM alpine AS lint\nRUN --mount=type=cache,target=/small --mount=type=cache,target=/big"
        " echo x >/small/x && head -c 3000000 /dev/zero >/big/x\n"
    )
    done = run(project, environment, kept, "--cache-mounts-size", "1MB")
    assert re.search(r"warning: cache mounts: /big \(3\.0 MB\) does not fit into --cache-mounts-size 1MB", done.output)
    assert set(index(kept)) == {"/small"}
    assert sum(path.stat().st_size for path in kept.iterdir()) < 1_000_000


def test_without_an_image_that_has_tar_the_run_goes_on(project: Path, environment: dict[str, str], kept: Path) -> None:
    (project / "Dockerfile").write_text(
        "FROM scratch AS app\nCOPY --from=alpine / /\nRUN --mount=type=cache,target=/c echo x >/c/x\n"
    )
    done = run(project, environment, kept, stages=("app",))
    assert "warning: cache mounts: they could not be saved: the Dockerfile has no image that could" in done.output
    assert done.record["outcome"] == "passed"


def test_a_folder_in_the_context_is_warned_of_and_one_that_cannot_be_written_breaks_nothing(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    done = run(project, environment, project / "kept", "--builder", builder, "--build-arg", f"RUN={project}")
    assert "the folder of cache mounts lies in the build context" in done.output
    done = run(project, environment, Path("/proc/kept"), "--builder", builder, "--build-arg", f"RUN={project}/2")
    assert "warning: cache mounts: they could not be saved: " in done.output


@pytest.mark.parametrize("words", [("--cache-mounts-size", "big"), ("--persist-cache-mounts", "Dockerfile")])
def test_wrong_options_are_refused_before_anything_is_built(
    project: Path, environment: dict[str, str], words: tuple[str, ...]
) -> None:
    done = support.run(project, environment, "lint", *words)
    assert done.code == 2
    assert not done.folder.exists()
