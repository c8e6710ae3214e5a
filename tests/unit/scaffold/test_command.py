"""`ci-buildkit init` as a user calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.cli import init
from ci_buildkit.cli.main import COMMANDS, main
from ci_buildkit.scaffold.project import KINDS
from ci_buildkit.scaffold.workflow import ACTION

GO = {"go.mod": "module example.com/tool\n\ngo 1.24\n", "main.go": "package main\n\nfunc main() {}\n"}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for name, text in GO.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def state(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_it_is_a_command_that_repeats_no_list() -> None:
    assert "init" in COMMANDS
    assert init.KINDS == KINDS
    assert init.ACTION == ACTION


def test_it_writes_and_lists(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(repository)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("found: Go 1.26")
    wrote = {line.removeprefix("wrote ") for line in lines if line.startswith("wrote ")}
    assert wrote == set(state(repository)) - set(GO)
    assert lines[-1].startswith(f"next: `ci-buildkit run --context {repository}`")


def test_a_second_time_changes_nothing(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["init", str(repository)])
    before = state(repository)
    capsys.readouterr()
    assert main(["init", str(repository)]) == 0
    assert state(repository) == before
    assert "wrote" not in capsys.readouterr().out


def test_what_is_in_the_way_is_named_and_nothing_written(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "ci-buildkit.yml").write_text("push: true\n")
    workflow = repository / ".github" / "workflows" / "ci.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("on: push\n")
    before = state(repository)
    assert main(["init", str(repository)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "ci-buildkit.yml\n" in said.err
    assert ".github/workflows/ci.yml\n" in said.err
    assert "--force" in said.err
    assert state(repository) == before


def test_force_replaces_and_shows(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "ci-buildkit.yml").write_text("push: true\n")
    assert main(["init", str(repository), "--force"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "-push: true" in lines
    assert "replaced ci-buildkit.yml" in lines
    assert "+# syntax=docker/dockerfile:1" not in lines  # a new file is listed, not shown
    assert "push: true\n" not in (repository / "ci-buildkit.yml").read_text().splitlines(keepends=True)


def test_force_keeps_a_dockerfile(repository: Path) -> None:
    (repository / "Dockerfile").write_text("FROM scratch AS lint\n")
    assert main(["init", str(repository), "--force"]) == 0
    assert (repository / "Dockerfile").read_text() == "FROM scratch AS lint\n"


def test_dry_run_shows_and_writes_nothing(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(repository)
    assert main(["init", str(repository), "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "+# syntax=docker/dockerfile:1" in lines
    assert "+++ b/.github/workflows/ci.yml" in lines
    assert state(repository) == before


def test_dry_run_of_what_would_be_refused_is_refused(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "ci-buildkit.yml").write_text("push: true\n")
    assert main(["init", str(repository), "--dry-run"]) == 2
    said = capsys.readouterr()
    assert "-push: true" in said.out.splitlines()
    assert "in the way" in said.err
    assert main(["init", str(repository), "--dry-run", "--force"]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kind", "cobol"], "cobol"),
        (["--action", "nonsense"], "is no action"),
        (["--action", "a/b@$(x) y"], "is no action"),
        (["--image", "Not/Valid"], "not a valid image name"),
        (["--image", "ghcr.io/a/b:1"], "not a valid image name"),
        (["--kind", "java"], "there is no java project"),
    ],
)
def test_wrong_usage(words: list[str], said: str, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(repository)
    assert main(["init", str(repository), *words]) == 2
    assert said in capsys.readouterr().err
    assert state(repository) == before


def test_nothing_to_find(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path)]) == 2
    assert "go, python, node, rust, java, cpp" in capsys.readouterr().err
    assert main(["init", str(tmp_path / "gone")]) == 2


def test_what_a_repository_holds_commands_no_terminal(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "ci-buildkit.yml").write_text("##[error]x\n::error::y\n\x1b[31mred\n")
    assert main(["init", str(repository), "--force"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "##[" not in out
    assert not any(line.startswith("::") for line in out.splitlines())
