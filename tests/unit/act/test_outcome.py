"""From act's log to conclusions, where act itself says something else or nothing."""

from __future__ import annotations

import pytest
from tests.unit.act.samples import IMAGES, TOKEN, concluded, conclusions, folded, line, one_step, planned, skipped

from ci_buildkit.act.log import Log
from ci_buildkit.act.outcome import conclude
from ci_buildkit.act.record import parse

TWO = "name: CI\non: push\njobs:\n  a: {runs-on: ubuntu-latest}\n  b: {runs-on: ubuntu-latest, needs: a}\n"
MATRIX = """
name: CI
on: push
jobs:
  many:
    strategy: {matrix: {n: [1, 2]}}
    runs-on: ubuntu-latest
"""


def test_success() -> None:
    found = concluded(
        planned(TWO), [*one_step(f"CI/a {TOKEN}.0   ", "success"), *one_step(f"CI/b {TOKEN}.1", "success")]
    )
    assert (found.outcome, found.problem) == ("passed", "")
    assert [(job.id, job.name, job.conclusion, job.seconds) for job in found.jobs] == [
        ("a", "a", "success", 5.0),
        ("b", "b", "success", 5.0),
    ]
    assert [(step.name, step.conclusion, step.seconds) for step in found.jobs[0].steps] == [("Do", "success", 1.5)]


def test_failure_and_what_needs_it() -> None:
    found = concluded(planned(TWO), [*one_step(f"CI/a {TOKEN}.0", "failure"), skipped(f"CI/b {TOKEN}.1")], 1)
    assert found.outcome == "failed"
    assert [job.conclusion for job in found.jobs] == ["failure", "skipped"]
    assert found.jobs[1].reason == "it needs a, which did not succeed"


def test_jobs_that_act_says_nothing_of() -> None:
    a = one_step(f"CI/a {TOKEN}.0", "failure")
    assert conclusions(planned(TWO), a, 1) == {"a": "failure", "b": "skipped"}
    always = TWO.replace("needs: a", "needs: a, if: always()")
    assert conclusions(planned(always), a, 1) == {"a": "failure", "b": "not-run"}
    assert conclusions(planned(TWO), one_step(f"CI/a {TOKEN}.0", "success")) == {"a": "success", "b": "not-run"}
    assert concluded(planned(TWO), []).outcome == "failed"


@pytest.mark.parametrize(
    ("lines", "code", "problem"),
    [
        ([skipped(f"CI/a {TOKEN}.0"), skipped(f"CI/b {TOKEN}.1")], 0, "no job ran"),
        (
            [*one_step(f"CI/a {TOKEN}.0", "success"), *one_step(f"CI/b {TOKEN}.1", "success")],
            1,
            "act ended with exit code 1, though no job failed",
        ),
    ],
)
def test_what_is_no_success_though_no_job_failed(lines: list[bytes], code: int, problem: str) -> None:
    found = concluded(planned(TWO), lines, code)
    assert (found.outcome, found.problem) == ("failed", problem)


def test_legs_do_not_share_a_result() -> None:
    """act calls every leg failed that ends after one that failed."""
    second = one_step(f"CI/many {TOKEN}.0-2", "success", matrix={"n": 2})
    second[-1] = line("🏁  Job failed", jobResult="failure", job=f"CI/many {TOKEN}.0-2", jobID="many", matrix={"n": 2})
    lines = [*one_step(f"CI/many {TOKEN}.0-1", "failure", matrix={"n": 1}), *second]
    assert conclusions(planned(MATRIX), lines, 1) == {"many (1)": "failure", "many (2)": "success"}


def test_a_leg_that_never_began() -> None:
    lines = one_step(f"CI/many {TOKEN}.0-1", "success", matrix={"n": 1})
    assert conclusions(planned(MATRIX), lines) == {"many (1)": "success", "many (2)": "not-run"}


def test_a_whole_matrix_that_is_skipped_is_one_job() -> None:
    text = MATRIX.replace("{n: [1, 2]}", "{os: [ubuntu-latest, macos-latest]}").replace(
        "runs-on: ubuntu-latest", 'runs-on: "${{ matrix.os }}"\n    if: false'
    )
    assert conclusions(planned(text), [skipped(f"CI/many {TOKEN}.0")]) == {"many": "skipped"}


def test_a_job_without_an_image() -> None:
    text = "name: CI\non: push\njobs:\n  a: {runs-on: windows-latest}\n"
    message = "🚧  Skipping unsupported platform -- Try running with `-P windows-latest=...`"
    found = concluded(planned(text), [line(message, job=f"CI/a {TOKEN}.0", jobID="a", matrix={})])
    assert [(job.conclusion, job.reason) for job in found.jobs] == [("not-run", "there is no image for windows-latest")]
    assert concluded(planned(text), []).jobs[0].conclusion == "not-run"


