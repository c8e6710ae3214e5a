"""JSON that was cut off gives what stands before the cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_buildkit import jsoncut, jsontext


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": [1, 2, {"b": "x', {"a": [1, 2, {}]}),
        ('[{"a":1},{"b":', [{"a": 1}, {}]),
        ('{"a": "]}", "b": 1', {"a": "]}"}),
        ('{"a":{"b":[1,{"c":"\\', {"a": {"b": [1, {}]}}),
        ('[1,,2]', [1]),
        ('{"a":1}\n{"b":2}', {"a": 1}),
        ('{"a": nope, "b": 1}', {}),
        ("[1]]", [1]),
        ("[", []),
        ("", None),
        ('"x', None),
        ("12, 13", None),
    ],
)  # fmt: skip
def test_what_stands_before_the_cut_is_read(text: str, value: object) -> None:
    with pytest.raises(jsontext.Broken) as broken:
        jsontext.loads(text)
    assert jsoncut.start(text.encode(), broken.value) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.lists(JSON, min_size=1) | st.dictionaries(st.text(max_size=3), JSON, min_size=1), st.data())
def test_a_document_cut_anywhere_is_a_start_of_it(document: object, data: st.DataObject) -> None:
    text = json.dumps(document, ensure_ascii=False).encode()
    cut = text[: data.draw(st.integers(1, len(text)))]
    assert jsoncut.start(text) == document
    assert jsoncut.start(cut) is not None


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    jsoncut.start(data)
    jsoncut.beginning(data.decode("utf-8", "replace"))


def test_a_string_without_end_takes_one_pass() -> None:
    assert jsoncut.start(b'{"a": "' + b"\\a" * 2_000_000) == {}


def test_the_beginning_of_a_file_is_its_first_value() -> None:
    assert jsoncut.beginning('\ufeff {"a": [1, {"b"') == {"a": [1, {}]}
    assert jsoncut.beginning('{"a": 1}\n{"b": 2}\n') == {"a": 1}
    assert jsoncut.beginning("# text") is None
