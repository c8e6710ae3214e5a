from __future__ import annotations

from pathlib import Path

import pytest
from tests import repositories

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.scaffold.look import look, place


def git(folder: Path, *words: str) -> str:
    return repositories.git(folder, *words, date="2024-05-06T07:08:09Z")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/Acme/Shop.git", ("github.com", "Acme/Shop")),
        ("https://user:secret@github.com/acme/shop", ("github.com", "acme/shop")),
        ("git@github.com:acme/shop.git", ("github.com", "acme/shop")),
        ("ssh://git@git.example.com:2222/group/sub/shop.git", ("git.example.com", "group/sub/shop")),
        ("https://github.com/acme/shop/", ("github.com", "acme/shop")),
        ("/srv/git/shop.git", ("", "")),
        ("../shop", ("", "")),
        ("file:///srv/shop.git", ("", "")),
        ("https://github.com/acme/$(x)", ("", "")),
        ("", ("", "")),
    ],
)
def test_place(address: str, expected: tuple[str, str]) -> None:
    assert place(address) == expected


def test_a_repository(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk")
    git(tmp_path, "remote", "add", "origin", "https://github.com/acme/shop.git")
    found = look(tmp_path)
    assert (found.name, found.branch, found.host, found.path) == ("shop", "trunk", "github.com", "acme/shop")


def test_a_folder_that_is_no_repository(tmp_path: Path) -> None:
    folder = tmp_path / "My Shop"
    folder.mkdir()
    found = look(folder)
    assert (found.name, found.branch, found.host, found.path) == ("My Shop", "main", "", "")


def test_a_folder_inside_of_a_repository_is_refused(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "api").mkdir()
    with pytest.raises(ConfigurationError, match="inside of the repository") as raised:
        look(tmp_path / "api")
    assert f"ci-buildkit init {tmp_path}" in raised.value.hint


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no folder"):
        look(tmp_path / "gone")
