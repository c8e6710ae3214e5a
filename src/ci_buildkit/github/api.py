"""GitHub's REST API, as far as publishing needs it: the one module that knows PyGithub.

Objects are lazy, so nothing is asked for but what is used. PyGithub repeats no request by itself here: it would also
repeat one that had made something before its answer was lost.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import github
from github import Auth, BadAttributeException, Github, GithubException
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass

from ci_buildkit import __version__
from ci_buildkit.errors import GitHubError
from ci_buildkit.github.checkrun import Seen
from ci_buildkit.github.event import Pull, Source
from ci_buildkit.github.retry import Failure, Refused, Retry
from ci_buildkit.report.text import inert, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from github.CheckRun import CheckRun
    from github.IssueComment import IssueComment
    from github.NamedUser import NamedUser
    from github.Organization import Organization
    from github.PaginatedList import PaginatedList

    from ci_buildkit.github.checkrun import Annotations, Check

DEFAULT_URL = "https://api.github.com"
PER_PAGE = 100
# GitHub takes no more than 2,500 comments on one pull request.
MOST_PAGES = 26
TIMEOUT_SECONDS = 30
# For a part of a file to be taken, and for the answer once all of it is there.
UPLOAD_SECONDS = 120
# "Wait at least one second between each request" that writes (Best practices for using the REST API).
WRITE_PAUSE = 1.0

# A broken connection (all errors of requests are OSErrors), half an answer, one that leads to another host, and JSON of
# another form than GitHub's.
NO_ANSWER = (
    OSError, ValueError, RuntimeError, AssertionError, TypeError, AttributeError, KeyError, BadAttributeException
)  # fmt: skip

T = TypeVar("T")


class Comment:
    """A comment of a pull request."""

    def __init__(self, repository: Repository, found: IssueComment) -> None:
        """`found` is PyGithub's."""
        self._repository = repository
        self._found = found
        author: NamedUser | Organization | None = found.user  # null for an account that is gone
        self._bot = author is not None and author.type == "Bot"
        self._login: str = author.login if author else ""
        self.body: str = found.body or ""

    def ours(self) -> bool:
        """Whether a bot or the token's own user wrote it."""
        return self._bot or (bool(self._login) and self._login == self._repository.login())

    def edit(self, body: str) -> None:
        """Replaces the text; raises Refused."""
        self._repository.ask("change the comment", "pull-requests: write", lambda: self._found.edit(body))


