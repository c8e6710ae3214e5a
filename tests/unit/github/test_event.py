"""Which commit and pull request a workflow publishes for, told from its event alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.github.event import Pull, Source, Trigger, trigger
from ci_buildkit.github.runner import GitHub

if TYPE_CHECKING:
    from pathlib import Path

HEAD, BASE, MERGE, NONE = "a" * 40, "b" * 40, "c" * 40, "0" * 40
REPOSITORY = {"full_name": "octo/hello", "default_branch": "main"}


def github(folder: Path, name: str, event: Any = None, **more: Any) -> GitHub:
    file = folder / "event.json"
    if event is not None:
        file.write_text(event if isinstance(event, str) else json.dumps(event))
    fields = {"repository": "octo/hello", "sha": MERGE, "event_name": name, "event_path": file, **more}
    return GitHub(**fields)


def pull(**more: Any) -> dict[str, Any]:
    made = {
        "number": 7,
        "head": {"sha": HEAD, "ref": "fix", "repo": {"full_name": "octo/hello"}},
        "base": {"sha": BASE, "ref": "release/1", "repo": {"full_name": "octo/hello"}},
    }
    return {"pull_request": {**made, **more}, "repository": REPOSITORY}


@pytest.mark.parametrize("name", ["pull_request", "pull_request_target"])
def test_a_pull_request_s_own_commit_not_the_merge(tmp_path: Path, name: str) -> None:
    found = trigger(github(tmp_path, name, pull()))
    assert found == Trigger(HEAD, (BASE, "heads/release/1"), 7)


@pytest.mark.parametrize("repo", [None, {"full_name": "stranger/hello"}])
def test_a_fork(tmp_path: Path, repo: Any) -> None:
    event = pull(head={"sha": HEAD, "repo": repo})
    assert trigger(github(tmp_path, "pull_request", event)).fork
    # This one's token is the base repository's.
    assert not trigger(github(tmp_path, "pull_request_target", event)).fork


def test_a_push_is_compared_with_what_was_there(tmp_path: Path) -> None:
    found = trigger(github(tmp_path, "push", {"before": BASE, "repository": REPOSITORY}))
    assert found == Trigger(MERGE, (BASE, "heads/main"))


def test_a_new_branch_is_compared_with_the_default_branch(tmp_path: Path) -> None:
    assert trigger(github(tmp_path, "push", {"before": NONE, "repository": REPOSITORY})).bases == ("heads/main",)


@pytest.mark.parametrize("event", [None, "[]", "{", '{"before": 1, "repository": []}'])
def test_a_push_without_a_usable_event(tmp_path: Path, event: str | None) -> None:
    assert trigger(github(tmp_path, "push", event)) == Trigger(MERGE)


def test_a_merge_queue(tmp_path: Path) -> None:
    group = {"head_sha": HEAD, "base_sha": BASE, "base_ref": "refs/heads/main"}
    assert trigger(github(tmp_path, "merge_group", {"merge_group": group})) == Trigger(HEAD, (BASE, "heads/main"))


@pytest.mark.parametrize("name", ["schedule", "workflow_dispatch", "release"])
def test_other_events_have_only_a_commit(tmp_path: Path, name: str) -> None:
    assert trigger(github(tmp_path, name, {"repository": REPOSITORY})) == Trigger(MERGE)


def test_the_workflow_run_of_a_fork(tmp_path: Path) -> None:
    run = {
        "event": "pull_request", "head_sha": HEAD, "head_branch": "fix",
        "head_repository": {"full_name": "stranger/hello", "owner": {"login": "stranger"}},
        "pull_requests": [{"number": 99, "base": {"sha": BASE, "ref": "main"}}],
    }  # fmt: skip
    found = trigger(github(tmp_path, "workflow_run", {"workflow_run": run}))
    assert found == Trigger(HEAD, source=Source("stranger", "fix"))
    assert found.of(Pull(7, BASE, "main")) == Trigger(HEAD, (BASE, "heads/main"), 7, Source("stranger", "fix"))


def test_the_workflow_run_of_a_push(tmp_path: Path) -> None:
    run = {"event": "push", "head_sha": HEAD, "head_branch": "main"}
    assert trigger(github(tmp_path, "workflow_run", {"workflow_run": run})) == Trigger(HEAD)


@pytest.mark.parametrize(
    ("name", "event", "more", "message"),
    [
        ("push", {}, {"repository": ""}, "GITHUB_REPOSITORY is not set"),
        ("push", {}, {"repository": "octo/hello/../x"}, "GITHUB_REPOSITORY is"),
        ("push", {}, {"sha": ""}, "GITHUB_SHA"),
        ("push", {}, {"sha": "main"}, "GITHUB_SHA"),
        ("pull_request", None, {}, "GITHUB_EVENT_PATH"),
        ("pull_request", "{", {}, "GITHUB_EVENT_PATH"),
        ("pull_request", "[]", {}, "holds no event"),
        ("pull_request", {}, {"event_path": None}, "it is not set"),
        ("pull_request", pull(head={"sha": "../x"}), {}, "newest commit"),
        ("workflow_run", {"workflow_run": {}}, {}, "the commit of the workflow run"),
        ("merge_group", {"merge_group": []}, {}, "merge group"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, name: str, event: Any, more: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        trigger(github(tmp_path, name, event, **more))
    assert caught.value.hint
