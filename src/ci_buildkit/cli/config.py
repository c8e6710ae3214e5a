"""Show the options in force and where each comes from, without running anything.

Takes the options of `run`, so that the same command line can be asked. What may be a credential is hidden. Exit code 2
where something is wrong: everything at once, each with its file and line, variable, input or flag.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ci_buildkit.cli import flags

if TYPE_CHECKING:
    from ci_buildkit.config.shown import Setting
    from ci_buildkit.config.sources import Settings

EXAMPLES = """
ci-buildkit config --show-origin
ci-buildkit config --show-origin --platform linux/arm64   # what a run with this flag would take
ci-buildkit config --format yaml > all-options.yml
ci-buildkit config --schema > ci-buildkit.schema.json
"""
DIM = "\x1b[2m{}\x1b[0m"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is shown, and all options."""
    parser.add_argument("--show-origin", action="store_true", help="show where each value comes from")
    parser.add_argument("--format", choices=("text", "json", "yaml"), default="text", help="(default: text)")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of ci-buildkit.yml instead")
    flags.add_options(parser)


def call(arguments: argparse.Namespace) -> int:
    """Print; 0. Raises ConfigurationError for what is wrong."""
    if arguments.schema:
        from ci_buildkit.config import schema

        print(schema.text(), end="")
        return 0
    settings = flags.settings(arguments)
    from ci_buildkit.config.shown import shown

    found = list(shown(settings))
    if arguments.format == "json":
        _print_json(found, settings)
    elif arguments.format == "yaml":
        print("\n".join(yaml_lines(found, origins=arguments.show_origin)))
    else:
        print("\n".join(text_lines(found, origins=arguments.show_origin, dim=sys.stdout.isatty())))
    return 0


def _print_json(found: Iterable[Setting], settings: Settings) -> None:
    from ci_buildkit.cli.output import print_json

    options = {
        one.key: {
            "value": one.value,
            "source": one.origin.source,
            "where": one.origin.where or None,
            "hidden": one.hidden,
        }
        for one in found
    }
    print_json({"options": options, "warnings": list(settings.warnings)})


def text_lines(found: list[Setting], *, origins: bool, dim: bool) -> Iterator[str]:
    """Key, origin and value of each option in columns, those that are set first; of a list each value on a line."""
    from ci_buildkit.report.text import inert

    keys = max(len(one.key) for one in found)
    places = max(len(str(one.origin)) for one in found) if origins else 0
    for number, one in enumerate(found):
        if number and found[number - 1].changed and not one.changed:
            yield ""
        head = f"{one.key:{keys}}  " + (f"{one.origin!s:{places}}  " if origins else "")
        for line, value in enumerate(_written(one)):
            text = inert((head if line == 0 else " " * len(head)) + value)
            yield DIM.format(text) if dim and not one.changed else text


def _written(one: Setting) -> list[str]:
    """The values of an option, in brackets what holds without one."""
    if one.value in (None, []):
        return [f"({one.unset})" if one.unset else "-"]
    if isinstance(one.value, bool):
        return [str(one.value).lower()]
    return one.value if isinstance(one.value, list) else [str(one.value)]


def yaml_lines(found: Iterable[Setting], *, origins: bool) -> Iterator[str]:
    """The options that have a value as a settings file, which gives the same again but for what is hidden."""
    import yaml

    from ci_buildkit.config.options import flag_of
    from ci_buildkit.config.row import written
    from ci_buildkit.report.text import inert

    for one in found:
        value = one.value
        if value in (None, []):
            continue
        if origins:
            yield inert(f"# {one.origin}")
        if one.hidden:
            yield "# what is *** here is hidden"
        if isinstance(value, list) and flag_of(one.key.replace("-", "_")).split:
            value = [written([text]) for text in value]
        text = yaml.safe_dump({one.key: value}, allow_unicode=True, width=sys.maxsize).rstrip("\n")
        if any(inert(line) != line for line in text.split("\n")):  # a runner or a terminal would take it for its own
            quoted = yaml.safe_dump({one.key: value}, default_style='"', width=sys.maxsize).rstrip("\n")
            text = quoted.replace("##", "#\\x23")
        yield text
