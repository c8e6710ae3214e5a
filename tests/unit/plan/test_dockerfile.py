"""The graph of a Dockerfile's stages."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.errors import BuildFailed, ConfigurationError
from ci_buildkit.plan.dockerfile import Dockerfile, read, with_argument

GRAPH = """\
# syntax=docker/dockerfile:1
ARG GO_VERSION=1.26
ARG BASE=${OTHER:-x}
FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-alpine AS Base
WORKDIR /src
ARG TARGETOS TARGETARCH=amd64

FROM base AS build
ARG APP_VERSION="v0"
RUN --mount=type=cache,target=/c --mount=type=bind,from=tools,source=/x,target=/x true
WORKDIR /out

FROM alpine AS tools
RUN true

FROM scratch
COPY --from=BUILD /a /
COPY --from=0 /b /
COPY --from=busybox /c /
ENTRYPOINT ["/a"]

FROM build AS again
CMD true
"""


@pytest.fixture
def graph(inside: Path) -> Dockerfile:
    """The stages of `GRAPH`."""
    (inside / "Dockerfile").write_text(GRAPH, encoding="utf-8")
    return read(inside / "Dockerfile")


def test_stages_have_names_bases_and_lines(graph: Dockerfile) -> None:
    assert [(s.name, s.base, s.line) for s in graph.stages] == [
        ("base", "golang:${go_version}-alpine", 4),
        ("build", "base", 8),
        ("tools", "alpine", 13),
        ("3", "scratch", 16),
        ("again", "build", 22),
    ]
    assert graph.stages[0].platform == "$BUILDPLATFORM"


def test_a_stage_is_found_by_name_in_any_case_and_by_number(graph: Dockerfile) -> None:
    assert graph.get("BASE") is graph.stages[0]
    assert graph.get("1") is graph.stages[1]
    assert graph.get("3") is graph.stages[3]
    assert graph.get("none") is None


def test_copies_and_mounts_from_earlier_stages_are_uses_and_images_are_not(graph: Dockerfile) -> None:
    assert graph.stages[3].uses == ("build", "0")
    assert graph.stages[1].uses == (), "tools comes later, so `from=tools` is an image"


@pytest.mark.parametrize(
    ("line", "uses"),
    [
        ("RUN --mount=type=bind,from=A,target=/a --mount=type=cache,target=/c true", ("a",)),
        ("RUN --mount=type=bind,from=1,target=/b --mount=from=a,target=/a true", ("1", "a")),
        ("COPY --chown=1:1 --link --from=B /x /", ("b",)),
        ("COPY --from=b /x /\nCOPY --from=b /y /", ("b",)),
        ("COPY --from=c /x /", ()),
        ("COPY --from=2 /x /", ()),
        ("COPY a b /", ()),
    ],
)
def test_what_a_stage_uses(inside: Path, line: str, uses: tuple[str, ...]) -> None:
    text = f"FROM alpine AS a\nFROM alpine AS b\nFROM alpine AS c\n{line}\n"
    (inside / "Dockerfile").write_text(text, encoding="utf-8")
    assert read(inside / "Dockerfile").stages[2].uses == uses


def test_what_is_reached_comes_in_the_order_of_its_distance(inside: Path) -> None:
    Path("Dockerfile").write_text(
        "FROM alpine AS a\nARG A\nFROM a AS b\nARG B\nFROM alpine AS c\nARG C\n"
        "FROM b AS top\nCOPY --from=c / /\nCOPY --from=0 / /\nFROM alpine AS apart\nARG D\n"
    )
    graph = read(Path("Dockerfile"))
    assert graph.reach("TOP") == ("top", "b", "c", "a")
    assert graph.args("top") == {"A", "B", "C"}
    assert graph.makers("TOP", {"none"}.__contains__) == ("top", "c", "a", "b"), "what it copies comes before its base"


def test_everything_that_a_stage_is_made_from_is_reached_once(graph: Dockerfile) -> None:
    assert graph.reach("3") == ("3", "build", "base")
    assert graph.reach("again") == ("again", "build", "base")
    assert graph.reach("none") == ()


def test_makers_are_followed_through_stages_that_only_gather(inside: Path) -> None:
    Path("Dockerfile").write_text(
        "FROM alpine AS tools\nRUN true\nFROM alpine AS unit\nCOPY --from=tools /a /\nRUN true\n"
        "FROM scratch AS collect\nCOPY --from=unit /out /\nFROM collect AS results\n"
        "FROM alpine AS converted\nCOPY --from=unit /out /\nRUN true\n"
    )
    graph = read(Path("Dockerfile"))
    assert graph.makers("results", {"unit"}.__contains__) == ("results", "collect", "unit")
    assert graph.makers("converted", {"unit"}.__contains__) == ("converted", "unit")
    assert graph.makers("converted", set[str]().__contains__) == ("converted",)
    assert graph.makers("none", {"unit"}.__contains__) == ()


def test_arguments_are_those_of_the_whole_chain(graph: Dockerfile) -> None:
    assert graph.args("base") == {"TARGETOS", "TARGETARCH"}
    assert graph.args("3") == {"TARGETOS", "TARGETARCH", "APP_VERSION"}
    assert graph.base_args == {"BUILDPLATFORM", "GO_VERSION"}


def test_the_working_directory_is_inherited_along_from_only(graph: Dockerfile) -> None:
    assert [graph.workdir(name) for name in ("base", "build", "again", "3", "none")] == ["/src", "/out", "/out", "", ""]


def test_users_are_stages_that_need_another_at_once(graph: Dockerfile) -> None:
    assert [s.name for s in graph.users("build")] == ["3", "again"]
    assert graph.users("again") == ()


def test_what_a_stage_starts_and_runs(graph: Dockerfile) -> None:
    assert [(s.starts, s.runs) for s in graph.stages] == [
        (False, False),
        (False, True),
        (False, True),
        (True, False),
        (True, False),
    ]


def test_a_stage_that_is_named_like_an_image_it_is_made_from_does_not_loop(inside: Path) -> None:
    (inside / "Dockerfile").write_text("FROM alpine AS alpine\nRUN true\n", encoding="utf-8")
    graph = read(inside / "Dockerfile")
    assert graph.reach("alpine") == ("alpine",)
    assert graph.workdir("alpine") == ""
    assert graph.users("alpine") == ()


@pytest.mark.parametrize(
    ("base", "meant"),
    [
        ("biulder", "builder"),
        ("build", "builder"),
        ("builder", None),
        ("scratch", None),
        ("debian", None),
        ("builder:1", None),
        ("later", None),
    ],
)
def test_a_base_that_is_nearly_an_earlier_stage_may_be_misspelt(inside: Path, base: str, meant: str | None) -> None:
    (inside / "Dockerfile").write_text(
        f"FROM alpine AS scratsh\nFROM alpine AS {meant or 'builder'}\nRUN x\n\nFROM {base}\nFROM alpine AS latter\n",
        encoding="utf-8",
    )
    found = read(inside / "Dockerfile").misspelt()
    assert found == (((5, base, meant),) if meant else ())


def test_of_a_misspelt_base_the_nearest_stage_is_told_and_each_is_told(inside: Path) -> None:
    (inside / "Dockerfile").write_text(
        "FROM alpine AS build-a\nFROM alpine AS builder\nFROM bilder AS x\nFROM buildr AS y\n", encoding="utf-8"
    )
    assert read(inside / "Dockerfile").misspelt() == ((3, "bilder", "builder"), (4, "buildr", "builder"))


@pytest.mark.parametrize(
    ("text", "stages", "changed"),
    [
        ("FROM a AS x\nRUN x\n", ["x"], "FROM a AS x\nARG CI_BUILDKIT_RUN=7\nRUN x\n"),
        ("FROM a AS x\nRUN x\n", ["y"], "FROM a AS x\nRUN x\n"),
        ("ARG A\nfrom a as Test\nRUN x", ["TEST"], "ARG A\nfrom a as Test\nARG CI_BUILDKIT_RUN=7\nRUN x"),
        ("FROM a \\\n  AS x\nRUN x\n", ["x"], "FROM a \\\n  AS x\nARG CI_BUILDKIT_RUN=7\nRUN x\n"),
        ("FROM a AS x\nFROM x AS y", ["x", "y"], "FROM a AS x\nARG CI_BUILDKIT_RUN=7\nFROM x AS y\nARG CI_BUILDKIT_RUN=7"),
        ("FROM a\nFROM b\n", ["1"], "FROM a\nFROM b\nARG CI_BUILDKIT_RUN=7\n"),
        ("# a page\f, a line\u2028\nFROM a\nRUN x\n", ["0"], "# a page\f, a line\u2028\nFROM a\nARG CI_BUILDKIT_RUN=7\nRUN x\n"),
    ],
)  # fmt: skip
def test_steps_miss_the_cache_by_an_argument_more(text: str, stages: list[str], changed: str) -> None:
    assert with_argument(text, stages, "7") == changed


def test_a_byte_that_is_no_text_is_no_obstacle(inside: Path) -> None:
    (inside / "Dockerfile").write_bytes(b"# caf\xe9\nFROM alpine AS a\n")
    assert [s.name for s in read(inside / "Dockerfile").stages] == ["a"]


def test_a_stage_is_what_its_last_instructions_say(inside: Path) -> None:
    (inside / "Dockerfile").write_text(
        "FROM --platform=linux/amd64 alpine as First\nWORKDIR /a\nARG A=1 B\nARG C=x=y\nWORKDIR /b\nCMD x\n"
        "FROM alpine\nRUN true\n",
        encoding="utf-8",
    )
    first, second = read(inside / "Dockerfile").stages
    assert (first.name, first.workdir, first.args, first.starts) == ("first", "/b", frozenset("ABC"), True)
    assert (first.platform, second.platform) == ("linux/amd64", "")
    assert (second.name, second.args, second.starts, second.runs) == ("1", frozenset(), False, True)


@pytest.mark.parametrize("text", ["FROM alpine\r\nRUN true\r\n", "from alpine\nrun true", "\ufeffFROM alpine\n"])
def test_line_ends_case_and_a_byte_order_mark_do_not_matter(inside: Path, text: str) -> None:
    (inside / "Dockerfile").write_bytes(text.encode())
    assert [s.base for s in read(inside / "Dockerfile").stages] == ["alpine"]


def test_heredocs_are_not_instructions(inside: Path) -> None:
    text = "# syntax=docker/dockerfile:1\nFROM alpine AS a\nRUN <<EOF\nFROM x AS y\nEOF\nCOPY <<-x /f\n\tARG Z\nx\n"
    (inside / "Dockerfile").write_text(text, encoding="utf-8")
    graph = read(inside / "Dockerfile")
    assert [s.name for s in graph.stages] == ["a"]
    assert graph.args("a") == frozenset()


def test_a_file_that_is_none_is_refused(inside: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read(inside / "Dockerfile")
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read(inside)
    (inside / "Dockerfile").write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(BuildFailed, match="Dockerfile is not a valid Dockerfile: file with no instructions"):
        read(inside / "Dockerfile")


@pytest.mark.parametrize(
    "text", ["FROM\n", "FROM alpine AS\n", "hello\n", "FROM alpine\nCOPY\n", "FROM alpine\nRUN [\n"]
)
def test_what_only_buildkit_refuses_is_left_to_it(inside: Path, text: str) -> None:
    (inside / "Dockerfile").write_text(text, encoding="utf-8")
    assert len(read(inside / "Dockerfile").stages) <= 1
