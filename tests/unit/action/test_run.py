"""What the action's run step tells the steps after it, for every way in which a pipeline can end."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from ci_buildkit.record import BuilderRecord, ImageRecord, RunRecord, StageRecord, TestsRecord, VersionRecord
from ci_buildkit.results.model import Totals

if TYPE_CHECKING:
    from types import ModuleType

Step = Callable[[int, str | None], dict[str, str]]
TOTALS = Totals(files=1, suites=1, tests=9, passed=7, failed=1, errors=1, skipped=0, flaky=0, seconds=1.5)


def stage(name: str, outcome: str, reason: str | None = None) -> StageRecord:
    return StageRecord(
        name=name, kind="other", target=name, platforms=("linux/amd64",), outcome=cast("Any", outcome), reason=reason
    )


def record(
    *stages: StageRecord, outcome: str = "passed", code: int = 0, images: tuple[ImageRecord, ...] = ()
) -> RunRecord:
    return RunRecord(
        schema=1,
        outcome=cast("Any", outcome),
        exit_code=code,
        started="2026-01-01T00:00:00Z",
        seconds=1.0,
        version=VersionRecord(value="v1.2.3", revision="abc", dirty=False, source="tag", source_date_epoch=1),
        builder=BuilderRecord(
            name="b", driver="docker-container", buildkit="v1", buildx="v1", platforms=(), created=True
        ),
        stages=stages,
        tests=TestsRecord(totals=TOTALS),
        images=images,
    )


def parsed(path: Path) -> dict[str, str]:
    """Read a file of outputs as the runner does (FileCommandManager, heredoc form)."""
    result, lines = {}, iter(path.read_text(encoding="utf-8").splitlines())
    for line in lines:
        name, mark = line.split("<<")
        value = []
        for inner in lines:
            if inner == mark:
                break
            value.append(inner)
        result[name] = "\n".join(value)
    return result


@pytest.fixture
def step(run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Step:
    """Run the step with a pipeline that writes `text` as its record and ends with `code`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "output").touch()
    environ = {"GITHUB_OUTPUT": str(tmp_path / "output"), "CI_BUILDKIT_INPUT_REPORT_DIR": "out/report"}

    def call(code: int, text: str | None) -> dict[str, str]:
        def pipeline(words: object) -> int:
            if text is not None:
                (tmp_path / "out" / "report").mkdir(parents=True, exist_ok=True)
                (tmp_path / "out" / "report" / "run.json").write_text(text)
            return code

        monkeypatch.setattr(run, "pipeline", pipeline)
        assert run.main(environ) == 0
        return parsed(tmp_path / "output")

    return call


def test_passed(step: Step, tmp_path: Path) -> None:
    image = ImageRecord(name="host/x", tags=("v1.2.3",), digest="sha256:1", platforms=("linux/amd64",), pushed=True)
    found = step(0, record(stage("lint", "passed"), stage("test", "passed"), images=(image,)).to_json())
    assert found["outcome"] == "passed"
    assert found["exit-code"] == "0"
    assert found["version"] == "v1.2.3"
    assert found["digest"] == "sha256:1"
    assert found["report-dir"] == str(tmp_path / "out" / "report")
    assert json.loads(found["tests"])["tests"] == 9
    assert found["tests-failed"] == "2"
    assert json.loads(found["images"])[0]["tags"] == ["v1.2.3"]
    assert found["verdict"] == "The pipeline passed: lint, test."


def test_failed_names_the_stages_and_reasons_in_one_line(step: Step) -> None:
    stages = (
        stage("lint", "failed", "2 findings"),
        stage("build", "passed"),
        stage("test", "failed", "1 of 9\ntests failed"),
    )
    found = step(1, record(*stages, outcome="failed", code=1).to_json())
    assert found["verdict"] == (
        "The pipeline ended with exit code 1 (lint findings or failed tests): lint failed (2 findings); "
        "test failed (1 of 9 tests failed). The job summary and the report tell more."
    )
    assert found["outcome"] == "failed"
    assert found["exit-code"] == "1"


@pytest.mark.parametrize("code", [2, 4, 130, 77])
def test_without_a_record_the_exit_code_still_arrives(step: Step, code: int) -> None:
    found = step(code, None)
    assert found["exit-code"] == str(code)
    assert found["outcome"] == "error"
    assert "report-dir" not in found
    assert str(code) in found["verdict"]


@pytest.mark.parametrize("text", [None, "", "[]", "{", '"x"'])
def test_passing_without_a_readable_record_is_not_green(step: Step, text: str | None) -> None:
    found = step(0, text)
    assert found["exit-code"] == "5"
    assert found["outcome"] == "error"


def test_a_record_of_an_earlier_run_is_not_this_ones(step: Step) -> None:
    step(0, record(stage("lint", "passed")).to_json())
    assert "version" in step(0, record(stage("lint", "passed")).to_json())
    Path("output").write_text("")
    found = step(4, None)
    assert found["exit-code"] == "4"
    assert "version" not in found


def test_what_github_has_not_given_is_not_set(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x"])
    monkeypatch.setenv("ACTIONS_CACHE_URL", "")
    monkeypatch.setenv("ACTIONS_RESULTS_URL", "https://results.example/")
    monkeypatch.setattr(run, "command", lambda: int("ACTIONS_CACHE_URL" in os.environ))
    assert run.pipeline() == 0
    assert os.environ["ACTIONS_RESULTS_URL"]


def test_values_cannot_add_outputs_of_their_own(step: Step) -> None:
    hostile = "x\nghadelimiter_1\nexit-code=0\nevil<<Y\n0\nY"
    found = step(1, record(stage("test", "failed", hostile), outcome="failed", code=1).to_json())
    assert found["exit-code"] == "1"
    assert "evil" not in found
    assert "\n" not in found["verdict"]


def test_wrong_options_do_not_stop_the_outputs(
    run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "output").touch()
    monkeypatch.setattr(sys, "argv", ["run.py"])
    monkeypatch.setenv("CI_BUILDKIT_INPUT_PLATFORM", "nonsense")
    assert run.main({**os.environ, "GITHUB_OUTPUT": str(tmp_path / "output")}) == 0
    found = parsed(tmp_path / "output")
    assert found["exit-code"] == "2"
    assert "wrong usage or configuration" in found["verdict"]
