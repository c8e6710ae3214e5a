"""The job summary: what it says, that untrusted text stays text (read back by an independent parser), its size."""

from __future__ import annotations

import html
import re
import timeit
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from ci_buildkit.record import RunRecord, StageRecord, TestsRecord
from ci_buildkit.report import markdown, summary
from ci_buildkit.report.text import one_line
from ci_buildkit.results.model import Case, Evidence, TestReport, changed

if TYPE_CHECKING:
    from types import ModuleType


GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
UNTRUSTED = st.text(alphabet=st.sampled_from("`|<>&*_~[]()!\\#@$:-+=1.aB \n\t{}\"'/wtps"), max_size=30)


def shown(rendered: str) -> str:
    """The text that a browser would show of rendered Markdown."""
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<!--.*?-->", "", rendered, flags=re.DOTALL))).strip()


def test_green(runs: ModuleType) -> None:
    text = summary.render(*runs.green(), links={"Report": "https://github.example/a/1"})
    assert text.startswith("## ✅ Passed: 7 tests, 1 flaky test, 6 binaries, 1 image pushed · `v1.4.0-3-g9f3c2b7`\n")
    assert "[Report](<https://github.example/a/1>)" in text
    cells = text.replace("\u00a0", " ")
    assert "| 7 | 6 | 0 | 1 | 1 | 5.5 s |" in cells
    assert "| `test` | ✅ passed | 18.9 s | 3 of 7 | results from its export |" in cells
    assert "| `server` | ✅ passed | 17.5 s | 3 of 8 | linux/arm64 emulated: 9.6 s in 1 step |" in cells
    assert "| `dist/linux_amd64/server` | linux/amd64 | ELF | 8.1 MB | `07c000007c00` |" in cells
    assert f"`{runs.DIGEST}`" in text
    assert "pushed" in text
    assert re.findall("failed", text.lower().replace("failed at first", "")) == ["failed"]  # the column


def test_what_decided_the_time_is_under_the_stages(runs: ModuleType) -> None:
    text = summary.render(*runs.green()).replace("\u00a0", " ")
    line = next(line for line in text.splitlines() if line.startswith("What decided the time"))
    assert re.search(r"\d+\.\d steps at once on average; with unlimited cores [\d.]+ s in all", line)
    assert line.count("RUN") >= 1
    record, tests = runs.green()
    assert "What decided" not in summary.render(record.model_copy(update={"critical_path": None}), tests)


def test_red_says_the_reasons_first(runs: ModuleType) -> None:
    text = summary.render(*runs.red(), changes="### Changes")
    assert text.startswith("## ❌ Failed: 2 of 9 tests failed, 3 lint findings, 1 problem, 1 flaky test · ")
    assert "results taken out of the step" in text
    order = [
        "| Tests |",
        "Lint: 1 error, 2 warnings",
        "### Changes",
        "### 2 failed tests",
        "### Problems",
        "### 3 lint findings",
        "### 1 flaky test",
        "### Slowest tests",
        "### Stages",
        "### Binaries",
    ]
    places = [text.index(heading) for heading in order]
    assert places == sorted(places)
    assert "**`example.com/buildme/internal/hello: TestHello/german`** at `internal/hello/hello_test.go:41`" in text
    assert (
        "| 23:10 | ❌\u00a0error | Error return value of \\`w.Write\\` is not checked | golangci-lint: errcheck |"
        in text
    )


def test_a_stage_without_findings_is_still_a_reason(runs: ModuleType) -> None:
    record, _ = runs.green()
    stage = StageRecord(name="lint", kind="lint", target="lint", platforms=(), outcome="failed")
    broken = stage.model_copy(update={"name": "binaries", "kind": "binaries", "outcome": "error"})
    red = record.model_copy(update={"outcome": "failed", "stages": (stage, broken)})
    assert "## ❌ Failed: lint failed, error in binaries, 1 flaky test" in summary.render(red, TestReport())


