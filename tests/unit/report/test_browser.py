"""The page and the summary as people see them: in Chromium, from disk, with every request watched."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Dialog, Page, Route, expect, sync_playwright
from tests.scripts import script

from ci_buildkit.report import facts, html, summary
from ci_buildkit.report.text import duration
from ci_buildkit.results.model import changed

if TYPE_CHECKING:
    from types import ModuleType

    from ci_buildkit.record import RunRecord
    from ci_buildkit.results.model import TestReport

ARGUMENTS = (
    "--no-sandbox", "--headless=new", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
GFM = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
Written = Callable[[str], Path]
# Generous: a slow machine with two other test processes on it. Measured: 0.06 s.
SECONDS = 1.0


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(ARGUMENTS))
        yield browser
        browser.close()


@dataclass
class Watched:
    """Everything that a page did and should not: asked for something, showed a dialog, failed."""

    file: Path
    trouble: list[str] = field(default_factory=list)

    def route(self, route: Route) -> None:
        if route.request.url.partition("#")[0] == self.file.as_uri():
            route.continue_()
        else:
            self.trouble.append(f"request: {route.request.url[:200]}")
            route.abort()

    def dialog(self, dialog: Dialog) -> None:
        self.trouble.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def opened(
    browser: Browser,
    file: Path,
    *,
    scheme: Literal["light", "dark"] = "light",
    width: int = 1280,
    script: bool = True,
    anchor: str = "",
    refused: int = 0,
) -> Iterator[Page]:
    """The file in a window of its own; at the end it must not have done anything that it should not.

    `refused` is how often the browser must have told that the page's policy forbids something.
    """
    watched = Watched(file)
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    context.route("**/*", watched.route)
    page = context.new_page()
    page.on("console", lambda message: watched.trouble.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: watched.trouble.append(f"error: {error}"))
    page.on("dialog", watched.dialog)
    page.goto(file.as_uri() + anchor)
    yield page
    context.close()
    told = [one for one in watched.trouble if "violates the following Content Security Policy directive" in one]
    assert [one for one in watched.trouble if one not in told] == []
    assert len(told) == refused


@pytest.fixture(scope="module")
def written(runs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Writes the page of a run of the fixtures once and returns the file."""
    folder = tmp_path_factory.mktemp("pages")
    made: dict[str, Path] = {}

    def write(name: str) -> Path:
        if name not in made:
            made[name] = folder / f"{name}.html"
            made[name].write_text(html.render(*getattr(runs, name)(), logs=runs.LOGS, known=runs.KNOWN), "utf-8")
        return made[name]

    return write


def titles(page: Page, box: str = "cases") -> list[str]:
    row = ".entry .title" if box == "cases" else "td:nth-child(3)"
    return page.locator(f"#{box}-explorer {row}").all_inner_texts()


def status(page: Page, box: str = "cases") -> str:
    return page.locator(f"#{box}-explorer .matches").inner_text()


def test_filters_and_search_of_tests(browser: Browser, written: Written) -> None:
    with opened(browser, written("waived")) as page:
        box = page.locator("#cases-explorer")
        assert box.locator("button.kind").all_inner_texts() == ["let pass 2", "flaky 1", "skipped 1", "passed 7"]
        assert status(page) == "10 tests"
        box.get_by_role("button", name="let pass").click()
        assert status(page) == "2 of 10 tests"
        box.get_by_role("button", name="flaky").click()
        assert [title.partition(": ")[2] for title in titles(page)] == [
            "TestUploadlet pass", "TestTeardownlet pass", "TestRetriesflaky",
        ]  # fmt: skip
        page.get_by_label("Search tests").fill("BUILDME retries")
        assert len(titles(page)) == 1
        box.get_by_role("button", name="flaky").click()
        box.get_by_role("button", name="let pass").click()
        # By class, name, message and path.
        for words, count in {
            "internal/hello upload": 1,
            "503 unavailable": 1,
            "server/load_test.go": 1,
            "no such": 0,
        }.items():
            page.get_by_label("Search tests").fill(words)
            assert len(titles(page)) == count, words
        assert status(page) == "0 of 10 tests"


def test_filters_and_search_of_findings(browser: Browser, written: Written) -> None:
    with opened(browser, written("red")) as page:
        box = page.locator("#findings-explorer")
        assert box.locator("button.kind").all_inner_texts() == ["error 1", "warning 2", "known 1"]
        assert box.locator("caption").all_inner_texts() == [
            "Dockerfile", "cmd/server/main.go", "internal/hello/hello.go",
        ]  # fmt: skip
        assert not page.locator("#findings-list").is_visible()
        box.get_by_role("button", name="warning").click()
        assert status(page, "findings") == "2 of 4 findings"
        page.get_by_label("Search findings").fill("dockerfile from")
        assert titles(page, "findings") == ["The 'as' keyword should match the case of the 'from' keyword"]
        link = box.locator("a")
        assert link.get_attribute("href") == "https://docs.docker.com/go/dockerfile/rule/from-as-casing/"


