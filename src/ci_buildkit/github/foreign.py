"""The report of another workflow's run, which a stranger may have written: looked at before anything of it is read.

A workflow on `workflow_run` has a token that writes, and gets its report from a run of a fork's code (GitHub's "Secure use
reference"). What the event says is GitHub's own word; of the report only two files are taken, and nothing they say decides
where they are published.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_buildkit import jsontext
from ci_buildkit.errors import ConfigurationError, OutputError, said
from ci_buildkit.fields import mapping, string
from ci_buildkit.text import name as shown

if TYPE_CHECKING:
    from ci_buildkit.github.runner import GitHub
    from ci_buildkit.record import RunRecord

TAKEN = ("run.json", "junit.xml")
# What is known to be in a report's artifact (docs/reference/report-folder.md).
KNOWN_FILES = frozenset({*TAKEN, "previous.json", "report.html", "summary.md", "findings.sarif", "bake.json"})
KNOWN_FOLDERS = frozenset({"digests", "logs", "results"})
MAX_TAKEN = 64 << 20  # bytes of each file that is taken
MAX_FILES = 20_000
MAX_BYTES = 1 << 30
_NEXT = "nothing of it was published; look at the run that made it"


def run(github: GitHub) -> Mapping[str, Any]:
    """The run of the other workflow, as the event describes it.

    Raises:
        ConfigurationError: the event is another one, or is about another repository.
    """
    try:
        event = mapping(jsontext.loads(github.event_path.read_bytes())) if github.event_path else {}
    except (OSError, jsontext.Broken) as error:
        raise ConfigurationError(f"the event cannot be read from GITHUB_EVENT_PATH: {error}") from error
    found = mapping(event.get("workflow_run"))
    if github.event_name != "workflow_run" or not found:
        raise ConfigurationError(
            f"the event is {github.event_name or 'none'}, not workflow_run",
            hint="call this from a workflow on `workflow_run`; on pull_request the action publishes by itself",
        )
    repository = string(mapping(found.get("repository")).get("full_name"))
    if repository.lower() != github.repository.lower():
        raise ConfigurationError(f"the event is about a run in {repository!r}, and this is {github.repository!r}")
    return found


def take(folder: Path, target: Path) -> None:
    """Copy the files that are published from the artifact's folder, once all of it was looked at.

    Raises:
        OutputError: there is something that no report has: links, other files, too many or too much.
    """
    size = 0
    for count, (path, about) in enumerate(_walk(folder), 1):
        inside = path.relative_to(folder)
        size += about.st_size
        if not stat.S_ISREG(about.st_mode):
            raise OutputError(f"{shown(str(inside))} of the report is a link or no file", hint=_NEXT)
        if str(inside) not in KNOWN_FILES and inside.parts[0] not in KNOWN_FOLDERS:
            raise OutputError(f"{shown(str(inside))} is no file of a report", hint=_NEXT)
        if count > MAX_FILES or size > MAX_BYTES:
            raise OutputError(f"the report has more than {MAX_FILES:,} files or {MAX_BYTES >> 20} MiB", hint=_NEXT)
        if str(inside) in TAKEN and about.st_size > MAX_TAKEN:
            raise OutputError(f"{inside} of the report is larger than {MAX_TAKEN >> 20} MiB", hint=_NEXT)
    try:
        for name in TAKEN:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, target / name)
    except OSError as error:
        raise OutputError(f"the report cannot be read: {said(error)}", hint=_NEXT) from error


def check(record: RunRecord, described: Mapping[str, Any]) -> None:
    """Refuse a report that is not of the run's commit, where the two can be compared.

    What a pull request's run builds is a merge that GitHub made for it, whose name the event does not tell.

    Raises:
        OutputError: they differ.
    """
    head = string(described.get("head_sha"))
    if not string(described.get("event")).startswith("pull_request") and record.version.revision != head:
        raise OutputError(
            f"the report is of {shown(record.version.revision)[:64] or 'no commit'}, the run of {head}", hint=_NEXT
        )


def _walk(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything below a folder that is no folder itself, links not followed. Raises OutputError where it cannot be read."""
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                found = [(Path(entry.path), entry.stat(follow_symlinks=False)) for entry in entries]
        except OSError as error:
            raise OutputError(f"the report cannot be read: {error.strerror}", hint=_NEXT) from error
        waiting += [path for path, about in found if stat.S_ISDIR(about.st_mode)]
        yield from ((path, about) for path, about in found if not stat.S_ISDIR(about.st_mode))
