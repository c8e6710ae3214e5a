"""How the archives of a plan's binaries are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from ci_buildkit.artifacts import names
from ci_buildkit.artifacts.names import Key
from ci_buildkit.checkout import git
from ci_buildkit.config.options import Options
from ci_buildkit.pipeline.session import safe_name
from ci_buildkit.plan.stages import Plan, Stage


def program(context: Path) -> str:
    """What the binaries are called together: the repository where the context is all of it, else the context's folder."""
    return _named(context.resolve())


@cache
def _named(context: Path) -> str:
    """The folder of a whole repository is the choice of whoever cloned it, what it was cloned from is not."""
    whole = (context / ".git").exists()
    return (git.repository_name(git.remote_url(context)) if whole else "") or context.name


def check(options: Options, plan: Plan, home: Sequence[str]) -> None:
    """Raise ConfigurationError where the names that the options ask for are none, or not apart.

    `home` are the platforms of a stage that names none.
    """
    of(options, plan, [(stage, stage.platforms or home) for stage in plan.stages if stage.kind == "binaries"])


def of(options: Options, plan: Plan, stages: Iterable[tuple[Stage, Sequence[str]]]) -> dict[Key, str]:
    """The file name of each archive, by target and platform. Raises as `check` does."""
    keys = [(safe_name(stage.name), platform) for stage, platforms in stages for platform in platforms]
    return names.archives(options.archive_name, program(plan.context), plan.version.value, keys)
