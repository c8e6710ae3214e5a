"""Show what would run, without running it."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from ci_buildkit.cli import flags

if TYPE_CHECKING:
    from ci_buildkit.plan.stages import Plan

# Labels of GitHub's hosted runners; a platform without native ones is emulated or cross-compiled on amd64.
RUNNERS = {"linux/arm64": "ubuntu-24.04-arm"}
DEFAULT_RUNNER = "ubuntu-latest"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All options, and the format."""
    parser.add_argument("--format", choices=("text", "json", "bake", "matrix"), default="text", help="(default: text)")
    flags.add_options(parser)


def call(arguments: argparse.Namespace) -> int:
    """Print the plan on stdout."""
    from ci_buildkit.pipeline.prepare import prepared

    options = flags.settings(arguments).options
    with prepared(options, os.environ) as ready:
        print(render(ready.plan, arguments.format))
    return 0


def render(plan: Plan, kind: str) -> str:
    """The plan as text, JSON, a bake file or a job matrix."""
    if kind == "bake":
        from ci_buildkit.pipeline.run import by_hand

        return by_hand(plan).rstrip()
    if kind == "matrix":
        return json.dumps({"include": matrix(plan)})
    stages = [
        {
            "name": stage.name,
            "kind": stage.kind,
            "target": stage.target.stage,
            "platforms": list(stage.platforms),
            "args": dict(stage.definition.get("args", {})),
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


def matrix(plan: Plan) -> list[dict[str, str]]:
    """One entry for each stage and platform, with the runner that executes it natively where there is one."""
    return [
        {"stage": stage.name, "platform": platform, "runner": RUNNERS.get(platform, DEFAULT_RUNNER)}
        for stage in plan.stages
        for platform in stage.platforms or ("",)
    ]
