"""report.html of a hostile run in Chromium: nothing runs, nothing is asked for, and the text is there to be read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt
from tests.strategies import PAYLOADS, every
from tests.unit.hostile import records
from tests.unit.report import test_browser as windows

from ci_buildkit.report import html, summary
from ci_buildkit.report.text import plain

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

browser = windows.browser
# Whatever a payload would do shows in one of these. Elements of the page itself have none of the attributes.
TRACES = """() => [
    document.title, location.hash, document.baseURI === location.href.split("#")[0], Object.keys(localStorage).length,
    document.querySelectorAll("script").length,
    document.querySelectorAll("img, iframe, object, embed, base, form, animate, textarea, noscript ~ noscript").length,
    document.querySelectorAll('meta[http-equiv=refresh], [autofocus], [style], [src], [srcdoc]').length,
    [...document.querySelectorAll("*")].filter(one => [...one.attributes].some(a => a.name.startsWith("on"))).length,
    [...document.querySelectorAll("a")].filter(one => !["http:", "https:", "file:"].includes(one.protocol)).length,
    [...document.querySelectorAll("a")].filter(one => one.protocol === "file:" && one.host !== "").length,
]"""


def write(folder: Path, *texts: str) -> Path:
    """The page of a hostile run."""
    record, tests, found = records.run(*texts)
    file = folder / "report.html"
    logs = {"log": "\n".join(texts), texts[0]: every}
    file.write_text(html.render(record, tests, logs=logs, known=found.findings), "utf-8")
    return file


def unfold(page: Page) -> None:
    """Open all that can be opened, and search for what is there."""
    page.get_by_label("Search tests").fill("<script>")
    page.get_by_label("Search tests").fill("")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    page.wait_for_timeout(100)


def test_nothing_runs_and_everything_is_shown(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "harmless").mkdir()
    with windows.opened(browser, write(tmp_path / "harmless", "word", "other")) as page:
        unfold(page)
        before = page.evaluate(TRACES)
    texts = list(PAYLOADS.values())
    with windows.opened(browser, write(tmp_path, *texts)) as page:
        title = page.evaluate("document.title")
        unfold(page)
        after = page.evaluate(TRACES)
        assert after[0] == title
        assert after[1:] == before[1:]
        shown = page.locator("#logs ~ details pre").first.text_content() or ""
        details = page.locator("details.case pre.details").all_text_contents()
    for name in ("script", "image", "attribute", "SVG", "text elements", "entities", "base and refresh", "template"):
        assert PAYLOADS[name] in shown, name
    told = "\n".join(details)
    for name in ("code", "heading and rule", "table"):
        assert plain(PAYLOADS[name]).strip("\n") in told, name


@pytest.mark.parametrize("name", ["other host", "JavaScript address", "data address"])
def test_a_link_leads_beside_the_page(browser: Browser, tmp_path: Path, name: str) -> None:
    with windows.opened(browser, write(tmp_path, PAYLOADS[name])) as page:
        for href in page.evaluate("[...document.querySelectorAll('a')].map(one => one.href)"):
            assert href.startswith((tmp_path.as_uri() + "/", "http://", "https://"))


def test_the_summary_as_github_shows_it_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    """Without GitHub's own filter of HTML, which would stop it too."""
    record, tests, found = records.run(*PAYLOADS.values())
    text = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(
        summary.render(record, tests, known=found.findings)
    )
    file = tmp_path / "summary.html"
    file.write_text(f'<!doctype html><meta charset="utf-8"><title>kept</title><body>{text}', "utf-8")
    with windows.opened(browser, file) as page:
        page.wait_for_timeout(100)
        assert page.title() == "kept"
        assert page.locator("script, img, svg, iframe, a, base, form, meta[http-equiv]").count() == 0
        assert "alert(1)" in (page.locator("body").text_content() or "")
