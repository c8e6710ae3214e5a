"""The page of an organisation's day, of days that are made up."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from bench import costs, scale
from bench.fleet import Measured, Organisation, Result

COSTS = Measured(
    cold=60, changed=12, warm=1.5, kept_mounts=30, requests=5, cold_mb=400, mounts_mb=300, cache_gb=2.4
)  # fmt: skip
ORGANISATION = replace(Organisation(), cache_gb=2.4)


def day(nodes: int, placement: str, wait: float) -> Result:
    """A day in which every run waits as long."""
    return Result(nodes, placement, (wait,) * 20, (wait + 12,) * 20, 0.9, 0.25)


DAYS = {
    "hashing": [day(nodes, "hashing", 100 / nodes**2) for nodes in scale.NODES],
    "random": [day(nodes, "random", 1_000) for nodes in scale.NODES],
}


def test_costs_are_found_by_their_names() -> None:
    values = {costs.COLD: 60, costs.CHANGED: 12, costs.WARM: 1.5, costs.KEPT: 30, costs.REQUESTS: 5.0,
              costs.PULLED: 400, costs.MOUNTS: 300, costs.DISK: 2_400}  # fmt: skip
    rows = [{"name": name, "ours": value} for name, value in values.items()]
    assert scale.measured({"parts": {"costs": {"rows": rows}}}) == COSTS
    with pytest.raises(KeyError):
        scale.measured({"parts": {}})


def test_the_fewest_nodes_that_are_enough() -> None:
    assert scale.enough(DAYS["hashing"]).nodes == 5
    assert scale.enough(DAYS["random"]).nodes == scale.NODES[-1]


def test_the_wait_of_a_share_of_the_runs() -> None:
    one = Result(1, "hashing", tuple(range(100)), (1.0,), 1, 0.5)
    assert (one.wait(0.5), one.wait(0.95), one.wait(1)) == (50, 95, 99)


def test_traffic_is_less_where_caches_are_found() -> None:
    new, kept, shared = scale.traffic(ORGANISATION, COSTS, DAYS["hashing"][2]).values()
    assert new == pytest.approx(20_000 * math.exp(0.32) * 400 / 1e6)
    assert kept == pytest.approx(new * 2.5)
    assert shared == pytest.approx(new / 10)


def test_the_scarcest_comes_first() -> None:
    room = scale.headroom(ORGANISATION, COSTS, DAYS["hashing"][2])
    assert [times for _, times in room] == sorted(times for _, times in room)
    assert dict(room)["the cores of the nodes"] == pytest.approx(1 / (0.25 * 0.7 * 3))


def test_numbers_are_told_in_units_that_suit_them() -> None:
    assert [scale.duration(seconds) for seconds in (0, 119, 120, 7_199, 7_200)] == [
        "0 s",
        "119 s",
        "2 min",
        "120 min",
        "2 h",
    ]
    assert [scale.amount(value) for value in (0, 0.04, 0.1, 27.5)] == ["0 GB", "40 GB", "0.1 TB", "27.5 TB"]


def test_the_page_answers_first_and_shows_every_day() -> None:
    text = scale.page(ORGANISATION, COSTS, DAYS)
    short = text.split("## In short")[1].split("\n## ")[0]
    assert "**5 nodes** of 8 cores and 500 GB are enough" in short
    assert "Placed at random the same runs need 50 nodes, and those are still too few; 90% find their cache." in short
    assert "| 5 | 90% | 25% | 16 s | 4 s | 90% | 25% | 17 min | 17 min |" in text
    assert text.endswith("\n")
    assert "\n\n\n" not in text
