"""JUnit XML, SARIF, CTRF and run.json with hostile text: well formed, and the same text when it is read back.

Read by parsers that are not ours: defusedxml, which refuses entities and document types, and the standard library's json.
"""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from defusedxml import ElementTree
from hypothesis import example, given, settings
from tests.strategies import PAYLOADS, every, hostile
from tests.unit.hostile import readers, records

from ci_buildkit import jsontext
from ci_buildkit.findings import read as findings_read
from ci_buildkit.findings import sarif
from ci_buildkit.record import RunRecord
from ci_buildkit.report.digest import Digest, decode
from ci_buildkit.results import ctrf_writer, junit_writer
from ci_buildkit.results import read as results_read
from ci_buildkit.text import clean, name

# XML 1.0, 2.2: what a document may hold at all.
CHARACTERS = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
# What a text becomes that no encoding takes.
encodable = re.compile("[\ud800-\udfff]")


@settings(deadline=None, max_examples=50)
@given(hostile, hostile)
@example(every, every)
def test_junit_xml(one: str, other: str) -> None:
    tests = records.tests(one, other)
    document = junit_writer.dumps(tests)
    assert CHARACTERS.fullmatch(document)
    root = ElementTree.fromstring(document.encode(), forbid_dtd=True)
    assert {element.tag for element in root.iter()} <= {
        "testsuites", "testsuite", "testcase", "properties", "failure", "error", "skipped", "system-out", "system-err",
        "flakyFailure", "rerunFailure",
    }  # fmt: skip
    cases = list(root.iter("testcase"))
    assert [case.get("name") for case in cases if case.get("name")] == [
        name(case.name) for case in sorted(tests.cases, key=lambda case: case.name != one) if name(case.name)
    ]
    assert sum(case.find("failure") is not None for case in cases) == 4
    assert {clean(text).strip() for text in (one, other)} >= {
        (output.text or "").strip() for output in root.iter("system-out") if (output.text or "").strip()
    }


@settings(deadline=None, max_examples=20)
@given(raw=hostile)
@example(raw=every)
def test_junit_xml_is_read_back(raw: str, folder: Path) -> None:
    tests = records.tests(raw)
    file = folder / "junit.xml"
    junit_writer.write(tests, file)
    found = results_read.read_paths([file], root=folder)
    assert found.problems == ()
    # A case that comes again is told apart by a number.
    assert all(case.name.strip().startswith(name(raw).strip()) for case in found.cases if case.name)
    assert found.totals.tests >= 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("documents")


def links(text: str) -> list[str]:
    """The targets of the links that SARIF (3.11.6) sees in a message."""
    return [found[1] for found in re.findall(r"(?<!\\)((?:\\\\)*)\[(?:[^\]\\\[]|\\.)*\]\(([^)]*)\)", text)]


@settings(deadline=None, max_examples=50)
@given(one=hostile, other=hostile)
@example(one=every, other=every)
@example(one=PAYLOADS["Markdown link"], other=PAYLOADS["Markdown image"])
def test_sarif(one: str, other: str, folder: Path) -> None:
    report = records.run(one, other)[2]
    log = json.loads(sarif.dumps(report, root=folder))
    results = [result for run in log["runs"] for result in run["results"]]
    assert len(results) == 2
    for result in results:
        assert links(result["message"]["text"]) == []
        for place in result["locations"]:
            artifact = place["physicalLocation"]["artifactLocation"]
            uri = urlsplit(artifact["uri"])
            assert uri.scheme in {"", "file"}
            assert re.fullmatch(r"[\w./~!$&'()*+,;=@:%-]*", artifact["uri"], re.ASCII)
            if "uriBaseId" in artifact:
                assert not posixpath.normpath(unquote(uri.path)).startswith(("/", "../"))
                assert uri.netloc == ""
    rules = [rule for run in log["runs"] for rule in run["tool"]["driver"]["rules"]]
    assert all(urlsplit(rule["helpUri"]).scheme in {"http", "https"} for rule in rules if "helpUri" in rule)


@settings(deadline=None, max_examples=20)
@given(raw=hostile)
@example(raw=PAYLOADS["Markdown link"])
@example(raw="[a](1) \\[b\\](2) \\\\[c](3)")
def test_messages_of_sarif_are_read_back(raw: str, folder: Path) -> None:
    report = records.run(raw)[2]
    file = folder / "findings.sarif"
    sarif.write(report, file, root=folder)
    (found,) = findings_read.read_paths([file], root=folder).findings
    told = clean(raw).strip()
    assert not told or found.message == told
    assert readers.controls(found.path) <= {"\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\x85", "\u2028", "\u2029",
        "\u2066", "\u2067", "\u2068", "\u2069"}  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(hostile)
@example(every)
def test_ctrf_and_run_json(raw: str) -> None:
    record, tests, _ = records.run(raw)
    shown = encodable.sub("\ufffd", raw)
    document = json.loads(ctrf_writer.dumps(tests))
    assert {test["name"] for test in document["results"]["tests"]} == {shown or "unnamed"}
    text = record.to_json()
    text.encode()
    assert json.loads(text)["version"]["value"] == shown
    assert RunRecord.model_validate_json(text).to_json() == text
    assert json.loads(jsontext.dumps({raw: raw}, indent=True)) == {shown: shown}
    assert readers.controls(text) <= set(shown)


@settings(deadline=None, max_examples=20)
@given(hostile)
@example(every)
def test_the_digest_of_a_run_is_read_back(raw: str) -> None:
    digest = Digest.of(records.tests(raw).cases)
    kept = digest.encode(60_000)
    assert kept is not None
    assert re.fullmatch(r"<!-- [\w-]+ 1 [\w+/=]+ -->", kept)
    found = decode(f"text\n\n{kept}\n")
    assert found is not None
    assert found.total == digest.total


@settings(deadline=None, max_examples=50)
@given(hostile)
@example(every)
def test_what_reads_a_digest_takes_anything(raw: str) -> None:
    assert decode(raw) is None