def test_what_does_not_count_is_shown_and_marked(runs: ModuleType) -> None:
    record, tests = runs.waived()
    text = summary.render(record, tests, known=runs.KNOWN).replace("\u00a0", " ")
    assert text.startswith("## ✅ Passed: 10 tests, 2 failures let pass, 1 flaky test, ")
    assert "| Tests | ✅ Passed | ❌ Failed | ☑️ Let pass |" in text
    assert "| 10 | 7 | 0 | 2 |" in text
    assert "### 2 failures let pass" in text
    assert "| 503 Service Unavailable | quarantined until 2030-01-31: the server is being replaced |" in text
    assert "Lint: 1 known" in text
    assert "### 1 lint finding, 1 known" in text
    assert "| 9:1 | ⚠️ warning (known) |" in text
    assert "failed test" not in text
    alone = RunRecord.model_validate_json(
        record.model_copy(
            update={
                "tests": TestsRecord(
                    totals=tests.totals, failed=tuple(case for case in tests.cases if case.quarantined)
                ),
                "known_findings": 7,
            }
        ).to_json()
    )
    text = summary.render(alone, TestReport())
    assert "### 2 failures let pass" in text
    assert "Lint: 7 known" in text


def test_details_of_the_sixth_failure_are_folded(runs: ModuleType) -> None:
    record, _ = runs.red()
    cases = tuple(
        Case(file="x", format="junit", suite="s", class_name="c", name=f"t{n}", outcome="failed", evidence=Evidence(message="m", details="a\nb"))
        for n in range(7)
    )  # fmt: skip
    text = summary.render(record, runs.report_of(cases))
    assert text.count("<details>") == text.count("</details>") == 2
    assert len([token for token in GFM.parse(text) if token.type == "fence"]) == 7


def test_from_the_record_alone(runs: ModuleType) -> None:
    record, _ = runs.red()
    read_back = RunRecord.model_validate_json(record.to_json())
    text = summary.render(read_back, TestReport())
    assert "2 of 9 tests failed" in text
    assert "panic: close of closed channel" in text


def test_hostile_text_stays_text(runs: ModuleType) -> None:
    text = summary.render(*runs.hostile(), links={"[x](y)": "javascript:alert(1)", "ok": "https://e.example/?a=b"})
    rendered = GFM.render(text)
    tags = set(re.findall(r"<([a-z0-9]+)", rendered))
    assert tags <= {
        "h2",
        "h3",
        "p",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "pre",
        "strong",
        "em",
        "ul",
        "li",
        "a",
        "span",
        "br",
    }
    assert re.findall(r'href="([^"]*)"', rendered) == ["https://e.example/?a=b"]
    assert "\x1b" not in text
    assert "\u202e" not in text
    # What GitHub's filters look for, outside of code.
    prose = re.sub(r"<(code|pre)[ >].*?</\1>", "", rendered, flags=re.DOTALL)
    assert "alert(1)" in prose
    assert not re.search(r"@octocat|#123|https://evil|www\.evil|a@b|:tada:|\$x\$", prose)


def test_every_table_row_has_the_cells_of_its_header(runs: ModuleType) -> None:
    for run in (runs.green(), runs.red(), runs.hostile()):
        rendered = GFM.render(summary.render(*run))
        for table in re.findall(r"<table>.*?</table>", rendered, flags=re.DOTALL):
            counts = {len(re.findall(r"<t[hd]", row)) for row in re.findall(r"<tr>.*?</tr>", table, flags=re.DOTALL)}
            assert len(counts) == 1


@settings(deadline=None)
@given(UNTRUSTED)
def test_inline_shows_exactly_the_text(raw: str) -> None:
    rendered = GFM.render(f"x {markdown.inline(raw)} y")
    assert " ".join(shown(rendered).split()) == " ".join(f"x {one_line(raw)} y".split())
    assert set(re.findall(r"</?([a-z]+)", rendered)) <= {"p", "span"}


@settings(deadline=None)
@given(UNTRUSTED)
def test_inline_is_safe_at_the_start_of_a_list_item(raw: str) -> None:
    rendered = GFM.render(f"- {markdown.inline(raw)}")
    assert set(re.findall(r"</?([a-z0-9]+)", rendered)) <= {"ul", "li", "span", "p"}


