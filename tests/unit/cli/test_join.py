"""`ci-buildkit join`: reports of several machines as one, and what is wrong with any of them as a problem of the whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.artifacts import dist, lists
from ci_buildkit.artifacts.package import Package
from ci_buildkit.cli.main import main
from ci_buildkit.cli.publish import read
from ci_buildkit.findings.model import Finding
from ci_buildkit.record import (
    BinaryRecord,
    BuilderRecord,
    ImageRecord,
    Kind,
    RunRecord,
    StageRecord,
    StepRecord,
    TestsRecord,
    VersionRecord,
    outcome_of,
)
from ci_buildkit.results import junit_writer
from ci_buildkit.results.collect import report as counted
from ci_buildkit.results.model import Case, TestReport

VERSION = VersionRecord(value="v1.2.3", revision="a" * 40, dirty=False, source="tag", source_date_epoch=1_700_000_000)
FINDING = Finding("Dockerfile", 1, None, None, None, "warning", "x", "a check of the file that all build", "buildkit")


def machine(
    folder: Path,
    platform: str = "",
    *,
    code: int = 0,
    began: int = 0,
    cases: tuple[Case, ...] = (),
    archive: str = "",
    content: bytes = b"x",
    version: VersionRecord = VERSION,
    digest: str = "1",
) -> Path:
    """The report folder of a machine: of one platform with a binary and an image, or of lint and tests without."""
    names: list[tuple[str, Kind]] = (
        [("app", "image"), ("binaries", "binaries")] if platform else [("lint", "lint"), ("test", "test")]
    )
    tests = counted(cases, (), files=1, suites=1) if cases else TestReport()
    (folder / "logs").mkdir(parents=True)
    for name, _ in names:
        (folder / "logs" / f"{name}.log").write_text(f"{name} of {folder.name}\n")
    binaries: tuple[BinaryRecord, ...] = ()
    if platform:
        binaries = (_binary(folder, platform, archive or f"app_{platform.replace('/', '_')}.tar.gz", content, version),)
    step = StepRecord(name="[x] RUN y", started=1.0, seconds=2.0)
    record = RunRecord(
        schema=1, outcome=outcome_of(code), exit_code=code, started=f"2026-01-01T00:00:{began:02d}Z", seconds=10.0,
        version=version,
        builder=BuilderRecord(
            name="b", driver="docker-container", buildkit="v0.34.2", buildx="v0.38.2", platforms=(platform,), created=True
        ),
        stages=tuple(
            StageRecord(
                name=name, kind=kind, target=name, platforms=(platform,) if platform else (), outcome=outcome_of(code),
                started=1.0, timeline=(step,),
            )
            for name, kind in names
        ),
        tests=TestsRecord(totals=tests.totals, failed=tuple(case for case in tests.cases if case.broken)),
        findings=(FINDING,),
        binaries=binaries,
        images=(ImageRecord(name="r/app", tags=(), digest=f"sha256:{digest * 64}", platforms=(platform,), pushed=True),)
        if platform else (),
    )  # fmt: skip
    (folder / "run.json").write_text(record.to_json())
    junit_writer.write(tests, folder / "junit.xml")
    return folder


def _binary(folder: Path, platform: str, archive: str, content: bytes, version: VersionRecord) -> BinaryRecord:
    own = folder / "dist" / platform.replace("/", "_")
    own.mkdir(parents=True)
    (own / "app").write_bytes(content)
    (folder / "dist" / archive).write_bytes(b"archive of " + content)
    record = BinaryRecord(
        platform=platform, path=f"dist/{own.name}/app", size=len(content), sha256=lists.digest(own / "app"), format="other",
        archive=f"dist/{archive}",
    )  # fmt: skip
    package = Package(platform, "", own, folder / "dist" / archive, [own / "app"])
    lists.write(folder / "dist", "app", version, [package], [record])
    return record


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "machines"


def joined(*words: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and the record of the whole."""
    code = main(["join", "machines", *words])
    return code, json.loads(Path("ci-report", "run.json").read_text())


