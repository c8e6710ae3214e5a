"""Which projects a change concerns."""

from __future__ import annotations

import pytest

from ci_buildkit.checkout.ignore import parse
from ci_buildkit.plan.projects import projects, standings

KNOWN = projects([("services/a", "services/a"), ("services/ab", "services/ab"), ("web", "web")])


def changed(*paths: str, shared: str = "", ignored: str = "") -> dict[str, str]:
    """The changed projects, and why."""
    found = standings(KNOWN, paths, "compared", parse(shared), parse(ignored))
    assert [one.project for one in found] == list(KNOWN)
    return {one.project.path: one.why for one in found if one.changed}


def test_a_file_concerns_its_project_alone() -> None:
    assert changed("services/a/x", "services/a/y") == {"services/a": "services/a/x and 1 more"}
    assert changed("services/ab/x") == {"services/ab": "services/ab/x"}
    assert changed("web") == {"web": "web"}  # what was a folder is a file or a submodule now


def test_nothing_changed() -> None:
    assert changed() == {}


@pytest.mark.parametrize(
    ("path", "why"), [("go.mod", "go.mod belongs to no project"), ("servicesx/a", "servicesx/a belongs")]
)
def test_a_file_outside_concerns_all(path: str, why: str) -> None:
    found = changed("web/x", path)
    assert list(found) == ["services/a", "services/ab", "web"]
    assert found["web"].startswith(why)


def test_a_shared_file_concerns_all_though_it_is_in_a_project() -> None:
    assert set(changed("web/lib/x", shared="web/lib").values()) == {"web/lib/x is shared"}
    assert changed("web/library", shared="web/lib") == {"web": "web/library"}


def test_an_ignored_file_concerns_none_though_it_is_shared() -> None:
    assert changed("README.md", "web/docs/a.md", ignored="**/*.md") == {}
    assert changed("README.md", shared="README.md", ignored="*.md") == {}
    assert list(changed("README.md", "keep.md", ignored="*.md\n!keep.md")) == ["services/a", "services/ab", "web"]


def test_where_nothing_is_known_all_are_built() -> None:
    found = standings(KNOWN, None, "a tag was pushed", parse(""), parse("**"))
    assert [(one.changed, one.why) for one in found] == [(True, "a tag was pushed")] * 3


def test_projects_within_projects() -> None:
    known = projects([(".", "."), ("a", "a"), ("a/b", "a/b")])
    found = standings(known, ("a/b/x",), "", parse(""), parse(""))
    assert [one.changed for one in found] == [True, True, True]
    found = standings(known, ("c",), "", parse(""), parse(""))
    assert [one.changed for one in found] == [True, False, False]


def test_names_are_fit_for_artifacts_and_differ() -> None:
    found = projects([(folder, folder) for folder in (".", "a/b", "a-b", "A/B", "ü/*", "a/b", "x" * 200)])
    names = [one.name for one in found]
    assert names[:2] == ["root", "a-b"]
    assert len({name.lower() for name in names}) == len(names) == 6
    assert all(len(name) <= 100 and set(name) <= set("abcdefghijklmnopqrstuvwxyzAB0123456789-._") for name in names)


def test_a_folder_that_is_named_in_two_ways_is_one_project() -> None:
    found = projects([("web", "web"), ("a/../web", "web"), ("/work/web", "web")])
    assert [(one.path, one.name) for one in found] == [("web", "web")]
