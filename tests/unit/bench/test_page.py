"""The page of benchmarks: it says what was measured, what was not reached, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from bench import page
from bench.rows import Curve, Median, Point, Row

DOCS = Path(__file__).parents[3] / "docs"
ROWS: dict[str, Sequence[Row | Curve]] = {
    "pipeline": [
        Row("nothing changed / one bake", Median([1.0, 1.2, 1.1]), Median([0.5, 0.6, 0.7]), "at most +0.35 s", reached=False)
    ],
    "readers": [
        Row("JUnit / junitparser", Median([0.3, 0.31]), Median([1.5, 1.7]), "ratio at most 0.33", reached=True),
        Row("whole processes", Median([0.6, 0.7]), Median([2.0, 2.1]), "printed", reached=True),
        Row("memory", 1195.4, 0, "at most 250 MB", reached=True, unit="MB"),
    ],
    "growth": [Curve("A run", "targets", tuple(Point(n, float(n * n), 50.0, (n * n, n * n + 1.0)) for n in (1, 10, 20, 40)))],
}  # fmt: skip
ROWS |= {"peers": ROWS["pipeline"], "full-growth": ROWS["growth"]}


def document(*parts: str) -> dict[str, Any]:
    """A measured document of these parts, as it is read from the file."""
    about = {"day": "2026-01-02", "load": 0.2, "minutes": 2.4, "cores": 2}
    told = {part: {**about, "rows": [row.json() for row in ROWS[part]]} for part in parts}
    return dict(json.loads(json.dumps({"parts": told})))


def test_a_comparison_shows_medians_spread_ratio_and_runs() -> None:
    text = page.page(document("pipeline"))
    assert (
        "| nothing changed / one bake | 1.10 s (1.00 to 1.20) | 0.600 s (0.500 to 0.700) | 1.83 | 3 | at most +0.35 s | "
        "**not reached** |"
    ) in text


def test_every_part_tells_its_day_its_load_and_how_to_repeat_it() -> None:
    text = page.page(document("pipeline", "readers"))
    for part in ("pipeline", "readers"):
        assert (
            f"2026-01-02, 2 cores, load before 0.2. `python -m bench {part}` measures it again, in 2 min here." in text
        )


def test_what_was_not_reached_comes_first() -> None:
    short = page.page(document("pipeline", "readers", "growth")).split("## In short")[1].split("\n## ")[0]
    assert "Of 4 limits 2 are reached; not these:" in short
    assert "- nothing changed / one bake: 1.10 s beside 0.600 s, asked at most +0.35 s" in short
    assert "- A run over targets: exponents 2.00 of the time and 0.00 of the memory, asked at most 1.1" in short
    assert "junitparser" not in short


def test_all_limits_reached_is_one_sentence() -> None:
    assert "Of 2 limits 2 are reached.\n\n## " in page.page(document("readers"))


def test_large_amounts_have_no_digits_behind_the_point() -> None:
    assert "| memory | 1,195 MB |  |  | 1 | at most 250 MB | reached |" in page.page(document("readers"))


def test_parts_that_were_not_measured_are_named() -> None:
    text = page.page(document("pipeline"))
    assert (
        "## Not measured yet\n\n`peers`, `context`, `workflows`, `release`, `cold-release`, `mounts`, `readers`, `costs`, `full-growth`"
        in text
    )


def test_a_page_of_nothing_says_so() -> None:
    text = page.page({"parts": {}})
    assert "## In short" not in text
    assert "## Not measured yet\n\n`pipeline`, `peers`, " in text


def test_who_was_not_measured_is_named_with_the_peers() -> None:
    text = page.page(document("peers"))
    for name in ("Dagger", "Earthly", "publish-unit-test-result-action"):
        assert f"\n- {name}: " in text


def test_a_curve_has_a_picture_and_its_points() -> None:
    text = page.page(document("growth"))
    assert "| A run | 1 to 40 targets | 1.00 to 1600.00 s | 2.00 | 50 to 50 MiB | flat | **not reached** |" in text
    assert "![A run over targets: time and memory](images/growth-a-run-targets.svg)" in text
    assert "| 20 | 400.0 s (400.0 to 401.0) | 50 MiB |" in text


def test_pictures_are_of_the_largest_sizes_alone() -> None:
    assert page.page(document("growth", "full-growth")).count("growth-a-run-targets.svg") == 1


def test_the_picture_of_ratios_has_what_has_a_peer_and_a_limit() -> None:
    names, ratios = zip(*page.compared(document("pipeline", "readers", "growth")), strict=True)
    assert names == ("nothing changed / one bake", "JUnit / junitparser")
    assert ratios == pytest.approx((1.1 / 0.6, 0.305 / 1.6))


def test_the_page_in_the_repository_is_of_the_numbers_in_the_repository() -> None:
    measured = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
    assert (DOCS / "benchmarks.md").read_text(encoding="utf-8") == page.page(measured), "run `python -m bench.page`"
    for row in (row for part in page.CURVES for row in measured["parts"].get(part, {"rows": []})["rows"]):
        assert page.picture(row).is_file()
