"""`ci-buildkit publish`: the report folder, the environment, exit codes and the job summary."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ci_buildkit.cli import publish
from ci_buildkit.cli.main import main
from ci_buildkit.results import junit_writer
from ci_buildkit.results.model import changed

if TYPE_CHECKING:
    from types import ModuleType

HEAD = "a" * 40
REFUSED = {"message": "Resource not accessible by integration"}


@pytest.fixture(autouse=True)
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Any) -> Path:
    """A workflow on a push, in a folder of its own; returns the file of the job summary."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "ACT", "RUNNER_")):
            monkeypatch.delenv(name)
    file = tmp_path / "summary.md"
    file.touch()
    known = {"TOKEN": "t", "API_URL": server.url, "REPOSITORY": "octo/hello", "SHA": HEAD, "STEP_SUMMARY": str(file)}
    for name, value in {**known, "EVENT_NAME": "push", "ACTIONS": "true"}.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    return file


@pytest.fixture(autouse=True)
def report(tmp_path: Path, runs: ModuleType) -> Path:
    """The report folder of a red run."""
    folder = tmp_path / "ci-report"
    folder.mkdir()
    record, tests = runs.red()
    (folder / "run.json").write_text(record.to_json())
    junit_writer.write(tests, folder / "junit.xml")
    return folder


def test_what_was_done_is_printed(server: Any, capsys: pytest.CaptureFixture[str], summary: Path) -> None:
    assert main(["publish", "--name", "ci (arm64)"]) == 0
    seen = capsys.readouterr()
    assert seen.out.startswith("check run ci (arm64): failure, ")
    assert seen.err == ""
    check = server.checks[0]
    assert (check["name"], check["head_sha"]) == ("ci (arm64)", HEAD)
    assert summary.read_text() == ""


def test_the_comparison_goes_to_the_job_summary(
    server: Any, summary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["publish"]) == 0
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"before": HEAD}))
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(event))
    monkeypatch.setenv("GITHUB_SHA", "b" * 40)
    assert main(["publish", "--no-check"]) == 0
    assert summary.read_text().startswith(f"### Changes since `{HEAD[:12]}`")
    assert "still failing" in summary.read_text()


def test_a_refusal_is_a_notice_and_the_summary(server: Any, capsys: pytest.CaptureFixture[str], summary: Path) -> None:
    server.fault("POST", "/check-runs", 403, body={"message": "no\n::error::x ##[error]y"}, times=9)
    assert main(["publish"]) == 0
    seen = capsys.readouterr()
    assert seen.out == ""
    assert seen.err.startswith(
        "::notice::GitHub did not make the check run 'ci-buildkit' (403: no ::error::x ## [error]y)"
    )
    assert seen.err.count("\n") == 1
    assert summary.read_text().startswith("## ")


def test_a_refusal_of_what_was_asked_for_is_6(server: Any, capsys: pytest.CaptureFixture[str], summary: Path) -> None:
    server.fault("POST", "/check-runs", 403, body=REFUSED)
    assert main(["publish", "--check"]) == 6
    assert "error: GitHub did not make the check run" in capsys.readouterr().err
    assert summary.read_text().startswith("## ")


def test_no_token(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], summary: Path) -> None:
    monkeypatch.delenv("GITHUB_TOKEN")
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert main(["publish"]) == 0
    assert capsys.readouterr().err.startswith("notice: there is no GITHUB_TOKEN")
    assert "2 of 9 tests failed" in summary.read_text()
    assert main(["publish", "--comment"]) == 6


