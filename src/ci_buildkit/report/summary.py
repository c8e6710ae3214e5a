"""`summary.md`, the job summary: the outcome and its reasons in a screenful, as GitHub Flavored Markdown.

GitHub drops a summary whole past 1 MiB for one step (runner: FileCommandManager.AttachmentSizeLimit), so lists are
shortened, and then whole sections left out from the end, until it fits.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from ci_buildkit.report import facts
from ci_buildkit.report.markdown import code, fence, inline, link, table
from ci_buildkit.report.text import duration, one_line, place, plural, size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ci_buildkit.record import RunRecord, StageRecord
    from ci_buildkit.results.model import Case, TestReport

# 1 MiB less what the step may write besides.
MAX_BYTES = (1 << 20) - 4096
MAX_STAGES = 200
MAX_FAILED = 50
MAX_FILES = 100
MAX_FINDINGS = 300
MAX_ROWS = 100
MAX_DETAILS = 4000
# What the bounds above are divided by, one after the other, until everything fits. Only then sections are left out.
SHARES = (1, 4, 16)

MARKS = {"passed": "✅", "failed": "❌", "error": "❌", "skipped": "⏭️", "cancelled": "⏹️"}
NO_LINKS: Mapping[str, str] = MappingProxyType({})


def render(
    record: RunRecord,
    tests: TestReport,
    *,
    links: Mapping[str, str] = NO_LINKS,
    changes: str = "",
    limit: int = MAX_BYTES,
) -> str:
    """The Markdown, ending in a newline and always under `limit` bytes of UTF-8.

    `links` are labels and http(s) addresses shown under the headline, such as the artifact with the whole report;
    `changes` is Markdown that says what is different from another run (`report.compare`).
    """
    for share in SHARES:
        head = "\n\n".join([_headline(record, tests), _about(record, links), _stages(record, share)])
        sections = _sections(record, tests, changes, share)
        text = _joined(head, [text for _, text in sections])
        if len(text.encode()) <= limit:
            return text
    return _fitted(head, sections, limit)


def _sections(record: RunRecord, tests: TestReport, changes: str, share: int) -> list[tuple[str, str]]:
    """Name and text of each section that says something, its longest lists cut to a `share`th of their bounds."""
    sections = [
        ("problems", _problems(record)),
        ("failed tests", _failed(facts.broken_cases(record, tests), share)),
        ("changes", changes),
        ("lint findings", _findings(record, share)),
        ("flaky tests", _flaky(facts.flaky_cases(tests))),
        ("binaries", _binaries(record)),
        ("images", _images(record)),
        ("slowest tests", _slowest(facts.slowest_cases(tests))),
    ]
    return [(name, text) for name, text in sections if text]


def _joined(head: str, sections: Sequence[str], note: str = "") -> str:
    return "\n\n".join(part for part in [head, *sections, note] if part) + "\n"


def _fitted(head: str, sections: list[tuple[str, str]], limit: int) -> str:
    dropped: list[str] = []
    while sections:
        dropped.insert(0, sections.pop()[0])
        note = f"_Left out, because there is no more room here: {', '.join(dropped)}. See report.html._"
        text = _joined(head, [text for _, text in sections], note)
        if len(text.encode()) <= limit:
            return text
    return _joined(
        head.partition("\n\n")[0], [], "_Left out, because there is no more room here: all but this. See report.html._"
    )


def _headline(record: RunRecord, tests: TestReport) -> str:
    why = ", ".join(facts.reasons(record, tests))
    words = facts.OUTCOME_WORDS[record.outcome] + (f": {inline(why)}" if why else "")
    return f"## {MARKS[record.outcome]} {words} · {code(record.version.value)}"


def _about(record: RunRecord, links: Mapping[str, str]) -> str:
    version = record.version
    commit = f"commit {code(version.revision[:12])}" if version.revision else "no commit"
    parts = [
        f"{duration(record.seconds)} in all",
        commit + (" with local changes" if version.dirty else ""),
        f"BuildKit {inline(record.builder.buildkit)}" if record.builder.buildkit else "",
        *(link(label, url) for label, url in links.items()),
    ]
    return " · ".join(part for part in parts if part)


def _stages(record: RunRecord, share: int) -> str:
    if not record.stages:
        return "No stage ran."
    rows = [_stage_row(stage) for stage in record.stages[: MAX_STAGES // share]]
    header = ["Stage", "Outcome", "Time", "Steps cached", "Note"]
    return table(header, rows, "llrrl") + _more(len(record.stages) - MAX_STAGES // share, "stage")


def _stage_row(stage: StageRecord) -> list[str]:
    outcome = f"{MARKS[stage.outcome]} {stage.outcome}"
    note = "; ".join(inline(note) for note in facts.stage_notes(stage))
    return [code(stage.name, 100), outcome, duration(stage.seconds), facts.cache_share(stage), note]


def _problems(record: RunRecord) -> str:
    if not record.problems:
        return ""
    rows = [f"- {code(one.path)}: {inline(one.reason, 1000)} ({one.kind})" for one in record.problems[:MAX_ROWS]]
    return "### Problems\n\n" + "\n".join(rows) + _more(len(record.problems) - MAX_ROWS, "problem")


def _failed(cases: Sequence[Case], share: int) -> str:
    if not cases:
        return ""
    blocks = [_failed_case(case, share) for case in cases[: MAX_FAILED // share]]
    more = _more(len(cases) - MAX_FAILED // share, "failed test", "junit.xml")
    return f"### {plural(len(cases), 'failed test')}\n\n" + "\n\n".join(blocks) + more


def _failed_case(case: Case, share: int) -> str:
    where = place(case.path, case.line)
    title = f"**{code(facts.case_title(case))}**" + (f" at {code(where)}" if where else "")
    extra = [duration(case.seconds) if case.seconds else "", f"{case.attempts} attempts" if case.attempts > 1 else ""]
    extra = [part for part in extra if part]
    lines = [title + (f" ({', '.join(extra)})" if extra else "")]
    message = facts.case_message(case, 500)
    if message:
        lines.append(inline(message, 500))
    # A one-line failure has been said already.
    if one_line(case.details, 500) not in {"", message}:
        lines.append(fence(case.details, characters=MAX_DETAILS // share))
    return "\n\n".join(lines)


def _findings(record: RunRecord, share: int) -> str:
    if not record.findings:
        return ""
    groups = facts.findings_by_file(record.findings[: MAX_FINDINGS // share])
    parts = [f"### {plural(len(record.findings), 'lint finding')}"]
    for path, findings in list(groups.items())[:MAX_FILES]:
        rows = []
        for one in findings:
            at = f"{one.line}:{one.column}" if one.line and one.column else str(one.line or "-")
            rule = inline(f"{one.tool}: {one.rule}" if one.rule and one.tool else one.rule or one.tool, 100)
            rows.append([at, one.severity, inline(one.message, 500), rule])
        parts.append(f"{code(path)}\n\n" + table(["Line", "Severity", "Message", "Rule"], rows, "rlll"))
    shown = sum(len(findings) for findings in list(groups.values())[:MAX_FILES])
    return "\n\n".join(parts) + _more(len(record.findings) - shown, "finding", "findings.sarif")


def _flaky(cases: Sequence[Case]) -> str:
    if not cases:
        return ""
    rows = [[code(facts.case_title(case)), str(case.attempts), duration(case.seconds)] for case in cases[:MAX_ROWS]]
    text = table(["Test", "Attempts", "Time"], rows, "lrr") + _more(len(cases) - MAX_ROWS, "flaky test", "junit.xml")
    return f"### {plural(len(cases), 'flaky test')}\n\nFailed at first, then passed.\n\n{text}"


def _slowest(cases: Sequence[Case]) -> str:
    if not cases:
        return ""
    rows = [[code(facts.case_title(case)), duration(case.seconds)] for case in cases]
    return "### Slowest tests\n\n" + table(["Test", "Time"], rows, "lr")


def _binaries(record: RunRecord) -> str:
    if not record.binaries:
        return ""
    rows = [
        [code(one.path), inline(one.platform), one.format, size(one.size), code(one.sha256[:12])]
        for one in record.binaries[:MAX_ROWS]
    ]
    text = table(["File", "Platform", "Format", "Size", "SHA-256"], rows, "lllrl")
    return "### Binaries\n\n" + text + _more(len(record.binaries) - MAX_ROWS, "file", "dist/manifest.json")


def _images(record: RunRecord) -> str:
    if not record.images:
        return ""
    rows = [
        [
            code(one.name),
            ", ".join(code(tag) for tag in one.tags[:20]),
            code(one.digest, 80),
            inline(", ".join(one.platforms)),
            "pushed" if one.pushed else "not pushed",
        ]
        for one in record.images[:MAX_ROWS]
    ]
    text = table(["Image", "Tags", "Digest", "Platforms", ""], rows)
    return "### Images\n\n" + text + _more(len(record.images) - MAX_ROWS, "image", "run.json")


def _more(count: int, noun: str, where: str = "report.html") -> str:
    return f"\n\n{plural(count, f'more {noun}')} in `{where}`." if count > 0 else ""