class Repository:
    """One repository by its API. Every method raises Refused where GitHub does not do what it is asked for."""

    def __init__(
        self, name: str, token: str, *, url: str = "", retry: Retry | None = None, write_pause: float = WRITE_PAUSE
    ) -> None:
        """Asks for nothing yet. `name` is OWNER/REPOSITORY, `url` the API's address, `write_pause` is in seconds."""
        self._retry = retry or Retry()
        self._github = Github(
            auth=Auth.Token(token),
            base_url=(url or DEFAULT_URL).rstrip("/"),
            timeout=TIMEOUT_SECONDS,
            user_agent=f"ci-buildkit/{__version__}",
            per_page=PER_PAGE,
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=write_pause,
            lazy=True,
        )
        self._repository = self._github.get_repo(name)
        self._login: str | None = None

    def close(self) -> None:
        """Closes the connections."""
        self._github.close()

    def ask(self, what: str, needs: str, request: Callable[[], T], found: Callable[[], T | None] | None = None) -> T:
        """What `request` returns, tried again as `Retry` says. `what` is what GitHub is to do, `needs` a permission.

        `found` looks for what a request whose answer was lost has made, so that it is not made twice.
        """
        cause: Exception
        tries = 0
        while True:
            tries += 1
            began = time.monotonic()
            try:
                return request()
            except GithubException as error:
                failure, cause = _failure(error), error
            except NO_ANSWER as error:
                failure, cause = Failure(0, _short(error)), error
            if not self._retry.again(failure, tries, took=time.monotonic() - began):
                raise _refused(what, needs, failure) from cause
            made = found() if found and failure.ambiguous else None
            if made is not None:
                return made

    def stand_aside(self, tries: int) -> None:
        """Lets another run finish what it does to the same thing, as `Retry.stand_aside` says."""
        self._retry.stand_aside(tries)

    def request(self, verb: str, path: str, query: dict[str, str] | None = None, *, body: object = None) -> Any:
        """GitHub's answer to one request about the repository, to be made through `ask`."""
        ask = self._github.requester.requestJsonAndCheck
        return ask(verb, f"{self._repository.url}{path}", parameters=query, input=body)[1]

    def send(self, url: str, file: Path, size: int) -> Any:
        """GitHub's answer to a file of `size` bytes, to be sent through `ask`.

        PyGithub's own `upload_asset` waits forever, and leaves the file open where it breaks. Raises GitHubError where
        the token would go to another host.
        """
        there = connection(url, self._github.requester.hostname)
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        send = self._github.requester.requestMemoryBlobAndCheck
        try:
            with file.open("rb") as content:
                return send("POST", url, {"name": file.name}, headers, content, there)[1]
        finally:
            there.close()

    def checks(self, ref: str, name: str) -> list[Seen]:
        """The latest check runs called `name` of a commit or branch (`heads/main`), the newest first."""
        try:
            return self.ask("list check runs", "checks: read", lambda: list(map(_seen, self._runs(ref, name))))
        except Refused as error:
            if error.failure.status != 422:  # "No commit found": the branch is gone, or was pushed over
                raise
            return []

    def _runs(self, ref: str, name: str) -> list[CheckRun]:
        listed = self._repository.get_commit(ref).get_check_runs(check_name=name, filter="latest")
        return sorted(listed.get_page(0), key=lambda run: -run.id)

    def create_check(self, check: Check) -> None:
        """Makes a finished check run with all annotations, 50 for each request."""
        what, needs = f"make the check run {check.name!r}", "checks: write"
        first, *others = check.chunks()
        run = self.ask(what, needs, lambda: self._create(check, first), lambda: self._made(check))
        sent = len(first)
        for chunk in others:
            sent += len(chunk)
            self._add(run, check, chunk, sent)

    def _create(self, check: Check, annotations: Annotations) -> CheckRun:
        return self._repository.create_check_run(
            check.name,
            check.head,
            details_url=check.details_url or github.GithubObject.NotSet,
            external_id=check.external_id,
            status="completed",
            conclusion=check.conclusion,
            output=check.output(annotations),
        )

    def _made(self, check: Check) -> CheckRun | None:
        def find() -> CheckRun | None:
            runs = self._runs(check.head, check.name)
            return next((run for run in runs if run.external_id == check.external_id), None)

        return self.ask("list check runs", "checks: read", find)

    def _add(self, run: CheckRun, check: Check, annotations: Annotations, count: int) -> None:
        """Adds annotations, after which there are `count`."""
        what = f"add annotations to the check run {check.name!r}"

        def there() -> bool | None:
            found = self._made(check)
            return True if found is not None and found.output.annotations_count >= count else None

        def edit() -> bool:
            run.edit(output=check.output(annotations))
            return True

        self.ask(what, "checks: write", edit, there)

    def comments(self, pull: int) -> Iterator[Comment]:
        """The comments of a pull request, the oldest first, a page at a time."""
        listed = self._repository.get_issue(pull).get_comments()
        for number in range(MOST_PAGES):
            page = self.ask("list comments", "pull-requests: read", partial(self._page, listed, number))
            yield from page
            if len(page) < PER_PAGE:
                return

    def _page(self, listed: PaginatedList[IssueComment], number: int) -> list[Comment]:
        return [Comment(self, one) for one in listed.get_page(number)]

    def create_comment(self, pull: int, body: str, *, made: Callable[[], bool]) -> None:
        """Writes a comment; `made` says whether it is there after all when the answer was lost."""
        issue = self._repository.get_issue(pull)

        def create() -> bool:
            issue.create_comment(body)
            return True

        self.ask("write the comment", "pull-requests: write", create, lambda: made() or None)

    def label(self, pull: int, name: str, *, on: bool) -> None:
        """Sets or takes away a label of a pull request; both may be done already."""
        issue = self._repository.get_issue(pull)
        needs = "pull-requests: write"
        if on:
            # `Issue.add_to_labels` sends a bare list, which GitHub's description of its API no longer has.
            body, ask = {"labels": [name]}, self._github.requester.requestJsonAndCheck
            self.ask(f"set the label {name!r}", needs, lambda: ask("POST", f"{issue.url}/labels", input=body))
            return
        try:
            self.ask(f"take away the label {name!r}", needs, lambda: issue.remove_from_labels(name))
        except Refused as error:
            if error.failure.status != 404:
                raise

    def pull_of(self, source: Source, head: str) -> Pull | None:
        """The open pull request from this branch whose newest commit is `head`."""
        listed = self._repository.get_pulls(state="open", head=f"{source.owner}:{source.branch}")

        def find() -> Pull | None:
            found = (one for one in listed.get_page(0) if one.head.sha == head)
            return next((Pull(one.number, one.base.sha, one.base.ref) for one in found), None)

        return self.ask("list pull requests", "pull-requests: read", find)

    def login(self) -> str:
        """The name of the token's user; "" for a token that belongs to none, as a job's own. Asked for once."""
        if self._login is None:
            try:
                self._login = self.ask("name the token's user", "a user's token", lambda: self._github.get_user().login)
            except Refused:
                self._login = ""
        return self._login


