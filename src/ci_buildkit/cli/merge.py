"""Join images that machines pushed by digest into one, with all its tags."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit.cli import flags

if TYPE_CHECKING:
    from ci_buildkit.config.options import Options
    from ci_buildkit.pipeline.merge import Merged, Rules, Wanted

OPTIONS = ("annotation", "immutable_tags", "sign", "builder", "login")
EXAMPLES = """
ci-buildkit merge --from legs --expect-platform linux/amd64,linux/arm64
ci-buildkit merge --from legs --dry-run                    # what would be pushed
ci-buildkit merge --image ghcr.io/org/app --tag v1.2.3 sha256:1f5c... sha256:9ab0...
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is joined, what it becomes, and what it must have."""
    parser.add_argument("digests", nargs="*", metavar="DIGEST", help="sha256:... that was pushed to NAME")
    parser.add_argument("--from", dest="folder", metavar="DIR", help="legs that `run --push-by-digest` left, any depth")
    lists = (
        ("--image", "names", "NAME", "where it goes; with --from: only these of the legs' images"),
        ("--tag", "tags", "TAG", "its tags; with --from default: the legs' own"),
        ("--expect-platform", "expected", "P", "a platform that it must have"),
    )
    for flag, name, metavar, text in lists:
        parser.add_argument(
            flag, dest=name, metavar=metavar, action="append", default=[], help=f"{text} (repeat, or commas)"
        )
    parser.add_argument("--allow-missing", action="store_true", help="go on where an expected platform is missing")
    parser.add_argument("--dry-run", action="store_true", help="read the registry, print what would be, push nothing")
    flags.add_options(parser, OPTIONS)


def call(arguments: argparse.Namespace) -> int:
    """Print the image as JSON, several as an array; 0. Raises the errors of joining."""
    from ci_buildkit.cli.output import print_json
    from ci_buildkit.pipeline.merge import Rules

    options = flags.settings(arguments).options
    wanted = _wanted(arguments, options)
    rules = Rules(tuple(_words(arguments.expected)), arguments.allow_missing, options.immutable_tags, options.sign)
    documents = [image.document() for image in merged(wanted, rules, options, dry_run=arguments.dry_run)]
    print_json(documents[0] if len(documents) == 1 else documents)
    return 0


def merged(wanted: list[Wanted], rules: Rules, options: Options, *, dry_run: bool) -> list[Merged]:
    """The images that were joined, or would be; `Merge.run` says what is raised, Interrupted after Ctrl-C."""
    from ci_buildkit.cli.interrupts import cancel_on_signals
    from ci_buildkit.engine import cosign
    from ci_buildkit.engine.buildx import Buildx
    from ci_buildkit.engine.login import logged_in
    from ci_buildkit.engine.process import Cancellation
    from ci_buildkit.engine.registry import Registry
    from ci_buildkit.errors import CiBuildkitError, Interrupted
    from ci_buildkit.pipeline.merge import Merge

    with logged_in(options.login, os.environ) as environ:
        if options.sign and not dry_run:
            cosign.check(cosign.parse(options.sign), environ)
        cancellation = Cancellation()
        cancel_on_signals(cancellation)
        registry = Registry(Buildx(environ), options.builder, cancellation)
        try:
            return Merge(registry, rules, environ, _say, cancellation).run(wanted, dry_run=dry_run)
        except CiBuildkitError:
            if cancellation.cancelled:  # what broke, broke because of it
                raise Interrupted(
                    "interrupted", hint="the same again gives the same image and moves all tags"
                ) from None
            raise


def _wanted(arguments: argparse.Namespace, options: Options) -> list[Wanted]:
    from ci_buildkit.errors import ConfigurationError
    from ci_buildkit.pipeline import legs, merge

    names, tags = list(_words(arguments.names)), list(_words(arguments.tags))
    if bool(arguments.folder) == bool(arguments.digests):
        raise ConfigurationError(
            "merge takes either digests or --from",
            hint="ci-buildkit merge --image NAME --tag TAG DIGEST... | --from DIR",
        )
    if arguments.folder:
        return merge.of_legs(legs.read(Path(arguments.folder)), names, tags, options.annotation)
    if len(names) != 1:
        raise ConfigurationError("digests belong to one image", hint="name it with --image NAME")
    return [merge.of_digests(names[0], arguments.digests, tags, options.annotation)]


def _words(values: Iterable[str]) -> Iterable[str]:
    """The values of a list that also takes commas and lines; neither is in a name, tag or platform."""
    return (word for value in values for word in re.split(r"[,\s]+", value) if word)


def _say(text: str) -> None:
    from ci_buildkit.report.text import inert

    print(inert(text), file=sys.stderr)
