"""What a pull request, a push or a working tree changes, asked of real repositories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests import repositories

from ci_buildkit.checkout.changes import Changes, changes
from ci_buildkit.errors import ConfigurationError

ZEROS = "0" * 40


def git(folder: Path, *words: str) -> str:
    return repositories.git(folder, *words, date="2026-01-02T03:04:05Z")


def commit(folder: Path, **files: str) -> str:
    """Write files (`a__b` is a/b; "" deletes one) and commit them; returns the commit."""
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text) if text else path.unlink()
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=x")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, a__x="1", b__y="1")
    return folder


def ask(repo: Path, name: str, payload: Any = None, **environ: str) -> Changes:
    """What changed, in a workflow that an event started; the event's file is beside the repository."""
    path = repo.parent / "event.json"
    path.write_text(json.dumps(payload or {}))
    sha = git(repo, "rev-parse", "HEAD")
    return changes(
        repo,
        {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path), "GITHUB_SHA": sha, "GITHUB_REF": "refs/heads/main", **environ},
    )  # fmt: skip


def pull(base: str, head: str) -> dict[str, Any]:
    return {"pull_request": {"number": 7, "base": {"sha": base, "ref": "main"}, "head": {"sha": head, "ref": "topic"}}}


@pytest.fixture
def topic(repo: Path) -> tuple[str, str, str]:
    """A branch `topic` that changes b and another change of the base branch; base's old commit, its new one, topic's."""
    old = git(repo, "rev-parse", "HEAD")
    git(repo, "switch", "--quiet", "--create", "topic")
    newest = commit(repo, b__y="2", b__new="1")
    git(repo, "switch", "--quiet", "main")
    return old, commit(repo, a__x="2"), newest


class TestPullRequest:
    def test_of_the_merge_commit_only_what_it_adds_to_the_base(self, repo: Path, topic: tuple[str, str, str]) -> None:
        old, base, newest = topic
        git(repo, "merge", "--quiet", "--no-ff", "--message=merge", "topic")
        # The event has the base's commit of when the pull request was opened, GitHub merges with a newer one.
        found = ask(repo, "pull_request", pull(old, newest))
        assert found == Changes(base, ("b/new", "b/y"), f"compared with {base[:12]}, the base branch")

    def test_of_its_own_commit_what_it_did_since_it_left_the_base(
        self, repo: Path, topic: tuple[str, str, str]
    ) -> None:
        old, base, newest = topic
        git(repo, "checkout", "--quiet", newest)
        assert ask(repo, "pull_request", pull(base, newest)) == Changes(
            old, ("b/new", "b/y"), f"compared with {old[:12]}, where the base branch was left"
        )

    @pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
    def test_the_base_branch_itself_is_not_the_pull_request(
        self, repo: Path, topic: tuple[str, str, str], event: str
    ) -> None:
        _, base, newest = topic
        found = ask(repo, event, pull(base, newest))  # as pull_request_target checks out
        assert found.paths is None
        assert "not the pull request" in found.why

    def test_a_merge_of_something_else_is_not_the_pull_request(self, repo: Path, topic: tuple[str, str, str]) -> None:
        old, _, _ = topic
        git(repo, "merge", "--quiet", "--no-ff", "--message=merge", "topic")
        assert ask(repo, "pull_request", pull(old, "f" * 40)).paths is None

    @pytest.mark.parametrize("depth", ["1", "2"])
    def test_a_shallow_clone(self, repo: Path, topic: tuple[str, str, str], depth: str, tmp_path: Path) -> None:
        old, _, newest = topic
        git(repo, "merge", "--quiet", "--no-ff", "--message=merge", "topic")
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "--quiet", "--depth", depth, f"file://{repo}", str(clone))
        found = ask(clone, "pull_request", pull(old, newest))
        if depth == "2":
            assert found.paths == ("b/new", "b/y")
        else:
            assert found.paths is None
            assert "fetch-depth: 0" in found.why


