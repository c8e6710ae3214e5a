"""What Git's answers mean."""

from __future__ import annotations

import pytest

from ci_buildkit.checkout import git


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://github.com/org/app", "app"),
        ("https://user:password@github.com/org/app.git/", "app"),
        ("git@github.com:org/app.git", "app"),
        ("host:app", "app"),
        ("ssh://git@host:22/app", "app"),
        ("/srv/app/.git", "app"),
        ("../app", "app"),
        ("https://token@host", ""),
        ("", ""),
    ],
)
def test_the_name_of_a_repository(address: str, name: str) -> None:
    assert git.repository_name(address) == name
