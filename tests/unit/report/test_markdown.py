"""Untrusted text in Markdown, character by character: what is escaped, what is not, and where a text is cut."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ci_buildkit.report import markdown


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        # What GFM takes for markup anywhere in a line has a backslash.
        ("a*b", r"a\*b"),
        ("`x`", r"\`x\`"),
        ("[x](y)", r"\[x\](y)"),
        ("~a|b~", r"\~a\|b\~"),
        ("a\\b", r"a\\b"),
        # An underscore between letters is none; what people copy has no more backslashes than it needs.
        ("snake_case", "snake_case"),
        ("_word_", r"\_word\_"),
        # HTML is text.
        ("<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"),
        # What starts a block does so only at the start.
        ("# a # b", r"\# a # b"),
        ("- a - b", r"\- a - b"),
        ("+ a", r"\+ a"),
        ("=====", r"\====="),
        ("1. a 2. b", r"1\. a 2. b"),
        ("12) a", r"12\) a"),
        # What GitHub makes links and pictures of is parted by a comment that nobody sees.
        ("by @octo", "by @<!-- -->octo"),
        ("a @ b", "a @ b"),
        ("see #12", "see #<!-- -->12"),
        ("see GH-12 and gh-3", "see GH-<!-- -->12 and gh-<!-- -->3"),
        ("https://e.org", "https<!-- -->://e.org"),
        ("HTTP://e.org", "HTTP<!-- -->://e.org"),
        ("mailto:a", "mailto<!-- -->:a"),
        ("www.e.org", "www<!-- -->.e.org"),
        (":tada:", ":<!-- -->tada:"),
        ("10:42", "10:42"),
        ("$a$", "<span>$</span>a<span>$</span>"),
        # Two characters stand for marks in between, so they can be no text.
        ("a\ue000b\ue001c", "abc"),
        ("two\nlines", "two lines"),
    ],
)
def test_inline(raw: str, written: str) -> None:
    assert markdown.inline(raw) == written


def test_a_text_in_a_line_is_cut_before_it_is_escaped() -> None:
    assert markdown.inline("*" * 10, 4) == r"\*\*\*…"
    assert markdown.code("`" * 10, 3) == "``` ``… ```"
    assert markdown.cell("|" * 10, 3) == r"`\|\|…`"


@pytest.mark.parametrize("write", [markdown.inline, markdown.code, markdown.cell])
def test_300_characters_are_the_most_unless_asked(write: Callable[[str], str]) -> None:
    assert write("x" * 300).strip("`") == "x" * 300
    assert write("x" * 301).strip("`") == "x" * 299 + "…"


@pytest.mark.parametrize(
    ("raw", "written"),
    [
        ("", "-"),
        (" \n ", "-"),
        ("a b", "`a b`"),
        ("*a*", "`*a*`"),
        # CommonMark 6.1: the fence is longer than any run in it, and a space keeps it from one at its side.
        ("a`b", "``a`b``"),
        ("a``b`c", "```a``b`c```"),
        ("`a", "`` `a ``"),
        ("a`", "`` a` ``"),
        ("a|b", "`a|b`"),
    ],
)
def test_a_code_span(raw: str, written: str) -> None:
    assert markdown.code(raw) == written


def test_a_code_span_in_a_table_does_not_end_its_cell() -> None:
    assert markdown.cell("a|b|c") == r"`a\|b\|c`"


def test_a_quantity_stays_on_one_line() -> None:
    assert markdown.whole("1 h 02 min") == "1\u00a0h\u00a002\u00a0min"


@pytest.mark.parametrize(
    ("raw", "fence"),
    [("a", "```"), ("a`b", "```"), ("a```b", "````"), ("a`````b```c", "``````")],
)
def test_a_fence_is_longer_than_what_it_holds(raw: str, fence: str) -> None:
    assert markdown.fence(raw) == f"{fence}text\n{raw}\n{fence}"


def test_a_fence_holds_40_lines_and_4000_characters_unless_asked() -> None:
    rows = [f"line {number}" for number in range(50)]
    assert markdown.fence("\n".join(rows[:40])).split("\n")[1:-1] == rows[:40]
    assert markdown.fence("\n".join(rows)).split("\n")[1:-1] == [*rows[:40], "… 10 more lines"]
    assert markdown.fence("\n".join(rows), lines=2).split("\n")[1:-1] == [*rows[:2], "… 48 more lines"]
    assert markdown.fence("x" * 4000) == f"```text\n{'x' * 4000}\n```"
    assert markdown.fence("x" * 4001) == f"```text\n{'x' * 3999}…\n…\n```"
    assert markdown.fence("x" * 50, characters=5) == "```text\nxxxx…\n…\n```"


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("https://e.org/a_b", "[a\\*](<https://e.org/a_b>)"),
        ("http://e.org", "[a\\*](<http://e.org>)"),
        ("javascript:alert(1)", "a\\*"),
        ("https://e.org/a b", "a\\*"),
        ("https://e.org/>)[x](y", "a\\*"),
        ("x https://e.org", "a\\*"),
        ("https://", "a\\*"),
        ("https://e.org/a|b", "a\\*"),
        ("https://e.org/\u202e", "a\\*"),
        ("", "a\\*"),
    ],
)
def test_only_addresses_of_the_web_are_links(url: str, written: str) -> None:
    assert markdown.link("a*", url) == written


def test_a_table_has_a_rule_of_as_many_columns() -> None:
    assert markdown.table(["a", "b", "c"], [["1", "2", "3"], ["4", "5", "6"]], "lr") == (
        "| a | b | c |\n| --- | ---: | --- |\n| 1 | 2 | 3 |\n| 4 | 5 | 6 |"
    )
    assert markdown.table(["a", "b"], []) == "| a | b |\n| --- | --- |"
