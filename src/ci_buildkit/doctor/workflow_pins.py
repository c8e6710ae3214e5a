"""Actions and images of a workflow that someone else can change: not pinned, or by what GitHub cannot resolve. Pure.

A tag or branch of an action can be moved to other code; a commit cannot (docs.github.com, "Secure use reference", "Using
third-party actions").
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.workflow import Uses, Workflow
from ci_buildkit.doctor.workflowfile import Value

GITHUBS_OWN = frozenset({"actions", "github"})
BRANCHES = frozenset(
    {"main", "master", "develop", "development", "dev", "trunk", "head", "next", "edge", "nightly", "latest"}
)
# A part of a commit; a tag or branch called like one has hardly ever both letters and digits.
SHORT_SHA = re.compile(r"(?=.*[a-f])(?=.*\d)[0-9a-f]{7,39}")
VERSION = re.compile(r"v?\d+(\.\d+)*")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def moves_on_purpose(uses: Uses) -> bool:
    """Whether it is ci-buildkit at a version, whose tag gets what is mended."""
    return uses.ours and VERSION.fullmatch(uses.ref) is not None


def unpinned(workflow: Workflow) -> Iterator[Flaw]:
    """Actions and reusable workflows at a tag or branch. ci-buildkit at a version tag is meant to be moved."""
    for uses, line in workflow.used:
        if uses.kind != "repository" or not uses.ref or uses.is_sha or SHORT_SHA.fullmatch(uses.ref):
            continue
        if "${{" in uses.text or moves_on_purpose(uses):
            continue
        if uses.ref.lower() in BRANCHES:
            yield Flaw(line, f"{uses.text} is a branch: every push there runs in this workflow; {_pin(uses)}")
        elif uses.owner in GITHUBS_OWN:
            yield Flaw(line, f"{uses.text} is a tag, which can be moved; {_pin(uses)}", severity="notice")
        else:
            yield Flaw(
                line, f"{uses.text} is a tag or branch of someone else, who can move it to other code; {_pin(uses)}"
            )


def _pin(uses: Uses) -> str:
    return f"pin the whole commit: {uses.text.partition('@')[0]}@COMMIT # {uses.ref}"


def unresolvable(workflow: Workflow) -> Iterator[Flaw]:
    """What GitHub refuses before the workflow starts: no ref, or a part of a commit."""
    for uses, line in workflow.used:
        if uses.kind != "repository" or "${{" in uses.text:
            continue
        if not uses.ref:
            yield Flaw(
                line,
                f'"{uses.text}" has no ref; write {uses.text.rstrip("@")}@COMMIT, or ./PATH for an action of this repository',
            )
        elif SHORT_SHA.fullmatch(uses.ref):
            yield Flaw(line, f"{uses.text} is a part of a commit, which GitHub does not resolve; write all 40 digits")


def images(workflow: Workflow) -> Iterator[Flaw]:
    """Images of containers, services and `docker://` actions without a digest."""
    for uses, line in workflow.used:
        if uses.kind == "docker" and not DIGEST.search(uses.text) and "${{" not in uses.text:
            yield _image(uses.text.removeprefix("docker://"), line)
    for job in workflow.jobs:
        for value in _containers(job.value):
            name = value.text or ""
            if name and "${{" not in name and not DIGEST.search(name):
                yield _image(name, value.line)


def _image(name: str, line: int) -> Flaw:
    return Flaw(line, f"the image {name} is named by a tag, which can be moved; add its digest: {name}@sha256:...")


def _containers(job: Value) -> Iterator[Value]:
    services = job.of("services")
    for value in (job.of("container"), *(services.entries.values() if services else ())):
        image = value.of("image") if value and value.entries else value
        if image:
            yield image
