"""Show what would run, without running it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING

from ci_buildkit.cli import flags
from ci_buildkit.errors import ConfigurationError

if TYPE_CHECKING:
    from ci_buildkit.plan.matrix import Runners
    from ci_buildkit.plan.stages import Plan

EXAMPLES = """
ci-buildkit plan
ci-buildkit plan --format bake > bake.json                 # docker buildx bake -f bake.json lint
ci-buildkit plan --format matrix --platform linux/amd64,linux/arm64 --runner linux/arm64=ubuntu-24.04-arm
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All options, and the format."""
    parser.add_argument("--format", choices=("text", "json", "bake", "matrix"), default="text", help="(default: text)")
    parser.add_argument(
        "--by",
        choices=("stage", "platform"),
        default="stage",
        help="of what the matrix has an entry: each stage and platform, or each platform (default: stage)",
    )
    flags.add_options(parser)


def call(arguments: argparse.Namespace) -> int:
    """Print the plan on stdout."""
    from ci_buildkit.cli.output import inert_json
    from ci_buildkit.pipeline.prepare import prepared
    from ci_buildkit.plan import matrix
    from ci_buildkit.report.text import inert_lines

    options = flags.settings(arguments).options
    runners = matrix.runners(options.runner)
    with prepared(options, os.environ) as ready:
        text = render(ready.plan, arguments.format, runners, by=arguments.by)
    if arguments.format == "text":
        print(inert_lines(text))
    else:
        print(inert_json(text.encode("utf-8", "replace")).decode())
    return 0


def render(plan: Plan, kind: str, runners: Runners, *, by: str = "stage") -> str:
    """The plan as text, JSON, a bake file or a job matrix."""
    from ci_buildkit.tags.labels import plain_text

    if kind == "bake":
        from ci_buildkit.pipeline.run import by_hand

        return by_hand(plan).rstrip()
    if kind == "matrix":
        return _matrix(plan, runners, by)
    stages = [
        {
            "name": stage.name,
            "kind": stage.kind,
            "target": stage.target.stage,
            "platforms": list(stage.platforms),
            "args": {plain_text(key): plain_text(value) for key, value in stage.definition.get("args", {}).items()},
            "export": stage.export,
        }
        for stage in plan.stages
    ]
    images = [{"stage": i.stage, "name": i.name, "tags": list(i.tags)} for i in plan.images]
    if kind == "json":
        written = {
            "schema": 1,
            "source": str(plan.source),
            "context": str(plan.context),
            "version": plan.version.model_dump(),
            "stages": stages,
            "images": images,
            "push": plan.push,
        }
        return json.dumps(written, indent=2)
    width = max(len(stage.name) for stage in plan.stages)
    lines = [f"{plan.source}, version {plan.version.value}"]
    lines += [f"  {s.kind:8}  {s.name:{width}}  {', '.join(s.platforms) or 'builder platform'}" for s in plan.stages]
    lines += [f"  {'push' if plan.push else 'no push':8}  {r}" for i in plan.images for r in i.references]
    return "\n".join(lines)


def _matrix(plan: Plan, runners: Runners, by: str) -> str:
    """The job matrix. One that is too large for GitHub is refused there, and shown with a warning elsewhere."""
    from ci_buildkit.github.runner import GitHub
    from ci_buildkit.plan import matrix

    entries = (matrix.by_platform if by == "platform" else matrix.matrix)(plan, runners)
    if said := matrix.too_large(len(entries)):
        hint = "name stages (`plan --format matrix STAGE...`, one matrix each), or fewer platforms"
        if GitHub.from_environ(os.environ).is_github:
            raise ConfigurationError(said, hint=hint)
        print(f"warning: {said}\n  {hint}", file=sys.stderr)
    return json.dumps({"include": entries})
