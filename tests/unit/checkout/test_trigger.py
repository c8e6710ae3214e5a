"""What tags are made from: refs of real repositories in the states that CI leaves them in, and GitHub's events."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests import repositories

from ci_buildkit.checkout import git as checkout
from ci_buildkit.checkout.trigger import context
from ci_buildkit.tags.context import Repository

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def git(folder: Path, *words: str) -> str:
    return repositories.git(folder, *words, date="1767323045 +0200")


def commit(folder: Path, text: str) -> str:
    git(folder, "commit", "--quiet", "--allow-empty", f"--message={text}")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "one")
    return folder


@pytest.fixture
def clone(repository: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(repository), str(folder)], check=True)
    return folder


def test_branch(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "-b", "feature/x")
    assert checkout.ref(repository) == "refs/heads/feature/x"


def test_no_repository_and_no_commit(tmp_path: Path) -> None:
    assert (checkout.ref(tmp_path), checkout.revision(tmp_path), checkout.remote_url(tmp_path)) == ("", "", "")
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    assert (checkout.ref(tmp_path), checkout.revision(tmp_path)) == ("refs/heads/main", "")


@pytest.mark.parametrize("tag", ["v1.2.3", "a,b,c", "rel/1.0", "tag-with-HEAD"])
def test_detached_at_a_tag(repository: Path, tag: str) -> None:
    git(repository, "tag", tag)
    git(repository, "checkout", "--quiet", "--detach")
    assert checkout.ref(repository) == f"refs/tags/{tag}"


def test_detached_at_several_tags(repository: Path) -> None:
    for tag in ("v1.0.0", "v1", "v1.0.0-rc.1"):
        git(repository, "tag", "--annotate", "--message=x", tag)
    git(repository, "checkout", "--quiet", "--detach")
    assert checkout.ref(repository) == "refs/tags/v1.0.0-rc.1"


@pytest.mark.parametrize("state", ["merge", "head"])
def test_pull_request(repository: Path, clone: Path, state: str) -> None:
    """As actions/checkout does it: fetched to refs/remotes/pull, and checked out by that name."""
    sha = commit(repository, "two")
    git(repository, "update-ref", f"refs/pull/7/{state}", sha)
    git(clone, "fetch", "--quiet", "--depth=1", "origin", f"+{sha}:refs/remotes/pull/7/{state}")
    git(clone, "checkout", "--quiet", f"refs/remotes/pull/7/{state}")
    assert checkout.ref(clone) == f"refs/pull/7/{state}"


def test_detached_at_branches(clone: Path) -> None:
    git(clone, "checkout", "--quiet", "--detach")
    assert checkout.ref(clone) == "refs/heads/main"
    git(clone, "branch", "--quiet", "--delete", "--force", "main")
    assert checkout.ref(clone) == "refs/heads/main"


def test_detached_behind(repository: Path) -> None:
    commit(repository, "two")
    git(repository, "checkout", "--quiet", "HEAD~")
    assert checkout.ref(repository) == "refs/heads/main"


def test_held_by_a_tag_alone(repository: Path) -> None:
    git(repository, "checkout", "--quiet", "--detach")
    commit(repository, "two")
    commit(repository, "three")
    git(repository, "tag", "v3")
    git(repository, "checkout", "--quiet", "HEAD~")
    assert checkout.ref(repository) == "refs/tags/v3"


def test_shallow_by_commit_alone(repository: Path, tmp_path: Path) -> None:
    """Grafted, and nothing names the commit."""
    git(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    sha = git(repository, "rev-parse", "HEAD")
    folder = tmp_path / "shallow"
    folder.mkdir()
    git(folder, "init", "--quiet")
    git(folder, "fetch", "--quiet", "--depth=1", f"file://{repository}", sha)
    git(folder, "checkout", "--quiet", "FETCH_HEAD")
    found = context(folder, {}, NOW)
    assert (found.ref, found.sha) == ("", sha)


@pytest.mark.parametrize(
    ("remote", "url"),
    [
        ("https://github.com/org/app.git", "https://github.com/org/app"),
        ("https://user:secret@github.com/org/app", "https://github.com/org/app"),
        ("git@github.com:org/app.git", "https://github.com/org/app"),
        ("ssh://git@host:2222/org/app.git/", "https://host/org/app"),
        ("/srv/git/app.git", ""),
    ],
)
def test_repository_by_its_remote(repository: Path, remote: str, url: str) -> None:
    git(repository, "remote", "add", "origin", remote)
    found = context(repository, {}, NOW).repository
    assert (found.url, found.name) == (url, "app" if url else "")


def test_git_alone(clone: Path) -> None:
    found = context(clone, {}, NOW)
    assert found.commit_time == datetime.fromtimestamp(1767323045, UTC)
    assert (found.branch, found.default_branch, found.on_default_branch) == ("main", "main", True)


def test_event(tmp_path: Path) -> None:
    event = {
        "number": 5,
        "commits": [{"id": "a" * 40, "timestamp": "2024-01-02T03:04:05+01:00"}, None],
        "head_commit": 3,
        "pull_request": {"base": {"ref": "trunk"}, "head": {"sha": "b" * 40}},
        "repository": {
            "name": "app",
            "description": None,
            "html_url": "https://github.com/org/app",
            "license": {"spdx_id": "MIT"},
            "default_branch": "trunk",
        },
    }
    (tmp_path / "event.json").write_text(json.dumps(event))
    environ = {
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_EVENT_NAME": "pull_request_target",
        "GITHUB_REF": "refs/heads/trunk",
        "GITHUB_SHA": "a" * 40,
    }
    found = context(tmp_path, environ, NOW)
    assert (found.ref, found.pull, found.base_ref, found.sha) == ("refs/pull/5/merge", "5", "trunk", "a" * 40)
    assert found.commit_time == datetime(2024, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert found.repository == Repository("app", "", "https://github.com/org/app", "MIT", "trunk")
    found = context(tmp_path, {**environ, "DOCKER_METADATA_PR_HEAD_SHA": "true"}, NOW)
    assert (found.sha, found.commit_time) == ("b" * 40, NOW)


def test_environment_without_event(tmp_path: Path) -> None:
    environ = {"GITHUB_REPOSITORY": "org/app", "GITHUB_SERVER_URL": "https://ghe.example", "GITHUB_EVENT_PATH": "none"}
    assert context(tmp_path, environ, NOW).repository == Repository("app", url="https://ghe.example/org/app")


@pytest.mark.parametrize(
    "document", ["[]", "3", "null", '{"repository": [], "pull_request": 1, "commits": {}, "base_ref": 1}']
)
def test_event_of_another_shape(tmp_path: Path, document: str) -> None:
    (tmp_path / "event.json").write_text(document)
    for ref in ("refs/tags/x", "refs/pull/1/merge"):
        environ = {
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_REF": ref,
            "GITHUB_EVENT_NAME": "pull_request",
        }
        environ["DOCKER_METADATA_PR_HEAD_SHA"] = "true"
        assert context(tmp_path, environ, NOW).ref == ref
