"""What is wrong with a repository's workflow files, those of composite actions and workflow templates included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ci_buildkit.doctor import (
    permissions,
    workflow_artifacts,
    workflow_checkout,
    workflow_injection,
    workflow_inputs,
    workflow_jobs,
    workflow_pins,
    workflow_results,
    workflow_updates,
    workflowfile,
)
from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.flaw import Rule
from ci_buildkit.doctor.workflow import Workflow
from ci_buildkit.doctor.workflowfile import YamlFile

WORKFLOWS = (".github/workflows", "workflow-templates")
ACTIONS = ("action.y*ml", ".github/actions/**/action.y*ml", "actions/*/action.y*ml")
MOST = 500  # files of each kind

RULES: tuple[Rule[Workflow], ...] = (
    Rule("no-workflow", "error", "What GitHub refuses: no `on:`, no `jobs:`, a job without steps.", workflow_jobs.empty),
    Rule("unpinned-action", "warning", "An action at a tag or branch.", workflow_pins.unpinned),
    Rule("unresolvable-action", "error", "An action without a ref, or at a part of a commit.", workflow_pins.unresolvable),
    Rule("unpinned-image", "notice", "A container, service or action image without a digest.", workflow_pins.images),
    Rule("wide-permissions", "warning", "`permissions: write-all`.", permissions.wide),
    Rule("no-permissions", "warning", "Permissions that are written nowhere.", permissions.undeclared),
    Rule("missing-permission", "error", "What a job asks for and may not do.", permissions.missing),
    Rule("unneeded-permission", "warning", "A scope to write that nothing needs.", permissions.unneeded),
    Rule("untrusted-checkout", "error", "A pull request's code run with the repository's rights.", workflow_checkout.untrusted),
    Rule("script-injection", "warning", "Text of strangers inside of a script.", workflow_injection.injections),
    Rule("kept-credentials", "notice", "A token left in `.git/config`.", workflow_checkout.kept_credentials),
    Rule("shallow-checkout", "warning", "No history where the version comes from tags.", workflow_checkout.shallow),
    Rule("unknown-input", "error", "An input that ci-buildkit has not.", workflow_inputs.unknown),
    Rule("refused-input", "error", "A value that ci-buildkit refuses.", workflow_inputs.refused),
    Rule("ignored-failure", "error", "A failure of ci-buildkit that makes nothing red.", workflow_results.ignored),
    Rule("lost-upload", "warning", "Results that are not uploaded after a failure.", workflow_results.lost),
    Rule("artifact-twice", "error", "Several artifacts of one name.", workflow_artifacts.doubles),
    Rule("unknown-runner", "error", "A misspelt label of a runner.", workflow_jobs.runners),
    Rule("gone-runner", "error", "A runner that GitHub has no more.", workflow_jobs.gone),
    Rule("unknown-job", "error", "`needs` of a job that does not exist.", workflow_jobs.waits),
    Rule("no-timeout", "notice", "Jobs without `timeout-minutes`.", workflow_jobs.endless),
    Rule("no-concurrency", "notice", "Runs of older commits that go on.", workflow_jobs.overtaken),
)  # fmt: skip
OF_COMPOSITES = frozenset(
    {"unpinned-action", "unresolvable-action", "script-injection", "unknown-input", "refused-input"}
)
# The same rule in zizmor (docs.zizmor.sh, "Audit Rules"): who told zizmor to ignore a place need not tell this too.
ZIZMOR = {
    "unpinned-action": "unpinned-uses",
    "unpinned-image": "unpinned-images",
    "wide-permissions": "excessive-permissions",
    "no-permissions": "excessive-permissions",
    "unneeded-permission": "excessive-permissions",
    "untrusted-checkout": "dangerous-triggers",
    "script-injection": "template-injection",
    "kept-credentials": "artipacked",
    "no-concurrency": "concurrency-limits",
}
# About a file as a whole: zizmor takes a comment anywhere in it.
WHOLE = frozenset({"no-permissions", "no-concurrency", "untrusted-checkout"})
IGNORE = re.compile(r"#.*\bzizmor:\s*ignore\[([^\]]*)\]")


def examine(root: Path) -> list[Diagnosis]:
    """All that is wrong with the workflow files of a repository, in the order of files and lines."""
    read = files(root)
    found = [diagnosis for file in read for diagnosis in _of_file(file)]
    return [*found, *workflow_updates.examine(root, [file for file in read if file.path.startswith(".github/")])]


def files(root: Path) -> list[YamlFile]:
    """Every workflow, template and composite action, read."""
    paths = [path for folder in WORKFLOWS for path in sorted((root / folder).glob("*.y*ml"))[:MOST]]
    paths += [path for pattern in ACTIONS for path in sorted(root.glob(pattern))[:MOST]]
    wanted = [path for path in paths if path.suffix in {".yml", ".yaml"} and path.is_file()]
    return [workflowfile.read(path, path.relative_to(root).as_posix()) for path in wanted]


def _of_file(file: YamlFile) -> list[Diagnosis]:
    found = list(_faults(file))
    workflow = parsed(file)
    if workflow:
        rules = [rule for rule in RULES if not workflow.composite or rule.name in OF_COMPOSITES]
        said = [diagnosis for rule in rules for diagnosis in rule.diagnoses(file.path, workflow)]
        found += [diagnosis for diagnosis in said if not _ignored(workflow, diagnosis)]
    return sorted(found, key=lambda diagnosis: diagnosis.line or 0)


def parsed(file: YamlFile) -> Workflow | None:
    """The workflow in a file; None where the file holds none, or another kind of action."""
    if file.root is None or not file.root.entries:
        return None
    composite = file.path.rpartition("/")[2].startswith("action.") and not file.path.startswith(WORKFLOWS)
    if composite and file.root.text_of("runs", "using") != "composite":
        return None
    return Workflow(file, file.root, composite)


def _faults(file: YamlFile) -> Iterator[Diagnosis]:
    for fault in file.faults:
        if fault.kind == "duplicate":
            yield Diagnosis(file.path, fault.line, "duplicate-key", "error", fault.message)
        else:
            said = f"GitHub cannot read this file: {fault.message}"
            yield Diagnosis(file.path, fault.line, "unreadable-workflow", "error", said)
    if not file.faults and (file.root is None or not file.root.entries):
        message = "GitHub cannot read this file: it is empty, or no mapping of keys"
        yield Diagnosis(file.path, None, "unreadable-workflow", "error", message)


def _ignored(workflow: Workflow, diagnosis: Diagnosis) -> bool:
    audit = ZIZMOR.get(diagnosis.rule)
    if audit is None:
        return False
    lines = workflow.file.lines
    if diagnosis.rule not in WHOLE and diagnosis.line:
        spans = [(step.value.first, step.value.last) for _, step in workflow.steps]
        line = diagnosis.line
        first, last = next(((a, b) for a, b in spans if a <= line <= b), (line, line))
        lines = lines[first - 1 : last]
    return any(audit in re.split(r"[\s,]+", match[1]) for line in lines for match in IGNORE.finditer(line))