@settings(deadline=None)
@given(UNTRUSTED, UNTRUSTED)
def test_cells_hold_what_they_are_given(one: str, two: str) -> None:
    rendered = GFM.render(markdown.table(["a", "b"], [[markdown.cell(one), markdown.inline(two)]]))
    cells = re.findall(r"<td>(.*?)</td>", rendered, flags=re.DOTALL)
    assert len(cells) == 2
    assert shown(cells[0]) == (one_line(one) or "-")
    assert shown(cells[1]) == one_line(two)


@settings(deadline=None)
@given(UNTRUSTED)
def test_a_code_span_shows_exactly_the_text(raw: str) -> None:
    rendered = GFM.render(f"x {markdown.code(raw)} y")
    assert " ".join(shown(rendered).split()) == f"x {one_line(raw) or '-'} y"
    assert set(re.findall(r"</?([a-z]+)", rendered)) <= {"p", "code"}


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("`~ab\n"), max_size=60))
def test_nothing_closes_a_fence(raw: str) -> None:
    tokens = GFM.parse(markdown.fence(raw))
    assert [token.type for token in tokens] == ["fence"]


def test_one_mebibyte_by_dropping_whole_sections(runs: ModuleType) -> None:
    record, _ = runs.red()
    noise = "".join(f"{'ä' * 95}\n" for _ in range(40))
    cases = tuple(
        Case(file='x', format='junit', suite='s', class_name='c', name=f't{n}', outcome='failed', evidence=Evidence(message='m', details=noise * 2))
        for n in range(300)
    )  # fmt: skip
    findings = tuple(
        runs.FINDINGS[0].__class__("f" * 250 + str(n), 1, 1, None, None, "error", "r", "<" * 500, "t")
        for n in range(400)
    )
    big = record.model_copy(update={"findings": findings})
    text = summary.render(big, runs.report_of(cases))
    assert len(text.encode()) <= summary.MAX_BYTES
    assert "250 more failed tests in `junit.xml`" in text


def test_lists_are_shortened_before_a_section_goes(runs: ModuleType) -> None:
    record, tests = runs.red()
    loud = [changed(case, details="words " * 2000) if case.broken else case for case in tests.cases]
    text = summary.render(record, runs.report_of(tuple(loud)), limit=6000)
    assert len(text.encode()) <= 6000
    assert "### Binaries" in text
    assert GFM.render(text).count("<pre>") == GFM.render(text).count("</pre>") == 2


def test_dropped_sections_are_named(runs: ModuleType) -> None:
    record, tests = runs.red()
    text = summary.render(record, tests, changes="### Changes", limit=2000)
    assert len(text.encode()) <= 2000
    assert "### Changes" in text
    assert "### Binaries" not in text
    assert "no more room here: " in text.splitlines()[-1]
    least = summary.render(record, tests, limit=300)
    assert least.startswith("## ")
    assert "all but this" in least
    assert len(least.encode()) <= 300


@pytest.mark.parametrize("limit", [700, 2000, 5000, 12_000, 30_000, 65_535, 200_000])
def test_any_limit_is_kept_and_nothing_is_cut_open(runs: ModuleType, limit: int) -> None:
    record, tests = runs.huge(2000, 200)
    text = summary.render(record, tests, changes="### Changes", limit=limit)
    assert len(text.encode()) <= limit
    assert text.count("<details>") == text.count("</details>")
    fences = [token for token in GFM.parse(text) if token.type == "fence"]
    assert all(token.info == "text" for token in fences)
    assert len(re.findall(r"(?m)^`{3,}", text)) == 2 * len(fences)
    if limit >= 12_000:
        assert "### 200 failed tests" in text
        assert "expected <0> but was <1>" in text.replace("&lt;", "<").replace("&gt;", ">")


def test_speed(runs: ModuleType) -> None:
    record, tests = runs.large(5000, 500)
    summary.render(*runs.green())
    assert min(timeit.repeat(lambda: summary.render(record, tests), number=1, repeat=3)) < 0.5
