"""The reference page of the commands and the manual page, both from the commands' own parsers."""

from __future__ import annotations

import argparse
import importlib
import inspect
from typing import Any

from markup import code, page, sentence, table

from ci_buildkit.cli.main import COMMANDS, Parser, fill
from ci_buildkit.config.options import Options


def commands() -> str:
    """The page on commands."""
    about = (
        "Every command takes `--help`, and `--debug` for a traceback with an error. JSON goes to stdout alone, progress "
        "and messages to stderr. [Exit codes](exit-codes.md) are the same for all commands."
    )
    rows = [(f"[{name}](#ci-buildkit-{name})", sentence(text)) for name, text in COMMANDS.items()]
    parts = [about, table(["Command", "Does"], rows)]
    for name in COMMANDS:
        module = importlib.import_module(f"ci_buildkit.cli.{name}")
        parser = fill(Parser(prog=f"ci-buildkit {name}"), module)
        verbs = parser._subparsers  # noqa: SLF001 - argparse has no other way to ask
        parts += [f"## ci-buildkit {name}", inspect.cleandoc(module.__doc__ or "")]
        parts += _verbs(name, verbs._group_actions[0]) if verbs else _arguments(parser)  # noqa: SLF001
        parts += [f"Examples of `ci-buildkit {name}`:", f"```console\n{_prompted(module.EXAMPLES)}\n```"]
    return page("Commands", "`src/ci_buildkit/cli`", *parts)


def _prompted(examples: str) -> str:
    return "\n".join(f"$ {line}" for line in examples.strip().splitlines())


def _verbs(name: str, verbs: Any) -> list[str]:
    parts = []
    for entry in verbs._choices_actions:  # noqa: SLF001
        parts += [f"### ci-buildkit {name} {entry.dest}", sentence(entry.help), *_arguments(verbs.choices[entry.dest])]
    return parts


def _arguments(parser: argparse.ArgumentParser) -> list[str]:
    added = [one for one in parser._actions if one.dest not in {"help", "debug"}]  # noqa: SLF001
    parts = [f"```console\n$ {parser.format_usage().removeprefix('usage: ').strip()}\n```"]
    shared = [one for one in added if one.dest in Options.model_fields]
    everything = len(shared) == len(Options.model_fields)
    own = [one for one in added if not (everything and one in shared)]
    if own:
        rows = [(_strings(one), sentence((one.help or "").replace("%%", "%"))) for one in own]
        parts.append(table(["Argument", "Meaning"], rows))
    if everything:
        parts.append("Takes every [option](options.md).")
    return parts


def _place(action: argparse.Action) -> str:
    formats = {"+": "{}...", "*": "[{}...]", "?": "[{}]"}
    return formats.get(str(action.nargs), "{}").format(action.metavar or action.dest)


def _strings(action: argparse.Action) -> str:
    if not action.option_strings:
        return code(_place(action))
    value = "|".join(map(str, action.choices)) if action.choices else action.metavar if action.nargs != 0 else ""
    *short, long = action.option_strings
    return ", ".join([*map(code, short), code(f"{long} {value or ''}".strip())])
