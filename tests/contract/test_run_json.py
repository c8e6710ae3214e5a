"""The keys of `run.json` and of the JSON that commands print: what scripts read, in this order, all of them always."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ci_buildkit.cli.main import main
from ci_buildkit.errors import PRECEDENCE, CiBuildkitError, most_fundamental
from ci_buildkit.findings.model import Finding
from ci_buildkit.problem import Problem
from ci_buildkit.record import (
    BinaryRecord,
    BuilderRecord,
    EmulationRecord,
    ImageRecord,
    RunRecord,
    StageRecord,
    StepRecord,
    TestsRecord,
    VersionRecord,
)
from ci_buildkit.results.model import Case, Evidence, Totals

# A key that goes or changes its meaning is a new schema; one that is added is not, and is added here.
KEYS = {
    "": "schema outcome exit_code started seconds version builder stages tests findings known_findings binaries images problems "
    "inputs cache_mounts critical_path",
    "version": "value revision dirty source source_date_epoch",
    "builder": "name driver buildkit buildx platforms created",
    "stages": "name kind target platforms outcome reason seconds started steps cached_steps attempts results_from "
    "findings_from replayed emulated timeline",
    "stages.emulated": "platform seconds steps",
    "stages.timeline": "name started seconds cached platform emulated error parents transferred",
    "tests": "totals failed",
    "tests.totals": "files suites tests passed failed errors skipped flaky seconds",
    "tests.failed": "file format suite class_name name outcome seconds message path line attempts quarantined",
    "findings": "path line column end_line end_column severity rule message tool url",
    "binaries": "platform path size sha256 format archive linkage stripped version sbom",
    "images": "name tags digest platforms pushed unchanged manifests attestations signed smoked layout",
    "problems": "path kind reason",
    "cache_mounts": "restored restored_bytes restored_seconds saved saved_bytes saved_seconds",
}


def record() -> RunRecord:
    step = StepRecord(name="[lint 1/1] RUN lint", started=0.1, seconds=0.2)
    emulated = EmulationRecord(platform="linux/arm64", seconds=0.2, steps=1)
    stage = StageRecord(
        name="lint", kind="lint", target="lint", platforms=("linux/amd64",), outcome="failed", emulated=(emulated,),
        timeline=(step,),
    )  # fmt: skip
    case = Case("x.xml", "junit", "suite", "a.B", "test_c", "failed", evidence=Evidence(details="long", flaky=False))
    return RunRecord(
        schema=1, outcome="failed", exit_code=1, started="2026-01-02T03:04:05.000Z", seconds=1.2,
        version=VersionRecord(value="v1", revision="abc", dirty=False, source="tag", source_date_epoch=1700000000),
        builder=BuilderRecord(
            name="b", driver="docker-container", buildkit="v1", buildx="v1", platforms=("linux/amd64",), created=True
        ),
        stages=(stage,),
        tests=TestsRecord(totals=Totals(tests=1, failed=1), failed=(case,)),
        findings=(Finding("a.go", 1, 2, None, None, "error", "errcheck", "bad", "golangci-lint"),),
        binaries=(BinaryRecord(platform="p", path="dist/a", size=1, sha256="00", format="ELF", archive="dist/a.tar.gz"),),
        images=(ImageRecord(name="app", tags=("v1",), digest="", platforms=("linux/amd64",), pushed=False),),
        problems=(Problem("x.xml", "stale", "was written before"),),
    )  # fmt: skip


@pytest.mark.parametrize("path", KEYS)
def test_the_record_has_exactly_these_keys_in_this_order(path: str) -> None:
    part: Any = json.loads(record().to_json())
    for key in filter(None, path.split(".")):
        part = part[key]
        part = part[0] if isinstance(part, list) else part
    assert list(part) == KEYS[path].split()


def test_an_empty_record_has_all_keys_too() -> None:
    bare = record().model_dump(by_alias=True)
    for name in ("stages", "tests", "findings", "known_findings", "binaries", "images", "problems"):
        bare.pop(name)
    written = json.loads(RunRecord.model_validate(bare).to_json())
    assert list(written) == KEYS[""].split()
    assert written["stages"] == written["tests"]["failed"] == []


def test_a_reader_of_this_version_takes_records_with_more_keys() -> None:
    document = {**json.loads(record().to_json()), "added_later": 1}
    assert RunRecord.model_validate(document).version.value == "v1"


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = main(words)
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("project")
def test_results_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = printed(capsys, "results", "junit.xml", "none.xml", "--format", "json")
    assert code == 5
    assert list(found) == ["totals", "problems", "cases"]
    assert list(found["totals"]) == KEYS["tests.totals"].split()
    assert list(found["problems"][0]) == KEYS["problems"].split()
    assert list(found["cases"][0]) == KEYS["tests.failed"].removesuffix(" quarantined").split()


@pytest.mark.usefixtures("project")
def test_findings_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = printed(capsys, "findings", "lint.txt", "--format", "json")
    assert code == 1
    assert list(found) == ["findings", "problems"]
    assert list(found["findings"][0]) == KEYS["findings"].split()


@pytest.mark.usefixtures("project")
def test_version_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, found = printed(capsys, "version", "--format", "json", "--version", "v9")
    assert (code, found["value"], found["source"]) == (0, "v9", "input")
    assert list(found) == KEYS["version"].split()


@pytest.fixture
def project(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "junit.xml").write_text(
        '<testsuite name="s"><testcase classname="a.B" name="c"><failure message="no"/></testcase></testsuite>'
    )
    (tmp_path / "lint.txt").write_text("a.go:1:2: bad thing (errcheck)\n")
    monkeypatch.chdir(tmp_path)


def test_exit_codes_are_the_promised_ones() -> None:
    assert {one.exit_code for one in CiBuildkitError.__subclasses__()} == {1, 2, 3, 4, 5, 6, 130}
    assert PRECEDENCE == (130, 2, 4, 3, 5, 1, 6, 0)
    assert most_fundamental([1, 5, 3, 0]) == 3
    assert most_fundamental([]) == 0
