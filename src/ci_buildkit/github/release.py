"""The files of a run as assets of the release of its tag.

Whatever happened before is gone on from: files that GitHub has are kept, half ones and others of the same name replaced.
A release that is made here is a draft until all is there, because one that is public may be immutable.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from ci_buildkit.errors import ConfigurationError, GitHubError, OutputError
from ci_buildkit.github.retry import Refused
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ci_buildkit.artifacts.dist import File
    from ci_buildkit.github.releases import Asset, Release, Releases
    from ci_buildkit.record import RunRecord

# Another run that publishes the same tag may take a file away while it is sent; the last round only looks.
ROUNDS = 6
# GitHub renames other files ("Upload a release asset"), and then checksums.txt would name what nobody can download.
_KEPT_NAME = re.compile(r"[A-Za-z0-9_+@-]+(?:\.[A-Za-z0-9_+@-]+)*")
# A release by semantic versioning and by PEP 440: numbers alone, build metadata or a post-release behind them.
_FINAL = re.compile(r"v?\d+(?:\.\d+)*(?:\.post\d+)?(?:\+.*)?")


class Wishes(Struct, frozen=True):
    """`draft` leaves a release that is made a draft; `prerelease` is None for "as the version says"."""

    draft: bool = False
    prerelease: bool | None = None


def check(record: RunRecord, tag: str) -> None:
    """Refuse what must not be released.

    Raises:
        OutputError: the run was red or made no binaries, or what it built was changed and is no commit's.
        ConfigurationError: the version is not the tag's.
    """
    if record.outcome != "passed":
        raise OutputError(
            f"the run ended as {record.outcome}, with exit code {record.exit_code}: a red run's binaries are not released",
            hint="mend what failed and run the pipeline again",
        )
    if not record.binaries:
        raise OutputError(
            "the run made no binaries, so there is nothing to release",
            hint="give the Dockerfile a stage `binaries`, or leave --release-assets out",
        )
    version = record.version
    if version.dirty:
        raise OutputError(
            f"{version.value} was built from changed files, not from a commit", hint="build a clean checkout"
        )
    if version.value.removeprefix("v") != tag.rpartition("/")[2].removeprefix("v"):
        raise ConfigurationError(
            f"the run built {version.value}, the tag is {tag}",
            hint="run the pipeline on the tag's own checkout, with `fetch-depth: 0`",
        )


def check_names(files: Sequence[File]) -> None:
    """Raise ConfigurationError where GitHub would give a file another name."""
    for file in files:
        if not _KEPT_NAME.fullmatch(file.name):
            raise ConfigurationError(
                f"GitHub would rename the file {file.name!r}",
                hint="use letters, digits and - _ + @ . in --archive-name",
            )


def early(version: str) -> bool:
    """Whether a version is a pre-release."""
    return not _FINAL.fullmatch(version)


def publish(releases: Releases, record: RunRecord, tag: str, head: str, files: Sequence[File], wishes: Wishes) -> str:
    """Bring the release of `tag` and its files about; returns what was done. `head` is the workflow's commit.

    Raises:
        ConfigurationError: the tag is not on the commit that was built.
        GitHubError: GitHub refuses, or what it has does not stay what was sent.
    """
    _same_commit(releases.commit(tag), record.version.revision, head, tag)
    found = releases.find(tag)
    if found is None:
        mark = early(record.version.value) if wishes.prerelease is None else wishes.prerelease
        found = releases.create(tag, prerelease=mark, marked=not wishes.draft)
    sent = _complete(releases, found, files)
    if found.marked and not wishes.draft:
        releases.publish(found)
        end = ", published"
    else:
        end = ", which is a draft" if found.draft else ""
    return f"release {tag}: {plural(sent, 'file')} uploaded, {len(files) - sent} there before{end}: {found.url}"


def _same_commit(tagged: str, built: str, head: str, tag: str) -> None:
    if not tagged:
        raise ConfigurationError(
            f"GitHub has no tag {tag}", hint="push the tag first: a release is made for one that is there"
        )
    if not tagged == built == head:
        raise ConfigurationError(
            f"the tag {tag} is on commit {tagged[:12]}, the run built {built[:12]}, the workflow is of {head[:12]}",
            hint="release the report of the tag's own commit",
        )


def _complete(releases: Releases, release: Release, files: Sequence[File]) -> int:
    """Make GitHub have every file; the number of files that were sent."""
    sent: set[str] = set()
    problem: GitHubError | None = None
    for left in reversed(range(ROUNDS)):
        there = releases.assets(release)
        wrong = [file for file in files if not _held(there.get(file.name), file, sent)]
        if not wrong:
            return len(sent)
        if not left:
            break
        if release.immutable:
            names = ", ".join(file.name for file in wrong)
            raise _immutable(
                f"the release {release.tag} is immutable and does not have these files as they are: {names}"
            )
        # The last file is checksums.txt: it goes first and comes last, so that it never lists what is not there.
        for file in reversed(wrong):
            if stale := there.get(file.name):
                releases.delete(stale)
        for file in wrong:
            problem = _send(releases, release, file)
            if problem:
                releases.stand_aside(ROUNDS - left)
                break
            sent.add(file.name)
    raise problem or GitHubError(
        f"GitHub's files of the release {release.tag} do not stay what was sent",
        hint="see whether another workflow publishes the same tag, then publish again",
    )


def _held(asset: Asset | None, file: File, sent: set[str]) -> bool:
    return asset is not None and asset.holds(file, just_sent=file.name in sent)


def _send(releases: Releases, release: Release, file: File) -> GitHubError | None:
    """Send a file; returns why not, where another run may have been at work on the same file."""
    try:
        releases.upload(release, file)
    except Refused as error:
        if "immutable" in error.failure.said:
            raise _immutable(error.message) from error
        if error.failure.status not in {404, 422}:
            raise
        return error
    return None


def _immutable(message: str) -> GitHubError:
    return GitHubError(message, hint="what is published stays as it is: release a new version")
