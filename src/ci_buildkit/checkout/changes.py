"""Which files a pull request, a push or a working tree changes. Reads Git and GitHub's event; never a network access.

Where that cannot be told, nothing is guessed: the answer says so, and everything counts as changed.
Rules: GitHub's "Webhook events and payloads" (`pull_request`, `push`, `merge_group`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from ci_buildkit.checkout import git, trigger
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.fields import mapping, string

DEEP = "check out with `fetch-depth: 0`"


class Changes(Struct, frozen=True):
    """The paths that differ from the commit `base`, relative to the repository's top.

    `paths` is None where that cannot be told. `why` says what was compared, or why nothing could be.
    """

    base: str
    paths: tuple[str, ...] | None
    why: str


def changes(folder: Path, environ: Mapping[str, str], since: str = "") -> Changes:
    """What has changed in the checkout that `folder` is in.

    Compared is with `since` where it is given, else with what the event names, else with the default branch. With a
    branch it is the commit that both come from. Outside a workflow the files that are not committed count too.

    Raises:
        ConfigurationError: `since` is no commit of the repository, or the event cannot be read.
    """
    head = git.revision(folder)
    name = environ.get("GITHUB_EVENT_NAME", "")
    if not head:
        return _unknown("this is no Git repository, or has no commit")
    if since.strip("0"):
        return _since(folder, since, "HEAD" if name else "")
    if since:
        return _unknown("the commit to compare with is 000..., as of a branch that is new")
    if not name:
        return _local(folder, head)
    found = _Event(folder, head, name, mapping(trigger.event_file(environ)), environ)
    return found.changes()


def _unknown(why: str) -> Changes:
    return Changes("", None, why)


def _compared(folder: Path, base: str, head: str, why: str) -> Changes:
    paths = git.changed(folder, base, head)
    return _unknown(f"Git does not tell what changed since {base[:12]}") if paths is None else Changes(base, paths, why)


def _since(folder: Path, since: str, head: str) -> Changes:
    found = git.commit(folder, since)
    if not found:
        raise ConfigurationError(f"the repository has no commit {since!r}", hint=f"fetch it first: {DEEP}")
    base = git.merge_base(folder, found, "HEAD") or found
    return _compared(folder, base, head, f"compared with {base[:12]}, where {since} was left")


def _local(folder: Path, head: str) -> Changes:
    branch = git.default_branch(folder)
    base = git.merge_base(folder, f"refs/remotes/origin/{branch}", head) if branch else ""
    if not base:
        return _unknown("Git knows no default branch of origin to compare with; --changed-since names another")
    return _compared(folder, base, "", f"compared with {base[:12]}, where {branch} of origin was left")


class _Event(Struct, frozen=True):
    """An event of GitHub's and the commit that is checked out."""

    folder: Path
    head: str
    name: str
    payload: Mapping[str, Any]
    environ: Mapping[str, str]

    def changes(self) -> Changes:
        if self.name in {"pull_request", "pull_request_target"}:
            return self._pull(mapping(self.payload.get("pull_request")))
        if self.name not in {"push", "merge_group"}:
            return _unknown(f"the event {self.name} changes nothing by itself")
        if self.head != self.environ.get("GITHUB_SHA"):
            return _unknown(f"another commit is checked out than the one of the event {self.name}")
        if self.name == "merge_group":
            base = string(mapping(self.payload.get("merge_group")).get("base_sha"))
            return self._with(base, "what the merge group was made from")
        return self._push(string(self.payload.get("before")))

    def _with(self, base: str, what: str) -> Changes:
        found = git.commit(self.folder, base) if base else ""
        if not found:
            return _unknown(f"the clone does not have {base[:12] or 'the commit'}, {what}; {DEEP}")
        return _compared(self.folder, found, self.head, f"compared with {found[:12]}, {what}")

    def _pull(self, pull: Mapping[str, Any]) -> Changes:
        """By default the merge of base and pull request is checked out: what it adds to its first parent is the change."""
        newest = string(mapping(pull.get("head")).get("sha"))
        of_base, *others = git.parents(self.folder, self.head) or ("",)
        if newest and newest in others:
            return self._with(of_base, "the base branch")
        if self.head != newest:
            return _unknown(f"what is checked out is not the pull request, or cut off behind it; {DEEP}")
        base = git.commit(self.folder, string(mapping(pull.get("base")).get("sha")) or "-")
        left = git.merge_base(self.folder, base, self.head) if base else ""
        return self._with(left, "where the base branch was left")

    def _push(self, before: str) -> Changes:
        ref = self.environ.get("GITHUB_REF", "")
        if not ref.startswith("refs/heads/"):
            return _unknown("a tag was pushed")
        if before.strip("0"):
            return self._with(before, "what the branch was before the push")
        default = string(mapping(self.payload.get("repository")).get("default_branch"))
        if not default or ref == f"refs/heads/{default}":
            return _unknown("this is the first push of the branch")
        left = git.merge_base(self.folder, f"refs/remotes/origin/{default}", self.head)
        if not left:
            return _unknown(f"the branch is new, and the clone does not show where it left {default}; {DEEP}")
        return self._with(left, f"where the new branch left {default}")
