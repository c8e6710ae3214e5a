"""What the token of a workflow may do, and what its jobs need. Pure.

A scope that a `permissions:` mapping does not name is none (docs.github.com, "Workflow syntax", `permissions`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from ci_buildkit.doctor import workflow_edits as edits
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.permissions_needed import Need, needs, understood
from ci_buildkit.doctor.workflow import Job, Workflow
from ci_buildkit.doctor.workflowfile import Value

# What the settings file may ask for, which a rule for one file does not see: where images are pushed to, and signatures.
SETTINGS = frozenset({"packages", "id-token", "attestations"})
LEVELS = {"none": 0, "read": 1, "write": 2}


class Granted(Struct, frozen=True):
    """What a `permissions:` grants. `everything` is the level of all scopes, `scopes` those that are named."""

    value: Value
    everything: str = "none"
    scopes: Mapping[str, Value] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Value) -> Granted:
        """Read `read-all`, `write-all`, or a mapping of scopes."""
        if value.text in {"read-all", "write-all"}:
            return cls(value, value.text.removesuffix("-all"))
        return cls(value, scopes=value.entries)

    def allows(self, scope: str, level: str) -> bool:
        """Whether a scope has at least this level."""
        given = self.scopes[scope].text if scope in self.scopes else self.everything
        return LEVELS.get(given or "", 0) >= LEVELS[level]


def granted(workflow: Workflow, job: Job) -> Granted | None:
    """What a job's token may do; None where the file does not say it, and the repository's settings decide."""
    value = job.value.of("permissions") or workflow.root.of("permissions")
    return Granted.of(value) if value else None


def wide(workflow: Workflow) -> Iterator[Flaw]:
    """`write-all`, at the top or in a job."""
    for value in (workflow.root, *(job.value for job in workflow.jobs)):
        found = value.of("permissions")
        if found and found.text == "write-all":
            yield Flaw(found.line, "write-all lets every step change everything of the repository; name what is needed")


def undeclared(workflow: Workflow) -> Iterator[Flaw]:
    """Jobs whose permissions are written nowhere. A workflow that is only called has those of its caller."""
    if workflow.root.of("permissions") or set(workflow.events) <= {"workflow_call"}:
        return
    bare = [job.id for job in workflow.jobs if not job.value.of("permissions")]
    if bare:
        who = (
            "no job says"
            if len(bare) == len(workflow.jobs)
            else f"{_listed(bare)} {'does' if len(bare) == 1 else 'do'} not say"
        )
        line, fix = edits.before(workflow, "jobs", "permissions:\n  contents: read")
        yield Flaw(
            line,
            f"{who} what its token may do, so that the repository's settings decide, which may be everything; add permissions: "
            "at the top, and in a job what only that job needs",
            fix,
        )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{'job' if len(names) == 1 else 'jobs'} {shown}{' and more' if len(names) > 3 else ''}"


def missing(workflow: Workflow) -> Iterator[Flaw]:
    """Permissions that a job needs for what it asks of ci-buildkit, where the file says that it has them not."""
    for job in workflow.jobs:
        given = granted(workflow, job)
        if given is None:
            continue
        seen: set[tuple[str, str]] = set()
        for need in needs(workflow, job):
            if (need.scope, need.level) not in seen and not given.allows(need.scope, need.level):
                seen.add((need.scope, need.level))
                yield _missing(workflow, job, given, need)


def _missing(workflow: Workflow, job: Job, given: Granted, need: Need) -> Flaw:
    said = f"job {job.id}: {need.why} needs the permission {need.scope}: {need.level}"
    line = workflow.file.line(given.value.line)
    if need.scope in given.scopes:
        value = given.scopes[need.scope]
        fix = edits.respelt(workflow.file.line(value.line), value.text or "", need.level)
        return Flaw(value.line, said, fix, severity=need.severity)
    column = _column(workflow, given)
    fix = f"{line}\n{' ' * column}{need.scope}: {need.level}" if column is not None else None
    return Flaw(given.value.line, said, fix, severity=need.severity)


def _column(workflow: Workflow, given: Granted) -> int | None:
    if given.value.flow or not given.scopes:
        return None
    first = next(iter(given.scopes.values()))
    return edits.indent(workflow.file.line(first.line)) if first.line > given.value.line else None


def unneeded(workflow: Workflow) -> Iterator[Flaw]:
    """Scopes to write that no job needs, where every job that has them is one whose needs are known."""
    top = workflow.root.of("permissions")
    heirs = [job for job in workflow.jobs if not job.value.of("permissions")]
    if top and heirs:
        yield from _unneeded(workflow, top, heirs)
    for job in workflow.jobs:
        own = job.value.of("permissions")
        if own:
            yield from _unneeded(workflow, own, [job])


def _unneeded(workflow: Workflow, value: Value, jobs: list[Job]) -> Iterator[Flaw]:
    if not all(understood(job) for job in jobs) or not any(job.runs_pipeline for job in jobs):
        return
    needed = {need.scope for job in jobs for need in needs(workflow, job) if need.level == "write"}
    for scope, level in value.entries.items():
        if level.text == "write" and scope not in needed and scope not in SETTINGS:
            line = workflow.file.line(level.line)
            fix = re.sub(r"\bwrite\b", "read", line, count=1) if scope == "contents" else None
            asked = f"nothing in job {jobs[0].id} writes" if len(jobs) == 1 else "no job that has it writes"
            yield Flaw(level.line, f"{scope}: write is not needed: {asked} there", fix, safe=fix is not None)
