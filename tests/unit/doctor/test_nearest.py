"""Names that a misspelt word was meant to be."""

from __future__ import annotations

import pytest

from ci_buildkit.doctor.nearest import nearest, one_slip_apart, question, slip_of

STAGES = ("base", "build-client", "build-server", "test", "test-results")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("bas", ("base",)), ("BAS", ("base",)), ("tset", ("test",)), ("buid-server", ("build-server",)),
        ("bild-servr", ("build-server",)), ("test-result", ("test-results",)), ("base", ()), ("Base", ()), ("other", ()),
        ("b", ()), ("", ()),
    ],
)  # fmt: skip
def test_the_nearest_name_is_found(word: str, meant: tuple[str, ...]) -> None:
    assert nearest(word, STAGES) == meant


def test_several_that_are_equally_near_are_all_told() -> None:
    assert nearest("build-serve", ("build-server", "build-serves")) == ("build-server", "build-serves")


def test_a_slip_wins_over_what_is_only_alike() -> None:
    assert nearest("rnu", ("run", "env")) == ("run",)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("golagn", "golang", True), ("alpne", "alpine", True), ("alpinee", "alpine", True), ("alpino", "alpine", True),
        ("golang", "golang", False), ("gloagn", "golang", False), ("alpnie", "alpine", True), ("ab", "ba", True), ("", "a", True),
        ("abcd", "ab", False),
    ],
)  # fmt: skip
def test_one_slip_is_a_letter_more_less_another_or_two_swapped(one: str, other: str, apart: bool) -> None:
    assert one_slip_apart(one, other) is apart
    assert one_slip_apart(other, one) is apart


def test_a_slip_keeps_the_first_letter_and_is_no_name_itself() -> None:
    assert slip_of("ubunut", {"ubuntu", "debian"}) == ("ubuntu",)
    assert slip_of("dust", {"rust", "dust"}) == ()
    assert slip_of("must", {"rust"}) == ()
    assert slip_of("rst", {"rust"}) == ()


def test_the_question_names_all_or_is_empty() -> None:
    assert question(()) == ""
    assert question(("a", "b")) == '; did you mean "a" or "b"?'
