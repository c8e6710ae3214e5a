"""What is kept of a program that was ended."""

from __future__ import annotations

import json

import pytest

from ci_buildkit.engine import program
from ci_buildkit.engine.progress import Progress


def vertex(digest: str, name: str, second: int) -> bytes:
    """A status in which a step starts."""
    started = f"2026-01-01T00:00:{second:02}Z"
    return json.dumps({"vertexes": [{"digest": digest, "name": name, "started": started}]}).encode()


@pytest.mark.parametrize(("second", "long"), [(1, True), (8, False), (None, False)])
def test_only_a_program_that_had_the_time_is_said_to_take_too_long(second: int | None, *, long: bool) -> None:
    progress = Progress()
    assert not program._ran_long(progress)
    progress.feed(vertex("a", "[1/2] COPY program /program", 0))
    if second is not None:
        progress.feed(vertex("b", "[2/2] RUN /program --version", second))
    assert program._ran_long(progress) is long
