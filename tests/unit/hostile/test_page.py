"""report.html: hostile text adds no element, no attribute and no address to it. Read by the standard library's parser."""

from __future__ import annotations

import json
from functools import cache

import pytest
from hypothesis import example, given, settings
from tests.strategies import PAYLOADS, every, hostile
from tests.unit.hostile import readers, records

from ci_buildkit.report import html, pagedata


@cache
def harmless() -> readers.Document:
    """The same page made of a word."""
    record, tests, found = records.run("word", "other")
    return readers.Document(html.render(record, tests, logs={"word": "word"}, known=found.findings))


def rendered(*texts: str) -> readers.Document:
    """The page of a hostile run, which has only what the harmless one has."""
    record, tests, found = records.run(*texts)
    source = html.render(record, tests, logs={texts[0]: texts[-1]}, known=found.findings)
    assert readers.controls(source) == set()
    page = readers.Document(source)
    assert page.unbalanced == []
    assert page.comments == []
    # A link to the page of a rule is only there where its address is one.
    assert page.tags <= harmless().tags | {"a"}
    names = {name for _, attributes in harmless().elements for name in attributes}
    assert {name for _, attributes in page.elements for name in attributes} <= names | {"href", "rel"}
    assert len([tag for tag, _ in page.elements if tag == "script"]) == 3
    for href in page.all_of("href"):
        assert href.startswith(("#", "./", "http://", "https://")) or href in harmless().all_of("href"), href
    return page


@settings(deadline=None, max_examples=15)
@given(hostile, hostile)
@example(every, every)
def test_the_page_holds_text_alone(one: str, other: str) -> None:
    rendered(one, other)


@pytest.mark.parametrize("name", ["script", "image", "attribute", "text elements", "entities", "template"])
def test_what_is_shown_is_the_text(name: str) -> None:
    page = rendered(PAYLOADS[name], "x")
    assert PAYLOADS[name] in page.text


@pytest.mark.parametrize("name", ["other host", "JavaScript address", "data address", "absolute name"])
def test_an_address_is_that_of_a_file_beside_the_page(name: str) -> None:
    record, tests, _ = records.run(PAYLOADS[name])
    source = html.render(record, tests, logs={PAYLOADS[name]: "line\n" * 1000})
    hrefs = [href for href in readers.Document(source).all_of("href") if not href.startswith("#")]
    assert all("://" not in href and not href.startswith("//") and ":" not in href.split("/")[0] for href in hrefs)
    assert any(href.startswith("./logs/") for href in hrefs)


@settings(deadline=None, max_examples=50)
@given(hostile)
@example(every)
def test_nothing_ends_the_data(raw: str) -> None:
    _, tests, found = records.run(raw)
    data = pagedata.collect(tests, [(one, True) for one in found.findings])
    assert "<" not in data.json
    document = json.loads(data.json)
    assert len(document["cases"]) == len(tests.cases)
    assert readers.controls(data.json) == set()
    assert all(text == "" or text.startswith(("http://", "https://")) for text in [document["texts"][row[7]] for row in document["findings"]])  # fmt: skip
