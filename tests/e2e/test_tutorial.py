"""The tutorial and the README's first steps, as a new user takes them: every command of the pages, in empty folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests import github_server, page
from tests.e2e import action_support, support, workflow_support
from tests.page import Shell

KINDS = ("go", "python", "node")


@pytest.fixture(scope="module")
def user(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], builder: str, lab: dict[str, str]
) -> dict[str, str]:
    """The shell of a user who keeps a builder. act finds in its settings file what it would fetch from GitHub."""
    home = tmp_path_factory.mktemp("user")
    unused = home / "unused"
    unused.mkdir()
    (unused / "action.yml").write_text(workflow_support.REFUSAL, encoding="utf-8")
    folders = {
        **dict.fromkeys(workflow_support.UNUSED, unused),
        action_support.UPLOAD: action_support.stand_in(),
        action_support.SCRIPT: support.ROOT / "lab" / "github-script",
        workflow_support.DOWNLOAD: workflow_support.stand_in("download-artifact"),
    }
    lines = [f"--local-repository={name}={folder}" for name, folder in folders.items()]
    settings = home / "config" / "act" / "actrc"
    settings.parent.mkdir(parents=True)
    # Jobs build on the same warm builder as the runs outside of them.
    settings.write_text("\n".join([*lines, f"--env=CI_BUILDKIT_BUILDER={builder}", ""]), encoding="utf-8")
    own = {"NAME": "Ada", "EMAIL": "ada@example.com"}
    return {
        **environment,
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in own.items()},
        "PATH": f"{support.ROOT / '.venv' / 'bin'}:{environment['PATH']}",
        "XDG_CONFIG_HOME": str(settings.parents[1]),
        "XDG_CACHE_HOME": str(home / "cache"),
        "CI_BUILDKIT_BUILDER": builder,
        "REGISTRY": f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/tutorial",
        "GITHUB_TOKEN": "of-nobody",
    }


def test_the_tutorial(user: dict[str, str], tmp_path: Path) -> None:
    given = list(page.parts(support.ROOT / "docs" / "tutorial.md"))
    known = {user["REGISTRY"]: "ghcr.io/octo"}
    with (
        github_server.serving() as github,
        Shell(tmp_path, {**user, "GITHUB_API_URL": github.url}, known) as shell,
    ):
        github.token = user["GITHUB_TOKEN"]

        def push_tag(shell: Shell) -> None:
            github.releases.tags["v0.1.0"] = shell.run("git rev-parse v0.1.0").strip()

        missing: Mapping[str, Callable[[Shell], None]] = {
            "git clone https://github.com/org/ci-buildkit": page.nothing,
            "make -C ci-buildkit setup": page.nothing,
            'export PATH="$PWD/ci-buildkit/.venv/bin:$PATH"': page.nothing,
            "git remote add origin https://github.com/octo/hello.git": page.nothing,
            "git push --set-upstream origin main": page.nothing,
            "docker login ghcr.io": page.nothing,
            "export REGISTRY=ghcr.io/octo": page.nothing,
            'export GITHUB_TOKEN="$(gh auth token)"': page.nothing,
            "git push origin v0.1.0": push_tag,
            "git push origin main v0.2.0": page.nothing,
        }
        page.play(shell, given, missing)
        (release,) = github.releases.all
    assert "hello_0.1.0_linux_arm64.tar.gz" in {one["name"] for one in release["assets"]}
    assert not release["draft"]
