"""A test that fails and a line that a linter finds, in a real project, are shown with file and line wherever people look."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e import support
from tests.github_server import GitHub, serving

HEAD = "a" * 40
TEST = "internal/phrasebook/broken_test.go"
LEAK = "internal/phrasebook/leak.go"


@dataclass(frozen=True)
class Shown:
    """One red run, published."""

    run: support.Run
    printed: str
    summary: str
    github: GitHub


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], builder: str) -> Iterator[Shown]:
    """The example with a test and a line broken, run and published as a workflow does for a pull request."""
    folder = tmp_path_factory.mktemp("everywhere")
    project = support.checkout(folder / "buildme")
    (project / TEST).write_text(
        'package phrasebook\n\nimport "testing"\n\nfunc TestBroken(t *testing.T) {\n\tt.Error("boom")\n}\n'
    )
    (project / LEAK).write_text(
        'package phrasebook\n\nimport "os"\n\n// Leak leaks.\nfunc Leak() {\n\tos.Remove("x")\n}\n'
    )
    event = {"pull_request": {"number": 7, "head": {"sha": HEAD, "ref": "b", "repo": {"full_name": "octo/hello"}},
                              "base": {"sha": "b" * 40, "ref": "main", "repo": {"full_name": "octo/hello"}}},
             "repository": {"full_name": "octo/hello", "default_branch": "main"}}  # fmt: skip
    (folder / "event.json").write_text(json.dumps(event))
    (folder / "summary.md").touch()
    with serving() as github:
        runner = {
            **environment, "GITHUB_ACTIONS": "true", "GITHUB_API_URL": github.url, "GITHUB_TOKEN": "t",
            "GITHUB_REPOSITORY": "octo/hello", "GITHUB_SHA": "c" * 40, "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(folder / "event.json"), "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_REF": "refs/pull/7/merge", "GITHUB_WORKSPACE": str(project),
        }  # fmt: skip
        run = support.run(project, runner, "lint", "test", "-f", "Dockerfile", "--builder", builder)
        assert github.requests == [], "a run that does not publish asks GitHub for nothing, so its token may do nothing"
        summary = (folder / "summary.md").read_text()
        words = ["publish", "--check", "--comment", "--changes-only", "--report-dir", str(run.folder)]
        support.command(words, runner, cwd=project, check=True)
        yield Shown(run, run.output, summary, github)


def test_in_the_record(shown: Shown) -> None:
    assert shown.run.code == 1
    broken = [(case["name"], case["path"], case["line"]) for case in shown.run.record["tests"]["failed"]]
    assert broken == [("TestBroken", TEST, 6)]
    assert [(one["path"], one["line"], one["rule"]) for one in shown.run.record["findings"] if one["severity"] == "error"] == [
        (LEAK, 7, "errcheck")
    ]  # fmt: skip


def test_in_annotations(shown: Shown) -> None:
    lines = [line for line in shown.printed.splitlines() if line.startswith("::error")]
    assert any(f"file={TEST},line=6" in line and "boom" in line for line in lines)
    assert any(f"file={LEAK},line=7" in line and "os.Remove" in line for line in lines)


def test_in_the_job_summary(shown: Shown) -> None:
    assert f"{TEST}:6" in shown.summary
    assert "boom" in shown.summary
    assert LEAK in shown.summary
    assert "7:11" in shown.summary


def test_in_the_check_run_and_the_comment(shown: Shown) -> None:
    (check,) = shown.github.checks
    assert (check["head_sha"], check["conclusion"]) == (HEAD, "failure")
    places = {(one["path"], one["start_line"]): one["message"] for one in check["output"]["annotations"]}
    assert "boom" in places[TEST, 6]
    assert "os.Remove" in places[LEAK, 7]
    (comment,) = shown.github.comments
    assert f"{TEST}:6" in comment["body"]


def test_in_the_page_and_in_files(shown: Shown) -> None:
    page = (shown.run.folder / "report.html").read_text()
    assert f"{TEST}:6" in page
    assert "boom" in page
    sarif = json.loads((shown.run.folder / "findings.sarif").read_text())
    where = [result["locations"][0]["physicalLocation"] for run in sarif["runs"] for result in run["results"]]
    assert (LEAK, 7) in {(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in where}


def test_what_was_written_is_read_again(shown: Shown) -> None:
    command = [sys.executable, "-m", "ci_buildkit", "results", str(shown.run.folder / "junit.xml"), "--format", "json"]
    done = subprocess.run(command, cwd=shown.run.folder.parent / "buildme", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (case,) = [case for case in json.loads(done.stdout)["cases"] if case["outcome"] == "failed"]
    assert (case["name"], case["path"], case["line"]) == ("TestBroken", TEST, 6)
    assert Path(TEST).name in done.stdout
