"""Where and when jobs run: runners, jobs that they wait for, time, and runs that overtake each other. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_buildkit.doctor import workflow_edits as edits
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.nearest import nearest, one_slip_apart, question
from ci_buildkit.doctor.workflow import Job, Workflow
from ci_buildkit.doctor.workflowfile import Value

# GitHub's own runners (docs.github.com, "GitHub-hosted runners reference").
_UBUNTU = ("latest", "slim", "26.04", "24.04", "22.04", "26.04-arm", "24.04-arm", "22.04-arm")
_WINDOWS = ("latest", "2025", "2025-vs2026", "2022", "11-arm")
_MACOS = ("latest", "26", "26-intel", "15", "15-intel", "14")
_MACOS_LARGE = tuple(f"{name}-{size}" for name in ("latest", "26", "15", "14") for size in ("large", "xlarge"))
RUNNERS = frozenset(
    [
        *(f"ubuntu-{name}" for name in _UBUNTU),
        *(f"windows-{name}" for name in _WINDOWS),
        *(f"macos-{name}" for name in (*_MACOS, *_MACOS_LARGE)),
    ]
)
# ... and those that are gone: a job waits for them until GitHub gives up after a day.
GONE = frozenset(
    [
        *("ubuntu-16.04", "ubuntu-18.04", "ubuntu-20.04", "windows-2016", "windows-2019", "macos-10.15", "macos-11"),
        *(f"macos-{version}{size}" for version in ("12", "13") for size in ("", "-large", "-xlarge")),
    ]
)
OWN = "self-hosted"
ONE_OF_MATRIX = re.compile(r"\$\{\{\s*matrix\.([\w-]+)\s*\}\}")
DIGITS = re.compile(r"\d")


def runners(workflow: Workflow) -> Iterator[Flaw]:
    """Labels that are nearly one of GitHub's, which a runner of one's own would hardly have."""
    for label in _labels(workflow):
        names = meant(label.text or "")
        if names:
            fix = (
                edits.respelt(workflow.file.line(label.first), label.text or "", names[0]) if len(names) == 1 else None
            )
            yield Flaw(label.first, f'no runner of GitHub\'s has the label "{label.text}"{question(names)}', fix)


def gone(workflow: Workflow) -> Iterator[Flaw]:
    """Runners that GitHub has no more."""
    for label in _labels(workflow):
        if (label.text or "").lower() in GONE:
            yield Flaw(label.first, f"GitHub has no {label.text} any more: the job waits for a day and fails")


def meant(label: str) -> tuple[str, ...]:
    """The labels of GitHub's runners that a misspelt one is meant to be; none for what may be somebody's own."""
    word, known = label.lower(), RUNNERS | GONE
    if word in known or any(word.startswith(f"{name}-") for name in known):
        return ()
    if DIGITS.sub("0", word) in {DIGITS.sub("0", name) for name in known}:  # a version that came after this was written
        return ()
    slips = tuple(sorted(name for name in RUNNERS if one_slip_apart(word, name)))
    # What begins with a system's name may be somebody's own.
    return slips or (() if word.startswith(("ubuntu-", "windows-", "macos-")) else nearest(word, RUNNERS, 0.9))


def _labels(workflow: Workflow) -> Iterator[Value]:
    for job in workflow.jobs:
        found = job.value.of("runs-on")
        if found is None:
            continue
        labels = found.of("labels") if found.entries else found
        every = labels.several if labels else ()
        for label in () if OWN in {one.text for one in every} else every:
            match = ONE_OF_MATRIX.fullmatch((label.text or "").strip())
            yield from _of_matrix(job, match[1]) if match else iter([label] if "${{" not in (label.text or "") else [])


def _of_matrix(job: Job, key: str) -> Iterator[Value]:
    matrix = job.matrix
    if matrix is None:
        return
    if values := matrix.of(key):
        yield from (item for item in values.items if item.text and "${{" not in item.text)
    if include := matrix.of("include"):
        rows = [row.of(key) for row in include.items]
        yield from (value for value in rows if value and value.text and "${{" not in value.text)


def waits(workflow: Workflow) -> Iterator[Flaw]:
    """Jobs that wait for one that does not exist."""
    known = [job.id for job in workflow.jobs]
    for job in workflow.jobs:
        needs = job.value.of("needs")
        for name in needs.several if needs else ():
            text = name.text or ""
            if text.lower() in {one.lower() for one in known} or "${{" in text:
                continue
            names = nearest(text, [one for one in known if one != job.id])
            fix = edits.respelt(workflow.file.line(name.first), text, names[0]) if len(names) == 1 else None
            said = f'job {job.id} needs "{text}", and there is no such job: GitHub refuses the file{question(names)}'
            yield Flaw(name.first, said, fix)


def endless(workflow: Workflow) -> Iterator[Flaw]:
    """Jobs without a limit of their own: GitHub ends them after six hours."""
    bare = [job for job in workflow.jobs if job.steps and not job.value.of("timeout-minutes")]
    if bare and not workflow.composite:
        names = ", ".join(job.id for job in bare[:3]) + (f" and {len(bare) - 3} more" if len(bare) > 3 else "")
        yield Flaw(bare[0].line, f"no timeout-minutes in {names}: what hangs is ended after six hours only")


def overtaken(workflow: Workflow) -> Iterator[Flaw]:
    """Workflows for pull requests in which runs of older commits go on."""
    runs = any(step.runs_pipeline for _, step in workflow.steps)  # a called workflow has its own
    places = (workflow.root, *(job.value for job in workflow.jobs))
    if not runs or "pull_request" not in workflow.events or any(place.of("concurrency") for place in places):
        return
    text = "concurrency:\n  group: ${{ github.workflow }}-${{ github.ref }}\n  cancel-in-progress: ${{ github.event_name == 'pull_request' }}"
    line, fix = edits.before(workflow, "jobs", text)
    yield Flaw(line, "runs of older commits of a pull request go on beside the newest; add concurrency:", fix)


def empty(workflow: Workflow) -> Iterator[Flaw]:
    """What cannot be a workflow: without `on:` or `jobs:`, and jobs that do nothing."""
    if workflow.composite:
        return
    for key in ("on", "jobs"):
        if workflow.root.of(key) is None:
            yield Flaw(workflow.root.first, f"the workflow has no {key}:, and GitHub refuses it")
    for job in workflow.jobs:
        if job.called is None and not job.value.of("steps"):
            yield Flaw(job.line, f"job {job.id} has neither steps: nor uses:, and GitHub refuses it")
        elif job.called is None and job.value.of("runs-on") is None:
            yield Flaw(job.line, f"job {job.id} has no runs-on:, and GitHub refuses it")
