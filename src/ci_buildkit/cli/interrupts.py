"""Ctrl-C and SIGTERM, for commands that have processes to end."""

from __future__ import annotations

import signal

from ci_buildkit.engine.process import Cancellation


def cancel_on_signals(cancellation: Cancellation) -> None:
    """The first Ctrl-C or SIGTERM ends what runs, a second one kills what has not ended: both times the report is written
    and what was made for the run goes. A third one ends this process at once.
    """
    times = 0

    def stop(_number: int, _frame: object) -> None:
        nonlocal times
        times += 1
        if times > 2:
            raise KeyboardInterrupt
        if times == 2:
            cancellation.hurry()
        cancellation.cancel()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
