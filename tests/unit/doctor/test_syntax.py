"""The `# syntax=` line and the form of the file."""

from __future__ import annotations

import pytest

from .conftest import Diagnose


@pytest.mark.parametrize(
    ("text", "line", "fix"),
    [
        ("# sytnax=docker/dockerfile:1\nFROM a:1\n", 1, "# syntax=docker/dockerfile:1"),
        ("#synatx = docker/dockerfile:1\nFROM a:1\n", 1, "# syntax=docker/dockerfile:1"),
        ("# syntax: docker/dockerfile:1\nFROM a:1\n", 1, "# syntax=docker/dockerfile:1"),
        ("# A comment\n# syntax=docker/dockerfile:1\nFROM a:1\n", 2, None),
        ("\n# syntax=docker/dockerfile:1\nFROM a:1\n", 2, None),
        ("FROM a:1\n# syntax=docker/dockerfile:1\n", 2, None),
    ],
)
def test_a_syntax_line_that_is_only_a_comment(diagnose: Diagnose, text: str, line: int, fix: str | None) -> None:
    (one,) = diagnose(text, "syntax-line")
    assert (one.line, one.severity, one.fix, one.safe) == (line, "warning", fix, fix is not None)


@pytest.mark.parametrize(
    "text",
    [
        "# syntax=docker/dockerfile:1\nFROM a:1\n", "# check=skip=all\n# syntax = docker/dockerfile:1\nFROM a:1\n", "FROM a:1\n",
        "#!/usr/bin/env -S docker build\n# syntax=docker/dockerfile:1\nFROM a:1\n", "# Uses docker/dockerfile features.\nFROM a:1\n",
        "# syntax=docker/dockerfile:1\n# syntax=docker/dockerfile:1\nFROM a:1\n", "# image=x/dockerfile/y\nFROM a:1\n",
    ],
)  # fmt: skip
def test_a_right_syntax_line_or_none_is_left_alone(diagnose: Diagnose, text: str) -> None:
    assert diagnose(text, "syntax-line") == []


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        ("docker/dockerfle:1", "docker/dockerfile:1"), ("dcoker/dockerfile:1.7", "docker/dockerfile:1.7"), ("docker/dockerfile:1", None),
        ("example.com/my/frontend", None), ("docker/dockerfile-upstream:master", None),
    ],
)  # fmt: skip
def test_a_misspelt_frontend(diagnose: Diagnose, value: str, fix: str | None) -> None:
    found = diagnose(f"# syntax={value}\nFROM a:1\n", "unknown-frontend")
    assert [one.fix for one in found] == ([f"# syntax={fix}"] if fix else [])


@pytest.mark.parametrize(
    ("tag", "line", "known"),
    [
        ("1.0", "RUN --mount=type=cache,target=/x y", False), ("1.1-experimental", "RUN --mount=type=cache,target=/x y", True),
        ("experimental", "RUN --mount=type=cache,target=/x y", True), ("1.2", "RUN --mount=type=cache,target=/x y", True),
        ("1", "COPY --parents a b", True), ("1.3", "RUN <<EOF\nx\nEOF", False), ("1.3-labs", "RUN <<EOF\nx\nEOF", True),
        ("1.4", "RUN <<EOF\nx\nEOF", True), ("1.3", "COPY --link a b", False), ("1.5", "ADD --checksum=sha256:0 https://x/y /z", False),
        ("1.7", "COPY --parents a b", False), ("1.7-labs", "COPY --parents a b", True), ("1.18", "COPY --exclude=x . .", False),
        ("1.9.0", "RUN --mount=type=secret,id=x,env=X y", False), ("1.2", "RUN y", True), ("2", "COPY --parents a b", True),
        ("1.4.3@sha256:00", "COPY --link a b", True), ("latest", "COPY --parents a b", True),
    ],
)  # fmt: skip
def test_a_frontend_that_is_too_old_for_what_the_file_uses(
    diagnose: Diagnose, tag: str, line: str, known: bool
) -> None:
    found = diagnose(f"# syntax=docker/dockerfile:{tag}\nFROM a:1\n{line}\n", "old-syntax")
    assert [(one.line, one.severity, one.fix, one.safe) for one in found] == (
        [] if known else [(1, "error", "# syntax=docker/dockerfile:1", True)]
    )


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("ARG A=1\n", None, "no FROM"), ("RUN x\nFROM a:1\n", 1, "before the first FROM"), ("FROM\n", 1, "FROM takes"),
        ("FROM a b\n", 1, "FROM takes"), ("FROM a:1 AS 1x\n", 1, "stage's name"), ("FROM a:1 AS a/b\n", 1, "stage's name"),
        ("FROM a:1\nCOPY x\n", 2, "COPY takes"), ("FROM a:1\nRUN\n", 2, "nothing to run"), ("FROM a:1\nWORKDIR\n", 2, "says nothing"),
    ],
)  # fmt: skip
def test_what_the_parser_takes_and_the_build_refuses(
    diagnose: Diagnose, text: str, line: int | None, said: str
) -> None:
    (one,) = diagnose(text, "invalid-instruction")
    assert (one.line, one.severity) == (line, "error")
    assert said in one.message


@pytest.mark.parametrize(
    "line",
    [
        "FROM a:1 AS Build-1.x_y",
        "FROM a:1\nRUN <<EOF\nEOF",
        "FROM a:1\nCMD",
        'FROM a:1\nCOPY ["a", "b"]',
        "from a:1 as b",
    ],
)
def test_right_shapes_are_left_alone(diagnose: Diagnose, line: str) -> None:
    assert diagnose(f"{line}\n", "invalid-instruction") == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM a:1\nRUN x && \\\n\nCOPY a b\n", 4), ("FROM a:1\nRUN x \\\n# why\nRUN y\n", 4),
    ],
)  # fmt: skip
def test_an_instruction_that_the_one_above_swallows(diagnose: Diagnose, text: str, line: int) -> None:
    (one,) = diagnose(text, "swallowed-instruction")
    assert (one.line, one.severity) == (line, "error")
    assert "line 2 ends in \\" in one.message


@pytest.mark.parametrize(
    "text",
    [
        "FROM a:1\nHEALTHCHECK --interval=5s \\\nCMD x\n", "FROM a:1\nONBUILD \\\nRUN x\n", "FROM a:1\nRUN <<EOF\nCOPY a b\nEOF\n",
        "FROM a:1\nRUN psql -c \" \\\n  COPY x FROM y\"\n", "FROM a:1\nRUN x \\\n  && y\nCOPY a b\n",
    ],
)  # fmt: skip
def test_what_belongs_together_is_left_alone(diagnose: Diagnose, text: str) -> None:
    assert diagnose(text, "swallowed-instruction") == []


def test_a_last_line_without_an_end(diagnose: Diagnose) -> None:
    (one,) = diagnose("FROM a:1\nRUN x", "final-newline")
    assert (one.line, one.severity, one.fix, one.safe) == (2, "notice", "RUN x\n", True)
    assert diagnose("FROM a:1\n", "final-newline") == []
    assert diagnose("", "final-newline") == []
