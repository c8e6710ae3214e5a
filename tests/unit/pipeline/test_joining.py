"""Images of several machines joined in a registry: what is refused, and in which order things are written."""

from __future__ import annotations

import pytest
from tests.unit.pipeline.conftest import Memory

from ci_buildkit.engine.registry import Held, Manifest, Top
from ci_buildkit.errors import ConfigurationError, EngineError, OutputError
from ci_buildkit.pipeline.merge import Merge, Rules, Wanted

A, B, C, JOINED, OTHER = ("sha256:" + letter * 64 for letter in "abcf0")
APP = Wanted("host/app", (A, B), ("1", "latest"))
ONE = Wanted("host/one", (C,), ("1",))


@pytest.fixture
def filled(registry: Memory) -> Memory:
    """A registry with what three machines pushed."""
    for digest, platform in ((A, "linux/amd64"), (B, "linux/arm64"), (C, "linux/amd64")):
        registry.images[digest] = Held(digest, (Manifest(platform, digest, 1),))
    registry.index = Top(JOINED)
    return registry


def merge(registry: Memory, rules: Rules | None = None, said: list[str] | None = None) -> Merge:
    return Merge(registry, rules or Rules(), {}, (said if said is not None else []).append)


def test_no_tag_moves_before_every_image_is_in_place(filled: Memory) -> None:
    found = merge(filled).run([APP, ONE])
    assert filled.calls == ["join host/app", "tag host/app:1", "tag host/app:latest", "tag host/one:1"]
    assert [image.document() for image in found] == [
        {"name": "host/app", "digest": JOINED, "tags": ["1", "latest"], "platforms": ["linux/amd64", "linux/arm64"]},
        {"name": "host/one", "digest": C, "tags": ["1"], "platforms": ["linux/amd64"]},
    ]


def test_a_dry_run_writes_nothing(filled: Memory) -> None:
    assert [image.digest for image in merge(filled).run([APP], dry_run=True)] == [JOINED]
    assert filled.calls == []


def test_a_platform_that_is_there_twice_is_refused(filled: Memory) -> None:
    filled.images[B] = Held(B, (Manifest("linux/amd64", B, 1),))
    with pytest.raises(OutputError, match=f"linux/amd64 twice, from {A} and {B}"):
        merge(filled).run([APP])
    assert filled.calls == []


def test_a_missing_platform_is_refused_unless_that_is_allowed(filled: Memory) -> None:
    expected = ("linux/amd64", "linux/arm64/v8", "linux/s390x")
    with pytest.raises(OutputError, match="lacks linux/s390x; there is linux/amd64, linux/arm64"):
        merge(filled, Rules(expected)).run([APP])
    said: list[str] = []
    merge(filled, Rules(expected, allow_missing=True), said).run([APP])
    assert said[0] == "warning: host/app goes without linux/s390x, which --allow-missing lets pass"
    assert said[-1] == f"host/app:latest is {JOINED}"


def test_what_a_machine_pushed_and_nobody_has_is_told(filled: Memory) -> None:
    del filled.images[B]
    with pytest.raises(OutputError, match=f"does not hold host/app@{B}"):
        merge(filled).run([APP])
    filled.broken[f"host/app@{A}"] = EngineError("401 Unauthorized")
    with pytest.raises(EngineError, match="cannot be looked at: 401 Unauthorized") as raised:
        merge(filled).run([APP])
    assert "log in" in raised.value.hint


def test_annotations_that_buildx_would_leave_out_without_a_word_are_refused(filled: Memory) -> None:
    annotated = Wanted("host/app", (A, B), ("1",), ("index:a=b",))
    with pytest.raises(OutputError, match="cannot have annotations"):
        merge(filled).run([annotated])
    filled.index = Top(JOINED, annotations={"a": "b"})
    assert merge(filled).run([annotated])[0].digest == JOINED


def test_an_immutable_tag_stays_where_it_is(filled: Memory) -> None:
    filled.images[OTHER] = Held(OTHER, ())
    filled.tags["host/app:latest"] = OTHER
    with pytest.raises(ConfigurationError, match=f"host/app:latest is {OTHER} already"):
        merge(filled, Rules(immutable=True)).run([APP])
    assert filled.calls == []
    filled.images[JOINED] = Held(JOINED, (*filled.images[A].manifests, *filled.images[B].manifests))
    filled.tags["host/app:latest"] = JOINED
    assert merge(filled, Rules(immutable=True)).run([APP])[0].tags == ("1", "latest")


def test_an_index_that_is_not_what_was_joined_gets_no_tag(filled: Memory) -> None:
    def other() -> None:
        filled.images[JOINED] = Held(JOINED, (Manifest("linux/amd64", OTHER, 1),))

    filled.after = other
    with pytest.raises(OutputError, match="is not what was joined: linux/amd64, linux/arm64"):
        merge(filled).run([APP])
    assert filled.calls == ["join host/app"]


def test_a_tag_that_somebody_else_moved_meanwhile_is_told(filled: Memory) -> None:
    def moved() -> None:
        filled.images[OTHER] = Held(OTHER, ())
        filled.tags["host/one:1"] = OTHER

    filled.after = moved
    with pytest.raises(OutputError, match=f"host/one:1 is {OTHER}, and should be {C}"):
        merge(filled).run([ONE])