def test_a_leg_of_a_matrix_made_by_the_run_that_ran_on_another_ones_runner() -> None:
    text = MATRIX.replace("{n: [1, 2]}", '"${{ fromJSON(inputs.m) }}"').replace(
        ": ubuntu-latest", ': "${{ matrix.os }}"'
    )
    lines = one_step(f"CI/many {TOKEN}.0-1", "success", matrix={"os": "ubuntu-latest"})
    lines += one_step(f"CI/many {TOKEN}.0-2", "success", matrix={"os": "macos-latest"})
    found = concluded(planned(text), lines)
    assert {job.name: job.conclusion for job in found.jobs} == {
        "many (ubuntu-latest)": "success",
        "many (macos-latest)": "not-run",
    }
    assert found.jobs[1].reason.endswith("act ran it on another leg's runner")


CALLER = "name: CI\non: push\njobs:\n  call: {name: Call, uses: ./x.yml}\n  after: {needs: call, if: always(), runs-on: ubuntu-latest}\n"
CALLED = "name: Called\non: workflow_call\njobs:\n  in: {runs-on: ubuntu-latest, name: Inner}\n  more: {runs-on: ubuntu-latest, needs: in}\n"


def test_a_called_workflow() -> None:
    plan = planned(CALLER, {"./x.yml": CALLED})
    inner, more = f"Call {TOKEN}.0/Called/Inner {TOKEN}.2", f"Call {TOKEN}.0/Called/more {TOKEN}.3"
    lines = [*one_step(inner, "success"), *one_step(more, "success"), *one_step(f"CI/after {TOKEN}.1", "success")]
    assert conclusions(plan, lines) == dict.fromkeys(["Call", "Call / Inner", "Call / more", "after"], "success")
    failed = concluded(plan, one_step(inner, "failure"), 1)
    assert {job.name: job.conclusion for job in failed.jobs} == {
        "Call": "failure",
        "Call / Inner": "failure",
        "Call / more": "skipped",
        "after": "not-run",
    }
    assert [job.id for job in failed.jobs] == ["call", "call/in", "call/more", "after"]
    assert conclusions(plan, [skipped(f"CI/Call {TOKEN}.0")]) == {"Call": "skipped", "after": "not-run"}
    assert conclusions(plan, []) == {"Call": "not-run", "after": "not-run"}


def test_a_workflow_called_by_each_leg_of_a_matrix() -> None:
    matrix = "strategy: {matrix: {side: [left, right], n: [1, 2], exclude: [{n: 2, side: right}]}}, uses"
    plan = planned(CALLER.replace("uses", matrix), {"./x.yml": CALLED})
    lines = [one for leg in (1, 2) for one in one_step(f"Call {TOKEN}.0-{leg}/Called/Inner {TOKEN}.2", "success")]
    lines += [skipped(f"CI/Call {TOKEN}.0-3"), skipped(f"Call {TOKEN}.0-1/Called/more {TOKEN}.3")]
    assert conclusions(plan, lines) == {
        "Call": "failure",
        "Call (left, 1) / Inner": "success",
        "Call (left, 2) / Inner": "success",
        "Call (left, 1) / more": "skipped",
        "Call (left, 2) / more": "not-run",
        "after": "not-run",
    }


def test_a_called_workflow_that_only_act_has_seen() -> None:
    plan = planned(CALLER)
    lines = one_step(f"Call {TOKEN}.0/Far away/build-1", "failure", matrix={"n": 1}, jobID="build")
    found = concluded(plan, [*lines, skipped(f"Call {TOKEN}.0/Far away/other")], 1)
    assert [(job.id, job.name, job.conclusion) for job in found.jobs][:3] == [
        ("call", "Call", "failure"),
        ("call/build", "Call / Far away/build-1 (1)", "failure"),
        ("call/x", "Call / Far away/other", "skipped"),
    ]


STEP = {"job": "CI/a act0.0", "jobID": "a", "matrix": {}, "step": "Do", "stepID": ["0"], "stage": "Main"}
FAILS = line("❌  Failure - Main Do", stepResult="failure", executionTime=1, **STEP)


def steps_of(*lines: bytes) -> dict[str, str]:
    log, _ = folded(lines)
    return {"/".join(path): step.conclusion for path, step in log.jobs["CI/a act0.0"].steps.items()}


def test_a_failure_that_the_workflow_passes_over() -> None:
    assert steps_of(line("Failed but continue next step", **STEP), FAILS) == {"0": "success"}
    assert steps_of(FAILS) == {"0": "failure"}


def test_steps_that_fail_before_or_after_they_run() -> None:
    """act says no result of a step whose action it cannot get, and success of one with a broken file command."""
    pre = {**STEP, "stage": "Pre", "level": "error"}
    assert steps_of(line("failed to fetch", **pre)) == {"0": "failure"}
    well = line("✅  Success - Main Do", stepResult="success", executionTime=1, **STEP)
    assert steps_of(well, line("invalid format ''", **{**STEP, "level": "error"})) == {"0": "failure"}
    assert steps_of(well, line("❗  ::error::x", command="error", **{**STEP, "level": "error"})) == {"0": "success"}
    assert steps_of(well, line("Post", stepResult="failure", **{**STEP, "stage": "Post"})) == {"0": "failure"}
    assert steps_of(well, line("skipping", stepResult="skipped", **{**STEP, "stage": "Post"})) == {"0": "success"}


