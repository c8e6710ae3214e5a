"""Dart's and Flutter's events, by the documented protocol."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.results import read
from ci_buildkit.results.model import TestReport

DATA = Path(__file__).parents[2] / "data" / "dart"
START = '{"protocolVersion":"0.1.1","runnerVersion":"1.25.8","pid":9,"type":"start","time":0}'
TEST = '{"test":{"id":1,"name":"works","suiteID":0,"groupIDs":[],"line":3,"url":"file:///a_test.dart"},"type":"testStart","time":5}'
DONE = '{"testID":1,"result":"success","skipped":false,"hidden":false,"type":"testDone","time":9}'


def events(tmp_path: Path, *lines: str) -> TestReport:
    (tmp_path / "events.json").write_text("\n".join(lines))
    return read.read_paths([tmp_path / "events.json"], root=tmp_path)


def test_dart(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "cart.dart").touch()
    report = read.read_paths([DATA / "dart.jsonl"], root=tmp_path)
    assert not report.problems
    assert [(one.outcome, one.suite, one.name, one.message, one.line) for one in report.cases] == [
        ("error", "", "loading test/broken_test.dart", 'Failed to load "test/broken_test.dart":', 1),
        ("passed", "Cart", "adds one item", "", 5),
        ("failed", "Cart", "computes the total", "Expected: <12>", 11),
        ("error", "Cart", "throws for a bad item", "Invalid argument(s): item is null", 8),
        ("skipped", "Cart", "is left out", "no docker", 18),
        ("passed", "Cart / with discount", "passes at the second try", "Bad state: not yet", 24),
        ("error", "Cart / with discount", "breaks late", "Bad state: late", 30),
        ("passed", "", "stands alone", "", 35),
    ]
    total, item, flaky = report.cases[2], report.cases[3], report.cases[5]
    assert (total.class_name, round(total.seconds, 6), total.output) == ("test/cart_test.dart", 0.025, "hello")
    assert item.path == "lib/cart.dart"
    assert (flaky.attempts, flaky.flaky) == (2, True)


def test_events_that_are_cut_off(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "flutter-cut.jsonl"], root=tmp_path)
    assert [(one.name, one.outcome) for one in report.cases] == [("shows the cart", "passed"), ("hangs", "error")]
    assert report.cases[1].line == 20
    assert [one.kind for one in report.problems] == ["inconsistent", "unreadable"]


@pytest.mark.parametrize(
    ("success", "reason"),
    [
        ("true", None),
        ("false", "the run failed, but none of its tests did"),
        ("null", "the run was closed before all of its tests had run"),
    ],
)
def test_how_the_run_ended(success: str, reason: str | None, tmp_path: Path) -> None:
    report = events(tmp_path, START, TEST, DONE, f'{{"success":{success},"type":"done","time":10}}')
    assert [one.reason for one in report.problems] == ([reason] if reason else [])
    assert report.totals.passed == 1


def test_an_error_before_an_end_that_says_nothing_of_it(tmp_path: Path) -> None:
    error = '{"testID":1,"error":"no","stackTrace":"","isFailure":true,"type":"error","time":6}'
    report = events(tmp_path, START, TEST, error, DONE, '{"success":true,"type":"done","time":10}')
    assert [(one.outcome, one.message) for one in report.cases] == [("failed", "no")]


def test_runs_one_after_the_other(tmp_path: Path) -> None:
    end = '{"success":true,"type":"done","time":10}'
    report = events(tmp_path, START, TEST, DONE, end, START, TEST, DONE, START, TEST, DONE, end)
    assert [one.name for one in report.cases] == ["works", "works (2)", "works (3)"]
    assert len(report.problems) == 1


def test_set_up_that_fails_is_an_error_and_hidden_tests_are_none(tmp_path: Path) -> None:
    report = events(
        tmp_path,
        START,
        '{"test":{"id":1,"name":"(setUpAll)","suiteID":0,"groupIDs":[]},"type":"testStart","time":5}',
        '{"testID":1,"error":"no","stackTrace":"","isFailure":true,"type":"error","time":6}',
        '{"testID":1,"result":"failure","skipped":false,"hidden":false,"type":"testDone","time":9}',
        '{"test":{"id":2,"name":"(tearDownAll)","suiteID":0,"groupIDs":[]},"type":"testStart","time":10}',
        '{"testID":2,"result":"success","skipped":false,"hidden":true,"type":"testDone","time":11}',
        '{"testID":7,"result":"success","skipped":false,"hidden":false,"type":"testDone","time":12}',
        '{"success":false,"type":"done","time":13}',
    )
    assert [(one.name, one.outcome) for one in report.cases] == [("(setUpAll)", "error"), ("test 7", "passed")]


def test_in_a_log() -> None:
    lines = ["> dart test -r json", *(DATA / "dart.jsonl").read_text().splitlines(), "exit 1"]
    report = read.read_log(lines, name="log")
    assert (report.totals.tests, report.totals.flaky) == (8, 1)
    assert not report.problems
