"""What the tags are made from: the ref, the commit, the event and the repository."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Repository(Struct, frozen=True):
    """What GitHub says of a repository (`GET /repos/{owner}/{repo}`); "" where that is not known."""

    name: str = ""
    description: str = ""
    url: str = ""
    license: str = ""
    default_branch: str = ""


class Context(Struct, frozen=True):
    """The checkout and what triggered the workflow; "" where that is not known.

    `ref` is complete (`refs/heads/main`). `base_ref` is the branch that a tag or a pull request is for, without
    `refs/heads/`. `default_branch` is the one of the event.
    """

    commit_time: datetime
    ref: str = ""
    sha: str = ""
    event: str = ""
    base_ref: str = ""
    default_branch: str = ""
    repository: Repository = Repository()

    @property
    def branch(self) -> str:
        """The branch; "" where the ref is none."""
        return self._after("refs/heads/")

    @property
    def tag(self) -> str:
        """The tag; "" where the ref is none."""
        return self._after("refs/tags/")

    @property
    def pull(self) -> str:
        """The number of the pull request, with `/head` where that is the ref; "" where the ref is none."""
        return self._after("refs/pull/").removesuffix("/merge")

    @property
    def on_tag(self) -> bool:
        """Whether the ref is a tag."""
        return self.ref.startswith("refs/tags/")

    @property
    def scheduled(self) -> bool:
        """Whether a schedule triggered the workflow."""
        return "schedule" in self.event

    @property
    def on_default_branch(self) -> bool:
        """Whether the ref is the default branch; some events always are (docker/metadata-action, src/meta.ts)."""
        branch = self.ref.removeprefix("refs/heads/")
        always = ("create", "discussion", "issues", "schedule")
        return bool(branch) and (branch == self.default_branch or any(word in self.event for word in always))

    def _after(self, prefix: str) -> str:
        return self.ref.removeprefix(prefix) if self.ref.startswith(prefix) else ""
