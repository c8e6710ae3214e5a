"""The reference pages that are made from the code: options, commands, the action, run.json and exit codes."""

from __future__ import annotations

import argparse
import html
import importlib
import inspect
import re
import types
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel

from ci_buildkit import errors, problem, record
from ci_buildkit.cli.main import COMMANDS
from ci_buildkit.config.options import CONFIG_FILE, Options, flag_of, is_list, option_string, variable_of
from ci_buildkit.findings.model import Finding
from ci_buildkit.results.model import Case, Evidence, Totals

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = re.compile(r"\s*\(default: ([^)]+)\)$")
NOTE = "Made by `make docs` from {source}: change that, not this page."


def pages() -> dict[str, str]:
    """Every generated page by its path below `docs/`."""
    return {
        "reference/options.md": options(),
        "reference/cli.md": commands(),
        "reference/action.md": action(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))),
        "reference/run-json.md": run_json(),
        "reference/exit-codes.md": exit_codes(),
    }


def page(title: str, source: str, *parts: str) -> str:
    """A page: title, note, parts."""
    return "\n\n".join([f"# {title}", NOTE.format(source=source), *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars in cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def code(text: str) -> str:
    """A code span; as HTML where it holds a bar, which Markdown's dialects escape in different ways inside tables."""
    if "|" in text:
        return f"<code>{html.escape(text).replace('|', '&#124;')}</code>"
    return f"`{text}`"


def sentence(text: str) -> str:
    """A description as a sentence, its default last; a first word that is written in its own way stays so."""
    if found := DEFAULT.search(text):
        text = f"{text[: found.start()]}. Default: {code(found[1])}.".removeprefix(". ")
    first, _, rest = text.partition(" ")
    first = first if {".", ":"} & set(first) or not first.islower() else first.capitalize()
    text = f"{first} {rest}".strip()
    return text if not text or text.endswith(".") else f"{text}."


def _default(name: str) -> str:
    default = Options.model_fields[name].default
    if default in (None, ()):
        return ""
    return code(str(default).lower() if isinstance(default, bool) else str(default))


def _flag(name: str) -> str:
    flag, field = flag_of(name), Options.model_fields[name]
    if name == "stages":
        return code("STAGE...")
    words = f"--{option_string(name)}"
    if isinstance(field.default, bool):
        return code(words) + (f", {code('--no-' + option_string(name))}" if name == "push" else "")
    kinds = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    long = code(f"{words} {'|'.join(kinds) or flag.metavar or 'VALUE'}")
    return f"{code(flag.short)}, {long}" if flag.short else long


def _several(name: str) -> str:
    if not is_list(name):
        return ""
    return "commas" if flag_of(name).split else "repeat"


def options() -> str:
    """The page on options."""
    names = list(Options.model_fields)
    rows = [
        (_flag(name), sentence(Options.model_fields[name].description or ""), _default(name), _several(name))
        for name in names
    ]
    written = [
        (
            code("STAGE..." if name == "stages" else f"--{option_string(name)}"),
            code(option_string(name)) if flag_of(name).action else "",
            code(variable_of(name)),
            code(option_string(name)),
        )
        for name in names
    ]
    several = (
        "Several values: `commas` means that the flag can be given again and that one value may hold several, separated "
        "by commas; `repeat` that it can be given again, one value each, because a value itself may hold a comma."
    )
    sources = (
        f"An option is set by a flag, an input of the action, an environment variable or a key of `{CONFIG_FILE}` in the "
        "build context. A flag wins over an input, an input over a variable, a variable over the file, the file over the "
        "default. A list replaces the list of the weaker source and is not added to it. In variables and inputs each line "
        "is a value; an empty one is not set."
    )
    example = f"""```yaml
# {CONFIG_FILE}
platform: [linux/amd64, linux/arm64]
lint-target: golangci
build-arg:
  GO_VERSION: "1.26"
```"""
    unknown = "A key that does not exist is an error (exit code 2) that names the nearest one."
    return page(
        "Options",
        "`src/ci_buildkit/config/options.py`",
        table(["Flag", "Meaning", "Default", "Several"], rows),
        several,
        "## Where a value comes from",
        sources,
        example,
        unknown,
        table(["Flag", "Action input", "Variable", "File key"], written),
    )


class Recorder(argparse.ArgumentParser):
    """A parser that remembers what was added to it, in order."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        """As argparse's, without `--help`."""
        self.added: list[argparse.Action] = []
        super().__init__(*args, **{**keywords, "add_help": False})

    def add_argument(self, *args: Any, **keywords: Any) -> argparse.Action:
        """As argparse's."""
        made = super().add_argument(*args, **keywords)
        self.added.append(made)
        return made


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
        parser = Recorder(prog=f"ci-buildkit {name}")
        module.add_arguments(parser)
        verbs = parser._subparsers  # noqa: SLF001 - argparse has no other way to ask
        parts += [f"## ci-buildkit {name}", inspect.cleandoc(module.__doc__ or "")]
        parts += _verbs(name, verbs._group_actions[0]) if verbs else _arguments(f"ci-buildkit {name}", parser)  # noqa: SLF001
    return page("Commands", "`src/ci_buildkit/cli`", *parts)


def _verbs(name: str, verbs: Any) -> list[str]:
    parts = []
    for entry in verbs._choices_actions:  # noqa: SLF001
        command = f"ci-buildkit {name} {entry.dest}"
        parts += [f"### {command}", sentence(entry.help), *_arguments(command, verbs.choices[entry.dest])]
    return parts


def _arguments(command: str, parser: Recorder) -> list[str]:
    places = [a for a in parser.added if not a.option_strings]
    usage = " ".join([command, *(["[OPTIONS]"] if len(places) < len(parser.added) else []), *map(_place, places)])
    parts = [f"```console\n$ {usage}\n```"]
    shared = [a for a in parser.added if a.dest in Options.model_fields]
    everything = len(shared) == len(Options.model_fields)
    own = [a for a in parser.added if not (everything and a in shared)]
    if own:
        rows = [(_strings(a), sentence((a.help or "").replace("%%", "%"))) for a in own]
        parts.append(table(["Argument", "Meaning"], rows))
    if everything:
        parts.append("Takes every [option](options.md).")
    return parts


def _place(action: argparse.Action) -> str:
    shown = str(action.metavar or action.dest)
    return f"{shown}..." if action.nargs == "+" else f"[{shown}...]" if action.nargs == "*" else shown


def _strings(action: argparse.Action) -> str:
    if not action.option_strings:
        return code(_place(action))
    value = "|".join(map(str, action.choices)) if action.choices else action.metavar if action.nargs != 0 else ""
    *short, long = action.option_strings
    return ", ".join([*map(code, short), code(f"{long} {value or ''}".strip())])


def action(written: dict[str, Any]) -> str:
    """The page on the action."""
    inputs = [
        (code(name), one["description"], code(one["default"]) if one["default"] else "")
        for name, one in written["inputs"].items()
    ]
    outputs = [(code(name), one["description"]) for name, one in written["outputs"].items()]
    return page(
        "The action",
        "`action.yml`",
        "```yaml\n- uses: org/ci-buildkit@v1\n```",
        "## Inputs",
        "An empty input is not set: then `ci-buildkit.yml` of the repository decides, else the default.",
        table(["Input", "Meaning", "Default"], inputs),
        "## Outputs",
        "Outputs are written whether the pipeline passed or not; read them in a step with `if: always()`.",
        table(["Output", "Meaning"], outputs),
    )


# What stands under each key of the record.
RECORD: tuple[tuple[str, type], ...] = (
    ("run.json", record.RunRecord),
    ("version", record.VersionRecord),
    ("builder", record.BuilderRecord),
    ("stages", record.StageRecord),
    ("stages: emulated", record.EmulationRecord),
    ("stages: timeline", record.StepRecord),
    ("tests", record.TestsRecord),
    ("tests: totals", Totals),
    ("tests: failed", Case),
    ("findings", Finding),
    ("binaries", record.BinaryRecord),
    ("images", record.ImageRecord),
    ("problems", problem.Problem),
    ("inputs", record.InputsRecord),
    ("inputs: contexts", record.ContextRecord),
    ("inputs: dockerfiles", record.DockerfileRecord),
    ("inputs: dockerfiles: stages", record.DockerfileStageRecord),
    ("inputs: dockerfiles: stages: instructions", record.InstructionRecord),
    ("inputs: builds", record.BuildRecord),
)


def keys(model: type) -> dict[str, str]:
    """The JSON keys of a model, each with its type in words."""
    if issubclass(model, BaseModel):
        names = {name: field.serialization_alias or name for name, field in model.model_fields.items()}
    else:
        found = record.FAILED_KEYS if model is Case else tuple(get_type_hints(model))
        names = {name: name for name in found}
    hints = get_type_hints(model) | (get_type_hints(Evidence) if model is Case else {})
    return {alias: type_words(hints[name]) for name, alias in names.items()}


def type_words(kind: Any) -> str:
    """A Python type in the words of JSON."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(code(str(value)) for value in inside)
    if origin in (types.UnionType, Union):
        return " or ".join(type_words(part) for part in inside)
    if origin is tuple:
        words = type_words(inside[0])
        return f"list of {'objects' if words == 'object' else words}"
    simple = {str: "text", int: "integer", float: "number", bool: "true or false", type(None): "null"}
    return simple.get(kind, "object")


def run_json() -> str:
    """The page on the run record."""
    about = (
        "The record of a run, `run.json` in the report folder. Times are RFC 3339 in UTC, durations seconds. All keys are "
        f"always there. `schema` is {record.SCHEMA}; it changes when a key goes or changes its meaning, not when one is "
        "added."
    )
    parts = [about]
    for title, model in RECORD:
        parts += [f"## {title}", inspect.cleandoc(model.__doc__ or "")]
        parts.append(table(["Key", "Type"], [(code(key), words) for key, words in keys(model).items()]))
    return page("run.json", "`src/ci_buildkit/record.py`", *parts)


def exit_codes() -> str:
    """The page on exit codes."""
    rows = [("0", "", "Passed.")]
    rows += [
        (str(one.exit_code), code(one.__name__), inspect.cleandoc(one.__doc__ or "").replace("\n", " "))
        for one in sorted(errors.CiBuildkitError.__subclasses__(), key=lambda one: one.exit_code)
    ]
    order = ", ".join(str(number) for number in errors.PRECEDENCE)
    return page(
        "Exit codes",
        "`src/ci_buildkit/errors.py`",
        "Every command ends with one of these.",
        table(["Code", "Error", "Meaning"], rows),
        f"When several apply, the most fundamental wins: the first in {order}. So a run with failed tests and a build "
        "that broke ends with 3, and one whose registry refused the push with 4.",
    )
