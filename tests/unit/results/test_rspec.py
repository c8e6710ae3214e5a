"""RSpec's JSON: real reports, errors outside of examples, and summaries that contradict the examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.results import read

DATA = Path(__file__).parents[2] / "data" / "rspec"


def test_rspec(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "rspec.json"], root=tmp_path)
    assert not report.problems
    assert [(one.outcome, one.suite, one.name, one.message, one.line) for one in report.cases] == [
        ("passed", "Cart", "adds one item", "", 2),
        ("failed", "Cart", "computes the total", "expected 12, got 10", 4),
        ("failed", "Cart", "throws for a bad item", "item is nil", 6),
        ("skipped", "Cart", "is planned", "Not yet implemented", 7),
        ("skipped", "Cart", "is left out", "Temporarily skipped with xit", 8),
        ("skipped", "Cart", "skips", "no database", 9),
        ("skipped", "Cart", "is known to fail", "bug 12", 10),
        ("failed", "Cart", "is fixed already", "bug 13", 11),
        (
            "failed",
            "Cart with discount",
            "is expected to be empty",
            "expected `[1].empty?` to be truthy, got false",
            13,
        ),
        ("passed", "Cart with discount", "works", "", 14),
        ("failed", "Database", "reads", "no connection", 2),
        ("passed", "After", "reads", "", 7),
        ("error", "", "after(:context) hook", "RuntimeError: still open", 6),
    ]
    total = report.cases[1]
    assert (total.path, total.class_name) == ("/app/rspec/spec/cart_spec.rb", "spec/cart_spec.rb")
    assert total.details.startswith("RSpec::Expectations::ExpectationNotMetError\nexpected: 12\n     got: 10\n")


def test_a_file_that_cannot_be_loaded_is_an_error(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "broken.json"], root=tmp_path)
    assert [(one.outcome, one.name, one.message, one.path, one.line) for one in report.cases] == [
        ("error", "./spec/broken_spec.rb", "LoadError: cannot load such file -- nonexistent_thing", "spec/broken_spec.rb", 1)
    ]  # fmt: skip
    assert not report.problems


def test_a_description_twice_is_two_examples(tmp_path: Path) -> None:
    report = read.read_paths([DATA / "same-name.json"], root=tmp_path)
    assert [(one.name, one.outcome, one.flaky) for one in report.cases] == [
        ("works", "failed", False),
        ("works (2)", "passed", False),
    ]


@pytest.mark.parametrize(
    ("summary", "reasons"),
    [
        ({"example_count": 2, "failure_count": 0}, ["summary.example_count is 2, but there are 0"]),
        ({"example_count": 0, "failure_count": 1}, ["summary.failure_count is 1, but there are 0"]),
        ({"example_count": 0, "failure_count": 0, "errors_outside_of_examples_count": 2}, []),
    ],
)
def test_what_the_summary_says(summary: dict[str, Any], reasons: list[str], tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps({"version": "3", "examples": [], "summary": summary}))
    report = read.read_paths([tmp_path / "report.json"], root=tmp_path)
    assert [one.reason for one in report.problems] == reasons
    assert bool(report.totals.errors) is not bool(reasons)


def test_examples_without_a_summary(tmp_path: Path) -> None:
    example = {"full_description": "S works", "description": "works", "status": "strange"}
    (tmp_path / "report.json").write_text(json.dumps({"version": "3", "examples": [example]}))
    report = read.read_paths([tmp_path / "report.json"], root=tmp_path)
    assert report.cases[0].message == "ended with the unknown status 'strange'"
    assert [one.reason for one in report.problems] == ["has no summary"]
