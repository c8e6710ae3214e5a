"""Every report belongs to one reader, and no reader takes what is another's; any JSON gives findings or problems."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_buildkit.findings import read, sarif
from ci_buildkit.findings.columns import of_cells, of_utf8, of_utf16
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.findings.values import span
from ci_buildkit.lines import decode
from ci_buildkit.paths import PathMapper
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source
from ci_buildkit.results import read as results
from ci_buildkit.scan import Head

DATA = Path(__file__).parents[2] / "data"
# Which folder of tests/data/findings is whose.
FORMATS = {
    "checkstyle": "checkstyle", "clippy": "clippy", "eslint": "eslint", "hadolint": "hadolint", "rdjson": "rdjson",
    "ruff": "ruff", "sarif": "sarif", "shellcheck": "shellcheck",
}  # fmt: skip
REPORTS = sorted(file for folder in FORMATS for file in (DATA / "findings" / folder).iterdir())
# Of lines a cut between two leaves whole ones.
DOCUMENTS = [file for file in REPORTS if file.suffix != ".jsonl"]
CHECKS = sorted((DATA / "findings").glob("buildkit-*.json"))
TESTS = sorted(
    file
    for file in DATA.rglob("*")
    if file.is_file() and file.suffix in {".json", ".jsonl", ".xml", ".tap", ".trx"} and "findings" not in file.parts
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def head_of(file: Path) -> Head:
    data = file.read_bytes()[: 64 * 1024]
    return Head(data, decode(data))


def claims(file: Path) -> list[str]:
    head = head_of(file)
    return [reader.format for reader in read.READERS if reader.sniff(head)]


@pytest.mark.parametrize("file", REPORTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_report_is_claimed_by_its_reader_alone(file: Path) -> None:
    assert claims(file) == [FORMATS[file.parent.name]]
    assert not any(reader.sniff(head_of(file)) for reader in results.READERS)


def test_checks_and_json_of_golangci_lint_are_claimed_alone() -> None:
    assert [claims(file) for file in CHECKS] == [["buildkit-check"]] * len(CHECKS)
    assert [claims(DATA / "findings" / "golangci" / f"v{version}.json") for version in "12"] == [["golangci"]] * 2


def test_results_of_tests_are_claimed_by_none() -> None:
    assert len(TESTS) > 20
    assert {file.name: found for file in TESTS if (found := claims(file))} == {}


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_document_that_was_cut_anywhere_is_never_taken_for_whole(file: Path, tmp_path: Path) -> None:
    whole = read.read_paths([file], root=tmp_path)
    data = file.read_bytes().rstrip()
    for share in (0.3, 0.6, 0.9):
        (tmp_path / "lint.json").write_bytes(data[: int(len(data) * share)])
        cut = read.read_paths([tmp_path / "lint.json"], root=tmp_path)
        assert cut.problems
        assert len(cut.findings) <= len(whole.findings)


def through_every_reader(data: bytes) -> None:
    head = Head(data[:65536], decode(data[:65536]))
    mapper = PathMapper(None, Path("/nonexistent"))
    for reader in read.READERS:
        reader.sniff(head)
        items = list(reader.read(io.BytesIO(data), Source("x", mapper)))
        assert all(isinstance(item, Finding | Problem) for item in items)
        found = tuple(item for item in items if isinstance(item, Finding))
        for one in found:
            assert one.line is None or one.line > 0
            assert one.column is None or one.line
            assert one.end_line is None or (one.line and one.end_line > one.line)
            assert one.url is None or one.url.startswith("http")
            assert one.rule
            assert one.tool
            assert "\n" not in one.path + one.rule + one.tool
        sarif.dumps(FindingReport(found), root=Path("/nonexistent")).decode("utf-8")


KEYS = [
    "runs", "tool", "driver", "extensions", "rules", "name", "id", "guid", "index", "rule", "ruleId", "ruleIndex", "level",
    "kind", "message", "text", "markdown", "arguments", "messageStrings", "defaultConfiguration", "locations",
    "physicalLocation", "artifactLocation", "uri", "uriBaseId", "originalUriBaseIds", "artifacts", "location", "region",
    "startLine", "startColumn", "endLine", "endColumn", "suppressions", "status", "results", "invocations",
    "executionSuccessful", "toolExecutionNotifications", "columnKind", "toolComponent", "version", "$schema",
    "filePath", "messages", "severity", "line", "column", "source", "metadata", "rulesMeta", "filename", "row", "code",
    "cell", "url", "file", "comments", "diagnostics", "range", "start", "end", "path", "value", "reason", "spans",
    "is_primary", "expansion", "span", "file_name", "line_start", "children", "label", "success", "$message_type",
]  # fmt: skip
VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6)
    | st.sampled_from(["error", "2.1.0", "utf16CodeUnits", "file:///a%20b", "C:/x", "{0}", "[a](1)", "compiler-message", "\x1b[1m\n"])
)  # fmt: skip
JSON = st.recursive(
    VALUES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)


@QUICK
@given(JSON)
def test_any_json(document: object) -> None:
    through_every_reader(json.dumps(document).encode())
    run = {"tool": {"driver": document}, "results": [document], "artifacts": document, "originalUriBaseIds": document}
    through_every_reader(json.dumps({"version": "2.1.0", "runs": [run]}).encode())
    result = {"message": document, "rule": document, "locations": [document], "suppressions": document}
    through_every_reader(json.dumps({"version": "2.1.0", "runs": [{"results": [result], "tool": document}]}).encode())
    through_every_reader(json.dumps([{"filePath": "a", "messages": [document]}]).encode())
    through_every_reader(json.dumps({"diagnostics": [{"message": "m", "location": document}]}).encode())
    through_every_reader(json.dumps({"reason": "compiler-message", "message": document}).encode())
    through_every_reader(json.dumps([document]).encode())


@QUICK
@given(st.sampled_from(REPORTS).map(Path.read_bytes), st.data())
def test_real_reports_that_were_damaged(file: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(file)))
    end = data.draw(st.integers(start, min(len(file), start + 100)))
    through_every_reader(file[:start] + data.draw(st.binary(max_size=20)) + file[end:])


@QUICK
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    through_every_reader(data)


@given(st.text(max_size=12), st.integers(1, 40))
def test_columns(text: str, column: int) -> None:
    """Each unit's column of a character is that character again, and none goes back."""
    for convert in (of_utf8, of_utf16, of_cells):
        assert 1 <= convert(text, column) <= convert(text, column + 1) <= convert(text, column) + 2
    for index in range(len(text) + 1):
        before = text[:index]
        assert of_utf8(text, len(before.encode("utf-8", "surrogatepass")) + 1) == index + 1
        assert of_utf16(text, len(before.encode("utf-16-le", "surrogatepass")) // 2 + 1) == index + 1


@given(*[st.none() | st.integers(-3, 12)] * 4)
def test_a_span_ends_after_it_begins(
    line: int | None, column: int | None, end: int | None, end_column: int | None
) -> None:
    found = span(line, column, end, end_column)
    assert found.line is not None or found == (None, None, None, None)
    if found.end_line is not None:
        assert found.line is not None
        assert found.end_line > found.line
    elif found.end_column is not None:
        assert found.column is not None
        assert found.end_column > found.column
    assert span(*found) == found
