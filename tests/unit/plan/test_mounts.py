"""The cache mounts of a plan, and the images that can look into them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan import mounts
from ci_buildkit.plan.mounts import Mount
from ci_buildkit.plan.stages import Plan

Make = Callable[..., Plan]
HOME = "linux/amd64"


def ids(found: mounts.Mounts) -> set[str]:
    return {mount.id for mount in found.all}


def test_mounts_are_those_of_all_stages_that_a_build_reaches(plan: Make) -> None:
    made = plan(
        """\
ARG V=3
FROM --platform=$BUILDPLATFORM golang:${V}-alpine AS base
RUN --mount=type=cache,target=/go/pkg/mod/ --mount=type=bind,target=. \\
    --mount=type=cache,dst=/var/cache/go true
FROM alpine AS unused
RUN --mount=type=cache,target=/unused true
FROM base AS test
RUN --mount=target=/b --mount=type=CACHE,destination=/t,sharing=LOCKED <<EOF
  --mount=type=cache,target=/heredoc
EOF
FROM debian AS lint
RUN --mount=type=tmpfs,target=/tmp true
""",
        build_arg=("V=4",),
    )
    found = mounts.find(made, HOME)
    assert ids(found) == {"/go/pkg/mod", "/var/cache/go", "/t"}
    assert found.of["lint"] == frozenset()
    assert found.sharing[Mount("/t")] == "locked"
    (helper,) = found.helpers
    assert helper.text == "ARG V=3\nFROM --platform=$BUILDPLATFORM golang:${V}-alpine"
    assert helper.flags == ("--build-arg", "V=4")
    assert found.notes == ()


def test_ids_and_targets_have_the_values_of_arguments_and_platforms(plan: Make) -> None:
    made = plan(
        """\
ARG GLOBAL=/g
FROM alpine AS base
ARG GLOBAL
ENV CACHE=$GLOBAL/cache OTHER="$CACHE"
FROM base AS binaries
ARG TARGETARCH TARGETVARIANT
ARG NAME=x
RUN --mount=type=cache,target=$CACHE/../y --mount=type=cache,target=/a,id=$NAME-$TARGETARCH$TARGETVARIANT${LATE:-}z true
ARG LATE=late
""",
        platform=("linux/amd64", "linux/arm", "linux/arm64/v8"),
        build_arg=("NAME=own",),
    )
    found = mounts.find(made, HOME)
    assert ids(found) == {"/g/y"}
    (note,) = found.notes
    assert "what LATE is, only the image knows" in note


def test_each_platform_has_the_mounts_that_its_arguments_name(plan: Make) -> None:
    made = plan(
        "FROM alpine AS binaries\nARG TARGETARCH TARGETVARIANT\n"
        "RUN --mount=type=cache,target=/a,id=$TARGETARCH$TARGETVARIANT true\n",
        platform=("linux/amd64", "linux/arm", "linux/arm64/v8"),
    )
    assert ids(mounts.find(made, HOME)) == {"amd64", "armv7", "arm64"}


def test_owner_mode_and_namespace_make_another_mount(plan: Make) -> None:
    made = plan(
        "FROM alpine AS lint\n"
        "RUN --mount=type=cache,target=/a,uid=1000,mode=0700 --mount=type=cache,target=/a,sharing=private true\n",
        build_arg=("BUILDKIT_CACHE_MOUNT_NS=own",),
    )
    found = mounts.find(made, HOME)
    assert found.all == (Mount("/a", "own"), Mount("/a", "own", uid="1000", mode="0700"))
    assert found.all[1].options == "id=/a,uid=1000,mode=0700"
    assert found.sharing[Mount("/a", "own")] == "private"


@pytest.mark.parametrize(
    ("mount", "reason"),
    [
        ("target=$GOPATH/pkg", "what GOPATH is, only the image knows; give it an id"),
        ("target=/a,from=base", "it begins with files from elsewhere"),
        ("target=/a,source=/x", "it begins with files from elsewhere"),
        ('target=/a,id="a b"', "its id has unusual characters"),
    ],
)
def test_what_cannot_be_kept_is_said(plan: Make, mount: str, reason: str) -> None:
    made = plan(f"FROM alpine AS base\nFROM alpine AS lint\nRUN --mount=type=cache,{mount} true\n")
    found = mounts.find(made, HOME)
    assert found.all == ()
    assert [reason in note for note in found.notes] == [True]
    assert found.notes[0].startswith("the cache mount ")


def test_bake_targets_have_their_inline_files_contexts_and_namespaces(plan: Make) -> None:
    Path("Dockerfile").write_text("FROM alpine\nRUN --mount=type=cache,target=/file true\n")
    inline = "FROM common AS lint\nRUN --mount=type=cache,target=/inline true\n"
    made = plan(
        bake={
            "lint": {
                "context": ".",
                "dockerfile-inline": inline,
                "contexts": {"common": "target:base", "x": "docker-image://y"},
            },
            "base": {"context": ".", "dockerfile": "Dockerfile"},
            "test": {"context": "https://example.com/a.git", "dockerfile": "Dockerfile"},
            "test-unit": {
                "context": ".",
                "dockerfile-inline": "FROM alpine\nRUN --mount=type=cache,target=/ns true\n",
                "args": {"BUILDKIT_CACHE_MOUNT_NS": "other"},
            },
        },
        test_target=("test", "test-unit"),
    )
    found = mounts.find(made, HOME)
    assert found.of["lint"] == {Mount("/inline"), Mount("/file")}
    assert found.of["test-unit"] == frozenset()
    assert "FROM alpine" in {helper.text for helper in found.helpers}
    assert "FROM common" not in {helper.text for helper in found.helpers}
    assert "those of test are not kept: its Dockerfile is not on this machine" in found.notes
    assert "only cache mounts of one BUILDKIT_CACHE_MOUNT_NS are kept, here ''" in found.notes


def test_a_broken_dockerfile_has_none(plan: Make) -> None:
    made = plan("FROM alpine AS lint\nRUN true\n")
    Path("Dockerfile").write_text("FROM\nRUN <<EOF\n")
    assert mounts.find(made, HOME).all == ()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1000000", 1_000_000),
        ("500MB", 500_000_000),
        ("2GB", 2_000_000_000),
        ("1.5 gb", 1_500_000_000),
        ("512MiB", 512 << 20),
        ("0", 0),
        ("3TiB", 3 << 40),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert mounts.size(text) == size


@pytest.mark.parametrize("text", ["", "big", "-1GB", "1XB", "GB", "1e3", "2 GB 3", "٣GB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a size"):
        mounts.size(text)


def test_a_file_is_no_folder_to_keep_them_in(inside: Path) -> None:
    (inside / "file").touch()
    mounts.check(Options(persist_cache_mounts=inside / "new"))
    with pytest.raises(ConfigurationError, match="is not a folder"):
        mounts.check(Options(persist_cache_mounts=inside / "file"))
