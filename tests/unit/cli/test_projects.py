"""`ci-buildkit projects`: where projects are looked for, and what is printed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests import repositories

from ci_buildkit.cli.main import main
from ci_buildkit.plan import matrix


def git(folder: Path, *words: str) -> str:
    return repositories.git(folder, *words, date="2026-01-02T03:04:05Z")


@pytest.fixture(autouse=True)
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone in which services/a has changed since it was made, with three projects; the working directory."""
    for name in list(os.environ):
        if name.startswith(("GITHUB_", "CI_BUILDKIT_")):
            monkeypatch.delenv(name)
    origin = tmp_path / "origin"
    for name, file in {"services/a": "Dockerfile", "services/b": "docker-bake.hcl", "web": "ci-buildkit.yml"}.items():
        (origin / name).mkdir(parents=True)
        (origin / name / file).write_text("x")
    (origin / "services" / "notes").mkdir()
    (origin / "services" / "notes" / "x").write_text("x")
    git(origin, "init", "--quiet", "--initial-branch=main")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message=x")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    (clone / "services" / "a" / "new").write_text("x")
    monkeypatch.chdir(clone)
    return clone


def asked(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main(["projects", *words, "--format", "json"]) == 0
    found: dict[str, object] = json.loads(capfd.readouterr().out)
    return found


def test_as_json(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    base = git(repo, "rev-parse", "HEAD")
    assert asked(capfd, "services/*", "web/") == {
        "base": base,
        "reason": f"compared with {base[:12]}, where main of origin was left",
        "projects": [
            {"path": "services/a", "name": "services-a", "changed": True, "reason": "services/a/new"},
            {"path": "services/b", "name": "services-b", "changed": False, "reason": "nothing in it changed"},
            {"path": "web", "name": "web", "changed": False, "reason": "nothing in it changed"},
        ],
    }


def test_as_a_matrix_of_what_changed(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["projects", "services/*", "web", "--format", "matrix"]) == 0
    assert json.loads(capfd.readouterr().out) == {"include": [{"project": "services/a", "name": "services-a"}]}


def test_as_text(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["projects", "services/*", "web", "--ignore", "services/a"]) == 0
    first, *rows = capfd.readouterr().out.splitlines()
    assert first.startswith("compared with")
    assert [row.split()[:2] for row in rows] == [["same", "services/a"], ["same", "services/b"], ["same", "web"]]


def test_without_paths_it_is_where_settings_are(capfd: pytest.CaptureFixture[str]) -> None:
    found = asked(capfd, "--shared", "services")
    assert found["projects"] == [{"path": "web", "name": "web", "changed": True, "reason": "services/a/new is shared"}]


def test_paths_are_relative_to_the_working_directory(
    repo: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo / "services")
    found = asked(capfd, "a", "../web", "./a")
    assert found["projects"] == [
        {"path": "a", "name": "services-a", "changed": True, "reason": "services/a/new"},
        {"path": "../web", "name": "web", "changed": False, "reason": "nothing in it changed"},
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["servces/a"], "there is no project 'servces/a'"),
        (["services/aa"], "did you mean 'services/a'?"),
        (["services/n*"], "fits 'services/n*'"),
        (["services/a/new"], "there is no project"),
        ([".."], "lies outside of the repository"),
        (["/*"], "is no pattern of folders"),
        (["services/a", "--changed-since", "nothing"], "has no commit 'nothing'"),
    ],
)
def test_mistakes(words: list[str], said: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["projects", *words]) == 2
    seen = capfd.readouterr()
    assert (said in seen.err, seen.out) == (True, ""), seen.err


def test_a_repository_without_settings(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (repo / "web" / "ci-buildkit.yml").unlink()
    assert main(["projects"]) == 2
    assert "name the projects" in capfd.readouterr().err


def test_more_than_github_takes(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(matrix, "LARGEST", 0)
    assert main(["projects", "services/*", "--format", "matrix"]) == 2
    assert "divide the projects" in capfd.readouterr().err


def test_names_are_no_commands_of_a_runner(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (repo / "##[error]x").mkdir()
    assert main(["projects", "##[error]x"]) == 0
    assert "##[" not in capfd.readouterr().out
