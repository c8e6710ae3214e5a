"""Command-line flags made from the option model; only what was written ends in the namespace."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin

from ci_buildkit.config.options import Options, flag_of, is_list, option_string
from ci_buildkit.config.sources import Settings, load


def add_options(parser: argparse.ArgumentParser, names: Iterable[str] = tuple(Options.model_fields)) -> None:
    """Add a flag for each named option; `stages` becomes the positional arguments."""
    for name in names:
        field = Options.model_fields[name]
        flag = flag_of(name)
        default = field.default
        text = (field.description or "").replace("%", "%%")
        if default not in (None, (), False, True) and str(default) != ".":
            text += f" (default: {default})"
        keywords: dict[str, Any] = {"help": text, "default": argparse.SUPPRESS}
        if name == "stages":
            parser.add_argument(name, nargs="*", metavar=flag.metavar, help=text, default=argparse.SUPPRESS)
            continue
        if isinstance(default, bool):
            keywords["action"] = argparse.BooleanOptionalAction if default or name == "push" else "store_true"
        elif get_origin(field.annotation) is Literal:
            keywords["choices"] = get_args(field.annotation)
        else:
            keywords["metavar"] = flag.metavar
            keywords["action"] = "append" if is_list(name) else "store"
        strings = [flag.short] if flag.short else []
        parser.add_argument(*strings, f"--{option_string(name)}", dest=name, **keywords)


def settings(arguments: argparse.Namespace) -> Settings:
    """The settings in force for parsed arguments; raises ConfigurationError."""
    given = {name: value for name, value in vars(arguments).items() if name in Options.model_fields and value != []}
    return load(given, os.environ)
