"""Dockerfiles read as far as they can be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.doctor import examine
from ci_buildkit.doctor.lines import mended
from ci_buildkit.doctor.parse import parse


def test_instructions_have_their_stage_and_lines() -> None:
    file = parse(
        "Dockerfile", "ARG A=1\nFROM alpine AS One\nRUN a \\\n  # why\n\n  && b\nFROM one\nCOPY --from=0 /a /b\n"
    )
    assert [one.keyword for one in file.head] == ["ARG"]
    assert [(one.name, one.base, one.start.line) for one in file.sections] == [("one", "alpine", 2), ("", "one", 7)]
    run = file.sections[0].body[0]
    assert (run.line, run.end_line, run.script.split()) == (3, 6, ["a", "&&", "b"])
    assert file.chain(file.sections[1]) == (file.sections[1], file.sections[0])
    assert file.heirs(file.sections[0]) == file.sections


def test_a_variable_in_from_may_be_any_stage_that_fits() -> None:
    file = parse("Dockerfile", "FROM a AS x-one\nFROM b AS x-two\nFROM c AS y\nFROM x-$V AS z\nFROM img:$V\n")
    assert [one.name for one in file.bases_of(file.sections[3])] == ["x-one", "x-two"]
    assert [one.name for one in file.roots(file.sections[3])] == ["x-one", "x-two"]
    assert file.bases_of(file.sections[4]) == ()


def test_here_documents_are_scripts_where_a_shell_reads_them() -> None:
    text = "FROM a\nRUN <<EOF\ngo build\nEOF\nRUN python3 <<EOF\ngo = 1\nEOF\nRUN bash -e <<-'EOF'\n\tx\n\tEOF\n"
    scripts = [one.script for one in parse("Dockerfile", text).sections[0].body]
    assert "go build" in scripts[0]
    assert "go = 1" not in scripts[1]
    assert "x" in scripts[2]


def test_the_escape_directive_counts() -> None:
    file = parse("Dockerfile", "# escape=`\nFROM a\nRUN one `\n    two\nENV NAME\n")
    assert file.escape == "`"
    assert [(one.keyword, one.end_line) for one in file.instructions] == [("FROM", 2), ("RUN", 4)]
    assert [flaw.line for flaw in file.broken] == [5]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", None, "no instruction"),
        ("# only a comment\n\n", None, "no instruction"),
        ("FROM a\nENV NAME\n", 2, "two arguments"),
        ("FROM a\nLABEL x\n", 2, "two arguments"),
        ("FROM a\nRUN <<EOF\nnever\n", 2, "no line below is EOF alone"),
        ("FROM a\nRUN <<EOF\nx\n\tEOF\n", 2, "`<<-` allows tabs"),
        ("FROM a\nRUN <<-EOF\nx\n  EOF\n", 2, "no space may stand around it"),
        ("FROM a\nENV A=1 \\\nFROM b\n", 2, "it goes on in line 3"),
        ("FROM a\nCOPY <<A <<B /x/\n1\nA\n2\n", 2, "unterminated heredoc"),
    ],
)
def test_what_the_parser_refuses_is_told_with_its_line(text: str, line: int | None, reason: str) -> None:
    broken = parse("Dockerfile", text).broken
    assert [flaw.line for flaw in broken] == [line]
    assert reason in broken[0].message


def test_what_stands_behind_a_mistake_is_read() -> None:
    file = parse("Dockerfile", "FROM a AS one\nENV BAD\nRUN <<EOF\nlost\nFROM b AS two\nLABEL bad\nRUN x\n")
    assert [flaw.line for flaw in file.broken] == [2, 3, 6]
    assert [one.name for one in file.sections] == ["one", "two"]
    assert file.sections[1].body[0].line == 7


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    file = parse("Dockerfile", "\ufeff# syntax=docker/dockerfile:1\r\nFROM a\r\nRUN x \\\r\n  y\r\n")
    assert file.directives["syntax"] == (1, "docker/dockerfile:1")
    assert [(one.line, one.end_line) for one in file.instructions] == [(2, 2), (3, 4)]


PIECES = st.sampled_from(
    [
        *("FROM alpine AS base", "FROM bas", "FROM $X AS t", "from", "RUN go build", "RUN <<EOF", "EOF", "  EOF", "RNU x", "\\"),
        *("COPY --from=base /a /b", "COPY --form=1 a b", "RUN --mount=type=cahe,traget=/x pip install y \\", "ENV A", "ARG A=$B"),
        *("# syntax=docker/dockerfile:1.0", "# escape=`", "#!shebang", "", "\t", "RUN [\"a\"", "ADD http://x/y z", "ONBUILD RUN x"),
        *("RUN go test ./... || true", "FROM scratch AS test-results", "FROM golang AS test", "COPY . .", "USER '", "HEALTHCHECK \\"),
        *("RUN --mount", "RUN --mount=", "RUN --mount=type=cache,target=\"/x y\",", "LABEL a=\"b", "ENV A=$TARGETARCH", "${", "\x00", "é"),
        *("RUN npm ci", "WORKDIR", "COPY", "VOLUME [", "ARG", "MAINTAINER", "\ufeffFROM a", "FROM a b c", "RUN echo '", "RUN a \\\\"),
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=14), st.sampled_from(["\n", "\r\n"]))
def test_no_text_is_too_odd_and_fixing_ends(lines: list[str], end: str) -> None:
    text = end.join(lines)
    for _ in range(40):
        found, _file = examine.dockerfile("Dockerfile", text)
        fixed = mended(text, [one for one in found if one.safe and one.path == "Dockerfile"])
        if fixed == text:
            return
        text = fixed
    raise AssertionError(text)