def test_one_report_of_three_machines(machines: Path) -> None:
    cases = (
        Case("x.xml", "junit", "s", "C", "passes", "passed", 1.0),
        Case("x.xml", "junit", "s", "C", "too", "passed"),
    )
    machine(machines / "native", cases=cases, began=5)
    machine(machines / "amd64", "linux/amd64")
    machine(machines / "arm64", "linux/arm64", began=20, content=b"other")
    code, whole = joined("--expect", "native", "--expect", "amd64", "--expect", "arm64")
    assert (code, whole["outcome"], whole["exit_code"]) == (0, "passed", 0)
    assert (whole["started"], whole["seconds"]) == ("2026-01-01T00:00:00Z", 30.0)
    assert {stage["name"]: (stage["started"], stage["timeline"][0]["started"]) for stage in whole["stages"]} == {
        "lint": (6.0, 6.0), "test": (6.0, 6.0), "app (amd64)": (1.0, 1.0), "binaries (amd64)": (1.0, 1.0),
        "app (arm64)": (21.0, 21.0), "binaries (arm64)": (21.0, 21.0),
    }  # fmt: skip
    assert whole["tests"]["totals"]["tests"] == 2
    assert len(whole["findings"]) == 1, "what all machines found is found once"
    [image] = whole["images"]
    assert (image["platforms"], image["pushed"], image["digest"]) == (["linux/amd64", "linux/arm64"], False, "")
    assert whole["builder"]["buildkit"] == "v0.34.2"
    report = Path("ci-report")
    assert (report / "logs" / "app--arm64-.log").read_text() == "app of arm64\n"
    assert "app of arm64" in (report / "report.html").read_text()
    assert {"junit.xml", "findings.sarif", "summary.md"} <= {path.name for path in report.iterdir()}

    record, tests = read(report)
    assert [case.name for case in tests.cases] == ["passes", "too"]
    files = dist.read(report / "dist", record.version)  # as a release reads them
    assert [file.name for file in files] == [
        "app_linux_amd64.tar.gz", "app_linux_arm64.tar.gz", "manifest.json", "checksums.txt",
    ]  # fmt: skip
    assert (report / "dist" / "linux_arm64" / "app").read_bytes() == b"other"


def test_the_most_fundamental_exit_code_is_that_of_the_whole(machines: Path) -> None:
    machine(machines / "a", code=1)
    machine(machines / "b", "linux/arm64", code=3)
    code, whole = joined()
    assert (code, whole["exit_code"], whole["outcome"]) == (3, 3, "error")
    assert Path("ci-report/dist/checksums.txt").exists(), "nothing is lost on failure"


def test_a_machine_that_left_nothing_makes_it_red(machines: Path) -> None:
    machine(machines / "a")
    (machines / "b").mkdir()
    code, whole = joined("--expect", "a", "--expect", "b")
    assert (code, whole["outcome"]) == (5, "error")
    assert [(one["path"], one["kind"]) for one in whole["problems"]] == [("b", "missing")]


@pytest.mark.parametrize("text", ["", "{}", '{"schema": 1'])
def test_a_report_that_cannot_be_read_makes_it_red(machines: Path, text: str) -> None:
    machine(machines / "a")
    (machine(machines / "b", "linux/arm64") / "run.json").write_text(text)
    code, whole = joined()
    assert code == 5
    assert [one["path"] for one in whole["problems"]] == ["b"]
    assert [stage["name"] for stage in whole["stages"]] == ["lint", "test"]


def test_what_no_report_has_can_be_told(machines: Path) -> None:
    machine(machines / "a")
    code, whole = joined("--problem", "the job b was cancelled")
    assert (code, whole["outcome"]) == (4, "error")
    assert whole["problems"][0]["reason"] == "the job b was cancelled"


