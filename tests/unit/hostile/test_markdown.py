"""The summary, the comment and the check run: GitHub's renderer makes of hostile text nothing but text.

Read by markdown-it with the extensions of GitHub Flavored Markdown, bare addresses that become links included.
"""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from markdown_it import MarkdownIt
from tests.strategies import PAYLOADS, every, hostile
from tests.unit.hostile import readers, records

from ci_buildkit.cli import results as results_command
from ci_buildkit.github import comment
from ci_buildkit.github.checkrun import check_run
from ci_buildkit.report import markdown, summary
from ci_buildkit.report.digest import Digest
from ci_buildkit.report.text import one_line

GFM = MarkdownIt("gfm-like", {"html": True})
assert GFM.linkify
# GFM knows no addresses without a scheme but those of `www.`, for which ACTIVE looks.
GFM.linkify.set({"fuzzy_link": False, "fuzzy_email": True}).add("//", None)
OURS = frozenset(
    [
        "p",
        "h2",
        "h3",
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
        "details",
        "summary",
        "hr",
        "sub",
    ]
)
# What GitHub's filters look for in text that is no code: mentions, references, emoji, formulas, addresses of the web.
ACTIVE = re.compile(
    r"(?<![\w`])@[A-Za-z\d]|(?<!\w)#\d|\bGH-\d|:[\w+-]+:|\$|\bwww\.|\b(?:https?|ftp|mailto|xmpp):", re.IGNORECASE
)
LINK = "https://example.com/run/1"


def rendered(text: str) -> readers.Document:
    """Markdown as a page, of which nothing must act that we did not write."""
    page = readers.Document(GFM.render(text))
    assert page.unbalanced == []
    assert set(page.comments) <= {" "}
    assert page.tags <= OURS
    assert {name for _, attributes in page.elements for name in attributes} <= {"href", "class", "style", "open"}
    assert set(page.all_of("class")) <= {"language-text"}
    assert set(page.all_of("style")) <= {"text-align:right", "text-align:left", "text-align:center"}
    assert set(page.all_of("href")) <= {LINK}
    for part in page.prose.split("\0"):
        assert not ACTIVE.search(part.replace("$", "", part == "$")), part
    assert readers.controls(text) == set()
    return page


@settings(deadline=None, max_examples=50)
@given(hostile)
@example(every)
def test_text_is_shown_as_it_is(raw: str) -> None:
    shown = one_line(raw, 300)
    page = rendered(f"x {markdown.inline(raw)} y")
    assert " ".join(page.text.split()) == " ".join(f"x {shown} y".split())
    for before in ("- ", "> ", "1. ", "### ", ""):
        rendered_here = readers.Document(GFM.render(f"{before}{markdown.inline(raw)}"))
        assert rendered_here.tags <= {"ul", "ol", "li", "p", "blockquote", "h3", "span"}
        assert rendered_here.unbalanced == []
    assert " ".join(rendered(f"x {markdown.code(raw)} y").text.split()) == " ".join(f"x {shown or '-'} y".split())


@settings(deadline=None, max_examples=50)
@given(hostile, hostile)
@example(every, every)
def test_a_table_keeps_its_cells(one: str, other: str) -> None:
    source = markdown.table(["a", "b"], [[markdown.cell(one), markdown.inline(other)], ["c", "d"]])
    page = rendered(source)
    assert [tag for tag, _ in page.elements if tag in {"tr", "td", "th"}] == ["tr", "th", "th", *["tr", "td", "td"] * 2]


@settings(deadline=None, max_examples=50)
@given(hostile)
@example(every)
def test_nothing_closes_a_fence(raw: str) -> None:
    assert [token.type for token in GFM.parse(markdown.fence(raw))] == ["fence"]
    assert rendered(f"- x\n\n{markdown.fence(raw)}\n").tags <= {"ul", "li", "p", "pre", "code"}


@settings(deadline=None, max_examples=50)
@given(hostile, hostile)
@example(every, every)
@example("x", "javascript:alert(1)")
@example("x", "https://evil.example/a|b)> [x](y)")
def test_only_an_address_of_the_web_becomes_a_link(label: str, url: str) -> None:
    page = readers.Document(GFM.render(f"x {markdown.link(label, url)}"))
    assert page.tags <= {"p", "a", "span"}
    for href in page.all_of("href"):
        assert href.startswith(("https://", "http://"))
    assert rendered(f"x {markdown.link(label, LINK)}").all_of("href") == [LINK]


@settings(deadline=None, max_examples=15)
@given(hostile, hostile)
@example(every, every)
def test_the_summary(one: str, other: str) -> None:
    record, tests, found = records.run(one, other)
    page = rendered(summary.render(record, tests, known=found.findings, links={one: other, "Report": LINK}))
    assert page.all_of("href") == [LINK]
    assert len([tag for tag, _ in page.elements if tag == "h2"]) == 1
    rendered(summary.render(record, tests, limit=3000))


@settings(deadline=None, max_examples=15)
@given(hostile)
@example(every)
def test_the_comment_and_the_check_run(raw: str) -> None:
    record, tests, _ = records.run(raw)
    name = raw.encode("utf-8", "replace").decode()
    body = comment.marked(name, summary.render(record, tests))
    marker, _, rest = body.partition("\n")
    assert re.fullmatch(r"<!-- ci-buildkit: [\w.~%-]+ [0-9a-f]{16} -->", marker) or not raw
    rendered(rest)
    check = check_run(record, tests, name="n", head="a" * 40, external_id="x", digest=Digest.of(tests.cases))
    rendered(check.summary)
    for one in check.annotations:
        assert not str(one["path"]).startswith(("/", "../"))
        assert all(readers.controls(str(value)) == set() for value in one.values())
    assert readers.controls(check.title) == set()


@settings(deadline=None, max_examples=15)
@given(hostile)
@example(every)
def test_results_as_markdown(raw: str) -> None:
    rendered(results_command.markdown(records.tests(raw)))


def test_the_reader_sees_what_raw_text_would_do() -> None:
    pages = {name: readers.Document(GFM.render(payload)) for name, payload in PAYLOADS.items()}
    assert {"script", "img", "iframe", "a", "details", "h1", "table", "base"} <= {
        tag for page in pages.values() for tag in page.tags
    }
    for name in ("mention", "reference", "emoji and formula"):
        assert ACTIVE.search(pages[name].prose)