def test_a_case_unfolds_with_all_that_is_known(browser: Browser, written: Written, runs: ModuleType) -> None:
    with opened(browser, written("waived")) as page:
        entry = page.locator("#cases-explorer .entry").first
        assert entry.locator("pre").count() == 0
        entry.locator("summary").click()
        expect(entry.locator("pre")).to_have_count(2)
        shown = entry.inner_text()
        for text in ("internal/hello/upload_test.go:9", "Does not count: quarantined until", "from test.json"):
            assert text in shown
        assert entry.locator("pre").all_inner_texts() == [
            "503 Service Unavailable\nretry later", "connecting to upload.example",
        ]  # fmt: skip
    with opened(browser, written("red")) as page:  # its details stand in the page as HTML, once
        entry = page.locator("#cases-explorer .entry").first
        entry.locator("summary").click()
        expect(entry.locator("pre")).to_have_text(runs.GO_TEST_FAILURE.strip("\n"))


def test_the_keyboard_is_enough(browser: Browser, written: Written) -> None:
    with opened(browser, written("waived")) as page:
        page.get_by_label("Search tests").focus()
        page.keyboard.type("hello")
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        assert page.locator("button[aria-pressed=true]").inner_text() == "let pass 2"
        for _ in range(4):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert (
            page.locator("#cases-explorer .entry[open] .title").inner_text().startswith("example.com/buildme/internal")
        )
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"


def test_a_link_shows_its_case(browser: Browser, written: Written, runs: ModuleType) -> None:
    _, tests = runs.waived()
    upload = next(case for case in tests.cases if case.name == "TestUpload")
    with opened(browser, written("waived"), anchor=f"#{facts.case_id(upload)}") as page:
        assert len(titles(page)) == 1
        assert page.locator("#cases-explorer .entry[open] pre").first.is_visible()
        assert page.locator("#cases-explorer").bounding_box()["y"] < 900  # type: ignore[index]
        page.locator("#tests").locator("..").get_by_role("link", name="TestRetries").first.click()
        expect(page.locator("#cases-explorer .entry[open] .title")).to_contain_text("TestRetries")
        page.get_by_label("Search tests").fill("x")
        page.get_by_label("Search tests").fill("")
        assert status(page) == "10 tests"
    _, tests = runs.red()
    with opened(browser, written("red"), anchor=f"#{facts.case_id(tests.cases[1])}") as page:
        assert page.locator("details.case[open]").count() == 2


