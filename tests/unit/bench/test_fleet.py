"""The simulated day: the same each time, true to queueing theory, and its parts by themselves."""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter
from dataclasses import replace

import pytest
import simpy
from bench.fleet import HOUR, Measured, Node, Organisation, rate, ring, simulate

COSTS = Measured(
    cold=60, changed=12, warm=1.5, kept_mounts=30, requests=5, cold_mb=400, mounts_mb=300, cache_gb=2.4
)  # fmt: skip
SMALL = Organisation(repositories=50, runs_a_day=1_000)
# One rate all day, builds of one size, always with changes: a queue with a known answer.
PLAIN = Organisation(
    repositories=1, runs_a_day=40_000, busiest_hours=8, busiest_share=1 / 3, spread=0, changed=1, builds_at_once=4
)


def exponential(draw: random.Random, mean: float) -> float:
    """Runs that last as the theory of queues has them."""
    return draw.expovariate(1 / mean)


def erlang_c(servers: int, load: float) -> float:
    """The share of arrivals that wait, in a queue of the kind M/M/c; `load` is arrivals times mean service."""
    waiting = load**servers / math.factorial(servers) * servers / (servers - load)
    return waiting / (sum(load**k / math.factorial(k) for k in range(servers)) + waiting)


@pytest.mark.parametrize("used", [0.5, 0.8])
def test_waits_are_those_of_queueing_theory(used: float) -> None:
    arrivals = PLAIN.runs_a_day / (24 * HOUR)
    mean = used * PLAIN.builds_at_once / arrivals
    costs = replace(COSTS, changed=mean, cold=mean)
    found = simulate(PLAIN, costs, 1, "hashing", lasting=exponential)
    waits = erlang_c(PLAIN.builds_at_once, used * PLAIN.builds_at_once)
    assert statistics.fmean(wait > 0 for wait in found.waits) == pytest.approx(waits, rel=0.1)
    expected = waits / (PLAIN.builds_at_once / mean - arrivals)
    assert statistics.fmean(found.waits) == pytest.approx(expected, rel=0.1)
    assert found.busy == pytest.approx(used, rel=0.03)


def test_the_same_seed_gives_the_same_day() -> None:
    one, other = (simulate(SMALL, COSTS, 2, "random", seed=7) for _ in range(2))
    assert one == other
    assert simulate(SMALL, COSTS, 2, "random", seed=8).waits != one.waits


def test_all_runs_of_the_second_day_count_and_no_other() -> None:
    found = simulate(SMALL, COSTS, 2, "hashing")
    assert len(found.waits) == len(found.totals) == pytest.approx(SMALL.runs_a_day, rel=0.1)
    assert all(total >= wait >= 0 for total, wait in zip(found.totals, found.waits, strict=True))


def test_too_few_nodes_have_more_than_they_can_do_and_long_waits() -> None:
    few = simulate(replace(SMALL, runs_a_day=10_000, builds_at_once=1), COSTS, 1, "hashing")
    assert few.busy > 1
    assert few.wait(0.95) > HOUR


def test_hashing_finds_more_caches_than_chance() -> None:
    crowded = replace(SMALL, cache_gb=20, disk_gb=100)
    assert simulate(crowded, COSTS, 10, "hashing").found > simulate(crowded, COSTS, 10, "random").found + 0.2


def test_consistent_hashing_moves_few_repositories_and_only_to_the_new_node() -> None:
    before, after = ring(10), ring(11)
    moved = [after(repository) for repository in range(2_000) if before(repository) != after(repository)]
    assert set(moved) == {10}
    assert len(moved) / 2_000 == pytest.approx(1 / 11, abs=0.05)
    shares = Counter(before(repository) for repository in range(2_000))
    assert len(shares) == 10
    assert max(shares.values()) < 2 * 200


def test_a_full_disk_loses_the_cache_that_was_used_longest_ago() -> None:
    node = Node(simpy.Environment(), replace(SMALL, disk_gb=10))
    assert [node.look(repository, 4) for repository in (1, 2, 1, 3)] == [False, False, True, False]
    assert list(node.caches) == [1, 3]
    assert node.held == 8


def test_a_cache_larger_than_the_disk_is_alone_there() -> None:
    node = Node(simpy.Environment(), replace(SMALL, disk_gb=10))
    node.look(1, 4)
    assert node.look(2, 40) is False
    assert node.look(2, 40) is True
    assert list(node.caches) == [2]


def test_the_rates_of_a_day_add_up_to_its_runs() -> None:
    whole = Organisation()
    seconds = range(0, round(24 * HOUR), 60)
    assert sum(rate(whole, second) * 60 for second in seconds) == pytest.approx(whole.runs_a_day)
    assert rate(whole, 12 * HOUR) > 3 * rate(whole, 3 * HOUR)
