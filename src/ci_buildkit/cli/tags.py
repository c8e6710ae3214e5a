"""Make the tags, labels and annotations of images, in the language of docker/metadata-action.

What they are made from is GitHub's event where its variables are set, and Git otherwise; nothing is asked over the
network. Exit code 0 also where no line makes a tag; 2 for a line that cannot be read and for a name or a tag that no
registry takes.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from ci_buildkit.tags.metadata import Metadata

BAKE_TARGET = "docker-metadata-action"
EXAMPLES = """
ci-buildkit tags --image ghcr.io/org/app
ci-buildkit tags --image ghcr.io/org/app --tag 'type=semver,pattern={{version}}' --tag type=ref,event=branch
ci-buildkit tags --flavor latest=false --format json
ci-buildkit tags --image ghcr.io/org/app --format bake > tags.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The inputs, where the facts come from, and the format."""
    lines = {
        "--image": ("NAME", "an image: NAME or name=NAME,enable=true|false"),
        "--tag": ("LINE", "a line of the tag language, as type=semver,pattern={{version}}; default: as there"),
        "--flavor": ("LINE", "what holds for all tags: latest=auto|true|false, prefix=TEXT, suffix=TEXT"),
        "--label": ("K=V", "a label beside those that the repository gives"),
        "--annotation": ("K=V", "an annotation beside those that the repository gives"),
    }
    for option, (metavar, text) in lines.items():
        parser.add_argument(option, metavar=metavar, action="append", default=[], help=f"{text} (repeatable)")
    parser.add_argument(
        "--repository",
        metavar="FILE.json",
        help="GitHub's answer to GET /repos/OWNER/REPO; default: what the event says",
    )
    parser.add_argument("--now", metavar="RFC3339", help="the time that dates are made of, instead of the clock's")
    parser.add_argument("--context", metavar="DIR", default=".", help="a folder of the checkout (default: .)")
    parser.add_argument(
        "--bake-target",
        metavar="NAME",
        default=BAKE_TARGET,
        help=f"the target of --format bake (default: {BAKE_TARGET})",
    )
    parser.add_argument("--format", choices=("text", "json", "bake"), default="text", help="(default: text)")


def call(arguments: argparse.Namespace) -> int:
    """Print the metadata; 0. Raises ConfigurationError for what cannot be read."""
    from datetime import UTC, datetime

    from ci_buildkit.checkout.trigger import context
    from ci_buildkit.report.text import inert
    from ci_buildkit.tags.metadata import Inputs, metadata

    now = _time(arguments.now) if arguments.now else datetime.now(UTC)
    inputs = Inputs(arguments.image, arguments.tag, arguments.flavor, arguments.label, arguments.annotation)
    about = context(Path(arguments.context), os.environ, now, _repository(arguments.repository))
    found = metadata(inputs, about, now, os.environ)
    warnings = list(found.warnings)
    if found.version.main is None:
        warnings.append("no line made a tag: version is empty")
    for warning in warnings:
        print(inert(f"warning: {warning}"), file=sys.stderr)
    _print(found, arguments)
    return 0


def _print(found: Metadata, arguments: argparse.Namespace) -> None:
    from ci_buildkit.cli.output import aligned, print_json

    if arguments.format == "json":
        print_json(document(found))
    elif arguments.format == "bake":
        from ci_buildkit.tags.metadata import bake_file

        print_json(bake_file(found, arguments.bake_target, annotated=bool(arguments.annotation)))
    else:
        rows = [("version", found.version.main or "none")] + [("tag", tag) for tag in found.references]
        rows += [("label", f"{key}={value}") for key, value in found.labels.items()]
        rows += [("annotation", entry) for entry in found.annotations]
        print("\n".join(aligned(rows, {})))


def document(found: Metadata) -> dict[str, Any]:
    """The JSON form: `version` is null where no line made a tag."""
    return {
        "version": found.version.main,
        "partial": found.version.partial,
        "latest": found.version.latest,
        "tags": found.references,
        "tag_names": found.version.tags,
        "labels": [f"{key}={value}" for key, value in found.labels.items()],
        "annotations": found.annotations,
    }


def _time(text: str) -> datetime:
    from datetime import UTC, datetime

    from ci_buildkit.errors import ConfigurationError

    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationError(f"--now {text!r} is no time", hint="for example 2026-01-31T12:00:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _repository(path: str | None) -> dict[str, Any] | None:
    from ci_buildkit import jsontext
    from ci_buildkit.errors import ConfigurationError, said

    if path is None:
        return None
    try:
        found = jsontext.loads(Path(path).read_bytes())
    except (OSError, jsontext.Broken) as error:
        reason = said(error) if isinstance(error, OSError) else f"{path}: {error}"
        raise ConfigurationError(f"cannot read --repository: {reason}", hint="it is a JSON file") from error
    if not isinstance(found, dict):
        raise ConfigurationError(
            f"--repository {path} holds no JSON object", hint="save what GET /repos/OWNER/REPO answers"
        )
    return found