def test_different_files_of_one_name_make_it_red(machines: Path) -> None:
    machine(machines / "a", "linux/amd64", archive="app.tar.gz")
    machine(machines / "b", "linux/arm64", archive="app.tar.gz", content=b"other")
    code, whole = joined()
    assert code == 5
    assert "different files called app.tar.gz" in whole["problems"][0]["reason"]
    assert "{arch}" in whole["problems"][0]["reason"]
    assert not Path("ci-report/dist").exists(), "half a list would be released"


def test_the_same_file_of_two_machines_is_one(machines: Path) -> None:
    machine(machines / "a", "linux/amd64")
    machine(machines / "b", "linux/amd64")
    assert joined()[0] == 0
    assert Path("ci-report/dist/checksums.txt").read_text().count("\n") == 1


def test_an_archive_that_is_not_what_its_list_says_makes_it_red(machines: Path) -> None:
    folder = machine(machines / "a", "linux/amd64")
    (folder / "dist" / "app_linux_amd64.tar.gz").write_bytes(b"tampered")
    code, whole = joined()
    assert code == 5
    assert "is not the file that" in whole["problems"][0]["reason"]


def test_a_link_out_of_the_folder_is_not_followed(machines: Path) -> None:
    folder = machine(machines / "a", "linux/amd64")
    (folder / "dist" / "linux_amd64" / "secret").symlink_to("/etc/passwd")
    code, whole = joined()
    assert code == 5
    assert "a link out of its folder" in whole["problems"][0]["reason"]


@pytest.mark.parametrize("changes", [{"value": "v2"}, {"revision": "b" * 40}])
def test_machines_of_different_runs_are_not_joined(
    machines: Path, changes: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    machine(machines / "a")
    machine(machines / "b", version=VERSION.model_copy(update=changes))
    assert main(["join", "machines"]) == 5
    assert "a built" in capsys.readouterr().err
    assert not Path("ci-report").exists()


def test_no_machine_at_all(machines: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machines.mkdir()
    assert main(["join", "machines", "--expect", "a"]) == 5
    assert "no machine left a report" in capsys.readouterr().err


def test_images_that_nobody_pushed_by_digest_get_no_tags(machines: Path) -> None:
    machine(machines / "a", "linux/amd64")
    code, whole = joined("--push")
    assert code == 5
    assert "push-by-digest" in whole["problems"][0]["reason"]
    assert not whole["images"][0]["pushed"]


def leg(folder: Path, digest: str) -> None:
    """What a machine leaves of an image that it pushed by digest."""
    document = {
        "schema": 1, "stage": "app", "name": "r/app", "digest": f"sha256:{digest * 64}", "platforms": ["linux/amd64"],
        "tags": ["v1"], "version": VERSION.value, "revision": VERSION.revision,
    }  # fmt: skip
    (folder / "digests").mkdir()
    (folder / "digests" / "app.leg.json").write_text(json.dumps(document))


def test_a_leg_that_is_missing_keeps_the_tags_where_they_are(machines: Path) -> None:
    leg(machine(machines / "a", "linux/amd64", digest="1"), "1")
    machine(machines / "b", "linux/arm64", digest="2")
    code, whole = joined("--push")
    assert (code, whole["images"][0]["pushed"]) == (5, False)
    assert whole["problems"][0]["reason"].startswith(f"no machine left a leg of r/app@sha256:{'2' * 64}")


def test_a_leg_that_no_record_knows_keeps_the_tags_where_they_are(machines: Path) -> None:
    leg(machine(machines / "a", "linux/amd64", digest="1"), "3")
    code, whole = joined("--push")
    assert (code, whole["images"][0]["pushed"]) == (5, False)
    assert "r/app@sha256:" in whole["problems"][0]["reason"]


def test_red_machines_push_nothing(machines: Path) -> None:
    machine(machines / "a", "linux/amd64", code=1)
    code, whole = joined("--push")
    assert code == 1
    assert whole["problems"] == []