def connection(url: str, api: str) -> HTTPRequestsConnectionClass | HTTPSRequestsConnectionClass:
    """A connection that gives up in time. The token goes to the API's host or one of its domain: `uploads.github.com`."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host != api and not host.endswith(f".{api.removeprefix('api.')}"):
        message = inert(one_line(f"GitHub's files would go to {host!r}, which is no host of {api}", 300))
        raise GitHubError(message, hint="check GITHUB_API_URL")
    kind = HTTPSRequestsConnectionClass if parts.scheme == "https" else HTTPRequestsConnectionClass
    return kind(host, parts.port, timeout=UPLOAD_SECONDS)


def _seen(run: CheckRun) -> Seen:
    output = run.output
    return Seen(run.head_sha or "", (output.text or "") if output else "")


def _short(error: Exception) -> str:
    return inert(one_line(f"{type(error).__name__}: {error}", 300))


def _failure(error: GithubException) -> Failure:
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    return Failure(error.status, _said(error.data), headers)


def _said(data: object) -> str:
    """What GitHub said: its message, and for an invalid request what was wrong with it."""
    if not isinstance(data, dict):
        return ""
    message = data.get("message")
    errors = data.get("errors")
    parts = [message if isinstance(message, str) else ""]
    parts += [
        str(one.get("message") or one.get("code") or "") if isinstance(one, dict) else str(one)
        for one in (errors[:3] if isinstance(errors, list) else ())
    ]
    return inert(one_line(": ".join(part for part in parts if part), 500))


def _refused(what: str, needs: str, failure: Failure) -> Refused:
    answer = f"{failure.status}: {failure.said}".rstrip(": ") if failure.status else failure.said
    if failure.limited:
        after = failure.headers.get("retry-after", "")
        hint = f"GitHub asks to wait {one_line(after, 40)} s" if after else "wait until GitHub's limit is reset"
    elif failure.status == 401:
        hint = "GITHUB_TOKEN is not a token that GitHub knows, or it has expired: pass ${{ github.token }}"
    elif failure.refused:
        hint = f"the job needs the permission `{needs}`, and its own token, `github.token`"
    elif failure.ambiguous:
        hint = "try again: GitHub or the network is in trouble"
    else:
        hint = "check the names and the commit that were given"
    return Refused(f"GitHub did not {what} ({answer})", hint=hint, failure=failure)
