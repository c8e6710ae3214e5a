"""What each request to GitHub needs, and that a token with the rights of what is asked for is enough for all of them."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ci_buildkit.cli.main import main
from ci_buildkit.results import junit_writer

if TYPE_CHECKING:
    from types import ModuleType

HEAD = "a" * 40
SOURCES = Path(__file__).parents[3] / "src" / "ci_buildkit"
ROOT = "/repos/octo/hello"
# GitHub's REST documentation, "Permissions required for GitHub Apps": a workflow's token is one of an app.
NEEDS = (
    ("GET", rf"{ROOT}/commits/[^/]+/check-runs", "checks", "read"),
    ("POST|PATCH", rf"{ROOT}/check-runs.*", "checks", "write"),
    ("GET", rf"{ROOT}/issues/\d+/comments", "pull-requests", "read"),
    ("POST|PATCH|DELETE", rf"{ROOT}/issues/.*(comments|labels).*", "pull-requests", "write"),
    ("GET", rf"{ROOT}/pulls", "pull-requests", "read"),
    ("GET", rf"{ROOT}/(releases|commits/tags/).*", "contents", "read"),
    ("POST|PATCH|DELETE", rf"{ROOT}/releases.*", "contents", "write"),
)
LEVELS = ("read", "write")


def needed(requests: list[tuple[str, str]]) -> dict[str, str]:
    """The rights that are needed for all of these requests."""
    found: dict[str, str] = {}
    for verb, target in requests:
        path = target.partition("?")[0]
        [(scope, level)] = [
            (one[2], one[3]) for one in NEEDS if re.fullmatch(one[0], verb) and re.fullmatch(one[1], path)
        ]
        found[scope] = max(level, found.get(scope, "read"), key=LEVELS.index)
    return found


@pytest.fixture
def pull_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Any, runs: ModuleType) -> Path:
    """A workflow on a pull request with the report of a red run; returns its folder."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "ACT", "RUNNER_")):
            monkeypatch.delenv(name)
    head = {"sha": HEAD, "ref": "b", "repo": {"full_name": "octo/hello"}}
    base = {"sha": "b" * 40, "ref": "main", "repo": {"full_name": "octo/hello"}}
    event = {"pull_request": {"number": 7, "head": head, "base": base}, "repository": {"full_name": "octo/hello"}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    (tmp_path / "summary.md").touch()
    known = {
        "TOKEN": "t", "API_URL": server.url, "REPOSITORY": "octo/hello", "SHA": "c" * 40, "ACTIONS": "true",
        "EVENT_NAME": "pull_request", "EVENT_PATH": str(tmp_path / "event.json"), "STEP_SUMMARY": str(tmp_path / "summary.md"),
    }  # fmt: skip
    for name, value in known.items():
        monkeypatch.setenv(f"GITHUB_{name}", value)
    folder = tmp_path / "ci-report"
    folder.mkdir()
    record, tests = runs.red()
    (folder / "run.json").write_text(record.to_json())
    junit_writer.write(tests, folder / "junit.xml")
    return tmp_path


@pytest.mark.parametrize(
    ("flags", "rights"),
    [
        (["--check", "--no-comment"], {"checks": "write"}),
        (["--no-check", "--comment"], {"pull-requests": "write"}),
        (["--no-check", "--comment", "--label-failed", "ci: red"], {"pull-requests": "write"}),
        (["--check", "--comment"], {"checks": "write", "pull-requests": "write"}),
    ],
)
@pytest.mark.usefixtures("pull_request")
def test_what_is_published_needs_its_own_right_and_no_other(
    server: Any, flags: list[str], rights: dict[str, str]
) -> None:
    assert main(["publish", *flags]) == 0
    assert main(["publish", *flags]) == 0  # the second time there is one to change
    compared = {"checks": "read"} if "checks" not in rights else {}
    assert needed(server.requests) == {**compared, **rights}


@pytest.mark.usefixtures("pull_request")
def test_a_comparison_that_may_not_be_read_is_left_out(server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    refused = {"message": "Resource not accessible by integration"}
    server.fault("GET", "/check-runs", 403, body=refused, times=9)
    assert main(["publish", "--no-check", "--comment"]) == 0
    assert len(server.comments) == 1
    assert "checks: read" in capsys.readouterr().err


def test_nothing_is_asked_for_where_nothing_is_published(server: Any, pull_request: Path) -> None:
    """By commands that read what a run left; a run itself is among the end-to-end tests."""
    for words in (["results", "ci-report/junit.xml"], ["compare", "ci-report", "ci-report"], ["config"], ["version"]):
        subprocess.run(
            [sys.executable, "-m", "ci_buildkit", *words], cwd=pull_request, capture_output=True, check=False
        )
    assert server.requests == []


def test_only_publishing_knows_the_api() -> None:
    importers = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [f"{node.module}.{alias.name}" for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            if "ci_buildkit.github.api" in named:
                importers.add(path.relative_to(SOURCES).as_posix())
    # Of these, only the first is a command; the others are what it does, and import it for its types.
    assert importers == {"cli/publish.py", "github/comment.py", "github/publish.py", "github/releases.py"}
