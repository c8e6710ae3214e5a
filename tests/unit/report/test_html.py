"""The page: self-contained, harmless, complete, bounded, fast."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import time
import timeit
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.findings.model import Finding
from ci_buildkit.record import StageRecord
from ci_buildkit.report import facts, html, pagedata, summary, timeline
from ci_buildkit.results.model import Case, Evidence, TestReport

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

VOID = {"meta", "input", "rect", "br"}


class Page(HTMLParser):
    """All elements, whether they are balanced, and the text of each kind of element."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.all_text = ""
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.all_text += data
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


def page(run: tuple[Any, TestReport], **logs: str) -> Page:
    return Page(html.render(*run, logs=logs))


def test_red_page_has_every_part(runs: ModuleType) -> None:
    record, tests = runs.red()
    source = html.render(record, tests, logs=runs.LOGS)
    shown = Page(source).all_text
    for part in (
        "2 of 9 tests failed, 3 lint findings, 1 problem, 1 flaky test", "v1.4.0-3-g9f3c2b7", "local changes", "9f3c2b7a41d0",
        "example.com/buildme/internal/hello: TestHello/german", "internal/hello/hello_test.go:41", "-Hallo, Welt",
        "golangci-lint: errcheck", "23:10", "docker buildx bake -f bake.json lint", "8.1 MB",
        "results taken out of the step", "ci-buildkit-7d1f", "v0.34.2", "All tests",
        "Error return value of `w.Write` is not checked (errcheck)",
    ):  # fmt: skip
        assert part in shown, part


def test_nothing_is_asked_from_anywhere(runs: ModuleType) -> None:
    for run in (runs.green(), runs.red(), runs.hostile()):
        got = page(run, **runs.LOGS)
        names = {name for name, _ in got.elements}
        assert not names & {
            "img",
            "link",
            "iframe",
            "object",
            "embed",
            "base",
            "form",
            "audio",
            "video",
            "image",
            "use",
        }
        assert not any("src" in attrs or "style" in attrs or "srcset" in attrs for _, attrs in got.elements)
        assert not any(key.startswith("on") for _, attrs in got.elements for key in attrs)
        assert "url(" not in "".join(got.texts["style"])


