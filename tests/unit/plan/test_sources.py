"""What instructions take."""

from __future__ import annotations

import pytest

from ci_buildkit.plan import sources
from ci_buildkit.record import InstructionRecord


@pytest.mark.parametrize(
    ("line", "takes"),
    [
        ("COPY go.mod go.sum ./", {"": ("go.mod", "go.sum")}),
        ("COPY . .", {"": (".",)}),
        ("COPY ./src/ /x/", {"": ("src",)}),
        ("COPY / /x/", {"": (".",)}),
        ('COPY ["a b", "c/"]', {"": ("a b",)}),
        ("COPY --exclude=*.md --exclude=docs --chown=1 . /", {"": (".", "!*.md", "!docs")}),
        ("COPY --from=Src a b /x/", {"src": ("a", "b")}),
        ("COPY <<EOF /x\nhello\nEOF\n", {}),
        ("COPY $DIR/a /x", {"": ("**/a",)}),
        ("ADD https://example.com/x git@github.com:a/b.git /x/", {}),
        ("ADD rootfs.tar /", {"": ("rootfs.tar",)}),
        ("RUN --mount=type=bind,source=go.mod,target=go.mod --mount=target=. --mount=type=cache,target=/c true", {"": ("go.mod", ".")}),
        ("RUN --mount=from=tools,src=/bin,target=/b true", {"tools": ("bin",)}),
        ("RUN true", {}),
        ("WORKDIR /src", {}),
    ],
)  # fmt: skip
def test_takes(line: str, takes: dict[str, tuple[str, ...]]) -> None:
    *_, stage = sources.read(f"FROM alpine\n{line}\n")
    assert stage.instructions[1].takes == takes


def test_stages_names_and_lines() -> None:
    text = "ARG V=1 W\nFROM a:$V AS Base\nENV A=b C=$W\nLABEL x=y\nRUN echo ${A} $C\nFROM base\nCMD x\nUSER u\n"
    first, base, last = sources.read(text)
    assert [(one.keyword, one.names) for one in first.instructions] == [("ARG", ("V", "W"))]
    assert (base.name, base.base) == ("base", "a:$v")
    assert [(one.keyword, one.names, one.line) for one in base.instructions] == [
        ("FROM", ("V",), 2), ("ENV", ("A", "C", "W"), 3), ("RUN", ("A", "C"), 5)
    ]  # fmt: skip
    assert (last.name, last.base) == ("1", "base")
    assert [one.keyword for one in last.instructions] == ["FROM", "USER"]


def test_an_argument_without_a_default_has_the_one_before_the_first_from() -> None:
    def found(head: str, own: str = "ARG V") -> InstructionRecord:
        return sources.read(f"{head}\nFROM a\n{own}\n")[1].instructions[1]

    plain = found("ARG X=1\nARG V=$X")
    assert (plain.line, plain.names) == (2, ("V",))
    assert plain.hash not in {found("ARG X=1\nARG V=2").hash, found("ARG X=2\nARG V=$X").hash}
    assert plain.hash == found("ARG X=1\nARG V=$X\nARG Y=2").hash
    assert found("ARG V=1", "ARG V=3") == found("ARG V=2", "ARG V=3")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("RUN echo a", "RUN echo b", False),
        ("RUN <<EOF\necho a\nEOF", "RUN <<EOF\necho b\nEOF", False),
        ("RUN a \\\n # note\n b", "RUN a \\\n b", True),
        ("RUN --network=none a", "RUN a", False),
    ],
)
def test_a_hash_follows_the_text(one: str, other: str, same: bool) -> None:
    hashes = [sources.read(f"FROM a\n{text}\n")[1].instructions[1].hash for text in (one, other)]
    assert (hashes[0] == hashes[1]) == same


def test_the_name_of_a_stage_is_in_no_hash() -> None:
    assert sources.read("FROM a AS x")[1].instructions == sources.read("FROM a AS y")[1].instructions


@pytest.mark.parametrize("text", ["", "# nothing\n", 'RUN ["'])
def test_no_dockerfile(text: str) -> None:
    assert not any(stage.name for stage in sources.read(text))
