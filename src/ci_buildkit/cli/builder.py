"""Make, list and remove builders, and sweep those that dead runs left behind."""

from __future__ import annotations

import argparse
import json
import os
from typing import TYPE_CHECKING

from ci_buildkit.cli import flags
from ci_buildkit.errors import EngineError

if TYPE_CHECKING:
    from ci_buildkit.engine.buildx import Buildx

MAKING = ("driver", "node", "driver_opt", "builder_image", "buildkitd_config")
EXAMPLES = """
ci-buildkit builder create ci --driver-opt network=host
ci-buildkit builder create farm --node name=arm,endpoint=ssh://build@arm.example.com,platforms=linux/arm64
ci-buildkit builder ls
ci-buildkit builder rm ci
ci-buildkit builder sweep                                  # what dead runs left
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The four verbs."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="create|ls|rm|sweep")
    create = verbs.add_parser("create", help="make a builder, or boot the one of that name")
    create.add_argument("name", metavar="NAME")
    flags.add_options(create, MAKING)
    listing = verbs.add_parser("ls", help="list builders")
    listing.add_argument("--format", choices=("text", "json"), default="text", help="(default: text)")
    remove = verbs.add_parser("rm", help="remove builders with their containers and caches")
    remove.add_argument("names", nargs="+", metavar="NAME")
    verbs.add_parser("sweep", help="remove the builders of runs that died")


def call(arguments: argparse.Namespace) -> int:
    """Run one verb; raises EngineError where docker refuses."""
    from ci_buildkit.engine.buildx import Buildx

    return {"create": _create, "ls": _list, "rm": _remove, "sweep": _sweep}[arguments.verb](
        arguments, Buildx(os.environ)
    )


def _create(arguments: argparse.Namespace, buildx: Buildx) -> int:
    from ci_buildkit.engine import builder
    from ci_buildkit.pipeline.prepare import wanted
    from ci_buildkit.report.text import inert

    options = flags.settings(arguments).options.model_copy(update={"builder": arguments.name})
    made = builder.ensure(buildx, wanted(options))
    if made.dead:
        raise EngineError(
            builder.silent(made.dead), hint="start BuildKit there, and check the endpoint and certificates"
        )
    print(inert(f"{made.name}  {made.driver}  BuildKit {made.buildkit}  {', '.join(made.platforms)}"))
    return 0


def _list(arguments: argparse.Namespace, buildx: Buildx) -> int:
    from ci_buildkit.engine import builder
    from ci_buildkit.report.text import inert

    found = builder.listed(buildx)
    if arguments.format == "json":
        print(json.dumps(found, indent=2))
    else:
        for entry in found:
            print(inert(f"{entry['name']}  {entry['driver']}  {entry['status']}  {', '.join(entry['platforms'])}"))
    return 0


def _remove(arguments: argparse.Namespace, buildx: Buildx) -> int:
    from ci_buildkit.engine import builder

    for name in arguments.names:
        builder.remove(buildx, name)
        print(f"removed {name}")
    return 0


def _sweep(_arguments: argparse.Namespace, buildx: Buildx) -> int:
    from ci_buildkit.engine import builder, scratch

    scratch.sweep()
    for name in builder.sweep(buildx):
        print(f"removed {name}")
    return 0
