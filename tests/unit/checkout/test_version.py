"""The version, from real repositories: the rules of `decide`, and the traps of checkouts on CI."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import repositories

from ci_buildkit.checkout.event import Event
from ci_buildkit.checkout.git import head, top
from ci_buildkit.checkout.version import EPOCH_WITHOUT_GIT, UNKNOWN, version

NONE = Event()
TIME = 1767323045  # 2026-01-02T03:04:05Z


def git(folder: Path, *words: str, time: int = TIME) -> str:
    return repositories.git(folder, *words, date=f"{time} +0000")


def commit(folder: Path, text: str, time: int = TIME) -> str:
    """Change the one file and commit it; returns the revision."""
    (folder / "file").write_text(text, encoding="utf-8")
    git(folder, "add", "file")
    git(folder, "commit", "--quiet", f"--message={text}", time=time)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit and no tag."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "one")
    return folder


def test_a_clean_tagged_commit_is_the_tag(repository: Path) -> None:
    git(repository, "tag", "--annotate", "--message=x", "v1.2.3")
    found = version(repository, NONE)
    assert (found.value, found.source, found.dirty, found.source_date_epoch) == ("v1.2.3", "tag", False, TIME)
    assert found.revision == git(repository, "rev-parse", "HEAD")


def test_a_lightweight_tag_counts(repository: Path) -> None:
    git(repository, "tag", "v0.1")
    assert version(repository, NONE).value == "v0.1"


def test_a_commit_after_the_tag_is_described(repository: Path) -> None:
    git(repository, "tag", "v1.2.3-rc-1")
    revision = commit(repository, "two", TIME + 60)
    commit_time = version(repository, NONE)
    assert (commit_time.value, commit_time.source) == (f"v1.2.3-rc-1-1-g{revision[:7]}", "describe")
    assert commit_time.source_date_epoch == TIME + 60


def test_changed_tracked_files_make_it_dirty(repository: Path) -> None:
    git(repository, "tag", "v1.2.3")
    (repository / "untracked").write_text("x", encoding="utf-8")
    assert version(repository, NONE).value == "v1.2.3"
    (repository / "file").write_text("changed", encoding="utf-8")
    found = version(repository, NONE)
    assert (found.value, found.source, found.dirty) == ("v1.2.3-dirty", "describe", True)
    commit(repository, "two")
    (repository / "file").write_text("changed again", encoding="utf-8")
    assert version(repository, NONE).value.endswith("-dirty")
    assert "-1-g" in version(repository, NONE).value


def test_without_a_tag_it_is_a_fallback_with_the_revision(repository: Path) -> None:
    revision = git(repository, "rev-parse", "HEAD")
    found = version(repository, NONE)
    assert (found.value, found.source) == (f"v0.0.0+g{revision[:7]}", "fallback")
    (repository / "file").write_text("changed", encoding="utf-8")
    assert version(repository, NONE).value == f"v0.0.0+g{revision[:7]}.dirty"


def test_a_shallow_clone_knows_no_tag(repository: Path, tmp_path: Path) -> None:
    git(repository, "tag", "v1.2.3")
    revision = commit(repository, "two")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-tags", repository.as_uri(), str(clone))
    found = version(clone, NONE)
    assert (found.value, found.source, found.revision) == (f"v0.0.0+g{revision[:7]}", "fallback", revision)


def test_a_tag_event_names_the_tag_that_a_shallow_clone_lacks(repository: Path, tmp_path: Path) -> None:
    revision = commit(repository, "two")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--no-tags", repository.as_uri(), str(clone))
    found = version(clone, Event(tag="v2.0.0", revision=revision))
    assert (found.value, found.source) == ("v2.0.0", "tag")


def test_a_tag_event_wins_over_other_tags_of_the_commit(repository: Path) -> None:
    git(repository, "tag", "nightly")
    git(repository, "tag", "v1.2.3")
    revision = git(repository, "rev-parse", "HEAD")
    assert version(repository, Event(tag="v1.2.3", revision=revision)).value == "v1.2.3"
    assert version(repository, Event(tag="nightly", revision=revision)).value == "nightly"


def test_a_tag_event_of_another_commit_is_not_this_one_s(repository: Path) -> None:
    """A workflow may check out something else than what triggered it."""
    found = version(repository, Event(tag="v9", revision="0" * 40))
    assert found.source == "fallback"


def test_a_detached_head_is_read_like_any_other(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "v1.0.0")
    commit(repository, "two")
    git(repository, "checkout", "--quiet", "--detach", first)
    found = version(repository, NONE)
    assert (found.value, found.revision) == ("v1.0.0", first)


def test_an_override_changes_the_value_and_nothing_else(repository: Path) -> None:
    found = version(repository, NONE, "v7")
    assert (found.value, found.source) == ("v7", "input")
    assert found.revision == git(repository, "rev-parse", "HEAD")
    assert found.source_date_epoch == TIME


def test_without_git_it_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = version(tmp_path, NONE)
    assert (found.value, found.source, found.revision) == (UNKNOWN, "fallback", "")
    assert (found.dirty, found.source_date_epoch) == (False, EPOCH_WITHOUT_GIT)
    assert top(tmp_path) is None


def test_without_a_git_command_the_event_still_speaks(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    found = version(repository, Event(tag="v1.0.0", revision="a" * 40))
    assert (found.value, found.source, found.revision) == ("v1.0.0", "tag", "a" * 40)
    assert head(repository) is None


def test_before_the_first_commit_there_is_no_head(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert head(tmp_path) is None
    assert version(tmp_path, NONE).value == UNKNOWN


def test_the_repository_s_top_is_found_from_a_folder_inside(repository: Path) -> None:
    inside = repository / "a" / "b"
    inside.mkdir(parents=True)
    assert top(inside) == repository.resolve()
    assert version(inside, NONE).revision == git(repository, "rev-parse", "HEAD")


def test_the_user_s_git_settings_do_not_change_the_version(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repository, "tag", "v1.0.0")
    commit(repository, "two")
    plain = version(repository, NONE)
    config = tmp_path / "gitconfig"
    config.write_text(
        "[log]\n\tshowSignature = true\n\tdecorate = full\n[core]\n\tabbrev = 20\n[color]\n\tui = always\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    assert version(repository, NONE) == plain


@pytest.mark.parametrize(
    ("environ", "event"),
    [
        ({}, Event()),
        ({"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main", "GITHUB_SHA": "a"}, Event("", "a")),
        ({"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1", "GITHUB_SHA": "a"}, Event("v1", "a")),
        ({"SOURCE_DATE_EPOCH": " 42 "}, Event(epoch=42)),
        ({"SOURCE_DATE_EPOCH": "yesterday"}, Event()),
    ],
)
def test_the_event_is_read_from_the_environment(environ: dict[str, str], event: Event) -> None:
    assert Event.from_environ(environ) == event


def test_source_date_epoch_of_the_environment_wins(repository: Path) -> None:
    assert version(repository, Event(epoch=42)).source_date_epoch == 42
    assert version(repository, Event(epoch=0)).source_date_epoch == 0
    assert version(repository, Event(epoch=10**20)).source_date_epoch == 2**32 - 1
