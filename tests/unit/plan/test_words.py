"""Words of a Dockerfile with the values of their variables."""

from __future__ import annotations

import pytest

from ci_buildkit.plan.words import Scope, UnknownVariable, expand


@pytest.fixture
def scope() -> Scope:
    return Scope({"A": "a b", "EMPTY": "", "LOST": None}, unset={"NONE"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain/path", "plain/path"),
        ("$A-${A}", "a b-a b"),
        ("/x$A/y", "/xa b/y"),
        ("${NONE:-x}${EMPTY:-y}${EMPTY-z}", "xy"),
        ("${NONE-x}${A:-y}", "xa b"),
        ("${A:+yes}${EMPTY:+no}${EMPTY+there}${NONE+no}", "yesthere"),
        ("${NONE:-$A}", "a b"),
        ("'$A'", "$A"),
        ('"$A"', "a b"),
        ('"it\'s $A"', "it's a b"),
        (r"\$A \"q\"", '$A "q"'),
        ("a$", "a$"),
        ("$1", "$1"),
        ("", ""),
    ],
)
def test_words_have_the_values_that_buildkit_gives_them(text: str, value: str, scope: Scope) -> None:
    assert expand(text, scope) == value


@pytest.mark.parametrize("text", ["$LOST", "${LOST:-x}", "${A#a}", "${A/a/b}"])
def test_what_is_not_known_is_said(text: str, scope: Scope) -> None:
    with pytest.raises(UnknownVariable):
        expand(text, scope)


def test_an_image_may_have_set_what_the_file_does_not(scope: Scope) -> None:
    assert expand("$OTHER$NONE", scope) == ""
    scope.from_image = True
    assert expand("$NONE", scope) == ""
    with pytest.raises(UnknownVariable, match="OTHER"):
        expand("$OTHER", scope)


def test_a_value_made_of_an_unknown_one_is_unknown(scope: Scope) -> None:
    scope.set("B", "$LOST/x")
    with pytest.raises(UnknownVariable, match="B"):
        expand("$B", scope.copy())
