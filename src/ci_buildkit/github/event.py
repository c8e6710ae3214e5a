"""What started the workflow, as far as publishing needs it: which commit, which pull request, what to compare with.

Everything is from the environment and the event that GitHub wrote, nothing from a report: in a workflow on
`workflow_run` the reports may be those of a stranger's pull request, while the token can write.
Rules: GitHub's "Events that trigger workflows" and "Webhook events and payloads".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from ci_buildkit import jsontext
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.fields import mapping, positive, string

if TYPE_CHECKING:
    from ci_buildkit.github.runner import GitHub

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REPOSITORY = re.compile(r"[A-Za-z0-9-_]+/[A-Za-z0-9._-]+")
_NEEDS_EVENT = ("pull_request", "workflow_run", "merge_group")


class Source(Struct, frozen=True):
    """Where the commit of another workflow's run came from: OWNER and branch of a pull request's head."""

    owner: str
    branch: str


class Pull(Struct, frozen=True):
    """A pull request: its number, the commit it is compared with and that commit's branch."""

    number: int
    base_sha: str
    base_ref: str


class Trigger(Struct, frozen=True):
    """The commit to publish for, and what it belongs to.

    `bases` are what to compare with, a commit or `heads/BRANCH`, the nearest first. `pull` is the pull request's
    number; `source` is set where that has to be asked for. `fork` says that this is a fork's pull request, whose token
    only reads. `page` is the address of the run that is published, where it is another one than this.
    """

    head: str
    bases: tuple[str, ...] = ()
    pull: int | None = None
    source: Source | None = None
    fork: bool = False
    page: str = ""

    def of(self, pull: Pull) -> Trigger:
        """The same with the pull request that was asked for."""
        return replace(self, pull=pull.number, bases=_bases(pull.base_sha, _branch(pull.base_ref)))


def trigger(github: GitHub) -> Trigger:
    """What started this workflow.

    Raises:
        ConfigurationError: the variables of a GitHub workflow are missing or wrong, or the event cannot be read.
    """
    if not _REPOSITORY.fullmatch(github.repository):
        what = f"is {github.repository!r}" if github.repository else "is not set"
        raise ConfigurationError(f"GITHUB_REPOSITORY {what}", hint="set it to OWNER/NAME; GitHub's workflows do")
    event = _event(github)
    pull = mapping(event.get("pull_request"))
    if pull:
        return _of_pull(pull, trusted=github.event_name == "pull_request_target")
    if github.event_name == "workflow_run":
        return _of_workflow_run(mapping(event.get("workflow_run")))
    if github.event_name == "merge_group":
        group = mapping(event.get("merge_group"))
        base_ref = string(group.get("base_ref")).removeprefix("refs/")
        return Trigger(_sha(group.get("head_sha"), "the merge group's commit"), _bases(group.get("base_sha"), base_ref))
    head = _sha(github.sha, "GITHUB_SHA")
    return Trigger(head, _before(event) if github.event_name == "push" else ())


def _event(github: GitHub) -> dict[str, Any]:
    """The event, where one is needed or there; empty else."""
    needed = github.event_name.startswith(_NEEDS_EVENT)
    try:
        if github.event_path is None:
            raise ValueError("it is not set")
        found = mapping(jsontext.loads(github.event_path.read_bytes()))
    except (OSError, ValueError) as error:
        if needed:
            message = f"the event {github.event_name} cannot be read from GITHUB_EVENT_PATH: {error}"
            raise ConfigurationError(message, hint="GitHub's runner sets it to the file with the event") from error
        return {}
    if needed and not found:
        message = f"the file of GITHUB_EVENT_PATH holds no event: {github.event_path}"
        raise ConfigurationError(message, hint="GitHub's runner sets it to the file with the event")
    return found


def _of_pull(pull: dict[str, Any], *, trusted: bool) -> Trigger:
    head, base = mapping(pull.get("head")), mapping(pull.get("base"))
    # The head's repository is null where the fork was deleted.
    fork = mapping(head.get("repo")).get("full_name") != mapping(base.get("repo")).get("full_name")
    return Trigger(
        _sha(head.get("sha"), "the pull request's newest commit"),
        _bases(base.get("sha"), _branch(base.get("ref"))),
        positive(pull.get("number")),
        fork=fork and not trusted,
    )


def _of_workflow_run(run: dict[str, Any]) -> Trigger:
    head = _sha(run.get("head_sha"), "the commit of the workflow run")
    page = string(run.get("html_url"))
    if not string(run.get("event")).startswith("pull_request"):
        return Trigger(head, page=page)
    there = mapping(run.get("head_repository"))
    # `pull_requests` of the event is empty for forks, and may name those of other repositories: GitHub is asked.
    source = Source(string(mapping(there.get("owner")).get("login")), string(run.get("head_branch")))
    return Trigger(head, source=source if source.owner and source.branch else None, page=page)


def _before(event: dict[str, Any]) -> tuple[str, ...]:
    """What a push is compared with: the commit that the branch pointed to, then the default branch."""
    return _bases(event.get("before"), _branch(mapping(event.get("repository")).get("default_branch")))


def _bases(sha: object, ref: str) -> tuple[str, ...]:
    commit = string(sha)
    known = bool(_SHA.fullmatch(commit)) and commit.strip("0") != ""  # a new branch was at 000... before
    return tuple(one for one in (commit if known else "", ref) if one)


def _branch(name: object) -> str:
    return f"heads/{string(name)}" if string(name) else ""


def _sha(value: object, what: str) -> str:
    sha = string(value)
    if not _SHA.fullmatch(sha):
        raise ConfigurationError(f"{what} is {sha!r}, which is no commit", hint="GitHub's workflows set GITHUB_SHA")
    return sha
