from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.scaffold import tree


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")


def test_what_is_read(tmp_path: Path) -> None:
    write(
        tmp_path, "go.mod", "README.md", "cmd/a/main.go", "internal/deep/er/x.go", "web/package.json", "requirements/dev.txt",
        ".github/workflows/ci.yml", "src/lib.rs", "app.py",
    )  # fmt: skip
    found = tree.read(tmp_path)
    assert "README.md" in found.files
    assert ".github/workflows/ci.yml" in found.files
    assert "README.md" not in found.texts
    assert set(found.texts) == {
        "go.mod", "cmd/a/main.go", "internal/deep/er/x.go", "web/package.json", "requirements/dev.txt", "src/lib.rs", "app.py"
    }  # fmt: skip


def test_what_is_not_looked_into(tmp_path: Path) -> None:
    write(
        tmp_path, "a.go", "node_modules/x/package.json", "vendor/y/go.mod", ".venv/pyvenv.cfg", "target/debug/Cargo.toml",
        ".git/config", "a/b/c/d/e/f/g/deep.go",
    )  # fmt: skip
    assert tree.read(tmp_path).files == {"a.go"}


def test_links_are_not_followed_into_folders(tmp_path: Path) -> None:
    write(tmp_path, "repository/go.mod", "outside/package.json")
    (tmp_path / "repository" / "linked").symlink_to(tmp_path / "outside")
    (tmp_path / "repository" / "pyproject.toml").symlink_to("nowhere")
    found = tree.read(tmp_path / "repository")
    assert found.files == {"go.mod", "linked", "pyproject.toml"}
    assert set(found.texts) == {"go.mod"}


def test_a_huge_file_is_only_named(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(" " * (tree.LONGEST + 1))
    found = tree.read(tmp_path)
    assert found.files == {"package.json"}
    assert found.texts == {}


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"\xef\xbb\xbf[project]\nname = '\xff'\n")
    assert tree.read(tmp_path).text("pyproject.toml") == "[project]\nname = '\ufffd'\n"


def test_the_number_of_files_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, *(f"a/{number}.txt" for number in range(30)), "go.mod")
    monkeypatch.setattr(tree, "MOST", 5)
    found = tree.read(tmp_path)
    assert len(found.files) == 5
    assert "go.mod" in found.files  # files come before folders


def test_below_and_folders() -> None:
    found = tree.Tree(frozenset({"a/go.mod", "a/b/x.go", "c.go"}), {"a/go.mod": "module a"})
    assert found.below("a").files == {"go.mod", "b/x.go"}
    assert found.below("a").text("go.mod") == "module a"
    assert found.below("") is found
    assert found.folders() == ("", "a", "a/b")


def test_the_first_line_that_says_something() -> None:
    found = tree.Tree(frozenset({".nvmrc"}), {".nvmrc": "# Node\n\n v22.1.0 # jod\n"})
    assert found.line(".nvmrc", ".node-version") == "v22.1.0"
    assert found.line(".python-version") == ""
