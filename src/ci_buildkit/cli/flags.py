"""Command-line flags made from the option model; only what was written ends in the namespace."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable
from typing import Any

from ci_buildkit.config.flag import TOPICS
from ci_buildkit.config.options import Options, choices_of, flag_of, is_list, is_switch, option_string
from ci_buildkit.config.sources import Settings, load

EVERY = tuple(Options.model_fields)


def add_options(parser: argparse.ArgumentParser, names: Iterable[str] = EVERY) -> None:
    """Add a flag for each named option, those of a topic together where there are many.

    `stages` becomes the positional arguments.
    """
    wanted = tuple(names)
    for topic in TOPICS:
        found = [name for name in wanted if flag_of(name).topic == topic]
        several = wanted == EVERY and found
        place = parser.add_argument_group(topic) if several else parser
        for name in found:
            _add(place, name)


def _add(place: Any, name: str) -> None:
    flag, default = flag_of(name), Options.model_fields[name].default
    text = (Options.model_fields[name].description or "").replace("%", "%%")
    if default not in (None, (), False, True) and str(default) != ".":
        text += f" (default: {default})"
    keywords: dict[str, Any] = {"help": text, "default": argparse.SUPPRESS}
    if name == "stages":
        place.add_argument(name, nargs="*", metavar=flag.metavar, **keywords)
        return
    if is_switch(name):
        keywords["action"] = argparse.BooleanOptionalAction if default or name == "push" else "store_true"
    elif choices := choices_of(name):
        keywords["choices"] = choices
    else:
        keywords["metavar"] = flag.metavar
        keywords["action"] = "append" if is_list(name) else "store"
    strings = [flag.short] if flag.short else []
    place.add_argument(*strings, f"--{option_string(name)}", dest=name, **keywords)


def settings(arguments: argparse.Namespace) -> Settings:
    """The settings in force for parsed arguments; what is odd about their sources is told on stderr.

    Raises ConfigurationError.
    """
    given = {name: value for name, value in vars(arguments).items() if name in Options.model_fields and value != []}
    found = load(given, os.environ)
    for warning in found.warnings:
        from ci_buildkit.report.text import inert

        print(inert(f"warning: {warning}"), file=sys.stderr)
    return found