def test_the_base_branch_s_report_says_nothing_about_a_pull_request(
    report: Path, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What `pull_request_target` checks out by default is the base branch."""
    base, repository = "b" * 40, {"full_name": "octo/hello"}
    pull = {"number": 7, "head": {"sha": HEAD, "repo": repository}, "base": {"sha": base, "ref": "main", "repo": repository}}  # fmt: skip
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": pull}))
    for name, value in {"EVENT_NAME": "pull_request_target", "EVENT_PATH": str(tmp_path / "event.json"), "SHA": base}.items():  # fmt: skip
        monkeypatch.setenv(f"GITHUB_{name}", value)
    file = report / "run.json"
    document = json.loads(file.read_text())
    for revision, code in ((base, 2), (HEAD, 0)):
        document["version"]["revision"] = revision
        file.write_text(json.dumps(document))
        assert main(["publish"]) == code
        assert len(server.checks) == (not code)
    assert "it says nothing about the pull request's" in capsys.readouterr().err


def test_quarantined_failures_stay_so(report: Path, runs: ModuleType) -> None:
    """JUnit cannot say that a failure does not count; run.json does."""
    record, tests = runs.red()
    cases = tuple(changed(case, quarantined="flaky, #12") if case.broken else case for case in tests.cases)
    known = tuple(case for case in cases if case.quarantined)
    record = record.model_copy(update={"tests": record.tests.model_copy(update={"failed": known})})
    (report / "run.json").write_text(record.to_json())
    _, read = publish.read(report)
    assert [case.quarantined for case in read.cases if case.outcome in {"failed", "error"}] == ["flaky, #12"] * 2
    assert not read.broken


@pytest.mark.parametrize(
    ("words", "change", "code", "message"),
    [
        (["--report-dir", "none"], {}, 5, "there is no report that can be read: none/run.json: No such file"),
        (["--name", ""], {}, 2, "cannot name a check run"),
        (["--name", "x" * 101], {}, 2, "cannot name a check run"),
        (["--name", "a\nb"], {}, 2, "cannot name a check run"),
        ([], {"GITHUB_API_URL": "ftp://x"}, 2, "GITHUB_API_URL is no http address"),
        ([], {"GITHUB_REPOSITORY": ""}, 2, "GITHUB_REPOSITORY is not set"),
    ],
)
def test_wrong_usage(
    words: list[str], change: dict[str, str], code: int, message: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    assert main(["publish", *words]) == code
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("run.json", "", "is no run record"),
        ("run.json", "root:x:0:0:secret", "is no run record"),
        ("run.json", '{"schema": 1}', "is no run record: outcome: missing"),
        ("junit.xml", "", "has no content"),
        ("junit.xml", "<testsuites><testsuite", "junit.xml"),
        ("junit.xml", None, "junit.xml"),
    ],
)
def test_a_broken_report_is_5_and_not_repeated(
    report: Path, server: Any, capsys: pytest.CaptureFixture[str], file: str, text: str | None, message: str
) -> None:
    (report / file).unlink()
    if text is not None:
        (report / file).write_text(text)
    assert main(["publish"]) == 5
    seen = capsys.readouterr().err
    assert message in seen
    assert "secret" not in seen
    assert "--report-dir" in seen
    assert server.requests == []


@pytest.mark.parametrize(("key", "value"), [("seconds", float("inf")), ("seconds", float("nan")), ("size", 10**400)])
def test_numbers_that_no_report_can_show_are_5(
    report: Path, server: Any, capsys: pytest.CaptureFixture[str], key: str, value: float
) -> None:
    file = report / "run.json"
    document = json.loads(file.read_text())
    binary = {"platform": "linux/amd64", "path": "a", "sha256": "", "format": "ELF", "archive": "", "size": 1}
    document["binaries"] = [binary]
    (document if key in document else binary)[key] = value
    file.write_text(json.dumps(document))
    assert main(["publish"]) == 5
    assert f"{key}: " in capsys.readouterr().err
    assert server.requests == []


@pytest.mark.parametrize("file", ["run.json", "junit.xml"])
def test_links_out_of_a_report_are_not_followed(
    report: Path, server: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    (report / file).rename(tmp_path / "outside")
    (report / file).symlink_to(tmp_path / "outside")
    assert main(["publish"]) == 5
    assert "is a link" in capsys.readouterr().err


def test_another_schema_is_told(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = report / "run.json"
    file.write_text(file.read_text().replace('"schema": 1', '"schema": 2', 1))
    assert main(["publish"]) == 5
    assert "has schema 2" in capsys.readouterr().err
