"""How a workflow loses what the pipeline found: failures that make nothing red, and results that are not uploaded. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from ci_buildkit.doctor import workflow_edits as edits
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.shell import Command
from ci_buildkit.doctor.workflow import Job, Step, Workflow, verb_of
from ci_buildkit.doctor.workflowfile import Value

GIVES_UP = frozenset({"true", ":", "exit 0"})
UPLOAD = "actions/upload-artifact"
# What results and reports are usually called.
RESULTS = re.compile(r"ci-report|junit|test-?results?|test-?reports?|surefire", re.IGNORECASE)
BEFORE_RESULTS = re.compile(r"\b(?:test|tests|pytest|gotestsum|jest|vitest|ctest|check|verify)\b", re.IGNORECASE)
NOT_CANCELLED = "if: ${{ !cancelled() }}"


def ignored(workflow: Workflow) -> Iterator[Flaw]:
    """Failures of ci-buildkit that do not make the workflow red."""
    for job in workflow.jobs:
        for number, step in enumerate(job.steps):
            if not step.runs_pipeline:
                continue
            if step.value.text_of("continue-on-error") == "true" and not _looked_at(step, job.steps[number + 1 :]):
                yield _ignored(step.value, "the step passes whatever ci-buildkit finds")
            yield from _swallowed(workflow, job, step)
        if job.runs_pipeline and job.value.text_of("continue-on-error") == "true":
            yield _ignored(job.value, f"job {job.id} passes whatever ci-buildkit finds")


def _ignored(place: Value, what: str) -> Flaw:
    line = place.entries["continue-on-error"].line
    return Flaw(line, f"continue-on-error: true is a false green: {what}; remove it, or let fail-on: say what counts")


def _looked_at(step: Step, after: Sequence[Step]) -> bool:
    """Whether a later step asks how this one ended."""
    name = step.value.text_of("id")
    asked = re.compile(rf"steps\.{re.escape(name)}\.(?:outcome|outputs\.(?:outcome|exit-code|verdict))")
    return bool(name) and any(asked.search(_text(other)) for other in after)


def _text(step: Step) -> str:
    env = step.value.of("env")
    values = [value.text or "" for value in env.entries.values()] if env else []
    return "\n".join([step.condition, (step.script.text or "") if step.script else "", *values])


def _swallowed(workflow: Workflow, job: Job, step: Step) -> Iterator[Flaw]:
    for this, following in pairwise((*step.commands, Command(()))):
        if verb_of(this) != "run" or step.script is None:
            continue
        line = workflow.file.find("buildkit run", step.script)
        if "buildkit run" not in workflow.file.line(line):  # in two lines, say
            line = workflow.file.find("buildkit", step.script)
        if this.after == "||" and following.line in GIVES_UP:
            yield Flaw(
                line, f"`|| {following.line}` is a false green: the step passes whatever ci-buildkit finds; remove it"
            )
        elif this.after in {"|", "|&"} and not _pipefail(workflow, job, step):
            yield Flaw(
                line,
                f"the exit code of ci-buildkit is lost in the pipe to {following.line.split(' ')[0]}: the step passes whatever "
                "it finds; add shell: bash, which stops at a failure in a pipe",
            )


def _pipefail(workflow: Workflow, job: Job, step: Step) -> bool:
    """Whether a failure in a pipe counts: GitHub gives pipefail to `shell: bash`, not to the bash that it takes by itself."""
    shells = [
        step.value.text_of("shell"),
        *(place.text_of("defaults", "run", "shell") for place in (job.value, workflow.root)),
    ]
    script = (step.script.text or "") if step.script else ""
    return next(filter(None, shells), "") == "bash" or "pipefail" in script or "PIPESTATUS" in script


def lost(workflow: Workflow) -> Iterator[Flaw]:
    """Uploads of results that are left out where it matters: when a step before them has failed."""
    for job in workflow.jobs:
        for number, step in enumerate(job.steps):
            if not step.is_action(UPLOAD) or step.condition not in {"", "success()"}:
                continue
            if RESULTS.search(f"{step.input('path')} {step.input('name')}") and _may_fail(job.steps[:number]):
                yield _lost(workflow, step)


def _may_fail(before: Sequence[Step]) -> bool:
    """Whether a step before runs tests, and its failure ends the job."""
    for step in before:
        if step.value.text_of("continue-on-error") == "true":
            continue
        script = (step.script.text or "") if step.script else ""
        if step.runs_pipeline or BEFORE_RESULTS.search(script):
            return True
    return False


def _lost(workflow: Workflow, step: Step) -> Flaw:
    said = "the upload is left out when a step before it fails, and then the results are lost; add " + NOT_CANCELLED
    given = step.value.of("if")
    if given is not None:
        line = workflow.file.line(given.line)
        fix = re.sub(r"\bif\s*:.*", NOT_CANCELLED, line) if given.first == given.last == given.line else None
        return Flaw(given.line, said, fix, safe=fix is not None)
    line = workflow.file.line(step.uses_line)
    column = edits.indent(line)
    if column is None or step.value.flow:
        return Flaw(step.uses_line, said)
    head = line[:column]
    return Flaw(step.uses_line, said, f"{head}{NOT_CANCELLED}\n{' ' * column}{line[column:]}", safe=True)
