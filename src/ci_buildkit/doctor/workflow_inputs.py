"""Inputs of ci-buildkit, as an action and as reusable workflows: names that do not exist, and values that it refuses. Pure.

GitHub only warns of an unknown input of an action, in a place that nobody looks at, and goes on without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from ci_buildkit.config import lists
from ci_buildkit.config.options import Options, choices_of, is_list
from ci_buildkit.doctor import workflow_edits as edits
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.nearest import nearest, question
from ci_buildkit.doctor.workflow import Workflow
from ci_buildkit.doctor.workflow_calls import OPTIONS, Use, uses_of
from ci_buildkit.doctor.workflowfile import Value
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan import platforms

PUBLISHED = ("check", "comment", "release")
# Inputs of docker's own actions for the same matter, written another way: a question, never a fix.
ELSEWHERE: Mapping[str, str] = {
    "dockerfile": "file", "files": "bake-file", "secrets": "secret", "tags": "tag", "target": "stages", "targets": "stages",
}  # fmt: skip


def unknown(workflow: Workflow) -> Iterator[Flaw]:
    """Inputs that ci-buildkit has not."""
    for use in uses_of(workflow):
        then = "GitHub refuses to start it" if use.called else "GitHub goes on without it"
        lower = {name.lower() for name in use.known}  # GitHub takes them in any case
        for name, value in use.given.items():
            if name.lower() not in lower:
                yield _unknown(workflow, use, name, value, then)


def _unknown(workflow: Workflow, use: Use, name: str, value: Value, then: str) -> Flaw:
    said = f'{use.name} has no input "{name}": {then}'
    dashed = name.replace("_", "-").lower()
    if ELSEWHERE.get(dashed) in use.known:
        return Flaw(value.line, f"{said}{question([ELSEWHERE[dashed]])}")
    near = (dashed,) if dashed in use.known else nearest(dashed, use.known)
    sure = len(near) == 1 and near[0] not in use.given
    fix = edits.renamed(workflow.file.line(value.line), name, near[0]) if sure else None
    return Flaw(value.line, f"{said}{question(near)}", fix, safe=fix is not None)


def refused(workflow: Workflow) -> Iterator[Flaw]:
    """Values that the options do not take; those with expressions are only known when they run."""
    for use in uses_of(workflow):
        for key, value in use.given.items():
            text = (value.text or "").strip()
            if text and "${{" not in text and (why := _refused(key.lower(), text)):
                yield Flaw(value.line, f"{key}: {why}")


def _refused(key: str, text: str) -> str:
    """Why the value of an input cannot be; "" where it can."""
    if key in OPTIONS:
        return _refused_option(OPTIONS[key], text)
    if key == "publish":
        words = [word.strip() for word in text.replace("\n", ",").split(",")]
        odd = [word for word in words if word not in {"", *PUBLISHED}]
        return f'"{odd[0]}" cannot be published; there are {", ".join(PUBLISHED)}' if odd else ""
    if key == "retention-days":
        return "" if text.isdecimal() and int(text) <= 400 else f'"{text}" is no number of days from 0 to 400'
    if key == "upload-artifacts":
        return "" if text in {"true", "false"} else f'"{text}" is neither true nor false'
    return ""


def _refused_option(name: str, text: str) -> str:
    try:
        value = lists.split(name, lists.lines(text)) if is_list(name) else text
        platforms.check(Options.model_validate({name: value}).platform)
    except ValidationError as error:
        return "; ".join(_reason(name, one) for one in error.errors(include_url=False))
    except ConfigurationError as error:
        return error.message
    except ValueError as error:
        return str(error)
    return ""


def _reason(name: str, detail: Mapping[str, Any]) -> str:
    """What is wrong with a value, in the words of the settings file's own errors."""
    given = f"{str(detail['input'])[:200]!r}"
    if detail["type"] == "bool_parsing":
        return f"{given} is neither true nor false"
    if detail["type"] == "literal_error":
        return f"{given} is none of {', '.join(choices_of(name))}"
    return str(detail["msg"]).removeprefix("Value error, ")
