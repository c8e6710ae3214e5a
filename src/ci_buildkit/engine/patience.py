"""Trying again what a registry may do another time."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from ci_buildkit.engine import trouble
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import EngineError

ATTEMPTS = 4
PAUSE = 1.0  # seconds before the second attempt, doubled before each other one
JITTER = 0.25  # of a pause, up and down, so that stages which failed together do not come back together

T = TypeVar("T")


def patiently(action: Callable[[], T], cancellation: Cancellation, pause: float = PAUSE) -> T:
    """What `action` returns, which is tried again after an EngineError; raises the last one.

    A refusal is not tried again, and nothing is after a cancellation.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return action()
        except EngineError as error:
            if trouble.lasts(error.message) or not rest(attempt, cancellation, pause):
                raise
    return action()


def rest(attempt: int, cancellation: Cancellation, pause: float = PAUSE) -> bool:
    """Wait after the failure of an attempt, counted from 1; whether another one is to be made."""
    if attempt >= ATTEMPTS:
        return False
    seconds = pause * 2 ** (attempt - 1) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
    return not cancellation.wait(seconds)
