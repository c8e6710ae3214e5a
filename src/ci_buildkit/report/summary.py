"""`summary.md`, the job summary: the outcome and its reasons in a screenful, as GitHub Flavored Markdown.

GitHub drops a summary whole past 1 MiB for one step (runner: FileCommandManager.AttachmentSizeLimit), so lists are
shortened, and then whole sections left out from the end, until it fits.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from ci_buildkit.report import facts
from ci_buildkit.report.markdown import cell, code, fence, inline, link, table, whole
from ci_buildkit.report.text import duration, one_line, place, size
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ci_buildkit.findings.model import Finding
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
# Failed tests whose details stand open; those of the others unfold.
MAX_UNFOLDED = 5
# What the bounds above are divided by, one after the other, until everything fits. Only then sections are left out.
SHARES = (1, 4, 16)

MARKS = {"passed": "✅", "failed": "❌", "error": "❌", "skipped": "⏭️", "cancelled": "⏹️"}
SEVERITY_MARKS = {"error": "❌", "warning": "⚠️", "notice": "💬"}
# Columns of the totals that are there at 0 too.
ALWAYS = ("Tests", "✅ Passed", "❌ Failed")
NO_LINKS: Mapping[str, str] = MappingProxyType({})


def render(
    record: RunRecord,
    tests: TestReport,
    *,
    links: Mapping[str, str] = NO_LINKS,
    changes: str = "",
    known: Sequence[Finding] = (),
    limit: int = MAX_BYTES,
) -> str:
    """The Markdown, ending in a newline and always under `limit` bytes of UTF-8.

    `links` are labels and http(s) addresses shown under the headline, such as the artifact with the whole report;
    `changes` is Markdown that says what is different from another run (`report.compare`); `known` are findings that do
    not count because a baseline lists them.
    """
    findings = facts.all_findings(record, known)
    about = [_headline(record, tests), _about(record, links), _totals(record, tests, known)]
    head = "\n\n".join(part for part in about if part)
    for share in SHARES:
        sections = _sections(record, tests, changes, findings, share)
        text = _joined(head, [text for _, text in sections])
        if len(text.encode()) <= limit:
            return text
    return _fitted(head, sections, limit)


def _sections(
    record: RunRecord, tests: TestReport, changes: str, findings: Sequence[tuple[Finding, bool]], share: int
) -> list[tuple[str, str]]:
    """Name and text of each section that says something, its longest lists cut to a `share`th of their bounds."""
    sections = [
        ("changes", changes),
        ("failed tests", _failed(facts.broken_cases(record, tests), share)),
        ("problems", _problems(record)),
        ("lint findings", _findings(findings, share)),
        ("failures that are let pass", _let_pass(facts.passable_cases(record, tests))),
        ("flaky tests", _flaky(facts.flaky_cases(tests))),
        ("slowest tests", _slowest(facts.slowest_cases(tests))),
        ("stages", _stages(record, share)),
        ("images", _images(record)),
        ("binaries", _binaries(record)),
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


def _totals(record: RunRecord, tests: TestReport, known: Sequence[Finding]) -> str:
    """Tests by outcome as a table, and findings by severity in a line; each only where there are any."""
    parts = []
    totals, broken = facts.totals_of(record, tests), facts.failures(record, tests)
    if totals.tests:
        columns = {
            "Tests": totals.tests,
            "✅ Passed": totals.passed,
            "❌ Failed": broken.failed,
            "❌ Errors": broken.errors,
            "☑️ Let pass": broken.let_pass,
            "⏭️ Skipped": totals.skipped,
            "🔁 Flaky": totals.flaky,
        }
        shown = {name: f"{count:,}" for name, count in columns.items() if count or name in ALWAYS}
        shown["Test time"] = whole(duration(totals.seconds))
        parts.append(table(list(shown), [list(shown.values())], "r" * len(shown)))
    severities = Counter(one.severity for one in record.findings)
    counts = [plural(severities[severity], severity) for severity in facts.SEVERITIES if severities[severity]]
    # Where only the record is at hand, the number is all that is known of them.
    listed = len(known) or record.known_findings
    counts += [f"{listed:,} known"] if listed else []
    if counts:
        parts.append(f"Lint: {', '.join(counts)}")
    return "\n\n".join(parts)


def _stages(record: RunRecord, share: int) -> str:
    if not record.stages:
        return "No stage ran."
    rows = [_stage_row(stage) for stage in record.stages[: MAX_STAGES // share]]
    header = ["Stage", "Outcome", "Time", "Steps cached", "Note"]
    more = _more(len(record.stages) - MAX_STAGES // share, "stage")
    return "### Stages\n\n" + table(header, rows, "llrrl") + more + _critical(record)


def _critical(record: RunRecord) -> str:
    """The longest steps of the chain that decided the time, where that is worth a look."""
    path = record.critical_path
    if not path or path.seconds < facts.SLOW_SECONDS:
        return ""
    longest = sorted(path.steps, key=lambda one: -one.seconds)[:3]
    steps = ", ".join(f"{code(one_line(one.step, 80))} {duration(one.seconds)}" for one in longest)
    return f"\n\nWhat decided the time: {inline(facts.critical_path(path))}. Longest: {steps}"


def _stage_row(stage: StageRecord) -> list[str]:
    outcome = f"{MARKS[stage.outcome]} {stage.outcome}"
    note = "; ".join(inline(note) for note in facts.stage_notes(stage))
    return [
        cell(stage.name, 100),
        whole(outcome),
        whole(duration(stage.seconds)),
        whole(facts.cache_share(stage)),
        note,
    ]


def _problems(record: RunRecord) -> str:
    if not record.problems:
        return ""
    rows = [f"- {code(one.path)}: {inline(one.reason, 1000)} ({one.kind})" for one in record.problems[:MAX_ROWS]]
    return "### Problems\n\n" + "\n".join(rows) + _more(len(record.problems) - MAX_ROWS, "problem")


def _failed(cases: Sequence[Case], share: int) -> str:
    if not cases:
        return ""
    shown = cases[: MAX_FAILED // share]
    blocks = [_failed_case(case, share, folded=place >= MAX_UNFOLDED) for place, case in enumerate(shown)]
    more = _more(len(cases) - MAX_FAILED // share, "failed test", "junit.xml")
    return f"### {plural(len(cases), 'failed test')}\n\n" + "\n\n".join(blocks) + more


def _failed_case(case: Case, share: int, *, folded: bool) -> str:
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
        block = fence(case.details, characters=MAX_DETAILS // share)
        lines.append(f"<details><summary>Details</summary>\n\n{block}\n\n</details>" if folded else block)
    return "\n\n".join(lines)


def _findings(findings: Sequence[tuple[Finding, bool]], share: int) -> str:
    if not findings:
        return ""
    groups = list(facts.by_file(findings[: MAX_FINDINGS // share]).items())[:MAX_FILES]
    shown = sum(len(group) for _, group in groups)
    known = sum(known for _, known in findings)
    parts = [f"### {plural(len(findings), 'lint finding')}" + (f", {known:,} known" if known else "")]
    for path, group in groups:
        rows = [_finding_row(one, known=known) for one, known in group]
        parts.append(f"{code(path)}\n\n" + table(["Line", "Severity", "Message", "Rule"], rows, "rlll"))
    return "\n\n".join(parts) + _more(len(findings) - shown, "finding", "findings.sarif")


def _finding_row(one: Finding, *, known: bool) -> list[str]:
    at = f"{one.line}:{one.column}" if one.line and one.column else str(one.line or "-")
    rule = inline(f"{one.tool}: {one.rule}" if one.rule and one.tool else one.rule or one.tool, 100)
    return [
        at,
        whole(f"{SEVERITY_MARKS[one.severity]} {one.severity}{' (known)' if known else ''}"),
        inline(one.message, 500),
        rule,
    ]


def _let_pass(cases: Sequence[Case]) -> str:
    if not cases:
        return ""
    rows = [
        [cell(facts.case_title(case)), inline(facts.case_message(case), 300), inline(case.quarantined, 300)]
        for case in cases[:MAX_ROWS]
    ]
    text = table(["Test", "Message", "Why it does not count"], rows) + _more(len(cases) - MAX_ROWS, "such failure")
    return f"### {plural(len(cases), 'failure')} let pass\n\n{text}"


def _flaky(cases: Sequence[Case]) -> str:
    if not cases:
        return ""
    rows = [
        [cell(facts.case_title(case)), str(case.attempts), whole(duration(case.seconds))] for case in cases[:MAX_ROWS]
    ]
    text = table(["Test", "Attempts", "Time"], rows, "lrr") + _more(len(cases) - MAX_ROWS, "flaky test", "junit.xml")
    return f"### {plural(len(cases), 'flaky test')}\n\nFailed at first, then passed.\n\n{text}"


def _slowest(cases: Sequence[Case]) -> str:
    if not cases:
        return ""
    rows = [[cell(facts.case_title(case)), whole(duration(case.seconds))] for case in cases]
    return "### Slowest tests\n\n" + table(["Test", "Time"], rows, "lr")


def _binaries(record: RunRecord) -> str:
    if not record.binaries:
        return ""
    rows = [
        [cell(one.path), inline(one.platform), one.format, whole(size(one.size)), cell(one.sha256[:12])]
        for one in record.binaries[:MAX_ROWS]
    ]
    text = table(["File", "Platform", "Format", "Size", "SHA-256"], rows, "lllrl")
    return "### Binaries\n\n" + text + _more(len(record.binaries) - MAX_ROWS, "file", "dist/manifest.json")


def _images(record: RunRecord) -> str:
    if not record.images:
        return ""
    rows = [
        [
            # One under the other: a digest beside the rest makes the table wider than the page.
            cell(one.name) + (f"<br>{cell(one.digest, 80)}" if one.digest else ""),
            ", ".join(cell(tag) for tag in one.tags[:20]),
            inline(", ".join(one.platforms)),
            whole("pushed" if one.pushed else "not pushed"),
        ]
        for one in record.images[:MAX_ROWS]
    ]
    text = table(["Image", "Tags", "Platforms", ""], rows)
    return "### Images\n\n" + text + _more(len(record.images) - MAX_ROWS, "image", "run.json")


def _more(count: int, noun: str, where: str = "report.html") -> str:
    return f"\n\n{plural(count, f'more {noun}')} in `{where}`." if count > 0 else ""
