"""What is shown while act runs, and the table at the end."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from tests.unit.act.samples import TOKEN, concluded, folded, line, one_step, planned

from ci_buildkit.act.outcome import Artifact, Outcome
from ci_buildkit.act.view import LiveView, PlainView
from ci_buildkit.cli import act

CI = "name: CI\non: push\njobs:\n  a: {runs-on: ubuntu-latest}\n  b: {runs-on: windows-latest}\n"
LINES = one_step(f"CI/a {TOKEN}.0", "failure")
HOSTILE = "::error::\x1b[31mx\u202e##[error]"


def shown(lines: list[bytes], *, verbose: bool = False) -> list[str]:
    stream = io.StringIO()
    view = PlainView(verbose=verbose, stream=stream)
    for event in folded(lines)[1]:
        view.event(event, "a job")
    return stream.getvalue().splitlines()


def test_a_line_for_each_step_and_why_one_failed() -> None:
    assert shown(LINES) == ["failure  a job: Do (1.5 s)", "  hello", "  exitcode '1': failure"]
    assert shown(LINES, verbose=True) == ["[a job] hello", "failure  a job: Do (1.5 s)"]
    assert shown(one_step("CI/a", "success")) == ["success  a job: Do (1.5 s)"]


def test_only_the_innermost_step_tells_its_lines() -> None:
    step = {"job": "CI/a", "jobID": "a", "step": "Outer", "stage": "Main"}
    inner, outer = {**step, "stepID": ["0", "1"]}, {**step, "stepID": ["0"]}
    lines = [
        line("⭐ Run Main Outer", **outer),
        line("⭐ Run Main Inner\nof more", **inner),
        line("why\n", raw_output=True, **inner),
        *(line("x", stepResult="failure", **one) for one in (inner, outer)),
        *(line("exit", level="error", **one) for one in (inner, outer)),
    ]
    assert shown(lines) == ["failure  a job: Outer / Inner (0 s)", "  why", "  exit", "failure  a job: Outer (0 s)"]


def test_act_s_own_step_is_told_where_it_fails() -> None:
    setup = {"job": "CI/a", "jobID": "a", "step": "Set up job", "stepid": ["--setup-job"]}
    lines = [line("⭐ Run Set up job", **setup), line("no such image", level="error", **setup)]
    assert shown(lines) == ["failure  a job: Set up job (0 s)", "  no such image"]


def test_what_a_build_prints_is_no_command_and_moves_no_cursor() -> None:
    lines = [
        *LINES[:3],
        line(HOSTILE, raw_output=True, job=f"CI/a {TOKEN}.0", jobID="x", step="Do", stepID=["0"]),
        *LINES[4:],
    ]
    for verbose in (False, True):
        text = "\n".join(shown(lines, verbose=verbose))
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "##[" not in text
        assert not any(one.lstrip().startswith("::") for one in text.splitlines())


def outcome() -> Outcome:
    found = concluded(planned(CI), LINES, 1)
    return Outcome(found.outcome, found.jobs, (Artifact("report", Path("/x/report.zip"), 1234),), found.problem)


def test_the_table() -> None:
    assert list(act.lines(outcome(), colours=False)) == [
        "failure  6.0 s  a",
        "failure  1.5 s    Do",
        "not-run         b     there is no image for windows-latest",
        "",
        "artifact  1.2 kB  report  /x/report.zip",
        "",
        "failed: 2 jobs, 1 failed, 1 not run",
    ]
    assert next(act.lines(outcome(), colours=True)).startswith("\x1b[31mfailure\x1b[0m")


def test_the_document() -> None:
    assert json.loads(json.dumps(act.as_json(outcome()))) == {
        "outcome": "failed",
        "jobs": [
            {
                "id": "a", "name": "a", "conclusion": "failure", "seconds": 6.0, "workflow": "ci.yml", "reason": None,
                "steps": [{"name": "Do", "conclusion": "failure", "seconds": 1.5, "steps": []}],
            },
            {
                "id": "b", "name": "b", "conclusion": "not-run", "seconds": 0.0, "workflow": "ci.yml",
                "reason": "there is no image for windows-latest", "steps": [],
            },
        ],
        "artifacts": [{"name": "report", "path": "/x/report.zip", "size": 1234}],
    }  # fmt: skip


def test_on_a_terminal_what_runs_is_drawn_below_what_has_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    seconds = iter(range(1000))
    view = LiveView(clock=lambda: float(next(seconds)))
    try:
        view.phase(f"pulling runner:1 {HOSTILE}")
        view._live.refresh()
        view.note("warning", "act is old")
        events = folded(LINES)[1]
        ended = next(
            number
            for number, event in enumerate(events)
            if event.kind == "ended" and event.step and event.step.name == "Do"
        )
        for event in events[:ended]:
            view.event(event, "a job")
        view._live.refresh()
        for event in events[ended:]:
            view.event(event, "a job")
    finally:
        view.close()
    shown = capsys.readouterr().err
    assert "pulling runner:1" in shown
    assert "warning: act is old" in shown
    assert "Do  hello" in shown
    assert "a job: Do (1.5 s)" in shown
    assert "exitcode '1': failure" in shown
    assert "\x1b[31mx" not in shown
