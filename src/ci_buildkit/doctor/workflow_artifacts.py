"""Artifacts of one name: actions/upload-artifact v4 and later takes a name once in a workflow run (its README). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import prod

from msgspec import Struct

from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.workflow import ALWAYS, EXPRESSION, Job, Step, Workflow
from ci_buildkit.doctor.workflow_calls import uses_in
from ci_buildkit.doctor.workflowfile import Value

UPLOAD = "actions/upload-artifact"
VERSION = re.compile(r"v?(\d+)(?:\.\d+)*")
UNIQUE = 4  # the first version that does not put several uploads of one name together
# What is the same in all jobs of a run.
CONSTANT = re.compile(r"(?:github\.[\w.]+|'[^']*'|\s|\|\||&&|[!=]=|[()])*")


class _Upload(Struct, frozen=True):
    """An upload: the artifact's name, where it is said, by which input, and the step's own condition."""

    name: str
    line: int
    job: Job
    key: str
    condition: str


def doubles(workflow: Workflow) -> Iterator[Flaw]:
    """Uploads whose name an earlier one of the same run has."""
    if workflow.composite:
        return
    seen: dict[str, _Upload] = {}
    for upload in _uploads(workflow):
        if not _constant(upload.name):
            continue
        if _many(upload.job.matrix) and not _chosen(upload.condition):
            yield Flaw(
                upload.line, _said(upload, "every job of the matrix", "a part such as ${{ strategy.job-index }}")
            )
        elif upload.condition in ALWAYS and upload.job.condition in ALWAYS:
            first = seen.setdefault(upload.name, upload)
            if first is not upload:
                yield Flaw(upload.line, _said(upload, f"the upload in line {first.line}, too,", "a name of its own"))


def _said(upload: _Upload, who: str, better: str) -> str:
    return f'{who} uploads an artifact "{upload.name}", and only the first one can; give {upload.key} {better}'


def _uploads(workflow: Workflow) -> Iterator[_Upload]:
    for job in workflow.jobs:
        for use in uses_in(job):
            if use.input("upload-artifacts") != "false" and (use.called is None or use.called.pipeline):
                value = use.given.get("artifact-name")
                name = f"{use.input('artifact-name') or 'ci-buildkit'}-report"
                condition = use.step.condition if use.step else ""
                yield _Upload(name, value.line if value else use.line, job, "artifact-name", condition)
        for step in job.steps:
            own = step.is_action(UPLOAD) and not {"archive", "overwrite"} & step.inputs.keys()
            if own and _version(workflow, step) >= UNIQUE:
                value = step.inputs.get("name")
                line = value.line if value else step.uses_line
                yield _Upload(step.input("name") or "artifact", line, job, "name", step.condition)


def _version(workflow: Workflow, step: Step) -> int:
    """The major version of the action: its tag, or what the comment behind a commit says; 0 where neither tells it."""
    ref = step.uses.ref if step.uses else ""
    comment = workflow.file.line(step.uses_line).partition(" #")[2]
    match = VERSION.fullmatch(ref) or VERSION.search(comment)
    return int(match[1]) if match else 0


def _constant(name: str) -> bool:
    return all(CONSTANT.fullmatch(match[0][3:-2]) for match in EXPRESSION.finditer(name))


def _chosen(condition: str) -> bool:
    """Whether a condition may let one job of a matrix pass only."""
    left = re.sub(r"'[^']*'|github\.[\w.]+|always\(\)|cancelled\(\)|success\(\)|failure\(\)|[!=&|()]", "", condition)
    return bool(left)


def _many(matrix: Value | None) -> bool:
    """Whether a matrix makes more than one job, as far as the file says it."""
    if matrix is None:
        return False
    if matrix.text:  # an expression
        return True
    lists = [value for key, value in matrix.entries.items() if key not in {"include", "exclude"}]
    if any(value.text for value in lists):
        return True
    count = prod(len(value.items) for value in lists) if lists else 0
    more = matrix.of("include")
    return count > 1 or (not lists and more is not None and (bool(more.text) or len(more.items) > 1))
