"""The tutorial and the README's first steps, as a new user takes them: every command of the pages, in empty folders."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests import github_server, page
from tests.e2e import support, workflow_support
from tests.page import Command, Shell

REHEARSAL = "ci-buildkit act release --event workflow_dispatch --secret GITHUB_TOKEN"
# What the pages say cannot be run: to have ci-buildkit and an engine is what this begins with.
SETUP = (
    "git clone https://github.com/org/ci-buildkit",
    "make -C ci-buildkit setup",
    'export PATH="$PWD/ci-buildkit/.venv/bin:$PATH"',
)
LAB = ("make lab", ". .lab/env", "make demo")


def commands(file: str) -> list[Command]:
    """The commands of a page, without what is said behind them."""
    found = [part for part in page.parts(support.ROOT / file) if isinstance(part, Command)]
    return [dataclasses.replace(one, text=one.text.partition("  #")[0].rstrip()) for one in found]


@pytest.fixture(scope="module")
def user(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], builder: str, lab: dict[str, str]
) -> dict[str, str]:
    """The shell of a user who keeps a builder. act's settings are as the README says for machines without github.com."""
    home = tmp_path_factory.mktemp("user")
    own = {"NAME": "Ada", "EMAIL": "ada@example.com"}
    variables = {
        **{name: value for name, value in environment.items() if not name.startswith("XDG_")},
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in own.items()},
        "HOME": str(home),
        "PATH": f"{support.ROOT / '.venv' / 'bin'}:{environment['PATH']}",
        "CI_BUILDKIT_BUILDER": builder,
        "REGISTRY": f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/tutorial",
        "GITHUB_TOKEN": "of-nobody",
    }
    # The lab's own cache is where it was: nothing is built anew.
    with Shell(support.ROOT, {**variables, "XDG_CACHE_HOME": str(Path.home() / ".cache")}) as shell:
        for command in commands("README.md"):
            if "/act" in command.text:
                shell.check(command)
    unused = home / "unused"
    unused.mkdir()
    (unused / "action.yml").write_text(workflow_support.REFUSAL, encoding="utf-8")
    with (home / ".config" / "act" / "actrc").open("a", encoding="utf-8") as settings:
        # act fetches what a step with a false `if` uses, too.
        settings.writelines(f"--local-repository={name}={unused}\n" for name in workflow_support.UNUSED)
        # Jobs build on the same warm builder as the runs outside of them.
        settings.write(f"--env=CI_BUILDKIT_BUILDER={builder}\n")
    return variables


@pytest.mark.parametrize("kind", ["go", "python", "node"])
def test_the_first_steps(kind: str, user: dict[str, str], tmp_path: Path) -> None:
    given = [one for one in commands("README.md") if "/act" not in one.text]
    assert {one.text for one in given if one.not_run} == {*SETUP, *LAB}
    steps = [one for one in given if not one.not_run]
    (begins,) = (one for one in steps if "--kind go" in one.text)
    with Shell(tmp_path, user) as shell:
        for step in steps:
            own = dataclasses.replace(step, text=step.text.replace("--kind go", f"--kind {kind}"))
            said = shell.check(own)
            assert "found: " in said or step is not begins
        assert step.text == "ci-buildkit act"
    assert "passed: 1 job, 1 succeeded" in said


def test_the_tutorial(user: dict[str, str], tmp_path: Path) -> None:
    given = list(page.parts(support.ROOT / "docs" / "tutorial.md"))
    registry = user["REGISTRY"]
    with (
        github_server.serving() as github,
        Shell(tmp_path, {**user, "GITHUB_API_URL": github.url}, {registry: "ghcr.io/octo"}) as shell,
    ):
        github.token = user["GITHUB_TOKEN"]

        def push_tag(shell: Shell) -> None:
            github.releases.tags["v0.1.0"] = shell.run("git rev-parse v0.1.0").strip()

        def rehearse(shell: Shell) -> None:
            host = registry.partition("/")[0]
            shell.run(f"sed -i.here 's#ghcr.io#{host}#' .github/workflows/release.yml")
            shell.check(next(one for one in given if isinstance(one, Command) and one.text == REHEARSAL))
            shell.run("mv .github/workflows/release.yml.here .github/workflows/release.yml")

        missing: Mapping[str, Callable[[Shell], None]] = {
            **dict.fromkeys(SETUP, page.nothing),
            "git remote add origin https://github.com/octo/hello.git": page.nothing,
            "git push --set-upstream origin main": page.nothing,
            "docker login ghcr.io": page.nothing,
            "export REGISTRY=ghcr.io/octo": page.nothing,
            'export GITHUB_TOKEN="$(gh auth token)"': page.nothing,
            "git push origin v0.1.0": push_tag,
            REHEARSAL: rehearse,
            "git push origin main v0.2.0": page.nothing,
        }
        page.play(shell, given, missing)
        (release,) = github.releases.all
    assert "hello_0.1.0_linux_arm64.tar.gz" in {one["name"] for one in release["assets"]}
    assert not release["draft"]