def colours(page: Page, selector: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Text colour and the colour behind it."""
    pair = page.locator(selector).first.evaluate(
        """node => {
            let behind = node;
            while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
            return [getComputedStyle(node).color, getComputedStyle(behind).backgroundColor];
        }"""
    )
    front, back = (tuple(float(number) for number in re.findall(r"[\d.]+", colour)[:3]) for colour in pair)
    return front, back


def contrast(front: tuple[float, ...], back: tuple[float, ...]) -> float:
    """WCAG 2.2: contrast ratio, from relative luminance."""

    def luminance(colour: tuple[float, ...]) -> float:
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in colour)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(front), luminance(back)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


WHITE, BLACK = (255, 255, 255), (20, 23, 26)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_system_and_can_be_read(
    browser: Browser, written: Written, scheme: Literal["light", "dark"]
) -> None:
    with opened(browser, written("red"), scheme=scheme) as page:
        assert colours(page, "body")[1] == (WHITE if scheme == "light" else BLACK)
        page.locator("#cases-explorer button.kind").first.click()
        for selector in (
            "h1", ".muted", ".mark.failed", ".mark.passed", ".severity.error", ".severity.warning", ".tag", "td a",
            "pre", ".owner", ".count", "button[aria-pressed=true]", "button[aria-pressed=true] .count", "#theme",
        ):  # fmt: skip
            assert contrast(*colours(page, selector)) >= 4.5, selector


def reload_until(page: Page, remembered: Callable[[], bool]) -> None:
    """Reload until the page has remembered something: Chromium writes its storage a moment later, in another process."""
    for _ in range(50):
        page.reload()
        if remembered():
            return
        page.wait_for_timeout(100)
    pytest.fail("it was not remembered")


def test_the_chosen_colours_are_remembered(browser: Browser, written: Written) -> None:
    with opened(browser, written("red"), scheme="dark") as page:
        page.get_by_label("Colours").select_option("light")
        assert colours(page, "body")[1] == WHITE
        reload_until(page, lambda: colours(page, "body")[1] == WHITE)
        assert page.get_by_label("Colours").input_value() == "light"
        page.get_by_label("Colours").select_option("system")
        assert colours(page, "body")[1] == BLACK
        page.emulate_media(media="print")
        assert colours(page, "body")[1] == WHITE
        assert not page.locator("#cases-explorer .controls").is_visible()


def test_hostile_text_does_nothing(browser: Browser, written: Written, runs: ModuleType) -> None:
    with opened(browser, written("hostile")) as page:
        for entry in page.locator("#cases-explorer summary").all():
            entry.click()
        page.get_by_label("Search tests").fill("</script><script>")
        assert len(titles(page)) == 2
        page.wait_for_timeout(100)
        assert page.locator("img, iframe, object").count() == 0
        assert page.locator("script").count() == 3


def test_the_policy_stops_what_escaping_would_miss(browser: Browser, written: Written) -> None:
    with opened(browser, written("red"), refused=2) as page:
        ran = """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            const image = document.createElement("img");
            document.body.append(image);
            image.src = "https://evil.example/";
            return window.ran;
        }"""
        assert page.evaluate(ran) is None
        page.wait_for_timeout(100)


def test_without_script_failures_and_findings_are_there(browser: Browser, written: Written) -> None:
    with opened(browser, written("red"), script=False) as page:
        shown = page.locator("main").inner_text()
        for text in ("TestHello/german", "-Hallo, Welt", "Error return value of", "needs JavaScript"):
            assert text in shown
        assert not page.locator("#cases-explorer").is_visible()
        assert not page.get_by_label("Colours").is_visible()


def test_nothing_is_wider_than_a_telephone(browser: Browser, written: Written) -> None:
    for name in ("red", "waived", "hostile"):
        with opened(browser, written(name), width=400) as page:
            page.locator("#cases-explorer summary").first.click()
            assert page.evaluate("document.documentElement.scrollWidth") <= 400, name


def test_fifty_thousand_cases(browser: Browser, written: Written) -> None:
    with opened(browser, written("huge")) as page:
        assert status(page) == "50,000 tests"
        # The first view is bounded, whatever the number of cases.
        assert page.evaluate("document.querySelectorAll('*').length") < 15_000
        assert len(titles(page)) == 200
        search = """([box, words]) => {
            const field = document.querySelector(`#${box}-explorer input`);
            const began = performance.now();
            field.value = words;
            field.dispatchEvent(new Event("input"));
            document.body.offsetHeight;  // the layout too
            return (performance.now() - began) / 1000;
        }"""
        first = page.evaluate(search, ["cases", "testnumber49"])
        assert status(page) == "1,111 of 50,000 tests"
        again = page.evaluate(search, ["cases", "class7 variant"])
        assert page.evaluate(search, ["findings", "message 49"]) < SECONDS
        press = """() => {
            const began = performance.now();
            document.querySelector("#cases-explorer button.kind:last-child").click();
            document.body.offsetHeight;
            return (performance.now() - began) / 1000;
        }"""
        pressed = page.evaluate(press)
        assert max(first, again, pressed) < SECONDS, (first, again, pressed)
        page.evaluate(search, ["cases", ""])
        assert status(page) == "49,000 of 50,000 tests"
        page.get_by_role("button", name="Show more tests").click()
        assert len(titles(page)) == 400
        focused = page.evaluate(
            "[...document.querySelectorAll('#cases-explorer summary')].indexOf(document.activeElement)"
        )
        assert focused == 200


def test_times_are_written_as_everywhere(browser: Browser, runs: ModuleType, tmp_path: Path) -> None:
    record, tests = runs.green()
    seconds = (0.0004, 0.0005, 0.042, 0.0994, 0.0996, 3.24, 59.94, 59.96, 125, 3599.9, 3720, 100_000)
    case = tests.cases[0]
    many = runs.report_of(tuple(changed(case, name=f"t{n}", seconds=second) for n, second in enumerate(seconds)))
    file = tmp_path / "times.html"
    file.write_text(html.render(record, many, logs={}), "utf-8")
    with opened(browser, file) as page:
        # The page holds milliseconds.
        told = page.locator("#cases-explorer .entry .number").all_inner_texts()
        assert told == [duration(round(second, 3)) for second in seconds]


def style() -> str:
    """GitHub's own style sheet for Markdown, from the folder where `bin/test_tools.py` put it."""
    tools = script("test_tools")
    folder: Path = tools.npm_folder()
    return (folder / "node_modules/github-markdown-css/github-markdown.css").read_text("utf-8")


@pytest.mark.parametrize("name", ["green", "red", "waived", "hostile"])
def test_the_summary_looks_right_on_github(browser: Browser, runs: ModuleType, tmp_path: Path, name: str) -> None:
    run: tuple[RunRecord, TestReport] = getattr(runs, name)()
    text = GFM.render(summary.render(*run, known=runs.KNOWN, changes="### Changes\n\n**1 new failure**\n\n- `a: b`"))
    body = f'<body style="margin:0"><article class="markdown-body" style="padding:24px">{text}</article>'
    file = tmp_path / "summary.html"
    file.write_text(f'<!doctype html><meta charset="utf-8"><style>{style()}</style>{body}', "utf-8")
    with opened(browser, file, width=1012, scheme="dark" if name == "red" else "light") as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 1012
        # GitHub lets a wide table scroll, and then nobody sees its last column.
        wide = "[...document.querySelectorAll('table')].filter(table => table.scrollWidth > table.clientWidth).length"
        assert page.evaluate(wide) == 0
        assert page.locator("h2").count() == 1
        assert page.locator("h3").count() >= 4
        # Markup that did not come out as such.
        prose = page.evaluate(
            "[...document.querySelectorAll('p, li, td, th, h2, h3')].map(node => node.innerText).join('\\n')"
        )
        if name != "hostile":
            assert not re.search(r"\*\*|\|\s*---|```|&[a-z]+;", prose)
