"""What steps use, and where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import repositories

from ci_buildkit.act import actions, workflow
from ci_buildkit.act.actions import Repositories, Used
from ci_buildkit.act.workflow import Use
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import ConfigurationError

COMPOSITE = "runs:\n  using: composite\n  steps:\n    - uses: {uses}\n"
DATE = "2026-01-02T03:04:05Z"
COMMIT = "a" * 40


def action(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "action.yml").write_text(text)
    return folder


def repositories_of(tmp_path: Path, given: dict[str, Path] | None = None, *, offline: bool = False) -> Repositories:
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    environ = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": "/usr/bin:/bin"}
    return Repositories(given or {}, scratch, environ, Cancellation(), offline)


def look(tmp_path: Path, found: Repositories, *uses: str, text: str = "on: push\njobs: {}\n") -> Used:
    return actions.look([workflow.parse(text, "ci.yml")], [Use(name, {}) for name in uses], tmp_path, found)


def test_what_nobody_has_is_named_also_where_an_action_uses_it(tmp_path: Path) -> None:
    mapped = action(tmp_path / "mapped", COMPOSITE.format(uses="acme/deep/sub@v3"))
    action(tmp_path / "own", COMPOSITE.format(uses="acme/mapped@v1"))
    found = repositories_of(tmp_path, {"acme/mapped@v1": mapped})
    used = look(tmp_path, found, "./own", "acme/other@v2", "actions/checkout@v4", "docker://alpine:3")
    assert used.missing == {"acme/other@v2": "a step", "acme/deep@v3": "acme/mapped@v1"}
    assert used.images == ("alpine:3",)
    assert found.flags == [f"--local-repository=acme/mapped@v1={mapped}"]


def test_a_checkout_of_something_else_is_an_action(tmp_path: Path) -> None:
    use = Use("actions/checkout@v4", {"repository": "acme/other"})
    used = actions.look([], [use], tmp_path, repositories_of(tmp_path))
    assert used.missing == {"actions/checkout@v4": "a step"}


def test_this_toolkit_is_its_own_checkout(tmp_path: Path) -> None:
    found = repositories_of(tmp_path)
    used = look(tmp_path, found, "org/ci-buildkit@v1", "org/ci-buildkit/actions/plan@v1", f"org/ci-buildkit@{COMMIT}")
    folder = found.folder("org/ci-buildkit@v1")
    assert folder == tmp_path / "scratch" / "org-ci-buildkit@v1"
    assert (folder / "src" / "ci_buildkit" / "act" / "actions.py").is_file()
    assert not (folder / ".git").exists()
    assert not (folder / "tests").exists()
    assert f"org/ci-buildkit@{COMMIT}" in used.missing, "another commit is not this checkout"
    assert any("upload-artifact" in name for name in used.missing)
    [note] = found.notes
    assert note.startswith("org/ci-buildkit@v1 is this installation's own checkout")


def test_a_folder_under_git_is_copied_without_what_git_ignores(tmp_path: Path) -> None:
    tools = action(tmp_path / "tools", "runs: {using: node24, main: x.js}\n")
    (tools / ".gitignore").write_text("ignored\n")
    (tools / "ignored").write_text("x")
    (tools / "link").symlink_to("action.yml")
    repositories.git(tools, "init", "--quiet", date=DATE)
    folder = repositories_of(tmp_path, {"acme/tools@v1": tools}).folder("acme/tools@v1")
    assert folder is not None
    assert sorted(path.name for path in folder.iterdir()) == [".gitignore", "action.yml", "link"]
    assert (folder / "link").is_symlink()


def test_offline_takes_what_an_earlier_act_fetched(tmp_path: Path) -> None:
    source = action(tmp_path / "source", "runs: {using: node24, main: x.js}\n")
    repositories.git(source, "init", "--quiet", "--initial-branch=main", date=DATE)
    repositories.git(source, "add", "--all", date=DATE)
    repositories.git(source, "commit", "--quiet", "--message=x", date=DATE)
    bare = tmp_path / "cache" / "act" / "acme-tools.git"
    bare.parent.mkdir(parents=True)
    repositories.git(source, "clone", "--quiet", "--bare", str(source), str(bare), date=DATE)
    repositories.git(bare, "update-ref", "refs/action-cache-offline/v1", "main", date=DATE)
    found = repositories_of(tmp_path, offline=True)
    folder = found.folder("acme/tools@v1")
    assert folder is not None
    assert (folder / "action.yml").is_file()
    assert found.folder("acme/tools@v2") is None
    assert repositories_of(tmp_path).folder("acme/tools@v1") is None, "online act looks for a newer one"
    old = tmp_path / "cache" / "act" / "acme-old@v1"
    old.mkdir()
    assert repositories_of(tmp_path, offline=True).folder("acme/old@v1") == old


@pytest.mark.parametrize(
    ("uses", "told"),
    [
        ("actions/upload-artifact@v7", True),
        ("actions/upload-artifact@v8.1", True),
        (f"actions/upload-artifact@{COMMIT} # v7.0.1", True),
        ("actions/upload-artifact@v6", False),
        (f"actions/upload-artifact@{COMMIT} # v4.6.2", False),
        (f"actions/upload-artifact@{COMMIT}", False),
    ],
)
def test_uploads_that_acts_server_refuses_are_told(uses: str, tmp_path: Path, *, told: bool) -> None:
    text = f"on: push\njobs:\n  a:\n    steps:\n      - uses: {uses}\n"
    notes = look(tmp_path, repositories_of(tmp_path), text=text).notes
    assert bool(notes) is told
    name = uses.split(maxsplit=1)[0]
    assert look(tmp_path, repositories_of(tmp_path, {name: tmp_path}), text=text).notes == ()


def test_called_workflows(tmp_path: Path) -> None:
    folder = tmp_path / "tools" / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "x.yml").write_text("on: workflow_call\njobs: {}\n")
    found = repositories_of(tmp_path, {"acme/tools@v1": tmp_path / "tools"})
    remote = found.workflow("acme/tools/.github/workflows/x.yml@v1", tmp_path)
    assert remote is not None
    assert (remote[0].name, remote[1]) == ("x.yml", tmp_path / "tools")
    local = found.workflow("./.github/workflows/x.yml", tmp_path / "tools")
    assert local is not None
    assert found.workflow("acme/far/.github/workflows/x.yml@v1", tmp_path) is None
    with pytest.raises(ConfigurationError, match="does not exist"):
        found.workflow("./.github/workflows/y.yml", tmp_path / "tools")


def test_folders_that_are_given(tmp_path: Path) -> None:
    assert actions.given([f"a/b@v1={tmp_path}"]) == {"a/b@v1": tmp_path}
    for text in (
        "a/b@v1",
        f"a/b={tmp_path}",
        f"a/b/c@v1={tmp_path}",
        f"a/b@v1={tmp_path}/none",
        "=",
        "a@b=c",
        "a/b@v1=",
    ):
        with pytest.raises(ConfigurationError, match="--use"):
            actions.given([text])