def test_the_policy_allows_exactly_the_style_and_the_script(runs: ModuleType) -> None:
    got = page(runs.red())
    policy = next(a["content"] for a in got.named("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    theme, data, script = got.texts["script"]
    assert policy == (
        f"default-src 'none'; style-src {digest(''.join(got.texts['style']))}; "
        f"script-src {digest(theme)} {digest(script)}; base-uri 'none'; form-action 'none'"
    )
    # A script element of this type is data, which no policy lets run.
    assert [attrs.get("type") for attrs in got.named("script")] == [None, "application/json", None]
    assert json.loads(data)["cases"]


def test_hostile_text_stays_text(runs: ModuleType) -> None:
    source = html.render(*runs.hostile(), logs={runs.HOSTILE: runs.HOSTILE})
    got = Page(source)
    assert len(got.named("script")) == 3
    assert "<" not in got.texts["script"][1]
    assert "</script><script>alert(1)</script>" in got.all_text
    hrefs = [attrs["href"] or "" for attrs in got.named("a")]
    assert all(not href.lower().startswith(("javascript:", "data:", "//", "http")) for href in hrefs)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", source)


def test_landmarks_headers_and_labels(runs: ModuleType) -> None:
    got = page(runs.red(), **runs.LOGS)
    assert [len(got.named(name)) for name in ("header", "nav", "main", "footer", "h1")] == [1, 1, 1, 1, 1]
    ids = {attrs["id"] for _, attrs in got.elements if attrs.get("id")}
    assert all(attrs.get("aria-labelledby") in ids for attrs in got.named("section"))
    assert all(attrs.get("scope") in {"col", "row"} for attrs in got.named("th"))
    anchors = [attrs["href"] for attrs in got.named("a") if (attrs["href"] or "").startswith("#")]
    # The script finds a case by its id in the data.
    in_data = {row[6] for row in json.loads(got.texts["script"][1])["cases"]}
    assert {(anchor or "")[1:] for anchor in anchors} <= ids | in_data
    charts = [attrs for attrs in got.named("svg") if attrs.get("class") == "track" and "role" in attrs]
    assert all(attrs.get("aria-label") for attrs in charts)
    assert len(charts) == sum(len(stage.timeline) + 1 for stage in runs.red()[0].stages)


def data_of(source: str) -> dict[str, Any]:
    loaded = json.loads(Page(source).texts["script"][1])
    assert isinstance(loaded, dict)
    return loaded


def test_lists_are_bounded_and_say_so(runs: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    record, tests = runs.large(5000, 500)
    source = html.render(record, tests, logs={"stage0": "x\n" * 1_000_000})
    shown = Page(source).all_text
    assert "300 failed tests left out here" in shown
    assert "The end of the log; all of it is in" in shown
    assert len(source) < 3_000_000
    assert len(data_of(source)["cases"]) == 5000
    monkeypatch.setattr(pagedata, "MAX_CASES", 4000)
    monkeypatch.setattr(pagedata, "MAX_BLOCKS", 20_000)
    source = html.render(record, tests, logs={})
    assert "1,000 tests left out here: see junit.xml" in Page(source).all_text
    cases = data_of(source)["cases"]
    assert len(cases) == 4000
    # The first 200 failures stand in the page as HTML; some more details fit, and the rest is said to be cut.
    assert sum("written" in row[7] for row in cases) == 200
    assert sum(row[7].get("cut", False) for row in cases) == 300 - sum("details" in row[7] for row in cases)


def test_the_data_has_every_case_and_finding(runs: ModuleType) -> None:
    record, tests = runs.waived()
    data = data_of(html.render(record, tests, logs={}, known=runs.KNOWN))
    texts, cases = data["texts"], data["cases"]
    assert [row[3] for row in cases][:3] == ["TestUpload", "TestTeardown", "TestRetries"]
    assert len(cases) == 10
    outcome, suite, owner, name, seconds, file, anchor, more = cases[0]
    assert (outcome, texts[suite], name, seconds, texts[file]) == (
        "failed", "example.com/buildme/internal/hello", "TestUpload", 0.2, "test.json",
    )  # fmt: skip
    assert (owner, anchor) == (suite, facts.case_id(next(case for case in tests.cases if case.name == name)))
    assert more == {
        "message": "503 Service Unavailable", "path": texts.index("internal/hello/upload_test.go"), "line": 9,
        "quarantined": "quarantined until 2030-01-31: the server is being replaced",
        "details": "503 Service Unavailable\nretry later", "output": "connecting to upload.example",
    }  # fmt: skip
    (finding,) = data["findings"]
    assert [finding[0], texts[finding[1]], *finding[2:4], finding[8]] == [
        "warning", "internal/hello/hello.go", 9, 1, True,
    ]  # fmt: skip


def test_two_cases_of_one_name_keep_their_own_texts(runs: ModuleType) -> None:
    record, _ = runs.red()
    twins = tuple(
        Case(file="x", format="junit", suite="s", class_name="c", name="n", outcome="failed", evidence=Evidence(message="m", details=text))
        for text in ("one\none", "two\ntwo")
    )  # fmt: skip
    rows = data_of(html.render(record, runs.report_of(twins), logs={}))["cases"]
    assert [row[7]["details"] for row in rows] == ["one\none", "two\ntwo"]


@given(st.text(alphabet=st.sampled_from("</script>!-[CDATA&\\\"'\u2028\x00\ud800a \n"), max_size=40))
@settings(deadline=None, max_examples=50)
def test_no_text_ends_the_data(raw: str) -> None:
    case = Case(file=raw, format="junit", suite=raw, class_name=raw, name=raw, outcome="failed", evidence=Evidence(message=raw, details=raw, output=raw, path=raw, quarantined=raw))  # fmt: skip
    data = pagedata.collect(
        TestReport(cases=(case,)), [(Finding(raw, 1, 1, None, None, "error", raw, raw, raw, raw), False)]
    )
    assert "<" not in data.json
    assert len(json.loads(data.json)["cases"]) == 1


def test_a_log_can_be_a_file(runs: ModuleType, tmp_path: Path) -> None:
    log = tmp_path / "lint.log"
    log.write_bytes(b"\xff\x1b[31mfrom the file\n")
    record, tests = runs.green()
    assert "\ufffdfrom the file" in html.render(record, tests, logs={"lint": log, "test": tmp_path / "none.log"})


def test_nothing_ran(runs: ModuleType) -> None:
    record, _ = runs.green()
    empty = record.model_copy(update={"outcome": "error", "stages": (), "binaries": (), "images": ()})
    shown = page((empty, TestReport())).all_text
    assert "No stage ran." in shown


def test_speed_and_lazy_import(runs: ModuleType) -> None:
    record, tests = runs.large(5000, 500)
    html.render(*runs.green(), logs={})
    # The process' own time: other work on the machine is none of it.
    timer = timeit.Timer(lambda: html.render(record, tests, logs={}), timer=time.process_time)
    assert min(timer.repeat(number=1, repeat=3)) < 0.5
    many, all_of_it = runs.huge()
    whole = timeit.Timer(
        lambda: (html.render(many, all_of_it, logs={}), summary.render(many, all_of_it)), timer=time.process_time
    )
    assert whole.timeit(number=1) < 3
    code = (
        "import sys, ci_buildkit.report.html, ci_buildkit.report.summary, ci_buildkit.report.terminal, ci_buildkit.github.log\n"
        "assert not {'jinja2', 'rich'} & set(sys.modules), 'imported too early'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class TestTimeline:
    def test_bars_share_one_axis(self, runs: ModuleType) -> None:
        record, _ = runs.red()
        got = timeline.lay_out(record)
        assert got.states == ("ran", "cached", "emulated", "failed")
        assert [tick.label for tick in got.ticks] == ["0 s", "5 s", "10 s", "15 s", "20 s"]
        lint = got.lanes[0].bars[-1]
        assert lint.state == "failed"
        assert lint.at == pytest.approx(9.1 / 21.4 * 100, abs=0.001)
        assert lint.width == pytest.approx(6.2 / 21.4 * 100, abs=0.001)

    def test_short_and_odd_steps_stay_visible_and_inside(self, runs: ModuleType) -> None:
        odd = (runs.step("a", -5, 0), runs.step("b", 99.99, 0.0001), runs.step("c", 0, 1e9), runs.step("d", 250, 1))
        stage = StageRecord(name="s", kind="other", target="s", platforms=(), outcome="passed", timeline=odd)
        record, _ = runs.green()
        for seconds in (0.0, 0.01, 100.0):
            got = timeline.lay_out(record.model_copy(update={"stages": (stage,), "seconds": seconds}))
            for bar in got.lanes[0].bars:
                assert bar.width >= timeline.MIN_WIDTH
                assert bar.at >= 0
                assert bar.at + bar.width <= 100.001

    @pytest.mark.parametrize("seconds", [0.0, 0.003, 0.7, 1, 7, 8, 59, 61, 3600, 86400])
    def test_a_handful_of_round_ticks(self, runs: ModuleType, seconds: float) -> None:
        record, _ = runs.green()
        ticks = timeline.lay_out(record.model_copy(update={"stages": (), "seconds": seconds})).ticks
        assert 2 <= len(ticks) <= 8
        assert ticks[0].at == 0
        assert ticks[-1].at <= 100

    def test_many_steps_fold_and_keep_the_longest_and_the_failed(self, runs: ModuleType) -> None:
        steps = [runs.step(f"s{n}", n, 1 + n % 7) for n in range(400)] + [
            runs.step("bad", 1, 0.001, error="exit code: 2")
        ]
        stage = StageRecord(name="s", kind="other", target="s", platforms=(), outcome="passed", timeline=tuple(steps))
        record, _ = runs.green()
        lane = timeline.lay_out(record.model_copy(update={"stages": (stage,)})).lanes[0]
        assert len(lane.bars) == timeline.MAX_ROWS_PER_STAGE
        assert lane.left_out == 401 - timeline.MAX_ROWS_PER_STAGE
        assert not lane.unfolded
        assert "bad" in {bar.name for bar in lane.bars}
        starts = [bar.at for bar in lane.bars]
        assert starts == sorted(starts)
