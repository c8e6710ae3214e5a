"""Which workflows run: by name, by event, and by what GitHub's filters say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.act import choice, triggers, workflow
from ci_buildkit.act.triggers import Trigger
from ci_buildkit.errors import ConfigurationError

MAIN, TAG = Trigger("push", "refs/heads/main"), Trigger("push", "refs/tags/v1.2.3")
PULL = Trigger("pull_request", "refs/pull/1/merge", "main")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "ci.yml").write_text("name: Check it\non: [push, pull_request]\njobs: {}\n")
    (folder / "release.yaml").write_text("on: {push: {tags: ['v*']}}\njobs: {}\n")
    (folder / "broken.yml").write_text("[")
    (folder / "README.md").write_text("no workflow\n")
    return tmp_path


@pytest.mark.parametrize("name", ["ci", "ci.yml", ".github/workflows/ci.yml", "Check it"])
def test_a_workflow_is_found_by_each_of_its_names(name: str, top: Path) -> None:
    assert [path.name for path in choice.files(top, name)] == ["ci.yml"]


def test_all_workflows_and_none(top: Path, tmp_path: Path) -> None:
    assert [path.name for path in choice.files(top, "")] == ["broken.yml", "ci.yml", "release.yaml"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigurationError, match="no workflow") as told:
        choice.files(tmp_path / "empty", "")
    assert "ci-buildkit init" in told.value.hint


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("cii", "did you mean 'ci'?"),
        ("Chek it", "did you mean 'Check it'?"),
        ("zzz", "there are: broken.yml, ci.yml, release.yaml"),
    ],
)
def test_a_wrong_name_gets_the_nearest(name: str, hint: str, top: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no workflow") as told:
        choice.files(top, name)
    assert told.value.hint == hint


def of(on: str, file: str = "ci.yml") -> workflow.Workflow:
    return workflow.parse(f"on: {on}\njobs: {{}}\n", file)


def test_the_event() -> None:
    both = [of("[workflow_dispatch, pull_request]"), of("schedule")]
    assert choice.event_of(both, "") == "pull_request"
    assert choice.event_of([of("[release, schedule]")], "") == "release"
    assert choice.event_of([of("push")], "tag") == "push"
    with pytest.raises(ConfigurationError, match="does not run on 'schedul'") as told:
        choice.event_of(both, "schedul")
    assert told.value.hint == "did you mean 'schedule'?"


FILTERS: list[tuple[Any, Trigger, bool]] = [
    (None, MAIN, True),
    (None, TAG, True),
    ({"branches": ["main"]}, MAIN, True),
    ({"branches": ["main"]}, TAG, False),
    ({"tags": ["v*"]}, MAIN, False),
    ({"tags": ["v*"]}, TAG, True),
    ({"tags": "v[0-9]+.[0-9]+.[0-9]+"}, TAG, True),
    ({"tags": ["v*"], "branches": ["x"]}, MAIN, False),
    ({"branches-ignore": ["ma?in"]}, MAIN, False),
    ({"branches-ignore": ["other"]}, MAIN, True),
    ({"paths": ["src/**"]}, MAIN, True),
    ({"branches": ["main"]}, PULL, True),
    ({"branches": ["releases/**"]}, PULL, False),
    ({"types": ["labeled"]}, PULL, False),
    ({"types": ["opened", "labeled"]}, PULL, True),
    (None, Trigger("schedule"), True),
]


@pytest.mark.parametrize(("filters", "trigger", "fires"), FILTERS)
def test_filters(filters: Any, trigger: Trigger, *, fires: bool) -> None:
    assert triggers.fires(filters, trigger) is fires


@pytest.mark.parametrize(
    ("patterns", "name", "matches"),
    [
        (["*"], "main", True),
        (["*"], "feature/x", False),
        (["**"], "feature/x", True),
        (["feature/**", "!feature/x"], "feature/x", False),
        (["!main", "main"], "main", True),
        (["v1.?"], "v1", True),
        (["v1.?"], "v1x", False),
        (["a+b"], "aaab", True),
        (["[ab]c"], "bc", True),
        (["["], "[", False),
        (["v1.2"], "v1x2", False),
    ],
)
def test_patterns(patterns: list[str], name: str, *, matches: bool) -> None:
    assert triggers.matches(patterns, name) is matches


def test_what_github_would_not_run_runs_only_by_name() -> None:
    every = [of("push"), of("{push: {tags: [v*]}}", "release.yml")]
    chosen = choice.choose(every, MAIN, named=False)
    assert [one.file for one in chosen.workflows] == ["ci.yml"]
    assert chosen.notes == ("release.yml does not run for this push of refs/heads/main: the filters in `on:` say so",)
    chosen = choice.choose(every[1:], MAIN, named=True)
    assert [one.file for one in chosen.workflows] == ["release.yml"]
    assert chosen.notes[0].startswith("GitHub would not run release.yml")
    with pytest.raises(ConfigurationError, match="no workflow runs for this push"):
        choice.choose(every[1:], MAIN, named=False)
