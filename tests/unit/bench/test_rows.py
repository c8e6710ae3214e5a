"""Comparisons and curves: their numbers, their lines and the file that they are written to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bench import rows
from bench.rows import Curve, Median, Point, Row, publish, read, turns

CURVE = Curve("A run", "targets", tuple(Point(size, float(size), 50.0, (float(size),)) for size in (1, 2, 4, 8)))


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of results, in a folder of the test's own."""
    path = tmp_path / ".bench" / "results.json"
    monkeypatch.setattr(rows, "RESULTS", path)
    return path


def test_a_median_knows_its_samples() -> None:
    median = Median([3.0, 1.0, 2.0])
    assert (median, median.samples) == (2.0, (3.0, 1.0, 2.0))


def test_functions_take_turns() -> None:
    order: list[str] = []

    def function(name: str) -> float:
        order.append(name)
        return float(len(order))

    ours, peer = turns(3, lambda: function("ours"), lambda: function("peer"))
    assert order == ["ours", "peer"] * 3
    assert (ours.samples, peer.samples) == ((1, 3, 5), (2, 4, 6))


def test_a_row_tells_its_ratio_and_all_samples() -> None:
    row = Row("warm / bake", Median([1.0, 2.0, 3.0]), Median([4.0, 4.0, 5.0]), "at most 1", reached=False)
    told = json.loads(json.dumps(row.json()))
    assert (told["ours"], told["peer"], told["ratio"]) == (2, 4, 0.5)
    assert (told["samples"], told["peer_samples"]) == ([1, 2, 3], [4, 4, 5])
    assert row.line(12) == "warm / bake     2.000    4.000    0.50  at most 1   NOT REACHED  [1.000 to 3.000]"


def test_a_row_without_a_peer_has_no_ratio() -> None:
    told = Row("memory", 195.4, 0, "at most 250 MB", reached=True, unit="MB").json()
    assert (told["ratio"], told["samples"], told["peer_samples"]) == (0, (195.4,), ())


def test_a_curve_tells_its_exponents_and_points() -> None:
    told = json.loads(json.dumps(CURVE.json()))
    assert told["seconds_exponent"] == pytest.approx(1, abs=0.011)
    assert told["memory_exponent"] == 0
    assert told["reached"] is True
    assert told["points"][3] == {"size": 8, "seconds": 8, "memory": 50, "samples": [8]}
    assert "1 to 8 targets: 1.00 to 8.00 s, 50 to 50 MiB; exponents 1.00 and 0.00" in CURVE.line(8)


def test_a_curve_that_is_too_steep_is_not_reached() -> None:
    points = tuple(Point(size, float(size**2), 50.0, (1.0,)) for size in (1, 2, 4, 8))
    assert not Curve("A run", "targets", points).reached


def test_publishing_keeps_what_other_parts_measured(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert publish("growth", lambda: [CURVE]) == 0
    assert publish("pipeline", lambda: [Row("warm / bake", 1.0, 2.0, "printed", reached=True)]) == 0
    assert list(read()["parts"]) == ["growth", "pipeline"]
    written = json.loads(results.read_text())["parts"]["pipeline"]
    assert written["rows"][0]["ratio"] == 0.5
    assert written.keys() == {"day", "load", "minutes", "cores", "rows"}
    assert "warm / bake" in capsys.readouterr().out


@pytest.mark.usefixtures("results")
def test_publishing_says_that_a_limit_was_not_reached() -> None:
    assert publish("pipeline", lambda: [Row("slow", 2.0, 1.0, "ratio at most 1.0", reached=False)]) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"parts": []}'])
def test_a_damaged_file_is_begun_anew(results: Path, text: str) -> None:
    results.parent.mkdir()
    results.write_text(text)
    assert read() == {"parts": {}}
