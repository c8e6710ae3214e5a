"""Ctrl-C and SIGTERM, for commands that have processes to end."""

from __future__ import annotations

import signal

from ci_buildkit.engine.process import Cancellation


def cancel_on_signals(cancellation: Cancellation) -> None:
    """The first Ctrl-C or SIGTERM ends what runs and keeps what there is; a second one ends this process."""

    def stop(_number: int, _frame: object) -> None:
        if cancellation.cancelled:
            raise KeyboardInterrupt
        cancellation.cancel()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
