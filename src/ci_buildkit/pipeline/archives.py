"""How the archives of a plan's binaries are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ci_buildkit.artifacts import names
from ci_buildkit.artifacts.names import Key
from ci_buildkit.config.options import Options
from ci_buildkit.pipeline.session import safe_name
from ci_buildkit.plan.stages import Plan, Stage


def program(plan: Plan) -> str:
    """What the binaries are called together: the context's folder."""
    return plan.context.resolve().name


def check(options: Options, plan: Plan, home: Sequence[str]) -> None:
    """Raise ConfigurationError where the names that the options ask for are none, or not apart.

    `home` are the platforms of a stage that names none.
    """
    of(options, plan, [(stage, stage.platforms or home) for stage in plan.stages if stage.kind == "binaries"])


def of(options: Options, plan: Plan, stages: Iterable[tuple[Stage, Sequence[str]]]) -> dict[Key, str]:
    """The file name of each archive, by target and platform. Raises as `check` does."""
    keys = [(safe_name(stage.name), platform) for stage, platforms in stages for platform in platforms]
    return names.archives(options.archive_name, program(plan), plan.version.value, keys)
