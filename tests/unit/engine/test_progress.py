"""Recorded status streams of BuildKit, folded into steps and lines."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.engine.progress import MAX_LINE, Line, Progress, Step, seconds_of, stage_of

DATA = Path(__file__).with_name("data")


def fold(name: str) -> tuple[Progress, list[Line], list[bytes]]:
    """The progress of a recorded stream, its lines, and what was no status."""
    progress = Progress()
    lines: list[Line] = []
    rest: list[bytes] = []
    for raw in (DATA / f"{name}.rawjson").read_bytes().splitlines(keepends=True):
        new = progress.feed(raw)
        if new is None:
            rest.append(raw)
        else:
            lines += new
    return progress, lines + list(progress.finish()), rest


def log(data: bytes, *, vertex: str = "a", stream: int = 1) -> bytes:
    """A status with one piece of a log."""
    entry: dict[str, Any] = {"vertex": vertex, "stream": stream, "data": base64.b64encode(data).decode()}
    return json.dumps({"logs": [entry]}).encode()


def texts(progress: Progress, *statuses: bytes) -> list[str]:
    """The lines that come of these statuses, without the unended ones."""
    return [line.text for status in statuses for line in progress.feed(status) or ()]


def test_lines_are_put_together_from_pieces_by_stream() -> None:
    _, lines, rest = fold("lint")
    assert [(line.stream, line.text) for line in lines] == [
        (1, "no newline at first but later"),
        (1, "second"),
        (1, "bad \N{REPLACEMENT CHARACTER} utf-8"),
        (2, "to-stderr"),
        (1, "unended"),
    ]
    assert {line.step.stage for line in lines} == {"lint"}
    assert rest == []


def test_steps_end_with_times_and_cache_hits() -> None:
    progress, _, _ = fold("lint")
    steps = {step.name.partition("] ")[2].split()[0]: step for step in progress.steps.values() if not step.is_internal}
    assert set(steps) == {"FROM", "RUN"}
    assert steps["FROM"].cached
    assert not steps["RUN"].cached
    assert 0.2 < steps["RUN"].seconds < 2
    assert steps["RUN"].is_run
    assert not steps["FROM"].is_run
    assert [steps[name].executed for name in ("FROM", "RUN")] == [False, True]
    assert steps["RUN"].inputs == (steps["FROM"].digest,)
    assert progress.failed is None
    assert progress.done == len(progress.steps)


def test_a_check_of_the_dockerfile_is_a_warning() -> None:
    progress, _, _ = fold("lint")
    (warned,) = progress.warnings
    assert warned.short == "FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 3)"
    assert (warned.filename, warned.start_line, warned.end_line) == ("Dockerfile", 3, 3)
    assert warned.url.startswith("https://")
    assert warned.detail


def test_the_failed_step_is_known_by_its_error() -> None:
    progress, lines, rest = fold("test")
    assert progress.failed is not None
    assert progress.failed.stage == "test"
    assert progress.failed.error.endswith("did not complete successfully: exit code: 3")
    assert [line.text for line in lines] == ["cached", "test failed"]
    assert rest[-1].startswith(b"ERROR: failed to build")


def test_a_cancelled_step_is_not_what_broke_the_build() -> None:
    progress = Progress()
    for digest, error in (("a", "context canceled: context canceled"), ("b", "exit code: 1")):
        progress.feed(json.dumps({"vertexes": [{"digest": digest, "name": digest, "error": error}]}).encode())
    assert progress.failed is progress.steps["b"]


def test_platforms_of_steps_are_those_that_execute_them() -> None:
    progress, _, _ = fold("cross")
    runs = sorted((step.stage, step.platform or "") for step in progress.steps.values() if step.is_run)
    assert runs == [
        ("app", "linux/amd64"),
        ("app", "linux/arm64"),
        ("build", "linux/amd64"),
        ("build", "linux/amd64"),
    ]
    internal = {step.name for step in progress.steps.values() if step.is_internal}
    assert "[linux/arm64 internal] load metadata for docker.io/library/alpine:latest" in internal
    assert not any("RUN" in name or "COPY" in name for name in internal)


@pytest.mark.parametrize(
    ("name", "stage"),
    [
        ("[lint 2/3] RUN x", "lint"),
        ("[linux/arm/v7 lint 2/3] RUN x", "lint"),
        ("[linux/amd64->arm64 lint 2/3] RUN x", "lint"),
        ("[stage-0 1/2] RUN x", "0"),
        ("[stage-one 1/2] RUN x", "stage-one"),
        ("[1/2] RUN x", ""),
        ("[linux/amd64 1/2] RUN x", ""),
        ("[internal] load .dockerignore", ""),
        ("exporting to image", ""),
    ],
)
def test_the_stage_in_a_step_s_name(name: str, stage: str) -> None:
    assert stage_of(name) == stage


@pytest.mark.parametrize(
    ("name", "internal"),
    [
        ("[internal] load .dockerignore", True),
        ("[linux/arm64 internal] load metadata for x", True),
        ("[auth] library/alpine:pull token for registry.example", True),
        ("resolve image config for docker-image://x", True),
        ("exporting to client directory", True),
        ("[internal 1/2] RUN x", False),
        ("[2/2] RUN echo [internal]", False),
    ],
)
def test_what_is_buildkit_s_own_business(name: str, internal: bool) -> None:
    assert Step("d", name).is_internal is internal


def test_a_step_that_runs_twice_sums_its_time_and_ends_twice() -> None:
    progress = Progress()
    stamp = "2026-01-01T00:00:{:02d}.5Z"
    for begin, end in ((1, 3), (10, 11)):
        vertex = {"digest": "a", "name": "a", "started": stamp.format(begin)}
        progress.feed(json.dumps({"vertexes": [vertex]}).encode())
        assert progress.steps["a"].completed is None
        progress.feed(json.dumps({"vertexes": [vertex | {"completed": stamp.format(end)}]}).encode())
        assert [step.digest for step in progress.ended()] == ["a"]
        assert progress.ended() == []
    step = progress.steps["a"]
    assert step.seconds == pytest.approx(3)
    assert step.first is not None
    assert step.started is not None
    assert step.started - step.first == pytest.approx(9)


def test_what_is_no_status_is_left_to_the_caller() -> None:
    progress = Progress()
    for line in (b"ERROR: no\n", b"{not json}\n", b"\n", b""):
        assert progress.feed(line) is None
    assert list(progress.feed(b'{"vertexes": null, "logs": null}') or ()) == []


def test_a_status_of_an_unknown_step_or_with_broken_data_is_survived() -> None:
    progress = Progress()
    assert texts(progress, log(b"early\n", vertex="zz")) == ["early"]
    broken = json.dumps({"logs": [{"vertex": "zz", "data": "!"}]}).encode()
    assert texts(progress, broken, log(b"next\n", vertex="zz")) == ["next"]


def test_a_character_split_between_two_statuses_stays_whole() -> None:
    both = "größe\n".encode()
    assert texts(Progress(), log(both[:3]), log(both[3:])) == ["größe"]


def test_an_endless_line_does_not_fill_the_memory() -> None:
    progress = Progress()
    piece = log(b"x" * 1000)
    found = texts(progress, *[piece] * 600)
    assert sum(map(len, found)) + len(progress.steps["a"].partial.get(1, b"")) == 600_000
    assert all(len(text) <= MAX_LINE + 1000 for text in found)
    assert len(progress.steps["a"].partial[1]) <= MAX_LINE


def stamped(hour: int, second: int, key: str = "started") -> bytes:
    """A step that began or ended then."""
    stamps = {"started": "2026-01-01T12:00:00Z", key: f"2026-01-01T{hour:02}:00:{second:02}Z"}
    return json.dumps({"vertexes": [{"digest": "a", "name": "x", **stamps}]}).encode()


@pytest.mark.parametrize(
    ("ended", "origin"),
    [
        (stamped(12, 30, "completed"), "2026-01-01T11:59:58Z"),  # 2 s before the step began
        (stamped(11, 30, "completed"), "2026-01-01T10:59:58Z"),  # the clock went back by an hour
        (stamped(13, 30, "completed"), "2026-01-01T11:59:58Z"),  # ... or on
    ],
)
def test_the_beginning_is_one_of_the_builder_s_clock(ended: bytes, origin: str) -> None:
    seconds = iter((2.0, 32.0))
    progress = Progress(lambda: next(seconds))
    progress.feed(stamped(12, 0))
    progress.feed(ended)
    assert progress.origin == seconds_of(origin)


def test_a_step_that_another_build_had_begun_was_there_before_the_beginning() -> None:
    progress = Progress(lambda: 1.0)
    progress.feed(stamped(12, 0))
    assert progress.origin == (seconds_of("2026-01-01T12:00:00Z") or 0) - 1
