"""The one model of lint findings that every reader fills and every report shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from ci_buildkit.problem import Problem

Severity = Literal["error", "warning", "notice"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. Lines and columns are 1-based; a finding about a whole file has `line` None.

    Columns count characters (Unicode code points, a tab is one). As in SARIF, `end_column` is the one after the last
    character. `end_line` is None where the finding ends on `line`, `end_column` where the end of a line is meant or no
    end is known. `url` is the rule's page, on the web.

    `path` is relative to the repository, with `/`, where it could be mapped, else as the tool wrote it.
    """

    path: str
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    severity: Severity
    rule: str
    message: str
    tool: str
    url: str | None = None


class FindingReport(Struct, frozen=True):
    """Findings in the order of path, line and column, and what could not be read.

    `known` are those that a baseline lists: they do not count. `notes` are sentences that make nothing red.
    """

    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    known: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
