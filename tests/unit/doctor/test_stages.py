"""Stages and what refers to them."""

from __future__ import annotations

import pytest

from .conftest import Diagnose

TWO = "FROM alpine:3.22 AS base\nRUN x\nFROM alpine:3.22 AS build-server\nRUN y\n"


@pytest.mark.parametrize(
    ("line", "meant", "fix"),
    [
        ("FROM bas", "base", "FROM base"), ("FROM bas AS final", "base", "FROM base AS final"),
        ("from  BAS  as final", "base", "from  base  as final"),
        ("FROM alpine:3.22\nCOPY --from=buid-server /a /b", "build-server", "COPY --from=build-server /a /b"),
        ("FROM alpine:3.22\nRUN --mount=from=bae,target=/x y", "base", "RUN --mount=from=base,target=/x y"),
    ],
)  # fmt: skip
def test_a_misspelt_stage_is_mended(diagnose: Diagnose, line: str, meant: str, fix: str) -> None:
    (one,) = diagnose(f"{TWO}{line}\n", "unknown-stage")
    assert (one.line, one.severity, one.fix, one.safe) == (5 + line.count("\n"), "error", fix, True)
    assert f'does not exist; did you mean "{meant}"?' in one.message


def test_the_message_is_the_contracts(diagnose: Diagnose) -> None:
    (one,) = diagnose(f"{TWO}FROM bas\n", "unknown-stage")
    assert one.message == 'stage "bas" does not exist; did you mean "base"?'


def test_between_two_that_are_equally_near_nobody_chooses(diagnose: Diagnose) -> None:
    text = "FROM alpine:3.22 AS build-a\nRUN x\nFROM alpine:3.22 AS build-b\nRUN y\nFROM build-c\n"
    (one,) = diagnose(text, "unknown-stage")
    assert (one.fix, one.safe) == (None, False)
    assert '"build-a" or "build-b"' in one.message


@pytest.mark.parametrize(
    "line",
    [
        "FROM base", "FROM BASE:1", "FROM debian", "FROM ghcr.io/bas", "FROM bas:1", "FROM bas@sha256:00", "FROM $BAS",
        "FROM scratch\nCOPY --from=BASE /a /b", "FROM scratch\nCOPY --from=Build-Server /a /b", "FROM scratch\nCOPY --from=0 /a /b",
        "FROM scratch\nCOPY --from=alpine /a /b", "FROM scratch\nCOPY --from=context /a /b", "FROM whatever-else",
        "FROM scratch\nCOPY --from=bas/tool /a /b",
    ],
)  # fmt: skip
def test_what_is_a_stage_or_may_be_an_image_is_left_alone(diagnose: Diagnose, line: str) -> None:
    assert diagnose(f"{TWO}{line}\n", "unknown-stage") == []


def test_a_named_context_is_known(diagnose: Diagnose) -> None:
    text = f"{TWO}FROM bas\nCOPY --from=bass /a /b\n"
    assert diagnose(text, "unknown-stage", contexts=frozenset({"bas", "bass"})) == []


def test_from_must_write_a_stage_in_lower_case(diagnose: Diagnose) -> None:
    (one,) = diagnose("FROM alpine:3.22 AS Base\nRUN x\nFROM Base\n", "unknown-stage")
    assert (one.line, one.fix, one.safe) == (3, "FROM base", True)


def test_a_stage_used_before_it_is_declared_and_by_itself(diagnose: Diagnose) -> None:
    text = "FROM a:1 AS one\nCOPY --from=two /a /b\nRUN --mount=from=one,target=/x y\nFROM b:1 AS two\nRUN z\n"
    first, second = diagnose(text, "unknown-stage")
    assert (first.line, "before it is declared, in line 4" in first.message) == (2, True)
    assert (second.line, "uses itself" in second.message) == (3, True)


def test_an_image_may_have_the_name_of_its_stage(diagnose: Diagnose) -> None:
    assert diagnose("FROM golang AS golang\nFROM alpine AS alpine\nCOPY --from=golang /a /b\n", "unknown-stage") == []
    (one,) = diagnose("FROM builder AS builder\nFROM alpine\nCOPY --from=builder /a /b\n", "unknown-stage")
    assert (one.line, one.severity) == (1, "warning")  # it may be an image of one's own


@pytest.mark.parametrize(("number", "said"), [("1", "this stage itself"), ("7", "stage 7"), ("0", "")])
def test_numbers_of_stages_are_counted(diagnose: Diagnose, number: str, said: str) -> None:
    found = diagnose(f"FROM a:1\nFROM b:1\nCOPY --from={number} /a /b\n", "unknown-stage")
    assert [said in one.message for one in found] == ([True] if said else [])


def test_a_name_twice(diagnose: Diagnose) -> None:
    (one,) = diagnose("FROM a:1 AS x\nFROM b:1 AS X\nRUN y\n", "duplicate-stage")
    assert (one.line, one.severity) == (2, "warning")
    assert "line 1" in one.message


ORPHAN = "FROM alpine:3.22 AS leftover\nRUN x\nFROM alpine:3.22 AS last\nRUN y\n"


def test_a_stage_that_nothing_uses(diagnose: Diagnose) -> None:
    (one,) = diagnose(ORPHAN, "unused-stage")
    assert (one.line, one.severity) == (1, "warning")
    assert 'stage "leftover"' in one.message


def test_a_nameless_stage_that_nothing_uses_cannot_even_be_built(diagnose: Diagnose) -> None:
    (one,) = diagnose("FROM a:1\nRUN x\nFROM b:1\nRUN y\n", "unused-stage")
    assert "nothing can build it" in one.message


@pytest.mark.parametrize("targets", [{"leftover"}, {"left${x}"}, {"${any}"}])
def test_a_stage_that_somebody_builds_is_used(diagnose: Diagnose, targets: set[str]) -> None:
    assert diagnose(ORPHAN, "unused-stage", targets=frozenset(targets)) == []


@pytest.mark.parametrize("option", ["lint_target", "test_target", "binaries_target", "image_target"])
def test_a_stage_that_an_option_names_is_used(diagnose: Diagnose, option: str) -> None:
    assert diagnose(ORPHAN, "unused-stage", **{option: ("LEFTOVER",)}) == []


@pytest.mark.parametrize(
    "name", ["lint", "unit-test", "vet", "binaries", "release", "dev", "dev-tools", "debug", "lint-go"]
)
def test_usual_names_are_used(diagnose: Diagnose, name: str) -> None:
    assert diagnose(ORPHAN.replace("leftover", name), "unused-stage") == []


@pytest.mark.parametrize(
    "use",
    [
        "FROM leftover", "FROM left${X}", "FROM a:1\nCOPY --from=leftover /a /b", "FROM a:1\nCOPY --from=0 /a /b",
        "FROM a:1\nRUN --mount=from=LEFTOVER,target=/x y", "FROM a:1\nONBUILD COPY --from=leftover /a /b", "FROM leftovr",
    ],
)  # fmt: skip
def test_a_stage_that_another_one_uses_is_used(diagnose: Diagnose, use: str) -> None:
    assert diagnose(ORPHAN.replace("FROM alpine:3.22 AS last", use), "unused-stage") == []


def test_an_image_of_its_own_and_a_list_of_images_are_no_leftovers(diagnose: Diagnose) -> None:
    assert diagnose(ORPHAN.replace("RUN x", 'CMD ["x"]'), "unused-stage") == []
    assert diagnose("FROM a:1 AS a\nFROM b:1 AS b\n", "unused-stage") == []
