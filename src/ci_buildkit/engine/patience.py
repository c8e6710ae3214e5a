"""Trying again what a registry may do another time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import EngineError

ATTEMPTS = 4
PAUSE = 1.0  # seconds before the second attempt, doubled before each other one
# What a registry says that knows who asks and says no (distribution-spec, "Error Codes"); substrings in lower case.
REFUSALS = ("unauthorized", "forbidden", "denied", "insufficient_scope")

T = TypeVar("T")


def patiently(action: Callable[[], T], cancellation: Cancellation, pause: float = PAUSE) -> T:
    """What `action` returns, which is tried again after an EngineError; raises the last one.

    A refusal is not tried again, and nothing is after a cancellation.
    """
    for attempt in range(ATTEMPTS):
        try:
            return action()
        except EngineError as error:
            if attempt + 1 == ATTEMPTS or refused(error.message) or cancellation.cancelled:
                raise
            time.sleep(pause * 2**attempt)
    raise AssertionError("unreachable")


def refused(said: str) -> bool:
    """Whether trying again is of no use."""
    return any(word in said.lower() for word in REFUSALS)
