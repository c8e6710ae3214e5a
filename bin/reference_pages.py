"""The reference pages that are made from the code: options, commands, workflows, run.json, exit codes and the schema."""

from __future__ import annotations

import inspect
import types
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import command_pages
import doctor_pages
import manual_page
import workflow_pages
from markup import code, page, sentence, table
from pydantic import BaseModel

from ci_buildkit import errors, problem, record
from ci_buildkit.config import schema
from ci_buildkit.config.flag import TOPICS
from ci_buildkit.config.options import (
    Options,
    choices_of,
    flag_of,
    is_list,
    is_switch,
    option_string,
    variable_of,
)
from ci_buildkit.findings.model import Finding
from ci_buildkit.results.model import Case, Evidence, Totals


def pages() -> dict[str, str]:
    """Every generated file by its path in the repository."""
    return {
        "docs/reference/options.md": options(),
        "docs/reference/cli.md": command_pages.commands(),
        "docs/reference/action.md": workflow_pages.action(),
        "docs/reference/workflows.md": workflow_pages.workflows(),
        "docs/reference/run-json.md": run_json(),
        "docs/reference/exit-codes.md": exit_codes(),
        "docs/reference/doctor-rules.md": doctor_pages.doctor_rules(),
        "docs/reference/ci-buildkit.schema.json": schema.text(),
        "man/ci-buildkit.1": manual_page.manual(),
    }


def _default(name: str) -> str:
    default = Options.model_fields[name].default
    if default in (None, ()):
        return ""
    return code(str(default).lower() if isinstance(default, bool) else str(default))


def _flag(name: str) -> str:
    flag = flag_of(name)
    if name == "stages":
        return code("STAGE...")
    words = f"--{option_string(name)}"
    if is_switch(name):
        negated = Options.model_fields[name].default or name == "push"
        return code(words) + (f", {code('--no-' + option_string(name))}" if negated else "")
    long = code(f"{words} {'|'.join(choices_of(name)) or flag.metavar}")
    return f"{code(flag.short)}, {long}" if flag.short else long


def _several(name: str) -> str:
    if not is_list(name):
        return ""
    flag = flag_of(name)
    return ("commas" if flag.split else "repeat") + (", mapping" if flag.mapping else "")


def options() -> str:
    """The page on options, by topic."""
    about = (
        "An option is a flag, an input of the action, an environment variable or a key of the settings file: "
        "[settings](../how-to/configuration.md) tells which wins."
    )
    several = (
        "In the last column `commas` means that the flag can be given again and that one value may hold several, separated "
        "by commas; `repeat` that it can be given again, one value each, because a value itself may hold a comma; `mapping` "
        "that the file may hold names and values instead."
    )
    parts = [about, several]
    for topic in TOPICS:
        names = [name for name in Options.model_fields if flag_of(name).topic == topic]
        rows = [
            (_flag(name), sentence(Options.model_fields[name].description or ""), _default(name), _several(name))
            for name in names
        ]
        parts += [f"## {topic.capitalize()}", table(["Flag", "Meaning", "Default", "Several"], rows)]
    names = [name for name in Options.model_fields if name != "stages"]
    written = [
        (code(f"--{option_string(name)}"), "" if flag_of(name).action else "no", code(variable_of(name)))
        for name in names
    ]
    return page(
        "Options",
        "`src/ci_buildkit/config/options.py`",
        *parts,
        "## Variables",
        "An input of the action and a key of the file are the flag without its dashes. `STAGE...` is `stages` there.",
        table(["Flag", "Action input", "Variable"], written),
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
