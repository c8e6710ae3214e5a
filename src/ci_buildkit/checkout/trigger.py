"""What tags are made from, as GitHub's event says it, else Git. Never a network access."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from ci_buildkit import jsontext
from ci_buildkit.checkout import git
from ci_buildkit.errors import ConfigurationError, said
from ci_buildkit.tags.context import Context, Repository

_ADDRESS = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@]*@)?(?P<host>[^/:]+)(?::[0-9]+)?/|[^/@:]+@(?P<scp>[^/:]+):)(?P<path>.+)"
)


def context(
    folder: Path, environ: Mapping[str, str], now: datetime, repository: Mapping[str, Any] | None = None
) -> Context:
    """What the tags of the checkout at `folder` are made from.

    GITHUB_REF, GITHUB_SHA, GITHUB_EVENT_NAME and the file GITHUB_EVENT_PATH where they are set, Git otherwise.
    `repository` is GitHub's answer to `GET /repos/{owner}/{repo}`; without it the event's, else what the environment
    or Git can tell. `now` is the commit's time where none is known. The rules are those of docker/metadata-action
    (src/context.ts).

    Raises:
        ConfigurationError: the event file is no JSON object.
    """
    event = environ.get("GITHUB_EVENT_NAME", "")
    payload = _Payload(event_file(environ))
    ref = environ.get("GITHUB_REF") or git.ref(folder)
    number = payload.at("number")
    if "pull_request_target" in event and number is not None:
        ref = f"refs/pull/{number}/merge"
    sha = environ.get("GITHUB_SHA") or git.revision(folder)
    if "true" in environ.get("DOCKER_METADATA_PR_HEAD_SHA", "").lower() and "pull_request" in event:
        sha = payload.text("pull_request", "head", "sha") or sha
    known = _repository(folder, environ, _Payload(repository or payload.at("repository")))
    return Context(
        commit_time=_commit_time(folder, sha, payload) or now,
        ref=ref,
        sha=sha,
        event=event,
        base_ref=_base_ref(ref, payload),
        default_branch=payload.text("repository", "default_branch") or known.default_branch,
        repository=known,
    )


class _Payload(Struct, frozen=True):
    """A document of GitHub's, in which anything may be missing or of another type."""

    document: Any

    def at(self, *keys: str) -> Any:
        """What stands there; None where nothing does."""
        value = self.document
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def text(self, *keys: str) -> str:
        """The text that stands there; "" where there is none."""
        value = self.at(*keys)
        return value if isinstance(value, str) else ""


def event_file(environ: Mapping[str, str]) -> Any:
    """What GitHub says of the event, as JSON; an empty object without a file. Raises ConfigurationError."""
    path = environ.get("GITHUB_EVENT_PATH", "")
    if not path or not Path(path).is_file():
        return {}
    try:
        return jsontext.loads(Path(path).read_bytes())
    except (OSError, jsontext.Broken) as error:
        reason = said(error) if isinstance(error, OSError) else str(error)
        raise ConfigurationError(
            f"cannot read the event {path}: {reason}",
            hint="GITHUB_EVENT_PATH is the JSON file that GitHub's runner writes",
        ) from error


def _base_ref(ref: str, payload: _Payload) -> str:
    if ref.startswith("refs/tags/") and (base := payload.text("base_ref")):
        return base.removeprefix("refs/heads/")
    return payload.text("pull_request", "base", "ref") if ref.startswith("refs/pull/") else ""


def _commit_time(folder: Path, sha: str, payload: _Payload) -> datetime | None:
    """The time of the commit, by the event where it lists it, else by Git."""
    commits = payload.at("commits")
    listed = [_Payload(commit) for commit in (commits if isinstance(commits, list) else [])]
    listed.append(_Payload(payload.at("head_commit")))
    told = next((commit.text("timestamp") for commit in listed if sha and commit.at("id") == sha), "")
    return _time(told) or (_time(git.commit_time(folder, sha)) if sha else None)


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else None


def _repository(folder: Path, environ: Mapping[str, str], told: _Payload) -> Repository:
    if told.document:
        return Repository(
            name=told.text("name"),
            description=told.text("description"),
            url=told.text("html_url"),
            license=told.text("license", "spdx_id"),
            default_branch=told.text("default_branch"),
        )
    if name := environ.get("GITHUB_REPOSITORY", ""):
        url = f"{environ.get('GITHUB_SERVER_URL') or 'https://github.com'}/{name}"
    else:
        url = _web_address(git.remote_url(folder))
    return Repository(name=url.rpartition("/")[2], url=url, default_branch=git.default_branch(folder))


def _web_address(remote: str) -> str:
    """Where a remote's repository is read by people, without user and password; "" for a folder or no remote."""
    match = _ADDRESS.fullmatch(remote)
    return f"https://{match['host'] or match['scp']}/{match['path'].strip('/').removesuffix('.git')}" if match else ""
