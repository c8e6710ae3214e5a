"""What Ctrl-C does the first, second and third time."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from ci_buildkit.cli.interrupts import cancel_on_signals
from ci_buildkit.engine.process import Cancellation


@pytest.fixture
def cancellation() -> Iterator[Cancellation]:
    """One that signals switch, until the test is over."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    made = Cancellation()
    cancel_on_signals(made)
    yield made
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_only_the_third_time_ends_the_process(number: signal.Signals, cancellation: Cancellation) -> None:
    assert not cancellation.cancelled
    for _ in range(2):
        os.kill(os.getpid(), number)
        assert cancellation.cancelled
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
