"""Durations do not change when somebody sets the clock."""

from __future__ import annotations

import pytest

from ci_buildkit.pipeline.clock import Clock


@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_clock_that_is_set_changes_no_duration(jump: float) -> None:
    first = Clock()
    second = Clock(at=first.at + jump)
    assert 0 <= second.after(first) < 60
    assert 0 <= second.elapsed < 60
