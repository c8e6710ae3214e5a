"""Which files are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.repositories import git

from ci_buildkit.doctor import find

DATE = "2024-05-06T07:08:09Z"


@pytest.mark.parametrize(
    "name",
    ["Dockerfile", "Containerfile", "Dockerfile.dev", "Dockerfile.alpine-3.22", "app.Dockerfile", "app.dockerfile", "a/b/Dockerfile", "Containerfile.ci"],
)  # fmt: skip
def test_names_of_dockerfiles(name: str) -> None:
    assert find.is_dockerfile(name)


@pytest.mark.parametrize(
    "name",
    ["Dockerfile.dockerignore", "Dockerfile.md", "Dockerfile.j2", "Dockerfile.tmpl", "dockerfile.go", "Dockerfiles", "x.Dockerfile.bak", "MyDockerfile", "Dockerfile.5.md"],
)  # fmt: skip
def test_names_of_something_else(name: str) -> None:
    assert not find.is_dockerfile(name)


def write(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("FROM a:1\n", encoding="utf-8")


def test_others_files_are_left_out(tmp_path: Path) -> None:
    write(
        tmp_path,
        "Dockerfile",
        "a/Dockerfile",
        "node_modules/x/Dockerfile",
        "vendor/y/Dockerfile",
        ".venv/Dockerfile",
        ".git/Dockerfile",
    )
    assert find.files(tmp_path).dockerfiles == ("Dockerfile", "a/Dockerfile")


def test_what_git_ignores_is_left_out_and_new_files_are_not(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", date=DATE)
    write(
        tmp_path,
        "Dockerfile",
        "out/Dockerfile",
        "tracked/Dockerfile",
        "docker-bake.hcl",
        "sub/docker-bake.override.json",
    )
    (tmp_path / ".gitignore").write_text("out/\n", encoding="utf-8")
    git(tmp_path, "add", "tracked", date=DATE)
    found = find.files(tmp_path)
    assert found.dockerfiles == ("Dockerfile", "tracked/Dockerfile")
    assert found.bake_files == ("docker-bake.hcl", "sub/docker-bake.override.json")
    # Whoever names the ignored folder wants to know.
    assert find.files(tmp_path / "out").dockerfiles == ("Dockerfile",)
    assert find.files(tmp_path / "sub").bake_files == ("docker-bake.override.json",)


def test_what_is_no_text_or_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"FROM\0")
    (tmp_path / "odd").write_bytes(b"caf\xe9\r\n")
    (tmp_path / "large").write_bytes(b"x" * 2_000_000)
    found = find.files(tmp_path)
    assert [found.read(name) for name in ("binary", "large", "missing")] == [None, None, None]
    assert (found.read("odd") or "").encode("utf-8", "surrogateescape") == b"caf\xe9\r\n"
