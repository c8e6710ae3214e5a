"""SPDX documents, the same for the same content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_buildkit.artifacts import spdx


def scanned(**fields: Any) -> bytes:
    """A document as a scanner writes it: its own time, and a namespace by chance."""
    written = {
        "spdxVersion": "SPDX-2.3",
        "name": "sbom",
        "documentNamespace": "https://example.com/4711",
        "creationInfo": {"created": "2026-11-25T12:47:19Z", "creators": ["Tool: syft-1.57.1"]},
        "packages": [{"SPDXID": "b"}, {"SPDXID": "a"}],
        **fields,
    }
    return json.dumps(written).encode()


def test_time_and_namespace_follow_from_the_commit_and_the_content() -> None:
    made = spdx.document([scanned()], "app.tar.gz", 1700000000)
    other = scanned(documentNamespace="x", packages=[{"SPDXID": "a"}, {"SPDXID": "b"}], creationInfo=json.loads(scanned())["creationInfo"] | {"created": "2027"})  # fmt: skip
    assert spdx.document([other], "app.tar.gz", 1700000000) == made
    read = json.loads(made)
    assert read["name"] == "app.tar.gz"
    assert read["creationInfo"] == {"created": "2023-11-14T22:13:20Z", "creators": ["Tool: syft-1.57.1"]}
    assert read["documentNamespace"].startswith("https://spdx.org/spdxdocs/app.tar.gz-")
    changed = json.loads(spdx.document([scanned(packages=[])], "app.tar.gz", 1700000000))
    assert changed["documentNamespace"] != read["documentNamespace"]


def test_buildkit_s_statement_and_several_parts() -> None:
    statement = {"_type": "https://in-toto.io/Statement/v1", "predicate": json.loads(scanned())}
    second = scanned(packages=[{"SPDXID": "c"}, {"SPDXID": "a"}], relationships=[{"relatedSpdxElement": "c"}])
    read = json.loads(spdx.document([json.dumps(statement).encode(), second], "app", 0))
    assert [one["SPDXID"] for one in read["packages"]] == ["a", "b", "c"]
    assert read["relationships"] == [{"relatedSpdxElement": "c"}]


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[]", b"{}", b'{"spdxVersion": "SPDX-2.3", "packages": {}}', b'{"predicate": 1}', b"\xff", b"[" * 200_000,
        b'{"spdxVersion": "SPDX-2.3", "files": [1]}', b'{"spdxVersion": "SPDX-2.3", "creationInfo": []}',
    ],
)  # fmt: skip
def test_what_is_no_document_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        spdx.document([text], "app", 0)


def test_nothing_is_no_document() -> None:
    with pytest.raises(ValueError, match="no document"):
        spdx.document([], "app", 0)


@given(st.dictionaries(st.sampled_from(["spdxVersion", "packages", "predicate"]), st.sampled_from(["SPDX-2.3", [], 1])))
def test_damaged_documents_raise_nothing_else(written: dict[str, Any]) -> None:
    try:
        spdx.document([json.dumps(written).encode()], "app", 0)
    except ValueError:
        return
