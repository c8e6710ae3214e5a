"""Lines of a workflow with something added, for fixes. Pure; what is written in a way that it does not know stays as it is."""

from __future__ import annotations

import re

from ci_buildkit.doctor.workflow import Step, Workflow
from ci_buildkit.doctor.workflowfile import Value

KEY = re.compile(r"^(\s*(?:- +)*)([\w-]+|\"[\w-]+\"|'[\w-]+')\s*:")


def indent(line: str) -> int | None:
    """The column of a line's key, behind the dashes of lists; None where the line holds none."""
    match = KEY.match(line)
    return len(match[1]) if match else None


def with_input(workflow: Workflow, step: Step, name: str, value: str) -> tuple[int, str | None]:
    """The line to replace so that a step has an input, and its new text, None where that is not known."""
    given = step.inputs.get(name)
    if given is not None:
        return given.line, _changed(workflow.file.line(given.line), name, given, value)
    block = step.value.of("with")
    if block is None or not block.entries:
        return step.uses_line, _with_block(workflow, step, name, value) if block is None else None
    line = workflow.file.line(block.line)
    if block.flow:
        closed = block.first == block.last == block.line and line.count("}") == 1
        return block.line, line.replace("}", f", {name}: {value}}}") if closed else None
    column = indent(workflow.file.line(next(iter(block.entries.values())).line))
    return block.line, f"{line}\n{' ' * column}{name}: {value}" if column is not None else None


def _with_block(workflow: Workflow, step: Step, name: str, value: str) -> str | None:
    line = workflow.file.line(step.uses_line)
    column = indent(line)
    if column is None or step.value.flow:
        return None
    space = " " * column
    return f"{line}\n{space}with:\n{space}  {name}: {value}"


def _changed(line: str, name: str, given: Value, value: str) -> str | None:
    if given.text is None or given.first != given.line or given.last != given.line:
        return None
    written = re.escape(given.text)
    changed, count = re.subn(
        rf"(\b{re.escape(name)}[\"']?\s*:\s*)[\"']?{written}[\"']?", rf"\g<1>{value}", line, count=1
    )
    return changed if count else None


def renamed(line: str, old: str, new: str) -> str | None:
    """The line with a key renamed; None where it does not hold it once."""
    changed, count = re.subn(rf"(?<![\w-]){re.escape(old)}(?=[\"']?\s*:)", new, line)
    return changed if count == 1 else None


def respelt(line: str, old: str, new: str) -> str | None:
    """The line with a word replaced; None where it does not hold it once."""
    changed, count = re.subn(rf"(?<![\w.-]){re.escape(old)}(?![\w.-])", new, line)
    return changed if count == 1 else None


def before(workflow: Workflow, key: str, text: str) -> tuple[int | None, str | None]:
    """The line of a key at the top, and it with a text and an empty line before it."""
    found = workflow.root.of(key)
    if found is None:
        return None, None
    return found.line, f"{text}\n\n{workflow.file.line(found.line)}"
