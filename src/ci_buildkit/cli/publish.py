"""Publish a finished run on GitHub: a check run with annotations, a comment on the pull request, a tag's release files.

Reads GITHUB_TOKEN, GITHUB_API_URL, GITHUB_REPOSITORY, GITHUB_SHA and the event. Exit code 0 when it was published or
shown in the job summary instead, 5 without a readable report, 6 when GitHub refuses what a flag asks for.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from ci_buildkit.errors import ConfigurationError, GitHubError, OutputError

if TYPE_CHECKING:
    from ci_buildkit.github.api import Repository
    from ci_buildkit.github.publish import Published
    from ci_buildkit.github.runner import GitHub
    from ci_buildkit.record import RunRecord
    from ci_buildkit.results.model import Case, TestReport

_LONGEST_NAME = 100
_NEXT = "run `ci-buildkit run` first, or name the folder with --report-dir"
EXAMPLES = """
ci-buildkit publish
ci-buildkit publish --check --comment --label-failed broken
ci-buildkit publish --release-assets --draft
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the report is, and what to publish under which name."""
    parser.add_argument("--report-dir", metavar="DIR", default="ci-report", help="the report (default: ci-report)")
    yes_or_no = argparse.BooleanOptionalAction
    parser.add_argument(
        "--check", action=yes_or_no, help="make a check run; a refusal is an error then (default: where it can be made)"
    )
    parser.add_argument(
        "--comment", action=yes_or_no, help="keep a comment on the pull request, in the same way (default: likewise)"
    )
    parser.add_argument(
        "--name", default="ci-buildkit", help="the check run's name, and the comment's (default: ci-buildkit)"
    )
    parser.add_argument(
        "--changes-only",
        action="store_true",
        help="write only what changed to the job summary, where `run` has written the rest in the same job",
    )
    parser.add_argument("--label-failed", metavar="LABEL", default="", help="label a pull request while its run is red")
    parser.add_argument(
        "--release-assets",
        action="store_true",
        help="upload archives, SBOMs, manifest.json and checksums.txt to the tag's release, which is made where there is "
        "none; a red run's are refused",
    )
    parser.add_argument(
        "--tag", metavar="NAME", default="", help="the release's tag (default: the one that was pushed)"
    )
    parser.add_argument("--draft", action="store_true", help="leave a release that is made here a draft")
    parser.add_argument(
        "--prerelease", action=yes_or_no, help="mark a release that is made here so (default: as the version says)"
    )


def call(arguments: argparse.Namespace) -> int:
    """Publish; returns 0 or 6.

    Raises:
        ConfigurationError: this is no GitHub workflow, a name is too long, or the report is of another commit or tag.
        OutputError: the report cannot be read, or its files must not be released.
        GitHubError: GitHub does not take the release's files.
    """
    from ci_buildkit.github.event import trigger
    from ci_buildkit.github.publish import Publisher, Wishes
    from ci_buildkit.github.runner import GitHub

    github = GitHub.from_environ(os.environ)
    wishes = Wishes(arguments.check, arguments.comment, _name(arguments.name), arguments.label_failed.strip())
    started_by = trigger(github)
    tag = _tag(arguments, github)
    record, tests = read(Path(arguments.report_dir), github.workspace)
    _of_the_pull_request(record, github, started_by.head)
    publisher = Publisher(record, tests, started_by, wishes, details_url=started_by.page or github.run_url)
    repository = _repository(github)
    try:
        published = publisher.publish(repository)
    finally:
        if repository:
            repository.close()
    if arguments.changes_only:
        published.summary = published.changes
    published.notices.extend(f"{problem.path}: {problem.reason}" for problem in tests.problems)
    code = _tell(published, github)
    if tag:
        _release(arguments, github, record, tag, started_by.head)
    return code


def _tag(arguments: argparse.Namespace, github: GitHub) -> str:
    """The tag to release; "" where nothing is to be released."""
    if not arguments.release_assets:
        if arguments.tag or arguments.draft or arguments.prerelease is not None:
            raise ConfigurationError(
                "--tag, --draft and --prerelease say how to release", hint="add --release-assets, or leave them out"
            )
        return ""
    pushed = github.ref.removeprefix("refs/tags/") if github.ref.startswith("refs/tags/") else ""
    tag: str = arguments.tag or pushed
    if not tag or not tag.isprintable():
        raise ConfigurationError(
            "there is no tag to release", hint="run the workflow on a pushed tag, or name one with --tag"
        )
    return tag


def _release(arguments: argparse.Namespace, github: GitHub, record: RunRecord, tag: str, head: str) -> None:
    from ci_buildkit.artifacts import dist
    from ci_buildkit.github import release
    from ci_buildkit.report.text import inert

    release.check(record, tag)
    files = dist.read(Path(arguments.report_dir) / "dist", record.version)
    release.check_names(files)
    repository = _repository(github, patient=True)
    if repository is None:
        raise GitHubError(
            f"there is no GITHUB_TOKEN, so {tag} is not released",
            hint="give the step `GITHUB_TOKEN: ${{ github.token }}` as env, and the job the permission `contents: write`",
        )
    from ci_buildkit.github.releases import Releases

    wishes = release.Wishes(arguments.draft, arguments.prerelease)
    try:
        print(inert(release.publish(Releases(repository), record, tag, head, files, wishes)))
    finally:
        repository.close()


def _of_the_pull_request(record: RunRecord, github: GitHub, head: str) -> None:
    """On `pull_request_target`, what is checked out by default, and is GITHUB_SHA, is the base branch."""
    revision = record.version.revision
    if github.event_name == "pull_request_target" and revision == github.sha != head:
        raise ConfigurationError(
            f"the report is of {revision}, the base branch's commit: it says nothing about the pull request's",
            hint="run the pipeline on `pull_request`, and publish for forks from a workflow on `workflow_run`",
        )


def read(folder: Path, root: Path | None = None) -> tuple[RunRecord, TestReport]:
    """The record and all test cases of a report folder. `root` is the repository (default: the working directory).

    Raises:
        OutputError: they are missing or unreadable. What they hold is untrusted and not part of the message.
    """
    from ci_buildkit.cli import recordfile

    record = recordfile.read(folder / "run.json", _NEXT)
    return record, _tests(folder / "junit.xml", record, root)


def _tests(file: Path, record: RunRecord, root: Path | None) -> TestReport:
    from ci_buildkit.results.model import TestReport
    from ci_buildkit.results.read import read_paths

    if not record.tests.totals.tests:
        return TestReport()
    if file.is_symlink():
        raise OutputError(f"{file} is a link", hint=_NEXT)
    tests = read_paths([file], root=root)
    for problem in tests.problems:
        if problem.kind != "limit":
            raise OutputError(f"{problem.path}: {problem.reason}", hint=_NEXT)
    return _let_pass(tests, record)


def _let_pass(tests: TestReport, record: RunRecord) -> TestReport:
    """The tests with the failures that do not count, which JUnit cannot say and the record does."""
    from ci_buildkit.results.model import changed

    known = {(one.suite, one.class_name, one.name): one.quarantined for one in record.tests.failed if one.quarantined}
    if not known:
        return tests

    def reason(case: Case) -> str:
        # Where two files have the same suite, junit.xml has the file's name behind the second one's.
        suites = (case.suite, case.suite.rpartition(" / ")[0])
        return next((known[key] for suite in suites if (key := (suite, case.class_name, case.name)) in known), "")

    cases = [changed(case, quarantined=reason(case)) if case.broken else case for case in tests.cases]
    return replace(tests, cases=cases)


def _name(name: str) -> str:
    if not name.strip() or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise ConfigurationError(
            f"--name {name[:_LONGEST_NAME]!r} cannot name a check run",
            hint=f"use 1 to {_LONGEST_NAME} printable characters",
        )
    return name.strip()


def _repository(github: GitHub, *, patient: bool = False) -> Repository | None:
    """None without a token. A `patient` one waits longer: a file that does not arrive takes its time."""
    if not github.token:
        return None
    if github.api_url and not github.api_url.startswith(("https://", "http://")):
        raise ConfigurationError(f"GITHUB_API_URL is no http address: {github.api_url!r}", hint="leave it unset")
    from ci_buildkit.github.api import Repository
    from ci_buildkit.github.retry import BUDGET, PATIENT, Retry

    return Repository(github.repository, github.token, url=github.api_url, retry=Retry(PATIENT if patient else BUDGET))


def _tell(published: Published, github: GitHub) -> int:
    from ci_buildkit.github.runner import command
    from ci_buildkit.report.text import inert, say

    if published.summary and github.summary_path:
        github.append_summary(published.summary)
    for line in published.done:
        print(inert(line))
    for notice in published.notices:
        text = inert(notice)
        say(sys.stderr, command("notice", text) if github.is_github else f"notice: {text}")
    for error in published.errors:
        print(inert(f"error: {error}"), file=sys.stderr)
    return GitHubError.exit_code if published.errors else 0
