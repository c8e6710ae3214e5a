"""Images that a Dockerfile names."""

from __future__ import annotations

import pytest

from ci_buildkit.doctor.nearest import slip_of
from ci_buildkit.doctor.officials import AS_ROOT, OFFICIAL, SYSTEMS

from .conftest import Diagnose


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("golagn:1.26", "golang:1.26"), ("pyhton:3.13-slim", "python:3.13-slim"), ("ubunut", "ubuntu"), ("alpne:3", "alpine:3"),
        ("docker.io/library/debain:12", "docker.io/library/debian:12"), ("ndoe:22@sha256:ab", "node:22@sha256:ab"),
        ("golagn:${GO_VERSION:-1.26}-alpine", "golang:${GO_VERSION:-1.26}-alpine"), ("Alpine:3.22", "alpine:3.22"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "use", ["FROM {}", "FROM --platform=linux/amd64 {} AS x", "FROM scratch\nCOPY --from={} /a /b"]
)
def test_a_slip_in_an_official_name_is_mended(diagnose: Diagnose, use: str, wrong: str, right: str) -> None:
    (one,) = diagnose(f"{use.format(wrong)}\n", "unknown-image")
    assert (one.severity, one.fix, one.safe) == ("error", use.format(right).split("\n")[-1], True)


@pytest.mark.parametrize(
    "image",
    [
        "golang:1.26", "example.com/golagn:1", "owner/golagn", "localhost:5000/golagn", "go", "rusty", "${IMAGE}", "mynode", "dust",
        "bun", "$IMAGE:1", "golagn-tools", "quay.io/Owner1/x".lower(), "scratch",
    ],
)  # fmt: skip
def test_other_images_are_left_alone(diagnose: Diagnose, image: str) -> None:
    assert diagnose(f"FROM {image}\n", "unknown-image") == []


def test_stages_and_named_contexts_are_no_images(diagnose: Diagnose) -> None:
    text = "FROM alpine:3.22 AS pyhton\nFROM pyhton\nCOPY --from=golagn /a /b\n"
    assert diagnose(text, "unknown-image", contexts=frozenset({"golagn"})) == []


def test_an_unknown_image_in_capitals_is_told_and_not_guessed(diagnose: Diagnose) -> None:
    (one,) = diagnose("FROM example.com/My/App:V1\n", "unknown-image")
    assert (one.fix, one.safe) == (None, False)
    assert '"My/App" must be written in lower case' in one.message


def test_no_official_name_is_taken_for_a_slip_of_another_one() -> None:
    assert not [name for name in OFFICIAL if slip_of(name, OFFICIAL)]
    assert SYSTEMS < OFFICIAL
    assert AS_ROOT < OFFICIAL


@pytest.mark.parametrize(
    ("line", "floats"),
    [
        ("FROM alpine", True), ("FROM alpine:latest", True), ("FROM example.com:5000/x", True), ("FROM alpine:3.22", False),
        ("FROM alpine@sha256:00", False), ("FROM alpine:${V}", False), ("FROM $IMAGE", False), ("FROM scratch", False),
        ("FROM alpine:3 AS a\nFROM a", False), ("FROM alpine:3\nCOPY --from=busybox /a /b", True), ("FROM a:latest-rust-1", False),
    ],
)  # fmt: skip
def test_an_image_without_a_version_is_noticed(diagnose: Diagnose, line: str, floats: bool) -> None:
    found = diagnose(f"{line}\n", "floating-image")
    assert [one.severity for one in found] == (["notice"] if floats else [])


def test_the_same_image_is_noticed_once(diagnose: Diagnose) -> None:
    assert len(diagnose("FROM alpine AS a\nFROM alpine AS b\nCOPY --from=alpine /a /b\n", "floating-image")) == 1
