"""A caller's workflow with `uses: org/ci-buildkit@v1` under act: green, and red for each reason, nothing lost."""

from __future__ import annotations

import io
import json
import os
import tarfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from junitparser import JUnitXml
from tests.e2e import action_support as support

PROJECT = support.ROOT / "examples" / "buildme"
UNCHECKED = """package main

import "os"

func init() {
	os.Remove("leftover")
}
"""
WRONG = """package phrasebook

import "testing"

func TestArithmetic(t *testing.T) {
	t.Errorf("two and two are %d", 5)
}
"""
BROKEN = """package main

var port int = "eighty"
"""

Case = Callable[..., support.ActRun]


@pytest.fixture(scope="module")
def case(lab: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    """Runs the workflow on a copy of the example with some files added. All cases share one warm builder."""
    work = tmp_path_factory.mktemp("act")
    act = support.Act(lab, support.export_checkout(work / "action"), support.stand_in(), work)
    builder = f"action-{os.getpid()}-{uuid.uuid4().hex[:6]}"

    def run(name: str, files: Mapping[str, str], **inputs: str) -> support.ActRun:
        given = {"builder": builder, "platform": "linux/amd64", **inputs}
        return act.run(support.caller(work / name, PROJECT, given, files))

    yield run
    support.remove_builder(builder, lab)


def files_of(run: support.ActRun, kind: str) -> dict[str, bytes]:
    """The content of one artifact, by file name."""
    archive = run.artifacts()[f"ci-buildkit-{kind}"]
    return {name: archive.read(name) for name in archive.namelist()}


def record_of(run: support.ActRun) -> dict[str, Any]:
    """The run record from the report's artifact."""
    record: dict[str, Any] = json.loads(files_of(run, "report")["run.json"])
    return record


def stages_of(run: support.ActRun) -> dict[str, str]:
    """How each stage ended, by kind."""
    return {stage["kind"]: stage["outcome"] for stage in record_of(run)["stages"]}


def check_red(run: support.ActRun, code: str) -> None:
    """What holds for every failure: the job ran and is red, all steps before the verdict went on, artifacts are there."""
    assert run.job_results == {"pipeline": "failure"}, run.text + run.stderr
    assert run.code == 1
    steps = run.step_results()
    assert steps["ci/verdict"] == "failure"
    assert {one for one, result in steps.items() if result == "failure"} == {"ci", "ci/verdict"}
    assert steps["ci/upload-report"] == "success"
    assert run.told["outcome"] == "failure"
    assert run.outputs["exit-code"] == code
    assert run.outputs["report-url"]
    report = files_of(run, "report")
    assert {"run.json", "summary.md", "report.html", "findings.sarif", "bake.json"} <= report.keys()
    assert not any(name.startswith("dist/") for name in report), "binaries have an artifact of their own"
    assert json.loads(report["run.json"])["exit_code"] == int(code)
    verdict = run.outputs["verdict"]
    assert verdict.startswith(f"The pipeline ended with exit code {code} (")
    assert {"title": "ci-buildkit"} in [one["kvPairs"] for one in run.commands("error") if one["arg"] == verdict]


def annotation(run: support.ActRun, level: str, path: str) -> dict[str, Any]:
    """The annotation on a file."""
    found = [one for one in run.commands(level) if one["kvPairs"].get("file") == path]
    assert found, f"no {level} on {path} among {run.commands(level)}"
    return found[0]


def test_green(case: Case) -> None:
    run = case("green", {}, platform="linux/amd64,linux/arm64")
    assert run.job_results == {"pipeline": "success"}, run.text + run.stderr
    assert run.code == 0
    assert "ci/verdict" not in run.step_results(), "nothing to judge"

    outputs = run.outputs
    assert run.told["outcome"] == "success"
    assert (outputs["outcome"], outputs["exit-code"]) == ("passed", "0")
    assert outputs["version"] == "v1.2.3"
    assert len(outputs["revision"]) == 40
    totals = json.loads(outputs["tests"])
    assert totals["tests"] == totals["passed"] > 0
    assert (outputs["tests-failed"], outputs["findings"]) == ("0", "0")
    assert run.commands("error") == []
    assert "v1.2.3" in run.summary

    record = record_of(run)
    assert record["outcome"] == "passed"
    assert record["version"]["source"] == "tag"
    assert len(JUnitXml.fromstring(files_of(run, "report")["junit.xml"])) > 0
    results = JUnitXml.fromstring(files_of(run, "junit")["junit.xml"])
    assert sum(suite.tests for suite in results) == totals["tests"]
    check_binaries(files_of(run, "binaries"), json.loads(outputs["binaries"]))


def check_binaries(dist: Mapping[str, bytes], binaries: list[dict[str, Any]]) -> None:
    """Each binary is in an archive of the artifact, for the processor that it says."""
    machines = {"linux/amd64": "EM_X86_64", "linux/arm64": "EM_AARCH64"}
    assert {"checksums.txt", "manifest.json"} <= dist.keys()
    assert {one["platform"] for one in binaries} == set(machines)
    for one in binaries:
        with tarfile.open(fileobj=io.BytesIO(dist[one["archive"].removeprefix("dist/")])) as archive:
            member = next(item for item in archive if Path(item.name).name == Path(one["path"]).name)
            content = archive.extractfile(member)
            assert content
            assert ELFFile(io.BytesIO(content.read())).header.e_machine == machines[one["platform"]]


def test_lint_failure(case: Case) -> None:
    run = case("lint", {"cmd/client/leftover.go": UNCHECKED})
    check_red(run, "1")
    assert run.outputs["outcome"] == "failed"
    assert (run.outputs["findings"], run.outputs["tests-failed"]) == ("1", "0")
    found = annotation(run, "error", "cmd/client/leftover.go")
    assert found["kvPairs"]["line"] == "6"
    assert "os.Remove" in found["arg"]
    assert "leftover.go" in run.summary
    assert stages_of(run)["lint"] == "failed"
    assert stages_of(run)["test"] == "passed"
    assert "checksums.txt" in files_of(run, "binaries"), "a finding does not take the binaries away"
    sarif = json.loads(files_of(run, "report")["findings.sarif"])
    assert sarif["runs"][0]["results"]


def test_test_failure(case: Case) -> None:
    run = case("test", {"internal/phrasebook/arithmetic_test.go": WRONG})
    check_red(run, "1")
    assert run.outputs["outcome"] == "failed"
    assert run.outputs["tests-failed"] == "1"
    assert annotation(run, "error", "internal/phrasebook/arithmetic_test.go")["kvPairs"]["line"] == "6"
    assert "TestArithmetic" in run.summary
    assert "two and two are 5" in run.summary
    assert stages_of(run)["test"] == "failed"
    results = JUnitXml.fromstring(files_of(run, "junit")["junit.xml"])
    failed = [one.name for suite in results for one in suite if not one.is_passed and not one.is_skipped]
    assert failed == ["TestArithmetic"]


def test_build_failure(case: Case) -> None:
    run = case("build", {"cmd/server/broken.go": BROKEN})
    check_red(run, "3")
    assert run.outputs["outcome"] == "error"
    assert stages_of(run)["binaries"] == "error"
    logs = {name: content for name, content in files_of(run, "report").items() if name.startswith("logs/")}
    assert any(b"broken.go:3" in content for content in logs.values())
    assert "broken.go" in run.text
    assert "ci-buildkit-binaries" not in run.artifacts()


def test_wrong_configuration_is_told_and_leaves_no_artifact(case: Case) -> None:
    run = case("configuration", {}, platform="nonsense")
    assert run.job_results == {"pipeline": "failure"}, run.text + run.stderr
    assert (run.outputs["exit-code"], run.outputs["outcome"]) == ("2", "error")
    assert run.outputs["report-dir"] == ""
    assert run.artifacts() == {}
    assert "'nonsense' is not a platform" in run.text
