"""When something began and how long ago, though somebody set the machine's clock meanwhile."""

from __future__ import annotations

import time

from msgspec import Struct, field


class Clock(Struct, frozen=True):
    """`at` is when it was started, in seconds since 1970; `ticks` the same by a clock that nobody can set."""

    at: float = field(default_factory=time.time)
    ticks: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.ticks

    def after(self, other: Clock) -> float:
        """Seconds between the start of another one and this one's."""
        return self.ticks - other.ticks
