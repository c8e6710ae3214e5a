"""`ci-buildkit explain`: which records it compares, and what it prints of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.report.test_explain import ALL, FILES, Made

from ci_buildkit.cli.main import main

CHANGED = Made(ALL, files={**FILES, "main.go": "2:644"})


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def put(name: str, made: Made) -> None:
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(made.record().to_json(), encoding="utf-8")


def test_a_run_is_compared_with_the_one_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    put("ci-report/run.json", CHANGED)
    put("ci-report/previous.json", Made())
    assert main(["explain"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("5 of 6 steps ran, compared with the run of 2026-01-02")
    assert shown[2:5] == [
        "[base 3/5] COPY . . (lint, test)", "  input: main.go changed",
        "  2.0 s, 10.0 s with the 4 steps that followed, 500 B transferred",
    ]  # fmt: skip
    assert "copy go.mod and go.sum first" in shown[5]


def test_other_records_are_named_and_programs_get_json(capsys: pytest.CaptureFixture[str]) -> None:
    put("now.json", CHANGED)
    put("then/run.json", Made())
    assert main(["explain", "now.json", "then", "--format", "json"]) == 0
    [step] = json.loads(capsys.readouterr().out)["steps"]
    assert (step["cause"], step["detail"], step["stages"], step["followed_steps"]) == (
        "input", "main.go changed", ["lint", "test"], 4,
    )  # fmt: skip


def test_a_run_that_did_nothing_is_said_to_have(capsys: pytest.CaptureFixture[str]) -> None:
    put("ci-report/run.json", Made())
    assert main(["explain"]) == 0
    assert capsys.readouterr().out == "All 6 steps came from the cache.\n"


@pytest.mark.parametrize(
    ("words", "text", "told"),
    [
        (["explain"], None, "there is no report that can be read: ci-report/run.json"),
        (["explain", "x.json"], "{", "x.json is no run record"),
        (
            ["explain", "x.json"],
            json.dumps({**json.loads(Made().record().to_json()), "schema": 9}),
            "x.json has schema 9, this ci-buildkit knows 1",
        ),
    ],
)
def test_a_record_that_cannot_be_read_is_told(
    words: list[str], text: str | None, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        Path("x.json").write_text(text, encoding="utf-8")
    assert main(words) == 5
    assert told in capsys.readouterr().err
