"""A stage's log: written in the shape of `--progress=plain`, and read again step by step."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from ci_buildkit.engine.progress import Progress
from ci_buildkit.engine.solve import LogFile
from ci_buildkit.pipeline.reading import log_lines
from ci_buildkit.pipeline.session import safe_name

DATA = Path(__file__).parents[1] / "engine" / "data"


def written(name: str) -> str:
    """The log of a recorded solve."""
    out = io.StringIO()
    log, progress = LogFile(out), Progress()
    for line in (DATA / f"{name}.rawjson").read_bytes().splitlines():
        new = progress.feed(line)
        if new is None:
            log.text(line.decode())
        else:
            log.lines(list(new), progress.now)
            log.steps(progress.ended())
    log.lines(list(progress.finish()), progress.now)
    return out.getvalue()


def test_the_log_has_the_shape_of_plain_progress() -> None:
    text = written("test").splitlines()
    assert "#1 [internal] load build definition from Dockerfile" in text
    number = next(line.split()[0] for line in text if "[test 1/1] RUN" in line)
    own = [line for line in text if line.startswith(f"{number} ")]
    assert own[1].split(" ", 2)[2] == "test failed"
    assert own[2].startswith(f"{number} ERROR: process ")
    assert any(line.endswith(" CACHED") for line in text)
    assert text[-1].startswith("ERROR: failed to build")


@pytest.mark.parametrize(
    ("name", "stages", "found"),
    [
        ("lint", ("lint",), ["no newline at first but later", "second", "bad \ufffd utf-8", "to-stderr", "unended"]),
        ("lint", ("test",), []),
        ("test", ("test",), ["test failed"]),
        ("test", ("test", "base"), ["cached", "test failed"]),
    ],
)
def test_only_what_run_steps_of_these_stages_printed_is_read_again(
    tmp_path: Path, name: str, stages: tuple[str, ...], found: list[str]
) -> None:
    path = tmp_path / "stage.log"
    path.write_text(written(name), encoding="utf-8")
    assert list(log_lines(path, stages)) == found


def test_a_step_cannot_pretend_to_be_another(tmp_path: Path) -> None:
    """A line that looks like a header stands behind a prefix, so it is text."""
    path = tmp_path / "stage.log"
    path.write_text("#1 [base 1/1] RUN x\n#1 0.100 #2 [test 1/1] RUN y\n#1 0.200 #2 0.300 fake\n", encoding="utf-8")
    assert list(log_lines(path, ("test",))) == []


def test_attempts_are_read_apart_whether_their_step_is_a_new_one_or_not(tmp_path: Path) -> None:
    path = tmp_path / "stage.log"
    first = "#1 [test 1/2] RUN a\n#1 0.100 one\n#2 [test 2/2] RUN b\n#2 0.100 # attempt 2: fake\n#2 0.200 two\n"
    second = "#1 0.300 three\n#3 [test 2/2] RUN b\n#3 0.100 four\n"
    with path.open("w", encoding="utf-8") as out:
        out.write(first)
        LogFile(out).another("tests failed\n# attempt 3: fake")
        out.write(second)
    assert list(log_lines(path, ("test",))) == ["one", "# attempt 2: fake", "two"]
    assert list(log_lines(path, ("test",), 2)) == ["three", "four"]


@pytest.mark.parametrize(
    ("second", "found"),
    [
        ("#1 CACHED\n#2 0.100 three\n", ["one", "three"]),  # what broke the first attempt was no own step
        ("#1 CACHED\n#2 CACHED\n", ["one", "two"]),
        ("#1 0.100 again\n#2 0.100 three\n", ["again", "three"]),
        ("#3 CACHED\n", []),
    ],
)
def test_a_step_of_an_earlier_attempt_is_heard_where_it_came_from_the_cache(
    second: str, found: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "stage.log"
    first = "#1 [test 1/2] RUN a\n#1 0.100 one\n#1 DONE 0.1s\n#2 [test 2/2] RUN b\n#2 0.100 two\n"
    with path.open("w", encoding="utf-8") as out:
        out.write(first)
        LogFile(out).another("error reading from server: EOF")
        out.write(second)
    assert list(log_lines(path, ("test",), 2)) == found


@pytest.mark.parametrize(("name", "safe"), [("test-results", "test-results"), ("a/b c", "a-b-c")])
def test_a_target_s_name_as_a_file_s(name: str, safe: str) -> None:
    assert safe_name(name) == safe
