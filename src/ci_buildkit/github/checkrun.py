"""A run as a check run: conclusion, title, summary, annotations, and the digest that the next run is compared with.

Limits: GitHub's "Create a check run": 65,535 for summary and text each, 50 annotations a request, a message of 64 KB, a
title of 255 characters, columns only on one line.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field

from ci_buildkit.github import annotate
from ci_buildkit.report import facts, summary
from ci_buildkit.report.markdown import inline
from ci_buildkit.report.text import one_line, plain
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ci_buildkit.github.annotate import Annotation
    from ci_buildkit.record import RunRecord
    from ci_buildkit.report.digest import Digest
    from ci_buildkit.results.model import TestReport

Annotations = list[dict[str, str | int]]
Conclusion = Literal["success", "failure", "neutral", "cancelled"]

MAX_BYTES = 65_535
MAX_MESSAGE_BYTES = 64_000
MAX_TITLE = 255
CHUNK = 50
# Twenty requests; a job's token has 1,000 an hour for a whole repository.
MAX_ANNOTATIONS = 1_000
MAX_UNPLACED_BYTES = 16_000
_LEVELS = {"error": "failure", "warning": "warning", "notice": "notice"}
_DRIVE = re.compile(r"[A-Za-z]:")


class Seen(Struct, frozen=True):
    """A check run that exists; its texts are untrusted."""

    head: str
    text: str


class Check(Struct, frozen=True):
    """A check run to make. `annotations` are in GitHub's form; `external_id` is like no other check run's."""

    name: str
    head: str
    external_id: str
    conclusion: Conclusion
    title: str
    summary: str
    text: str = ""
    details_url: str = ""
    annotations: Annotations = field(default_factory=list)

    def chunks(self) -> list[Annotations]:
        """The annotations for each request, at least one chunk."""
        count = len(self.annotations)
        return [self.annotations[start : start + CHUNK] for start in range(0, max(count, 1), CHUNK)]

    def output(self, annotations: Annotations) -> dict[str, Any]:
        """`output` of a request that adds these annotations."""
        told: dict[str, Any] = {"title": self.title, "summary": self.summary, "annotations": annotations}
        return {**told, "text": self.text} if self.text else told


def check_run(
    record: RunRecord,
    tests: TestReport,
    *,
    name: str,
    head: str,
    external_id: str,
    digest: Digest,
    changes: str = "",
    details_url: str = "",
) -> Check:
    """The check run for the commit `head`. `changes` is the comparison in Markdown, `digest` is kept for the next one."""
    found = [(one, _annotation(one)) for one in annotate.collect(record, tests)]
    placed = [made for _, made in found if made]
    unplaced = [one for one, made in found if not made]
    told = _listed(unplaced, len(placed) - MAX_ANNOTATIONS)
    room = MAX_BYTES - len(told.encode()) - 2
    # Without a test there is nothing to compare with: an older commit's digest serves better.
    kept = digest.encode(room) if digest.total else ""
    return Check(
        name,
        head,
        external_id,
        conclusion(record),
        title(record, tests),
        summary.render(record, tests, changes=changes, limit=MAX_BYTES),
        "\n\n".join(part for part in (told, kept) if part),
        details_url,
        placed[:MAX_ANNOTATIONS],
    )


def conclusion(record: RunRecord) -> Conclusion:
    """The run's outcome in GitHub's words; neutral where nothing ran.

    A cancelled run is not neutral, because GitHub takes neutral for good enough where a check is required.
    """
    if record.outcome == "cancelled":
        return "cancelled"
    if record.outcome != "passed":
        return "failure"
    return "success" if any(stage.outcome == "passed" for stage in record.stages) else "neutral"


def title(record: RunRecord, tests: TestReport) -> str:
    """The outcome and its reasons in one line."""
    words = facts.OUTCOME_WORDS[record.outcome]
    why = ", ".join(facts.reasons(record, tests))
    return one_line(f"{words}: {why}" if why else words, MAX_TITLE)


def _annotation(one: Annotation) -> dict[str, str | int] | None:
    """The annotation as the API wants it; None for one without a place in the repository."""
    path = _path(one.path)
    if not path:
        return None
    start = one.line or 1
    end = max(one.end_line or start, start)
    told: dict[str, str | int] = {
        "path": path,
        "start_line": start,
        "end_line": end,
        "annotation_level": _LEVELS[one.level],
        "message": _message(one),
    }
    if one.line and start == end and one.column:
        told["start_column"] = one.column
        told["end_column"] = max(one.end_column or one.column, one.column)
    heading = one_line(one.title, MAX_TITLE)
    return {**told, "title": heading} if heading else told


def _path(path: str | None) -> str:
    """The path inside the repository; "" for one that leads out of it or was never mapped into it."""
    plainly = one_line(path or "").replace("\\", "/")
    if not plainly or plainly.startswith("/") or _DRIVE.match(plainly):
        return ""
    normal = posixpath.normpath(plainly)
    return "" if normal in {".", ".."} or normal.startswith("../") else normal


def _message(one: Annotation) -> str:
    text = plain(one.message[: MAX_MESSAGE_BYTES * 2]).strip() or one_line(one.title, MAX_TITLE) or "(no message)"
    data = text.encode()
    if len(data) <= MAX_MESSAGE_BYTES:
        return text
    return data[: MAX_MESSAGE_BYTES - 4].decode("utf-8", "ignore") + "…"


def _listed(unplaced: Sequence[Annotation], left_out: int) -> str:
    """What stands beside no line, as a list, and how many annotations are not shown."""
    rows: list[str] = []
    size = 0
    for one in unplaced:
        where = f"{one_line(one.path, 200)}: " if one.path else ""
        rows.append(f"- {one.level}: {inline(f'{where}{one.title}: {one.message}', 300)}")
        size += len(rows[-1].encode()) + 1
        if size > MAX_UNPLACED_BYTES:
            rows.pop()
            break
    more = len(unplaced) - len(rows)
    parts = ["### Without a line in the repository\n\n" + "\n".join(rows)] if rows else []
    if more:
        parts.append(f"and {more:,} more without a line; report.html has all")
    if left_out > 0:
        parts.append(f"{plural(left_out, 'annotation')} more than GitHub is given; report.html has all")
    return "\n\n".join(parts)
