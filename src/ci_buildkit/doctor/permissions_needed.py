"""What permissions a job needs for what it asks of ci-buildkit (docs/how-to/publish.md, images.md, signing.md). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from ci_buildkit.doctor.diagnosis import Severity
from ci_buildkit.doctor.workflow import Job, Step, Workflow
from ci_buildkit.doctor.workflow_calls import Use, uses_in

CONTENTS_READ = "a checkout of a private repository"
# The workflow's own token: where nothing else is written, and as a password.
OWN_TOKEN = re.compile(r"(?:\$\{\{\s*(?:secrets\.GITHUB_TOKEN|github\.token)\s*\}\})?")
OWN_PASSWORD = re.compile(r"\$\{\{\s*(?:secrets\.GITHUB_TOKEN|github\.token)\s*\}\}")
PASSWORD = re.compile(r"password-env=([\w-]+)")
REGISTRY = "ghcr.io"
# Actions whose needs are known: none that writes, but for what `needs` says.
KNOWN = re.compile(
    r"actions/(?:checkout|cache|setup-[\w-]+|upload-artifact|download-artifact)"
    r"|docker/(?:setup-buildx|setup-qemu|setup-docker|login)-action|astral-sh/setup-uv|sigstore/cosign-installer"
)
# What a script may use the token for.
WRITES = re.compile(r"\bgit\b[^\n]*\bpush\b|\bgh\b|\bcurl\b|TOKEN|\btoken\b")


class Need(Struct, frozen=True):
    """A permission, why it is needed, and how bad it is where it is missing."""

    scope: str
    level: str
    why: str
    severity: Severity = "error"


def understood(job: Job) -> bool:
    """Whether everything in a job is known not to write anything but what `needs` tells."""
    return bool(job.steps) and all(_is_known(step) for step in job.steps)


def _is_known(step: Step) -> bool:
    if step.uses is None:
        return not WRITES.search((step.script.text or "") if step.script else "")
    if step.is_pipeline:
        return "${{" not in step.input("publish")
    return step.uses.kind == "repository" and KNOWN.fullmatch(step.uses.name) is not None


def needs(workflow: Workflow, job: Job) -> Iterator[Need]:
    """What a job needs, as far as the file says it."""
    if job.runs_pipeline:
        own = any(step.is_action("actions/checkout") and not step.input("token") for step in job.steps)
        yield from [Need("contents", "read", CONTENTS_READ, "notice")] if own else []
    for use in uses_in(job):
        for scope, level in use.called.permissions.items() if use.called else ():
            yield Need(scope, level, f"the workflow {use.name}, which GitHub does not start without it,")
        if OWN_TOKEN.fullmatch(use.input("github-token")):
            yield from _published(use)
        if use.input("sign").partition(",")[0] == "keyless":
            yield Need("id-token", "write", "sign: keyless")
        if _pushes(workflow, use):
            yield Need("packages", "write", f"a push to {REGISTRY} with the workflow's own token")
    for step in job.steps:
        yield from _commanded(step)


def _published(use: Use) -> Iterator[Need]:
    words = {word.strip() for word in re.split(r"[,\n]", use.input("publish"))}
    if "check" in words:
        yield Need("checks", "write", "publish: check", "warning")
    if "comment" in words:
        yield Need("pull-requests", "write", "publish: comment", "warning")
    if "release" in words:
        yield Need("contents", "write", "publish: release")


def _commanded(step: Step) -> Iterator[Need]:
    words = {word for one in step.calls("publish") for word in one.words}
    if "--check" in words:
        yield Need("checks", "write", "ci-buildkit publish --check")
    if "--comment" in words:
        yield Need("pull-requests", "write", "ci-buildkit publish --comment")
    if "--release-assets" in words:
        yield Need("contents", "write", "ci-buildkit publish --release-assets")


def _pushes(workflow: Workflow, use: Use) -> bool:
    """Whether it pushes to GitHub's registry as the workflow itself."""
    if all(use.input(name) in {"", "false"} for name in ("push", "push-by-digest")):
        return False
    logins = workflow.resolved(use.input("login"), use.job, use.step)
    if f"registry={REGISTRY}" in logins:
        return any(OWN_PASSWORD.search(_password(workflow, use, name)) for name in PASSWORD.findall(logins))
    return not logins and any(_logs_in(workflow, use.job, step) for step in use.job.steps)


def _password(workflow: Workflow, use: Use, name: str) -> str:
    """What the file says that the variable of a login holds: of a called workflow it is one of its secrets."""
    if use.called:
        return use.value.text_of("secrets", "registry-password") if name == "REGISTRY_PASSWORD" else ""
    places = (use.value, use.job.value, workflow.root)
    return next((found for place in places if (found := place.text_of("env", name))), "")


def _logs_in(workflow: Workflow, job: Job, step: Step) -> bool:
    if not step.is_action("docker/login-action"):
        return False
    registry = workflow.resolved(step.input("registry"), job, step)
    return registry == REGISTRY and bool(OWN_PASSWORD.search(step.input("password")))
