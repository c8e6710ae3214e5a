"""The steps of the sub-actions: what they print, write for later steps, and end with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from tests import repositories

from ci_buildkit.record import BuilderRecord, RunRecord, StageRecord, VersionRecord, outcome_of

ROOT = Path(__file__).parents[3]
SHA = "a" * 40


class Step:
    """Runs scripts of actions as their action.yml does, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed = ""
        for name in ("output", "summary"):
            (folder / name).touch()

    def run(self, script: str, **environ: str) -> int:
        own = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
            "GITHUB_OUTPUT": str(self.folder / "output"), "GITHUB_STEP_SUMMARY": str(self.folder / "summary"),
            "GITHUB_ACTIONS": "true", "GITHUB_SHA": SHA, "GITHUB_REPOSITORY": "octo/hello",
        }  # fmt: skip
        command = [sys.executable, "-P", "-s", str(ROOT / "action" / f"{script}.py")]
        done = subprocess.run(
            command, cwd=self.folder, env={**own, **environ}, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        self.printed = done.stdout + done.stderr
        return done.returncode

    @property
    def outputs(self) -> dict[str, str]:
        """What the step wrote for those after it, read as the runner does."""
        found, lines = {}, iter((self.folder / "output").read_text().splitlines())
        for line in lines:
            name, mark = line.split("<<")
            found[name] = "\n".join(takewhile(mark.__ne__, lines))
        return found

    @property
    def summary(self) -> str:
        return (self.folder / "summary").read_text()


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(tmp_path)


def report(folder: Path, code: int = 0) -> None:
    """A report folder as it is downloaded."""
    folder.mkdir(parents=True)
    outcome = outcome_of(code)
    record = RunRecord(
        schema=1, outcome=outcome, exit_code=code, started="2026-01-01T00:00:00Z", seconds=1.0,
        version=VersionRecord(value="v1", revision=SHA, dirty=False, source="tag", source_date_epoch=1),
        builder=BuilderRecord(name="b", driver="d", buildkit="v1", buildx="v1", platforms=(), created=True),
        stages=(StageRecord(name="lint", kind="lint", target="lint", platforms=(), outcome=outcome),),
    )  # fmt: skip
    (folder / "run.json").write_text(record.to_json())


def needs(**results: str) -> str:
    return json.dumps({name: {"result": result, "outputs": {}} for name, result in results.items()})


def matrix(*names: str) -> str:
    return json.dumps({"include": [{"name": name} for name in names]})


class TestProjects:
    @pytest.fixture(autouse=True)
    def repository(self, step: Step) -> None:
        for project in ("a", "b"):
            (step.folder / project).mkdir()
            (step.folder / project / "Dockerfile").write_text("FROM scratch\n")
        for words in (["init", "-q"], ["add", "a", "b"], ["commit", "-qm", "x"]):
            repositories.git(step.folder, *words, date="2026-01-02T03:04:05Z")

    def test_what_is_built_and_why(self, step: Step) -> None:
        head = repositories.git(step.folder, "rev-parse", "HEAD", date="x")
        (step.folder / "event.json").write_text(json.dumps({"before": head}))
        pushed = {
            "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": head,
            "GITHUB_EVENT_PATH": str(step.folder / "event.json"),
        }  # fmt: skip
        assert step.run("projects", STEP_PROJECTS="a\nb\n", **pushed) == 0
        assert json.loads(step.outputs["matrix"]) == {"include": []}
        assert step.outputs["count"] == "0"
        assert step.outputs["reason"].startswith("No project changed, so nothing is built: compared with")
        assert "| ⏭️ | `b` | nothing in it changed |" in step.summary

    def test_where_nothing_is_known_all_are(self, step: Step) -> None:
        assert step.run("projects", STEP_PROJECTS="a\n b ", GITHUB_EVENT_NAME="schedule") == 0
        assert [one["name"] for one in json.loads(step.outputs["matrix"])["include"]] == ["a", "b"]
        assert step.outputs["reason"] == "2 of 2 projects are built: the event schedule changes nothing by itself."
        assert all(one["changed"] for one in json.loads(step.outputs["projects"]))

    def test_a_context_beside_projects_is_a_mistake(self, step: Step) -> None:
        assert step.run("projects", STEP_PROJECTS="a", STEP_CONTEXT="b") == 2
        assert step.printed.startswith("::error title=ci-buildkit::the inputs projects and context are both set%0A")

    def test_a_project_that_is_not_there_is_an_annotation(self, step: Step) -> None:
        assert step.run("projects", STEP_PROJECTS="c") == 2
        assert step.printed.startswith("::error title=ci-buildkit::there is no project 'c'")


class TestVerdict:
    def judge(self, step: Step, results: str, jobs: str = "", **environ: str) -> int:
        return step.run(
            "verdict", STEP_NEEDS=results, STEP_JOBS=jobs, STEP_ARTIFACT_NAME="ci",
            STEP_REPORTS=str(step.folder / "reports"), **environ,
        )  # fmt: skip

    def test_green(self, step: Step) -> None:
        for name in ("a", "b"):
            report(step.folder / "reports" / f"ci-{name}-report")
        assert self.judge(step, needs(plan="success", pipeline="success"), matrix("a", "b")) == 0
        assert (step.outputs["outcome"], step.outputs["exit-code"]) == ("passed", "0")
        assert [one["name"] for one in json.loads(step.outputs["jobs"])] == ["a", "b"]
        assert step.printed == "The pipeline passed: a, b.\n"
        assert step.summary.startswith("## ✅ The pipeline passed: a, b.")

    def test_the_last_job_of_a_matrix_does_not_win(self, step: Step) -> None:
        report(step.folder / "reports" / "ci-a-report", 1)
        report(step.folder / "reports" / "ci-b-report")
        assert self.judge(step, needs(plan="success", pipeline="success"), matrix("a", "b")) == 1
        assert (step.outputs["outcome"], step.outputs["exit-code"]) == ("failed", "1")
        assert step.printed.startswith("::error title=ci-buildkit::The pipeline ended with exit code 1: a failed")

    def test_a_report_that_is_not_there_is_red(self, step: Step) -> None:
        report(step.folder / "reports" / "ci-a-report")
        report(step.folder / "reports" / "other-b-report")
        assert self.judge(step, needs(plan="success", pipeline="success"), matrix("a", "b")) == 5
        assert "b error (it left no report" in step.outputs["verdict"]

    def test_a_job_that_was_cancelled_is_red(self, step: Step) -> None:
        report(step.folder / "reports" / "ci-a-report")
        assert self.judge(step, needs(plan="success", pipeline="cancelled"), matrix("a")) == 130
        assert step.outputs["outcome"] == "cancelled"

    def test_a_job_that_was_skipped_is_red_unless_nothing_changed(self, step: Step) -> None:
        results = needs(plan="success", pipeline="skipped")
        assert self.judge(step, results, matrix()) == 5
        said = "No project changed, so nothing is built."
        assert self.judge(step, results, matrix(), STEP_MAY_SKIP="pipeline", STEP_NOTHING=said) == 0
        assert step.outputs["verdict"] == said

    def test_a_failed_plan_is_red_though_there_is_no_job(self, step: Step) -> None:
        assert self.judge(step, needs(plan="failure", pipeline="skipped")) == 4

    @pytest.mark.parametrize(
        ("results", "jobs"),
        [("", ""), ("[]", ""), ("{}", ""), (needs(a="success"), "{"), (needs(a="success"), matrix("../x")),
         (needs(a="success"), matrix("")), (needs(a="success"), '{"include": [1]}')],
    )  # fmt: skip
    def test_what_cannot_be_read_is_red(self, step: Step, results: str, jobs: str) -> None:
        assert self.judge(step, results, jobs) == 2
        assert step.printed.startswith("::error title=ci-buildkit::")


class TestJoin:
    def join(self, step: Step, results: str, *names: str, push: str = "false", **options: Any) -> dict[str, str]:
        code = step.run(
            "join", STEP_NEEDS=results, STEP_JOBS=matrix(*names), STEP_ARTIFACT_NAME="ci-leg", STEP_PUSH=push,
            STEP_REPORTS=str(step.folder / "legs"), STEP_OPTIONS=json.dumps(options),
        )  # fmt: skip
        assert code == 0, step.printed
        return step.outputs

    def test_green(self, step: Step) -> None:
        for name in ("native", "linux-arm64"):
            report(step.folder / "legs" / f"ci-leg-{name}-report")
        told = self.join(step, needs(plan="success", leg="success"), "native", "linux-arm64", **{"report-dir": "whole"})
        assert (told["outcome"], told["exit-code"], told["version"]) == ("passed", "0", "v1")
        assert told["verdict"] == "The pipeline passed: lint (native), lint (linux-arm64)."
        assert told["report-dir"] == str(step.folder / "whole")

    def test_red_legs_push_nothing(self, step: Step) -> None:
        report(step.folder / "legs" / "ci-leg-native-report", 1)
        report(step.folder / "legs" / "ci-leg-linux-arm64-report")
        told = self.join(step, needs(plan="success", leg="failure"), "native", "linux-arm64", push="true")
        assert (told["outcome"], told["exit-code"]) == ("failed", "1")
        assert "lint (native) failed" in told["verdict"]

    @pytest.mark.parametrize("push", ["", "***"])
    def test_green_legs_are_red_where_it_is_lost_whether_to_push(self, step: Step, push: str) -> None:
        report(step.folder / "legs" / "ci-leg-native-report")
        told = self.join(step, needs(plan="success", leg="success"), "native", push=push)
        assert (told["outcome"], told["exit-code"]) == ("error", "4")
        assert "output push did not arrive" in told["verdict"]

    def test_what_no_report_says_is_in_the_joined_one(self, step: Step) -> None:
        report(step.folder / "legs" / "ci-leg-native-report")
        told = self.join(step, needs(plan="success", leg="cancelled"), "native", "linux-arm64")
        assert (told["outcome"], told["exit-code"]) == ("cancelled", "130")
        record = json.loads(Path(told["report-dir"], "run.json").read_text())
        assert record["outcome"] == "error", "what is published must not be green"
        assert {one["reason"] for one in record["problems"]} >= {"the job leg was cancelled"}

    def test_without_any_report_it_is_red(self, step: Step) -> None:
        told = self.join(step, needs(plan="failure", leg="skipped"))
        assert (told["outcome"], told["exit-code"]) == ("error", "4")
        assert "the job plan failed" in told["verdict"]
        assert "report-dir" not in told


class TestReport:
    def publish(self, step: Step, run: Any, **environ: str) -> int:
        (step.folder / "event.json").write_text(json.dumps({"workflow_run": run}))
        return step.run(
            "report",
            **{
                "STEP_REPORTS": str(step.folder / "reports"), "STEP_ARTIFACT_NAME": "ci", "STEP_NAME": "ci",
                "STEP_PUBLISH": "check, comment", "GITHUB_EVENT_NAME": "workflow_run",
                "GITHUB_EVENT_PATH": str(step.folder / "event.json"), **environ,
            },
        )  # fmt: skip

    RUN = {"id": 9, "event": "pull_request", "head_sha": SHA, "repository": {"full_name": "octo/hello"}}  # noqa: RUF012

    def test_a_run_without_a_report_is_a_notice(self, step: Step) -> None:
        assert self.publish(step, self.RUN) == 0
        assert step.printed.startswith("::notice title=ci-buildkit::the run left no artifact ci-report")

    def test_a_link_ends_it(self, step: Step) -> None:
        report(step.folder / "reports" / "ci-report")
        (step.folder / "reports" / "ci-report" / "junit.xml").symlink_to("/etc/passwd")
        assert self.publish(step, self.RUN) == 5
        assert step.printed.startswith("::error title=ci-buildkit::junit.xml of the report is a link")

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 2}', "\x00" * 99])
    def test_a_record_that_is_none_ends_it(self, step: Step, text: str) -> None:
        report(step.folder / "reports" / "ci-report")
        (step.folder / "reports" / "ci-report" / "run.json").write_text(text)
        assert self.publish(step, self.RUN) == 5
        assert "is no run record" in step.printed

    def test_another_repository_s_run_ends_it(self, step: Step) -> None:
        assert self.publish(step, {**self.RUN, "repository": {"full_name": "eve/hello"}}) == 2

    def test_it_releases_nothing(self, step: Step) -> None:
        assert self.publish(step, self.RUN, STEP_PUBLISH="check, release") == 2
        assert "the input publish holds 'release'" in step.printed

    def test_without_a_token_it_is_red(self, step: Step) -> None:
        report(step.folder / "reports" / "ci-report")
        assert self.publish(step, self.RUN) == 6
        assert "there is no GITHUB_TOKEN" in step.printed


class TestSecrets:
    def test_variables_of_one_secret_reach_the_command_and_are_hidden(self, step: Step) -> None:
        (step.folder / "Dockerfile").write_text("FROM scratch\n")
        assert (
            step.run("run", SECRET_ENV="TOKEN=hunter2\nKEY<<X\na b\nc d\nX", CI_BUILDKIT_INPUT_SECRET="id=x,env=NO")
            == 0
        )
        masks = [line for line in step.printed.splitlines() if line.startswith("::add-mask::")]
        assert masks == ["::add-mask::hunter2", "::add-mask::a b%0Ac d", "::add-mask::a b", "::add-mask::c d"]
        assert step.outputs["exit-code"] == "2"  # the secret x wants a variable that is not there
        assert "NO" in step.printed

    def test_a_line_that_is_no_variable_ends_it(self, step: Step) -> None:
        assert step.run("run", SECRET_ENV="hunter2") == 0
        assert step.outputs["exit-code"] == "2"
        assert "hunter2" not in step.printed
