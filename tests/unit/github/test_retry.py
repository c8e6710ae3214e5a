"""Which failures are worth another try, and how long to wait: GitHub's rules, and a bound for all of it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from ci_buildkit.github.retry import MOST_TRIES, SECONDARY, Failure, Retry

NOW = 1_790_000_000.0


def pause(failure: Failure, tries: int = 1) -> float:
    return Retry(now=lambda: NOW).pause(failure, tries)


def limited(**headers: str) -> Failure:
    return Failure(403, "API rate limit exceeded", {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("failure", "seconds"),
    [
        (limited(retry_after="17"), 17),
        (limited(retry_after=format_datetime(datetime.fromtimestamp(NOW + 30, UTC), usegmt=True)), 30),
        (limited(retry_after="soon"), SECONDARY),
        (limited(x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOW) + 40)), 41),
        (limited(x_ratelimit_remaining="5", x_ratelimit_reset=str(int(NOW) + 40)), SECONDARY),
        (limited(x_ratelimit_remaining="0", x_ratelimit_reset="never"), SECONDARY),
        (limited(retry_after="9", x_ratelimit_remaining="0", x_ratelimit_reset=str(int(NOW) + 40)), 9),
        (Failure(429, ""), SECONDARY),
        (Failure(503, "", {"retry-after": "8"}), 8),
    ],
)
def test_github_says_how_long(failure: Failure, seconds: float) -> None:
    assert pause(failure) == seconds


def test_pauses_grow() -> None:
    broken = Failure(0, "connection reset")
    assert 1 <= pause(broken, 1) <= 1.25
    assert 8 <= pause(broken, 4) <= 10
    # What was asked for in the past is no reason to ask again at once.
    assert pause(limited(x_ratelimit_remaining="0", x_ratelimit_reset="1")) >= 1


@pytest.mark.parametrize(
    ("failure", "again"),
    [
        (Failure(500, ""), True),
        (Failure(502, ""), True),
        (Failure(0, ""), True),
        (Failure(429, ""), True),
        (limited(), True),
        (Failure(403, "You have exceeded a secondary rate limit."), True),
        (Failure(403, "", {"retry-after": "1"}), True),
        (Failure(403, "Resource not accessible by integration"), False),
        (Failure(401, "Bad credentials"), False),
        (Failure(404, "Not Found"), False),
        (Failure(422, "Validation Failed"), False),
    ],
)
def test_what_is_tried_again(failure: Failure, again: bool) -> None:
    waits: list[float] = []
    assert Retry(sleep=waits.append).again(failure, 1) is again
    assert bool(waits) is again


def test_all_waits_together_have_a_bound() -> None:
    waits: list[float] = []
    retry = Retry(100, sleep=waits.append, now=lambda: NOW)
    assert retry.again(limited(retry_after="60"), 1)
    assert not retry.again(limited(retry_after="60"), 1)
    assert retry.again(limited(retry_after="40"), 1)
    assert not retry.again(limited(retry_after="1"), 1)
    assert waits == [60, 40]


def test_a_server_that_hangs_is_given_up() -> None:
    retry = Retry(100, sleep=lambda _: None)
    assert retry.again(Failure(0, "timed out"), 1, took=30)
    assert retry.again(Failure(0, "timed out"), 2, took=30)
    assert not retry.again(Failure(0, "timed out"), 3, took=40)


def test_tries_have_a_bound() -> None:
    assert not Retry(sleep=lambda _: None).again(Failure(500, ""), MOST_TRIES)


def test_two_in_each_others_way_wait_for_different_times_that_grow() -> None:
    waits: list[float] = []
    retry = Retry(budget=1_000.0, sleep=waits.append)
    for tries in [1] * 50 + [4] * 50:
        retry.stand_aside(tries)
    short, long = waits[:50], waits[50:]
    assert 0.0 <= min(short) < max(short) <= 2.0 < max(long) <= 16.0
    assert len(set(waits)) > 90


def test_standing_aside_is_waited_for_in_the_same_bound() -> None:
    waits: list[float] = []
    retry = Retry(budget=3.0, sleep=waits.append)
    for _ in range(50):
        retry.stand_aside(5)
    assert sum(waits) == pytest.approx(3.0)
