"""Publishes a finished run: check run, comment, label, and the comparison with the run on the base branch.

What the token may not do falls back to the job summary with a notice; where it was asked for on the command line, that
is an error, told when everything else has been published.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ci_buildkit.errors import GitHubError
from ci_buildkit.github import checkrun, comment
from ci_buildkit.github.retry import Refused
from ci_buildkit.report import compare, summary
from ci_buildkit.report.digest import Digest, decode
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_buildkit.github.api import Repository
    from ci_buildkit.github.event import Trigger
    from ci_buildkit.record import RunRecord
    from ci_buildkit.results.model import TestReport


class Wishes(Struct, frozen=True):
    """What to publish. None is "where it can be": a refusal is a notice, while it is an error for True.

    `name` is the check run's, and what the comment is kept under; `label` is on the pull request while the run is red.
    """

    check: bool | None = None
    comment: bool | None = None
    name: str = "ci-buildkit"
    label: str = ""


class Published(Struct):
    """What was done, in words; what was refused, and whether that was asked for; and the Markdown for the job summary."""

    done: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    errors: list[GitHubError] = field(default_factory=list)
    changes: str = ""
    summary: str = ""


class Publisher:
    """One run and where it goes. Nothing is raised for what GitHub refuses: `Published` has it."""

    def __init__(
        self, record: RunRecord, tests: TestReport, trigger: Trigger, wishes: Wishes, *, details_url: str = ""
    ) -> None:
        """`details_url` is the page of the workflow's run."""
        self._record = record
        self._tests = tests
        self._trigger = trigger
        self._wishes = wishes
        self._details_url = details_url
        self._links = {"workflow run": details_url} if details_url else summary.NO_LINKS
        self._digest = Digest.of(tests.cases)
        self._published = Published()
        self._fallback = False

    def publish(self, repository: Repository | None) -> Published:
        """Publishes what is wished; without a token `repository` is None."""
        if repository is None:
            self._without_token()
        else:
            self._find_pull(repository)
            self._compare(repository)
            self._check(repository)
            self._comment(repository)
            self._label(repository)
        done = self._published
        done.summary = self._whole(summary.MAX_BYTES) if self._fallback else done.changes
        return done

    def _without_token(self) -> None:
        wishes = self._wishes
        error = GitHubError(
            "there is no GITHUB_TOKEN, so nothing is published on GitHub",
            hint="give the step `GITHUB_TOKEN: ${{ github.token }}` as env, and the job the permissions "
            "`checks: write` and `pull-requests: write`",
        )
        if wishes.check is not False or wishes.comment is not False or wishes.label:
            self._refused(error, asked=bool(wishes.check or wishes.comment or wishes.label))

    def _attempt(self, action: Callable[[], str], *, asked: bool, fallback: bool = True) -> None:
        """Does something; what it returns is what was done."""
        try:
            done = action()
        except GitHubError as error:
            self._refused(error, asked=asked, fallback=fallback)
        else:
            if done:
                self._published.done.append(done)

    def _refused(self, error: GitHubError, *, asked: bool, fallback: bool = True) -> None:
        self._fallback = self._fallback or fallback
        if asked:
            self._published.errors.append(error)
        elif self._trigger.fork and isinstance(error, Refused) and error.failure.refused:
            self._published.notices.append(f"{error.message}: a fork's pull request gets a token that only reads")
        else:
            self._published.notices.append("; ".join(part for part in (error.message, error.hint) if part))

    def _find_pull(self, repository: Repository) -> None:
        """Which pull request the commit of another workflow's run belongs to."""
        source = self._trigger.source
        if source is None:
            return

        def find() -> str:
            pull = repository.pull_of(source, self._trigger.head)
            if pull:
                self._trigger = self._trigger.of(pull)
            return ""

        self._attempt(find, asked=self._wishes.comment is True, fallback=False)

    def _compare(self, repository: Repository) -> None:
        """The first digest that one of the bases has is compared with."""

        def find() -> str:
            for ref in self._trigger.bases:
                # A commit can have been pushed twice, and its own check run tells nothing.
                checks = [one for one in repository.checks(ref, self._wishes.name) if one.head != self._trigger.head]
                for one in checks:
                    before = decode(one.text)
                    if before:
                        self._published.changes = compare.section(compare.compare(before, self._digest), one.head)
                        return f"compared with {one.head[:12]}"
            return ""

        self._attempt(find, asked=False, fallback=False)

    def _check(self, repository: Repository) -> None:
        if self._wishes.check is False:
            return

        def create() -> str:
            check = checkrun.check_run(
                self._record,
                self._tests,
                name=self._wishes.name,
                head=self._trigger.head,
                external_id=f"ci-buildkit-{uuid.uuid4().hex}",
                digest=self._digest,
                changes=self._published.changes,
                details_url=self._details_url,
            )
            repository.create_check(check)
            return f"check run {check.name}: {check.conclusion}, {plural(len(check.annotations), 'annotation')}"

        self._attempt(create, asked=self._wishes.check is True)

    def _comment(self, repository: Repository) -> None:
        wishes, pull = self._wishes, self._trigger.pull
        if wishes.comment is False:
            return
        if pull is None:
            if wishes.comment:
                self._published.notices.append("there is no pull request to comment on")
            return

        def write() -> str:
            done = comment.publish(repository, pull, wishes.name, self._whole(comment.MAX_BYTES))
            return f"comment on #{pull}: {done}"

        self._attempt(write, asked=wishes.comment is True)

    def _label(self, repository: Repository) -> None:
        label, pull = self._wishes.label, self._trigger.pull
        if not label or pull is None:
            return
        red = self._record.outcome != "passed"

        def set_or_take() -> str:
            repository.label(pull, label, on=red)
            return f"label {label} on #{pull}: {'set' if red else 'not set'}"

        self._attempt(set_or_take, asked=True, fallback=False)

    def _whole(self, limit: int) -> str:
        return summary.render(
            self._record, self._tests, links=self._links, changes=self._published.changes, limit=limit
        )
