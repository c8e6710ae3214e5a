"""A stage from its builds to its outcome, with builds that were recorded and are said again by a script."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from tests.unit.pipeline.conftest import Ground

from ci_buildkit.engine.progress import Progress
from ci_buildkit.engine.recover import Recovered
from ci_buildkit.engine.solve import Solved
from ci_buildkit.pipeline import reading
from ci_buildkit.pipeline.limit import Limit

TEST = "FROM alpine AS base\nRUN echo cached\nFROM base AS test\nARG SALT\nRUN echo test failed; exit 3\n"
LINT = "FROM alpine AS lint\nRUN echo\n"
IMAGE = "FROM alpine AS app\nCMD x\n"
RESULTS = "FROM alpine AS test\nRUN echo\nFROM scratch AS test-results\nCOPY --from=test /x /\n"
TROUBLE = "ERROR: failed to do request: connection reset by peer"
REFUSAL = "ERROR: failed to authorize: 401 Unauthorized"
JUNIT = '<testsuite name="s"><testcase classname="c" name="t" time="1">{0}</testcase></testsuite>'
FAILURE = '<failure message="boom"/>'


def test_a_failed_run_step_is_told_with_its_exit_code_and_its_log(ground: Ground) -> None:
    ground.docker(f"{ground.recorded('test')}; exit 1")
    found = ground.stage(TEST)
    assert found.record.outcome == "failed"
    assert "exit code 3" in (found.record.reason or "")
    assert "test failed" in ground.view.lines
    assert "test failed" in (ground.staging.report / "logs" / "test.log").read_text()
    assert [stage.name for stage in ground.view.ended] == ["test"]


def test_what_may_pass_is_tried_again_and_a_refusal_is_not(ground: Ground) -> None:
    good = ground.recorded("lint", stage="app")
    ground.docker(f"[ $number -gt 1 ] || {{ echo '{TROUBLE}' >&2; exit 1; }}; {good}")
    found = ground.stage(IMAGE, stages=("app",), oci_layout=False)
    assert (found.record.outcome, found.record.attempts) == ("passed", 2)
    assert "# attempt 2: failed to do request" in (ground.staging.report / "logs" / "app.log").read_text()

    ground.docker(f"echo '{REFUSAL}' >&2; exit 1")
    found = ground.stage(IMAGE, stages=("app",), oci_layout=False)
    assert (found.record.outcome, found.verdict.exit_code) == ("error", 4)
    assert found.record.attempts == 1
    assert not (ground.staging.work / "export" / "app").exists()


def test_a_debugger_that_cannot_begin_is_done_without_and_told(ground: Ground) -> None:
    ground.buildx_version = "v0.38.2"
    said = ground.recorded("test")
    ground.docker(f'case "$*" in *debug*) echo "ERROR: unknown flag: --invoke" >&2; exit 1;; esac; {said}; exit 1')
    found = ground.stage(TEST)
    assert found.record.outcome == "failed"
    assert [problem.reason for problem in found.problems] == [
        "reports could not be taken out of the step: buildx could not start its debugger: unknown flag: --invoke"
    ]
    assert [" bake " in call for call in ground.calls] == [False, True]


def test_after_an_interruption_nothing_is_started(ground: Ground) -> None:
    ground.cancellation.cancel()
    found = ground.stage(LINT)
    assert (found.record.outcome, found.verdict.exit_code, ground.calls) == ("cancelled", 130, [])


def test_an_interrupted_build_is_no_failure_of_the_project(ground: Ground) -> None:
    ground.docker("exec sleep 60")
    threading.Timer(0.5, ground.cancellation.cancel).start()
    found = ground.stage(TEST)
    assert (found.record.outcome, found.record.reason) == ("cancelled", "interrupted")


def test_a_full_disk_is_the_engine_s_trouble_and_what_was_exported_goes(ground: Ground) -> None:
    log = ground.staging.report / "logs" / "test.log"
    log.symlink_to("/dev/full")
    ground.docker(f"{ground.left('test-results', 'junit.xml', JUNIT)}; {ground.recorded('test')}; exit 1")
    found = ground.stage(TEST)
    assert (found.record.outcome, found.verdict.exit_code) == ("error", 4)
    assert found.record.reason == "no space left on device"
    assert not (ground.staging.report / "results" / "test").exists()


def test_a_stage_that_takes_too_long_is_ended_and_named(ground: Ground) -> None:
    ground.docker("exec sleep 60")
    found = ground.stage(IMAGE, stages=("app",), stage_timeout=("1s",), oci_layout=False)
    assert found.record.outcome != "passed"
    assert "1s" in (found.record.reason or "")
    assert found.record.seconds < 30


def test_a_build_that_begins_after_its_time_is_killed_at_once(ground: Ground) -> None:
    plan, options = ground.plan(IMAGE, stages=("app",), stage_timeout=("1s",), oci_layout=False)
    session, killed = ground.session(plan, options), list[bool]()
    limit = Limit(session, plan.stages[0])
    limit.over = True
    limit.began(session.builder, lambda: killed.append(True))
    assert killed == [True]


def test_failed_tests_are_tried_again_and_a_passed_one_makes_them_flaky(ground: Ground) -> None:
    failed, passed = (ground.left("test-results", "junit.xml", JUNIT.format(case)) for case in (FAILURE, ""))
    code = ground.left("test-results", "exit-code", "1"), ground.left("test-results", "exit-code", "0")
    said = ground.recorded("lint", stage="test")
    ground.docker(f"if [ $number = 1 ]; then {failed}; {code[0]}; else {passed}; {code[1]}; fi; {said}")
    found = ground.stage(RESULTS, stages=("test-results",), test_retries=2)
    assert (found.record.outcome, found.record.attempts) == ("passed", 2)
    assert found.tests.totals.flaky == 1


def test_a_cached_result_without_a_report_is_made_anew(ground: Ground) -> None:
    cached, fresh = (ground.recorded("lint", stage="test", cached=state) for state in (True, False))
    made = ground.left("test-results", "junit.xml", JUNIT.format(""))
    ground.docker(f"if [ $number = 1 ]; then {cached}; else {made}; {fresh}; fi")
    found = ground.stage(RESULTS, stages=("test-results",))
    assert (found.record.outcome, found.record.attempts, found.record.replayed) == ("passed", 2, False)


def test_a_cached_linter_is_heard_anew_only_where_every_finding_counts(ground: Ground) -> None:
    ground.docker(ground.recorded("lint", cached=True))
    assert ground.stage(LINT).record.attempts == 1
    assert ground.stage(LINT, fail_on=("lint=warnings",)).record.attempts == 2
    written = json.loads((ground.staging.work / "lint.bake.json").read_text())["target"]["lint"]
    changed = Path(written["dockerfile"]).read_text()
    assert changed != LINT
    assert Path(written["dockerfile"]).is_relative_to(ground.staging.work)


def test_a_linter_s_findings_make_it_red_by_themselves_where_its_export_holds_them(ground: Ground) -> None:
    sarif = {
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "x"}},
                "results": [{"ruleId": "r", "level": "error", "message": {"text": "wrong"}}],
            }
        ],
    }
    ground.docker(f"{ground.left('lint', 'x.sarif', json.dumps(sarif))}; {ground.recorded('lint')}")
    found = ground.stage(LINT)
    assert (found.record.outcome, found.record.reason, found.record.findings_from) == ("failed", "1 finding", "export")


def test_a_misspelt_stage_is_guessed_at(ground: Ground) -> None:
    ground.docker("echo 'ERROR: failed to solve: buidl: docker.io/library/buidl: not found' >&2; exit 1")
    found = ground.stage("FROM alpine AS build\nFROM buidl AS app\nCMD x\n", stages=("app",), oci_layout=False)
    assert found.record.outcome == "error"
    assert 'there is no stage "buidl"; did you mean "build"?' in (found.record.reason or "")


@pytest.mark.parametrize(("texts", "code"), [(("0",), 0), (("0", "3"), 3), (("x",), None)])
def test_the_worst_exit_code_of_the_platforms_counts(tmp_path: Path, texts: tuple[str, ...], code: int | None) -> None:
    for number, text in enumerate(texts):
        folder = tmp_path / f"linux_{number}"
        folder.mkdir()
        (folder / "exit-code").write_text(text, encoding="utf-8")
    found, problems = reading._exit_code(tmp_path)
    assert (found, [problem.kind for problem in problems]) == (code, ["unreadable"] if code is None else [])


def test_a_recovered_file_that_is_the_repository_s_own_is_no_report(ground: Ground) -> None:
    plan, options = ground.plan("FROM alpine AS test\nWORKDIR /src\nCOPY . .\nRUN test\n")
    (stage,) = plan.stages
    session = ground.session(plan, options)
    folder = session.exported(stage)
    for name, text in (("src/fixture.xml", JUNIT.format(FAILURE)), ("src/junit.xml", JUNIT.format(""))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (ground.folder / "fixture.xml").write_text(JUNIT.format(FAILURE), encoding="utf-8")
    session.log("test").touch()
    recovered = Recovered(
        begun=True, complete=True, files=["src/fixture.xml", "src/junit.xml", "etc/x.xml"], left_out=["src/huge.xml"]
    )
    read = reading.tests(session, stage, Solved(1, "", Progress(), recovered=recovered), 1)
    assert (read.source, read.report.totals.tests, read.report.totals.failed) == ("recovered", 1, 0)
    assert recovered.files == ["src/junit.xml", "etc/x.xml"]
    assert [problem.reason for problem in read.left_out] == ["left out: larger than 64 MiB"]


def test_a_build_that_told_no_time_has_its_reports_all_the_same(ground: Ground) -> None:
    plan, options = ground.plan(RESULTS, stages=("test-results",))
    (stage,) = plan.stages
    session = ground.session(plan, options)
    file = session.exported(stage) / "junit.xml"
    file.parent.mkdir(parents=True)
    file.write_text(JUNIT.format(""), encoding="utf-8")
    session.log(stage.name).touch()
    os.utime(file, (session.clock.at + 1, session.clock.at + 1))
    assert reading.tests(session, stage, Solved(0, "", Progress()), 1).report.totals.passed == 1
    os.utime(file, (1, 1))
    stale = reading.tests(session, stage, Solved(0, "", Progress()), 1).report
    assert [problem.kind for problem in stale.problems] == ["stale"]
