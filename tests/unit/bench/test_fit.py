"""The exponent of growth: what it finds in points whose law is known, and where it finds none."""

from __future__ import annotations

import random

import pytest
from bench.fit import exponent, law

SIZES = (1_000, 10_000, 100_000, 250_000, 500_000, 1_000_000)


@pytest.mark.parametrize("steepness", [0.5, 1.0, 1.2, 2.0])
def test_a_law_is_found_whatever_every_size_costs(steepness: float) -> None:
    for fixed in (0.0, 5.0, 30.0):
        points = [(size, fixed + 90 * (size / 1_000_000) ** steepness) for size in SIZES]
        assert exponent(points) == pytest.approx(steepness, abs=0.011)


def test_a_law_says_what_a_size_costs() -> None:
    found = law([(size, 2 + 8 * size / 1_000) for size in (1, 500, 750, 1_000)])
    assert found
    assert found.at(2_000) == pytest.approx(18, rel=0.01)


def test_memory_that_the_start_had_freed_does_not_look_like_steeper_growth() -> None:
    # The peak of `ci-buildkit results` over lines of `go test -json`, as measured: 27 MiB and 78 bytes a line, but never
    # less than the 33 MiB that the start of the process takes. The cost of the smallest size taken off gives 1.15.
    measured = ((1_000, 33.2), (10_000, 34.1), (100_000, 38.2), (300_000, 50.2), (500_000, 66.2), (1_000_000, 105.1))
    assert exponent(measured) == pytest.approx(1, abs=0.05)


def test_quadratic_growth_is_seen_through_noise() -> None:
    draw = random.Random(1)
    points = [(size, (1 + 20 * (size / 200) ** 2) * draw.uniform(0.95, 1.05)) for size in (1, 10, 25, 50, 100, 200)]
    assert exponent(points) > 1.7


def test_linear_growth_is_not_called_faster_because_of_noise() -> None:
    for seed in range(50):
        draw = random.Random(seed)
        points = [(size, (0.5 + 20 * size / 200) * draw.uniform(0.97, 1.03)) for size in (1, 10, 25, 50, 100, 200)]
        assert exponent(points) < 1.1


def test_there_is_no_exponent_where_the_start_outweighs_all_sizes() -> None:
    assert exponent([(1, 54.7), (10, 55.5), (20, 58.3), (40, 60.8)]) == 0
    assert law([(1, 1.05), (100, 1.2), (200, 1.01)]) is None


def test_a_cost_that_shrinks_does_not_grow() -> None:
    assert exponent([(1, 5.0), (2, 3.0), (4, 1.0)]) == 0