def test_steps_of_composite_actions() -> None:
    inner = {**STEP, "stepID": ["0", "x"]}
    lines = [
        line("⭐ Run Main Do", **STEP),
        line("⭐ Run Main First\nof two", **inner),
        line("said\n", raw_output=True, **inner),
        line("❌  Failure", stepResult="failure", **inner),
        line("exitcode '9': failure", **{**inner, "level": "error"}),
        line("Skipping step 'Second' due to ''", stepResult="skipped", level="debug", **{**STEP, "stepID": ["0", "1"]}),
        FAILS,
        line("exitcode '9': failure", **{**STEP, "level": "error"}),
    ]
    log, events = folded(lines)
    steps = log.jobs["CI/a act0.0"].steps
    assert [(step.name, step.conclusion) for step in steps.values()] == [
        ("Do", "failure"),
        ("First\nof two", "failure"),
        ("Second", "skipped"),
    ]
    assert list(steps["0", "x"].tail) == ["said", "exitcode '9': failure"]
    ended = [(event.step.name, event.step.conclusion) for event in events if event.kind == "ended" and event.step]
    assert ended == [("First\nof two", "failure"), ("Second", "skipped"), ("Do", "failure")]


def test_a_job_that_act_left_in_the_middle() -> None:
    lines = one_step(f"CI/a {TOKEN}.0", "success")[:4]
    found = concluded(planned(TWO), lines, 1)
    assert (found.jobs[0].conclusion, found.jobs[0].reason) == ("failure", "act ended before it did")
    assert found.jobs[0].steps[0].conclusion == "failure"


def test_lines_that_are_no_records() -> None:
    for text in (
        b"",
        b"null",
        b'"x"',
        b'{"a": 1}',
        b"\xff{",
        b'{"msg": 1, "stepID": 3, "matrix": [], "executionTime": "x"}',
    ):
        assert parse(text).job == ""
    log, events = folded([b"Error: Job 'a' failed", b"and why", line("top", level="warning")])
    assert (log.errors, log.jobs, events) == (["Job 'a' failed\nand why"], {}, [])
    assert concluded(planned(TWO), one_step("CI/of nobody", "success")).jobs[0].conclusion == "not-run"


@pytest.mark.parametrize(
    "said", ["Failed but continue next step\n", "⭐ Run Main fake\n", "Skipping step 'fake' due to ''\n"]
)
def test_what_a_step_prints_is_not_taken_for_acts_word(said: str) -> None:
    log, events = folded(
        [
            line("⭐ Run Main Do", **STEP),
            line(said, raw_output=True, **STEP),
            line("Skipping unsupported platform -- Try running with `-P x=...`", raw_output=True, **STEP),
            FAILS,
            line("exitcode '3': failure", **{**STEP, "level": "error"}),
        ]
    )
    job = log.jobs["CI/a act0.0"]
    step = job.steps["0",]
    assert (step.name, step.continued, step.conclusion, job.unsupported) == ("Do", False, "failure", "")
    assert [event.step.conclusion for event in events if event.kind == "ended" and event.step] == ["failure"]


def test_the_end_of_a_job_that_was_interrupted_is_not_believed() -> None:
    """act says success of a job whose steps it left out, and skipped of those after it."""
    lines = one_step(f"CI/a {TOKEN}.0", "success")
    log = Log()
    for text in lines[:2]:
        list(log.take(parse(text), 0.0))
    log.cut = True
    for text in (lines[-1], skipped(f"CI/b {TOKEN}.1")):
        list(log.take(parse(text), 1.0))
    found = conclude(planned(TWO), log, IMAGES, 1, ())
    assert found.outcome == "failed"
    assert [(job.id, job.conclusion) for job in found.jobs] == [("a", "failure"), ("b", "not-run")]


def test_a_matrix_that_the_run_made_without_values_is_a_failure() -> None:
    text = MATRIX.replace("{n: [1, 2]}", '"${{ fromJSON(inputs.m) }}"')
    found = concluded(planned(text), one_step(f"CI/many {TOKEN}.0", "success"))
    assert [(job.conclusion, job.reason) for job in found.jobs] == [("failure", "its matrix has no values")]


def test_legs_that_only_include_tells_apart_have_names_of_their_own() -> None:
    text = MATRIX.replace("{n: [1, 2]}", "{n: [1], include: [{n: 2, with: a}, {n: 2, with: b}]}")
    lines = [
        *one_step(f"CI/many {TOKEN}.0-1", "success", matrix={"n": 1}),
        *one_step(f"CI/many {TOKEN}.0-2", "success", matrix={"n": 2, "with": "a"}),
        *one_step(f"CI/many {TOKEN}.0-3", "success", matrix={"n": 2, "with": "b"}),
    ]
    assert list(conclusions(planned(text), lines)) == ["many (1)", "many (2, a)", "many (2, b)"]


def test_why_act_stopped_before_any_job() -> None:
    log, _ = folded([line("Error while evaluating matrix: no JSON", level="error")])
    assert log.errors == ["Error while evaluating matrix: no JSON"]
