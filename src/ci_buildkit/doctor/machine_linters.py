"""zizmor and actionlint, where this machine has them: what they find in workflows beside what is found here.

Both are asked about files that GitHub can read only: zizmor gives up at the first that it cannot.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ci_buildkit.doctor import workflows
from ci_buildkit.doctor.diagnosis import Diagnosis, Severity
from ci_buildkit.doctor.machine import Machine
from ci_buildkit.doctor.workflow import Workflow
from ci_buildkit.doctor.workflow_pins import moves_on_purpose
from ci_buildkit.findings.read import read_log

SECONDS = 20.0  # they read all files at once
# Of zizmor: `uses: $/...`, which act 0.2.89 and GitHub Enterprise Server refuse, and a token in .git/config, of which the
# rule here knows better where it is needed.
UNWANTED = frozenset({"self-repository", "artipacked"})
PLACEHOLDERS = ("$default-branch", "$protected-branches", "$cron-")  # of templates, which GitHub replaces
# Kinds of actionlint's errors and the rules that tell the same. Labels are told where they are misspelt only: others may
# be a runner's own, which actionlint has to be told of.
KINDS = {
    "job-needs": frozenset({"unknown-job"}),
    "syntax-check": frozenset({"no-workflow", "duplicate-key", "unreadable-workflow"}),
    "action": frozenset({"unresolvable-action"}),
    "expression": frozenset({"script-injection"}),
}
NEVER = frozenset({"runner-label"})
MILD = frozenset({"shellcheck", "pyflakes", "deprecated-commands", "if-cond"})


def look(machine: Machine, ours: Sequence[Diagnosis]) -> list[Diagnosis]:
    """What they find that `ours` does not tell already."""
    broken = {one.path for one in ours if one.rule in {"unreadable-workflow", "no-workflow", "unresolvable-action"}}
    parsed = [one for file in workflows.files(machine.root) if (one := workflows.parsed(file))]
    good = {one.file.path: one for one in parsed if one.file.path not in broken}
    if not good:
        return []
    return [*_zizmor(machine, good, ours), *_actionlint(machine, good, ours)]


def _zizmor(machine: Machine, files: Mapping[str, Workflow], ours: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    program = machine.find_tool("zizmor")
    if not program:
        return
    told = {_place(files, one.path, one.line, workflows.ZIZMOR.get(one.rule, ""), one.rule) for one in ours}
    flags = ("--offline", "--no-progress", "--no-exit-codes", "--quiet", "--format=sarif")
    paths = [str(machine.root / path) for path in files]
    reply = machine.ask(program, *flags, "--", *paths, seconds=SECONDS)
    for found in read_log(reply.out.splitlines(), name="zizmor", root=machine.root).findings if reply.good else ():
        audit = found.rule.rpartition("/")[2]
        whole = (found.path, audit, None)
        if audit in UNWANTED or whole in told or _place(files, found.path, found.line, audit) in told:
            continue
        if audit == "unpinned-uses" and _ours(files.get(found.path), found.line):
            continue
        # What is wrong must not depend on which tools a machine has: never an error.
        severity: Severity = "notice" if found.severity == "notice" else "warning"
        said = f"{found.message} ({found.url})" if found.url else found.message
        yield Diagnosis(found.path, found.line, f"zizmor/{audit}", severity, said)


def _place(
    files: Mapping[str, Workflow], path: str, line: int | None, audit: str, rule: str = ""
) -> tuple[str, str, int | None]:
    """Where a finding belongs: the step, else the line; a rule about a whole file belongs to that."""
    if line is None or rule in workflows.WHOLE:
        return path, audit, None
    spans = [(step.value.first, step.value.last) for _, step in files[path].steps] if path in files else []
    return path, audit, next((first for first, last in spans if first <= line <= last), line)


def _ours(workflow: Workflow | None, line: int | None) -> bool:
    """Whether a line uses ci-buildkit at a version, which is moved on purpose."""
    return workflow is not None and any(at == line and moves_on_purpose(uses) for uses, at in workflow.used)


def _actionlint(machine: Machine, files: Mapping[str, Workflow], ours: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    program = machine.find_tool("actionlint")
    paths = [str(machine.root / path) for path, one in files.items() if not one.composite and not _template(one)]
    if not program or not paths:
        return
    reply = machine.ask(program, "-format", "{{json .}}", "--", *paths, seconds=SECONDS)
    try:
        found = json.loads(reply.out) or ()
    except ValueError:
        return
    for error in found:
        path = Path(os.path.relpath(Path(error["filepath"]).absolute(), machine.root.absolute())).as_posix()
        kind, line = str(error["kind"]), int(error["line"])
        if kind in NEVER or _self(files.get(path), line) or _told(files, ours, path, line, kind):
            continue
        severity: Severity = "warning" if kind in MILD else "error"
        yield Diagnosis(path, line, f"actionlint/{kind}", severity, str(error["message"]))


def _template(workflow: Workflow) -> bool:
    return any(word in line for line in workflow.file.lines for word in PLACEHOLDERS)


def _self(workflow: Workflow | None, line: int) -> bool:
    """Whether a line uses `$/`, which actionlint 1.7.12 does not know yet."""
    return workflow is not None and any(at == line and uses.text.startswith("$/") for uses, at in workflow.used)


def _told(files: Mapping[str, Workflow], ours: Sequence[Diagnosis], path: str, line: int, kind: str) -> bool:
    same = [one for one in ours if one.path == path and one.rule in KINDS.get(kind, frozenset())]
    if kind in {"job-needs", "syntax-check"}:
        return bool(same)
    here = _place(files, path, line, kind)
    return any(_place(files, path, one.line, kind) == here for one in same)
