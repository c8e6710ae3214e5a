"""Fingerprints of a context's files, in a real repository and outside of one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ci_buildkit.checkout import git, inputs


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name, content in {"go.mod": "m", "go.sum": "s", "cmd/a/main.go": "a", "docs/x.md": "x"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o644)
    return tmp_path


def run_git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout


def commit(folder: Path, *init: str) -> None:
    run_git(folder, "init", "-q", *init)
    run_git(folder, "add", "-A")
    run_git(folder, "commit", "-q", "-m", "x")


def test_fingerprints_are_gits_ids_and_permissions(context: Path) -> None:
    loose = inputs.look(context)
    assert sorted(loose.files) == ["cmd/a/main.go", "docs/x.md", "go.mod", "go.sum"]
    commit(context)
    tracked = inputs.look(context)
    blob = run_git(context, "rev-parse", "HEAD:go.mod")[: inputs.DIGITS]
    assert tracked.files["go.mod"] == f"{blob}:644"
    # A file has the same fingerprint whether Git knows it or it was read.
    assert {path: loose.files[path] for path in loose.files} == {path: tracked.files[path] for path in loose.files}
    assert ".git/" in tracked.files


def test_a_sha256_repository_has_its_own_ids(context: Path) -> None:
    commit(context, "--object-format=sha256")
    before = inputs.look(context).files
    (context / "go.mod").write_text("other")
    (context / "go.mod").write_text("m")
    os.utime(context / "go.mod", (1, 1))
    assert inputs.look(context).files["go.mod"] == before["go.mod"]


@pytest.mark.parametrize("repository", [True, False])
def test_what_changes_a_fingerprint(context: Path, *, repository: bool) -> None:
    (context / ".dockerignore").write_text(".git\n")
    if repository:
        commit(context)
    before = inputs.look(context).files
    (context / "go.sum").write_text("t")
    (context / "go.mod").chmod(0o600)
    os.utime(context / "docs/x.md", (1, 1))
    (context / "new").write_text("")
    (context / "cmd/a/main.go").unlink()
    (context / "link").symlink_to("go.mod")
    after = inputs.look(context).files
    assert {path for path in {**before, **after} if before.get(path) != after.get(path)} == {
        "go.sum", "go.mod", "new", "cmd/a/main.go", "link"
    }  # fmt: skip
    assert after["go.mod"] == before["go.mod"].replace("644", "600")
    assert after["link"].endswith(":link")


def test_staged_is_not_what_lies_there(context: Path) -> None:
    commit(context)
    (context / "go.mod").write_text("staged")
    run_git(context, "add", "go.mod")
    (context / "go.mod").write_text("later")
    known = git.clean_files(context)
    assert "go.mod" not in known
    assert "go.sum" in known


def test_a_context_below_the_repositorys_top(context: Path) -> None:
    commit(context)
    found = inputs.look(context / "cmd").files
    assert list(found) == ["a/main.go"]
    assert git.clean_files(context / "cmd").keys() == {"a/main.go"}


def test_dockerignore_and_the_dockerfiles_own(context: Path) -> None:
    (context / ".dockerignore").write_text("docs\n.dockerignore\n*.dockerignore\n")
    assert "docs/x.md" not in inputs.look(context).files
    (context / "Lint.dockerignore").write_text("*\n!docs/x.md\n")
    assert list(inputs.look(context, context / "Lint").files) == ["docs/x.md"]


def test_the_repository_itself_is_one_entry_that_follows_its_state(context: Path) -> None:
    commit(context)
    before = inputs.look(context).files[".git/"]
    assert inputs.look(context).files[".git/"] == before
    run_git(context, "commit", "-q", "--allow-empty", "-m", "y")
    assert inputs.look(context).files[".git/"] != before
    (context / ".dockerignore").write_text(".git")
    assert ".git/" not in inputs.look(context).files


def test_names_that_are_no_text_and_files_that_are_none(context: Path) -> None:
    os.mkfifo(context / "pipe")
    Path(os.fsdecode(os.fsencode(context) + b"/\xff.txt")).write_text("x")
    found = inputs.look(context).files
    assert found["pipe"].startswith("0" * inputs.DIGITS)
    assert "\ufffd.txt" in found
    "".join(found).encode()


def test_limits(context: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MAX_BYTES", 1)
    assert sum(value.startswith("~") for value in inputs.look(context).files.values()) == 3
    monkeypatch.setattr(inputs, "MAX_FILES", 2)
    found = inputs.look(context)
    assert (len(found.files), found.complete) == (2, False)


def test_large_contexts_are_told_by_folder() -> None:
    files = {f"top{n}/sub{m}/file{k}": f"{n}{m}{k}" for n in range(3) for m in range(4) for k in range(5)}
    files |= {"go.mod": "1"}
    assert inputs.folded(files, frozenset(), most=100) == files
    told = inputs.folded(files, frozenset({"top1/sub1/file1", "none"}), most=20)
    assert set(told) == {f"top{n}/sub{m}/" for n in range(3) for m in range(4)} | {"go.mod", "top1/sub1/file1"}
    changed = inputs.folded({**files, "top2/sub3/file0": "x"}, frozenset(), most=20)
    assert {path for path in changed if changed[path] != told[path]} == {"top2/sub3/"}
    assert set(inputs.folded(files, frozenset(), most=5)) == {"top0/", "top1/", "top2/", "go.mod"}


def test_no_folder() -> None:
    assert inputs.look(Path("/nonexistent")).files == {}
