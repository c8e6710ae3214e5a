"""Whether a request that failed is made again, and when.

GitHub's rules ("Best practices for using the REST API"): wait as long as `Retry-After` says; else, where no request is
left, until `X-RateLimit-Reset`; else at least a minute after a secondary limit. Broken connections and 5xx are retried
with growing pauses. All waits of one command together have a bound.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ci_buildkit.errors import GitHubError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BUDGET = 120.0
"""Seconds that one command waits, and spends on requests that fail, in all."""
PATIENT = 900.0
"""The same where files are uploaded."""
SECONDARY = 60.0
FIRST_PAUSE = 1.0
MOST_TRIES = 6
_LIMIT_WORDS = ("rate limit", "abuse detection", "wait a few minutes", "retry your request again later")


class Failure(Struct, frozen=True):
    """How a request failed. `status` is 0 where no answer came; the names of headers are in lower case."""

    status: int
    said: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def limited(self) -> bool:
        """Whether a rate limit refused the request, which then had no effect."""
        if self.status == 429:
            return True
        words = self.said.lower()
        return self.status == 403 and (
            "retry-after" in self.headers
            or self.headers.get("x-ratelimit-remaining") == "0"
            or any(word in words for word in _LIMIT_WORDS)
        )

    @property
    def ambiguous(self) -> bool:
        """Whether the request may have had its effect all the same."""
        return self.status == 0 or self.status >= 500

    @property
    def refused(self) -> bool:
        """Whether the token may not do this; GitHub says 404 where not even reading is allowed."""
        return self.status in {401, 403, 404} and not self.limited


class Refused(GitHubError):
    """A request failed for good; `failure` is how."""

    def __init__(self, message: str, *, hint: str, failure: Failure) -> None:
        """As for every error, and the failure."""
        super().__init__(message, hint=hint)
        self.failure = failure


class Retry:
    """Waits between the tries of a request. Waits and failed tries take at most `budget` seconds in all of its life."""

    def __init__(
        self,
        budget: float = BUDGET,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now` gives seconds since 1970."""
        self.left = budget
        self._sleep = sleep
        self._now = now

    def again(self, failure: Failure, tries: int, *, took: float = 0.0) -> bool:
        """Waits and returns True where the request is worth another try after `tries`; False at once where it is not.

        `took` is how many seconds the last try took.
        """
        self.left -= took
        if not (failure.limited or failure.ambiguous) or tries >= MOST_TRIES:
            return False
        pause = self.pause(failure, tries)
        if pause > self.left:
            return False
        self.left -= pause
        self._sleep(pause)
        return True

    def stand_aside(self, tries: int) -> None:
        """Waits for a random time, of more seconds the more `tries` there were, while another is at work on the same.

        All of it is random ("full jitter"), so that two that were in each other's way are not so again at the next try.
        """
        pause = min(FIRST_PAUSE * 2.0**tries * random.random(), max(self.left, 0.0))  # noqa: S311 - no secret
        self.left -= pause
        self._sleep(pause)

    def pause(self, failure: Failure, tries: int) -> float:
        """The seconds to wait after the try number `tries` failed."""
        # A second more than asked for, because resets are whole seconds; a fraction, so that jobs do not come together.
        growing = FIRST_PAUSE * 2.0 ** (tries - 1) * random.uniform(1.0, 1.25)  # noqa: S311 - no secret
        asked = self._asked(failure)
        if asked is None:
            asked = SECONDARY if failure.limited else 0.0
        return max(asked, growing)

    def _asked(self, failure: Failure) -> float | None:
        after = failure.headers.get("retry-after", "").strip()
        if after.isdecimal():
            return float(after[:9])
        if after:
            return self._until(after)
        reset = failure.headers.get("x-ratelimit-reset", "").strip()
        if failure.headers.get("x-ratelimit-remaining") == "0" and reset.isdecimal():
            return max(float(reset[:12]) - self._now(), 0.0) + 1.0
        return None

    def _until(self, date: str) -> float | None:
        try:
            when = parsedate_to_datetime(date)
        except ValueError:
            return None
        # A date without a zone is in UTC (RFC 9110, 5.6.7).
        moment = when if when.tzinfo else when.replace(tzinfo=UTC)
        return max((moment - datetime.fromtimestamp(self._now(), UTC)).total_seconds(), 0.0)
