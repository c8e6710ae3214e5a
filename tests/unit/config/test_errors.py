"""Exit codes: one class each, and which one a command ends with when several apply."""

from __future__ import annotations

import itertools

import pytest

from ci_buildkit import errors


def test_each_exit_code_has_one_class() -> None:
    classes = errors.CiBuildkitError.__subclasses__()
    assert sorted(one.exit_code for one in classes) == [1, 2, 3, 4, 5, 6, 130]
    assert {*errors.PRECEDENCE} == {0, *(one.exit_code for one in classes)}


def test_the_most_fundamental_code_wins() -> None:
    order = [130, 2, 4, 3, 5, 1, 6, 0]
    for first, second in itertools.combinations(order, 2):
        assert errors.most_fundamental([second, first]) == first
        assert errors.most_fundamental([first, second, 0]) == first
    assert errors.most_fundamental([]) == 0
    assert errors.most_fundamental(iter([0, 0])) == 0


@pytest.mark.parametrize(("hint", "text"), [("", "it broke"), ("do this", "it broke\n  do this")])
def test_an_error_reads_as_its_message_and_the_next_step(hint: str, text: str) -> None:
    assert str(errors.EngineError("it broke", hint=hint)) == text