class TestPush:
    def test_what_lies_between_before_and_now(self, repo: Path) -> None:
        before = git(repo, "rev-parse", "HEAD")
        commit(repo, a__x="2")
        commit(repo, a__z="1")
        found = ask(repo, "push", {"before": before})
        assert found == Changes(
            before, ("a/x", "a/z"), f"compared with {before[:12]}, what the branch was before the push"
        )

    def test_renamed_and_deleted_files_count_where_they_were_and_where_they_are(self, repo: Path) -> None:
        before = commit(repo, a__x="a text that is long enough for Git to see that it moved", c__z="1")
        git(repo, "mv", "a/x", "b/x")
        commit(repo, c__z="")
        assert ask(repo, "push", {"before": before}).paths == ("a/x", "b/x", "c/z")

    def test_names_are_not_quoted(self, repo: Path) -> None:
        before = git(repo, "rev-parse", "HEAD")
        (repo / "é \"'\n.txt").write_text("1")
        commit(repo)
        assert ask(repo, "push", {"before": before}).paths == ("é \"'\n.txt",)

    def test_a_forced_push_compares_the_two_states(self, repo: Path) -> None:
        before = commit(repo, a__x="2")
        git(repo, "reset", "--quiet", "--hard", "HEAD~1")
        commit(repo, b__y="2")
        assert ask(repo, "push", {"before": before}).paths == ("a/x", "b/y")

    def test_settings_of_the_user_do_not_matter(self, repo: Path) -> None:
        before = git(repo, "rev-parse", "HEAD")
        commit(repo, a__x="2")
        git(repo, "config", "diff.relative", "true")
        git(repo, "config", "diff.renames", "copies")
        event = repo.parent / "e.json"
        event.write_text(json.dumps({"before": before}))
        environ = {
            "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event), "GITHUB_REF": "refs/heads/main",
            "GITHUB_SHA": git(repo, "rev-parse", "HEAD"),
        }  # fmt: skip
        assert changes(repo / "b", environ).paths == ("a/x",)

    @pytest.mark.parametrize(
        ("payload", "ref", "why"),
        [
            ({"before": ZEROS}, "refs/heads/main", "first push"),
            ({"before": ZEROS, "repository": {"default_branch": "main"}}, "refs/heads/main", "first push"),
            ({"before": ZEROS, "repository": {"default_branch": "main"}}, "refs/heads/topic", "where it left main"),
            ({"before": "f" * 40}, "refs/heads/main", "the clone does not have ffffffffffff"),
            ({"before": 7}, "refs/heads/main", "first push"),
            ({}, "refs/heads/main", "first push"),
            ({"before": "f" * 40}, "refs/tags/v1", "a tag was pushed"),
        ],
    )
    def test_where_it_cannot_be_told(self, repo: Path, payload: Any, ref: str, why: str) -> None:
        found = ask(repo, "push", payload, GITHUB_REF=ref)
        assert (found.base, found.paths) == ("", None)
        assert why in found.why

    def test_a_new_branch_is_compared_with_where_it_left_the_default_branch(self, repo: Path, tmp_path: Path) -> None:
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "--quiet", str(repo), str(clone))
        left = git(clone, "rev-parse", "HEAD")
        git(clone, "switch", "--quiet", "--create", "topic")
        commit(clone, b__y="2")
        payload = {"before": ZEROS, "repository": {"default_branch": "main"}}
        found = ask(clone, "push", payload, GITHUB_REF="refs/heads/topic")
        assert (found.base, found.paths) == (left, ("b/y",))

    def test_another_checkout_than_the_events(self, repo: Path) -> None:
        found = ask(repo, "push", {"before": git(repo, "rev-parse", "HEAD")}, GITHUB_SHA="f" * 40)
        assert found.paths is None
        assert "another commit is checked out" in found.why


def test_a_merge_group(repo: Path) -> None:
    base = git(repo, "rev-parse", "HEAD")
    commit(repo, b__y="2")
    found = ask(repo, "merge_group", {"merge_group": {"base_sha": base}})
    assert found.paths == ("b/y",)


@pytest.mark.parametrize("event", ["schedule", "workflow_dispatch", "workflow_run", "release"])
def test_events_that_change_nothing_build_everything(repo: Path, event: str) -> None:
    assert ask(repo, event).paths is None


def test_a_broken_event_is_told(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text("{")
    with pytest.raises(ConfigurationError, match="cannot read the event"):
        changes(repo, {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(tmp_path / "e.json")})


class TestElsewhere:
    def test_the_working_tree_with_new_files_and_without_ignored_ones(self, repo: Path, tmp_path: Path) -> None:
        (repo / ".gitignore").write_text("out/\n")
        commit(repo)
        clone = tmp_path / "clone"
        git(tmp_path, "clone", "--quiet", str(repo), str(clone))
        commit(clone, a__x="2")
        (clone / "b" / "y").write_text("2")
        (clone / "new").write_text("1")
        (clone / "out").mkdir()
        (clone / "out" / "o").write_text("1")
        found = changes(clone / "b", {})
        assert found.paths == ("a/x", "b/y", "new")
        assert "where main of origin was left" in found.why

    def test_without_origin_nothing_is_known(self, repo: Path) -> None:
        assert changes(repo, {}).paths is None

    def test_without_git_nothing_is_known(self, tmp_path: Path) -> None:
        assert changes(tmp_path, {}).paths is None


class TestSince:
    def test_from_where_the_branch_was_left(self, repo: Path, topic: tuple[str, str, str]) -> None:
        git(repo, "switch", "--quiet", "topic")
        assert changes(repo, {}, "main").paths == ("b/new", "b/y")
        (repo / "new").write_text("1")
        assert changes(repo, {}, "main").paths == ("b/new", "b/y", "new")
        assert changes(repo, {"GITHUB_EVENT_NAME": "push"}, "main").paths == ("b/new", "b/y")

    @pytest.mark.parametrize("name", ["no-such", "f" * 40, "--help", "HEAD:a", "main..topic"])
    def test_what_is_no_commit_is_an_error(self, repo: Path, name: str) -> None:
        with pytest.raises(ConfigurationError, match="has no commit") as caught:
            changes(repo, {}, name)
        assert "fetch-depth: 0" in caught.value.hint

    def test_zeros_are_a_new_branch(self, repo: Path) -> None:
        assert changes(repo, {}, ZEROS).paths is None


def test_a_submodule_counts_though_it_is_to_be_ignored(repo: Path) -> None:
    def link(revision: str) -> None:
        git(repo, "update-index", "--add", "--cacheinfo", f"160000,{revision},b/library")
        git(repo, "commit", "--quiet", "--message=x")

    commit(repo, **{".gitmodules": '[submodule "l"]\n\tpath = b/library\n\turl = ../l\n\tignore = all\n'})
    link("1" * 40)
    before = git(repo, "rev-parse", "HEAD")
    link("2" * 40)
    assert ask(repo, "push", {"before": before}).paths == ("b/library",)
