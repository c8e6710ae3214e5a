"""What a job checks out: whose code, with how much history, and with what left in `.git/config`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ci_buildkit.doctor import workflow_edits as edits
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.workflow import Job, Step, Workflow

CHECKOUT = "actions/checkout"
# How a workflow names the head of a pull request.
HEAD = re.compile(
    r"github\.head_ref|github\.event\.pull_request\.head\.|github\.event\.workflow_run\.(?:head_|pull_requests)"
    r"|refs/pull/|github\.event\.pull_request\.merge_commit_sha|github\.event\.(?:pull_request\.)?number",
)
# Actions after which nobody needs what checkout leaves in .git/config.
QUIET = re.compile(
    r"actions/(?:checkout|cache(?:/.*)?|setup-\w+|upload-artifact|download-artifact|github-script|attest(?:-.*)?)"
    r"|docker/(?:setup-buildx|setup-qemu|setup-docker|login|metadata|build-push|bake)-action"
    r"|astral-sh/setup-uv|golangci/golangci-lint-action|codecov/codecov-action|sigstore/cosign-installer"
    r"|.*/ci-buildkit(?:/.*)?",
)
# Conditions that let no stranger's pull request pass, and one that a maintainer must have looked at.
TRUSTED = re.compile(
    r"head\.repo\.(?:full_name|owner\.login)==github\.repository|github\.repository(?:_owner)?==github\.event\.pull_request\.head"
    r"|!github\.event\.pull_request\.head\.repo\.fork|head\.repo\.fork(?:==false|!=true)|author_association|(?:user\.login|github\.actor)=='[^']+'"
)
LABELLED = re.compile(r"\blabels?\b")
GIT_NETWORK = re.compile(
    r"\bgit\b[^\n|;&]*\b(?:push|fetch|pull|clone|ls-remote|submodule|lfs|remote|subtree)\b|\bgh\b|semantic-release|\bact\b"
    r"|goreleaser|release-please|lerna|changeset|\bmike\b|gh-deploy|gh-pages"
)


def kept_credentials(workflow: Workflow) -> Iterator[Flaw]:
    """Checkouts that leave the token in `.git/config`, in jobs where nothing behind them needs it there."""
    for job in workflow.jobs:
        for number, step in enumerate(job.steps):
            if not step.is_action(CHECKOUT) or step.input("persist-credentials") or _needs_git(job.steps[number + 1 :]):
                continue
            if {"token", "ssh-key", "submodules"}.intersection(step.inputs):
                continue
            line, fix = edits.with_input(workflow, step, "persist-credentials", "false")
            yield Flaw(
                line,
                "the checkout leaves the token in .git/config, where every later step, and an artifact of the folder, has it; "
                "add persist-credentials: false",
                fix,
            )


def _needs_git(steps: Sequence[Step]) -> bool:
    for step in steps:
        if step.uses and (step.uses.kind == "local" or not QUIET.fullmatch(f"{step.uses.name}{_below(step)}")):
            return True
        if step.script and GIT_NETWORK.search(step.script.text or ""):
            return True
    return False


def _below(step: Step) -> str:
    return f"/{step.uses.path}" if step.uses and step.uses.path else ""


def shallow(workflow: Workflow) -> Iterator[Flaw]:
    """Checkouts without history in front of ci-buildkit, where the version comes from tags."""
    if set(workflow.events) == {"push"} and _only_tags(workflow):
        return  # whose tag is the version, whatever the clone has
    for job in workflow.jobs:
        at = next((number for number, step in enumerate(job.steps) if _reads_version(step)), None)
        if at is None:
            continue
        checkouts = [step for step in job.steps[:at] if step.is_action(CHECKOUT) and not step.input("repository")]
        if not checkouts or any("unshallow" in (step.script.text or "") for step in job.steps if step.script):
            continue
        depth = checkouts[-1].input("fetch-depth")
        if depth == "0" or "${{" in depth:
            continue
        line, fix = edits.with_input(workflow, checkouts[-1], "fetch-depth", "0")
        yield Flaw(
            line,
            "the checkout has no tags and no history, so that the version becomes v0.0.0+gCOMMIT; add fetch-depth: 0",
            fix,
            safe=fix is not None,
        )


def _only_tags(workflow: Workflow) -> bool:
    push = workflow.events["push"]
    return push.of("tags") is not None and push.of("branches") is None and push.of("branches-ignore") is None


def _reads_version(step: Step) -> bool:
    if step.is_pipeline:
        return not step.input("version")
    return any("--version" not in one.words for one in step.calls("run"))


def untrusted(workflow: Workflow) -> Iterator[Flaw]:
    """Checkouts of a pull request's code in workflows that run with this repository's rights."""
    events = [event for event in ("pull_request_target", "workflow_run") if event in workflow.events]
    for job in workflow.jobs if events else ():
        for number, step in enumerate(job.steps):
            if not _of_head(step) or TRUSTED.search(job.condition) or TRUSTED.search(step.condition):
                continue
            after = [other for other in job.steps[number + 1 :] if _executes(other)]
            if after:
                yield _untrusted(job, step, after[0], events[0])


def _of_head(step: Step) -> bool:
    if step.is_action(CHECKOUT):
        return bool(HEAD.search(step.input("ref")) or HEAD.search(step.input("repository")))
    return any(one.plain.startswith("gh pr checkout") for one in step.commands)


def _executes(step: Step) -> bool:
    """Whether it may run what is checked out."""
    return step.script is not None or (step.uses is not None and (step.uses.kind == "local" or step.uses.ours))


def _untrusted(job: Job, step: Step, after: Step, event: str) -> Flaw:
    line = next((step.inputs[name].line for name in ("ref", "repository") if HEAD.search(step.input(name))), step.line)
    return Flaw(
        line,
        f"{event} runs with this repository's secrets and token, and job {job.id} checks out the pull request's code and "
        f"goes on with it (line {after.line}): whoever opens a pull request has them; use pull_request, or let nothing of "
        "the checkout run",
        severity="error" if event == "pull_request_target" and not _gated(job) else "warning",
    )


def _gated(job: Job) -> bool:
    """Whether somebody may have to agree first: with a label, an environment's reviewers, or in a job before."""
    return bool(LABELLED.search(job.condition) or job.value.of("environment") or job.value.of("needs"))
