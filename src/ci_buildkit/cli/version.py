"""Show the version that would be stamped on everything, and where it comes from."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

EXAMPLES = """
ci-buildkit version
ci-buildkit version --format json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--context`, `--version` and the format."""
    parser.add_argument("--context", metavar="DIR", default=".", help="a folder of the checkout (default: .)")
    parser.add_argument("--version", metavar="VERSION", help="a version that overrides Git's")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="(default: text)")


def call(arguments: argparse.Namespace) -> int:
    """Print the version; always 0."""
    from ci_buildkit.checkout.event import Event
    from ci_buildkit.checkout.version import version
    from ci_buildkit.cli.output import print_json
    from ci_buildkit.report.text import inert

    found = version(Path(arguments.context), Event.from_environ(os.environ), arguments.version)
    if arguments.format == "json":
        print_json(found.model_dump())
    else:
        print(inert(found.value))
    return 0
