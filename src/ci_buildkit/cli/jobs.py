"""Finds the reports that the jobs of a matrix left: artifacts, each downloaded into a folder of its own name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit import jsontext
from ci_buildkit.cli import recordfile
from ci_buildkit.errors import CiBuildkitError, ConfigurationError
from ci_buildkit.fields import mapping, sequence, string

if TYPE_CHECKING:
    from ci_buildkit.report.verdict import Job

NEXT = "the job's log says what became of it"


def names(matrix: str) -> tuple[str, ...]:
    """The jobs of a matrix, `{"include": [{"name": ...}]}`; none for an empty text.

    Raises:
        ConfigurationError: it is no such matrix, or a name could lead out of the folder of downloads.
    """
    try:
        entries = sequence(mapping(jsontext.loads(matrix)).get("include")) if matrix.strip() else []
    except jsontext.Broken as error:
        raise ConfigurationError(f"the job matrix is no JSON: {error}") from error
    found = tuple(string(mapping(entry).get("name")) for entry in entries)
    for name in found:
        if not name.replace("-", "").replace(".", "").replace("_", "").isalnum() or not name.isascii():
            raise ConfigurationError(f"a job of the matrix is called {name!r}", hint="a name is letters, digits, . _ -")
    return found


def results(needs: str) -> Mapping[str, str]:
    """The result of each job by GitHub's `toJSON(needs)`. Raises ConfigurationError."""
    try:
        found = mapping(jsontext.loads(needs))
    except jsontext.Broken as error:
        raise ConfigurationError(f"needs is no JSON: {error}", hint="pass ${{ toJSON(needs) }}") from error
    if not found:
        raise ConfigurationError("needs names no job", hint="pass ${{ toJSON(needs) }}")
    return {name: string(mapping(one).get("result")) for name, one in found.items()}


def read(downloads: Path, prefix: str, wanted: Iterable[str]) -> list[Job]:
    """Each job with the record of the artifact `PREFIX-NAME-report`."""
    from ci_buildkit.report.verdict import Job

    found = []
    for name in wanted:
        try:
            record = recordfile.read(downloads / f"{prefix}-{name}-report" / "run.json", NEXT)
            found.append(Job(name, record))
        except CiBuildkitError as error:
            found.append(Job(name, None, error.message))
    return found
