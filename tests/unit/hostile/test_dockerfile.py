"""A Dockerfile of anything: an answer or a plain error, and no stage that BuildKit sees is hidden from us."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.strategies import every, hostile

from ci_buildkit.doctor.parse import parse as parse_for_doctor
from ci_buildkit.errors import BuildFailed
from ci_buildkit.plan import dockerfile, sources

WORDS = [
    "FROM alpine AS a\n",
    "RUN ",
    "FROM ",
    "COPY --from=",
    "ARG ",
    "# escape=`\n",
    "\\\n",
    "RUN <<EOF\n",
    "EOF\n",
    "\n",
]
texts = st.lists(st.one_of(st.sampled_from(WORDS), hostile), max_size=6).map("".join)


@settings(deadline=None, max_examples=150)
@given(texts)
@example(f"FROM alpine\n# {every}")
@example("FROM alpine\nRUN \udc80")
@example("\\\n")
@example("FROM alpine\n  \\  \n")
def test_any_text_is_an_answer_or_an_error(text: str) -> None:
    parse_for_doctor("Dockerfile", text)
    try:
        found = dockerfile.commands(text)
    except dockerfile.NoDockerfile:
        found = []
    assert all(command.cmd for command in found)
    stages = dockerfile.parse(found).stages
    assert len(stages) == sum(command.cmd.upper() == "FROM" for command in found)
    assert len(sources.read(text)) == (len(stages) + 1 if found else 0)


@settings(deadline=None, max_examples=30)
@given(st.binary(max_size=60))
@example(b"FROM alpine\nRUN \xff\xfe\n")
def test_any_bytes_are_an_answer_or_an_error(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "Dockerfile")
        path.write_bytes(raw)
        try:
            found = dockerfile.read(path).stages
        except BuildFailed:
            found = ()
        assert len(found) <= raw.upper().count(b"FROM")


def test_a_nul_hides_nothing() -> None:
    text = "FROM alpine AS test\nRUN true # \0\nFROM alpine AS hidden\n"
    assert [stage.name for stage in dockerfile.parse(dockerfile.commands(text)).stages] == ["test", "hidden"]
    assert [section.name for section in parse_for_doctor("Dockerfile", text).sections] == ["test", "hidden"]


@pytest.mark.parametrize(
    "text", ["\\\n", "FROM alpine\n\\\n", "FROM alpine\n   \\  \n", "# escape=`\nFROM alpine\n`\n"]
)
def test_what_goes_on_with_nothing_is_told_by_its_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    with pytest.raises(BuildFailed, match=r"line \d+ is continued, but nothing follows"):
        dockerfile.read(tmp_path / "Dockerfile")
    assert sources.read(text) == ()


def test_an_argument_is_put_in_whatever_the_text_holds() -> None:
    text = "FROM alpine AS test\nRUN echo \udc80\0\n"
    assert dockerfile.with_argument(text, ["test"], "1").splitlines()[1] == "ARG CI_BUILDKIT_RUN=1"
