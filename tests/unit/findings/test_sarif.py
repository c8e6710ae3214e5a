"""SARIF as real tools wrote it, as the specification says, and as we write it."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.findings import collect, read, sarif, sarif_reader
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.paths import PathMapper
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source

DATA = Path(__file__).parents[2] / "data" / "findings" / "sarif"
NOWHERE = Path("/nonexistent")


def items(document: object, root: Path = NOWHERE, limits: Limits | None = None) -> list[Finding | Problem]:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return list(sarif_reader.read(io.BytesIO(data), Source("x.sarif", PathMapper(None, root), limits or Limits())))


def log(*results: object, **run: object) -> dict[str, Any]:
    tool = run.pop("tool", {"driver": {"name": "t"}})
    return {"version": "2.1.0", "runs": [{"tool": tool, "results": list(results), **run}]}


def one(document: object, root: Path = NOWHERE) -> Finding:
    (item,) = items(document, root)
    assert isinstance(item, Finding)
    return item


def at(uri: str, region: dict[str, int] | None = None, **artifact: object) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": uri, **artifact}}
    return {"physicalLocation": physical if region is None else {**physical, "region": region}}


def result(**fields: object) -> dict[str, Any]:
    return {"ruleId": "R", "message": {"text": "m"}, "locations": [at("a.py", {"startLine": 3})], **fields}


@pytest.mark.parametrize(
    ("name", "tool", "severities", "kinds", "first"),
    [
        ("bandit", "Bandit", {"error": 1, "warning": 1, "notice": 2}, ["inconsistent"], ("app.py", 2, 1, None, 18, "B404")),
        ("checkstyle", "Checkstyle", {"warning": 10}, [], ("/src/java/src/Shop.java", 1, 17, None, None, "import.avoidStar")),
        ("eslint", "ESLint", {"error": 7, "warning": 2}, ["inconsistent"], ("/src/web/a.js", 1, 7, None, 13, "no-unused-vars")),
        ("golangci-v1", "golangci-lint", {"error": 9, "warning": 1}, [], ("cmd/server/main.go", 8, 6, None, None, "unused")),
        ("golangci-v2", "golangci-lint", {"error": 9, "warning": 5}, [], ("cmd/server/main.go", 1, 1, None, None, "revive")),
        ("hadolint", "Hadolint", {"error": 2, "warning": 5, "notice": 2}, [], ("Dockerfile", 1, 1, None, None, "DL3006")),
        ("ruff", "ruff", {"error": 14}, [], ("/src/py/app.py", 1, 1, None, 15, "E401")),
        ("ruff-clean", "", {}, [], None),
    ],
)  # fmt: skip
def test_what_real_tools_wrote(
    name: str, tool: str, severities: dict[str, int], kinds: list[str], first: tuple[object, ...] | None
) -> None:
    found = read.read_paths([DATA / f"{name}.sarif"], root=NOWHERE)
    assert [problem.kind for problem in found.problems] == kinds
    assert Counter(finding.severity for finding in found.findings) == severities
    assert {finding.tool for finding in found.findings} == ({tool} if tool else set())
    if first:
        place = found.findings[0]
        assert (place.path, place.line, place.column, place.end_line, place.end_column, place.rule) == first


def test_links_to_rules_and_errors_of_the_tool_itself() -> None:
    found = read.read_paths([DATA / "eslint.sarif"], root=NOWHERE)
    assert found.findings[0].url == "https://eslint.org/docs/latest/rules/no-unused-vars"
    assert found.problems[0].reason == "ESLint reports an error: /src/web/broken.js: Parsing error: Unexpected token ;"


RULES = [
    {"id": "A", "defaultConfiguration": {"level": "note"}, "helpUri": "https://e.org/A"},
    {"id": "B", "defaultConfiguration": {"level": "error"}, "helpUri": "javascript:alert(1)", "guid": "b-b",
     "messageStrings": {"default": {"text": "{0} is {1}, {{0}} {9}"}}},
    {"id": "C", "shortDescription": {"text": "about C"}},
]  # fmt: skip
TOOL = {
    "driver": {"name": "t", "rules": RULES, "globalMessageStrings": {"all": {"text": "of all: {0}"}}},
    "extensions": [
        {"name": "one", "rules": [{"id": "X", "defaultConfiguration": {"level": "error"}}]},
        {"name": "two", "guid": "g", "rules": [{"id": "Y", "defaultConfiguration": {"level": "note"}, "helpUri": "http://e.org/Y"}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "severity", "rule", "url"),
    [
        ({"ruleId": "A"}, "notice", "A", "https://e.org/A"),
        ({"ruleId": "A", "level": "error"}, "error", "A", "https://e.org/A"),
        ({"ruleId": "A/1/2"}, "notice", "A/1/2", "https://e.org/A"),
        ({"ruleId": "A/1", "ruleIndex": 0}, "notice", "A/1", "https://e.org/A"),
        ({"ruleId": "B", "ruleIndex": 0}, "error", "B", None),
        ({"ruleId": "Z", "ruleIndex": 1}, "error", "Z", None),
        ({"ruleId": None, "ruleIndex": 0}, "notice", "A", "https://e.org/A"),
        ({"ruleId": None, "rule": {"index": 1}}, "error", "B", None),
        ({"ruleId": None, "rule": {"id": "A/7"}}, "notice", "A/7", "https://e.org/A"),
        ({"ruleId": None, "rule": {"guid": "b-b"}}, "error", "B", None),
        ({"ruleId": "Y"}, "notice", "Y", "http://e.org/Y"),
        ({"ruleId": None, "rule": {"index": 0, "toolComponent": {"index": 1}}}, "notice", "Y", "http://e.org/Y"),
        ({"ruleId": None, "rule": {"index": 0, "toolComponent": {"name": "one"}}}, "error", "X", None),
        ({"ruleId": None, "rule": {"index": 0, "toolComponent": {"guid": "g"}}}, "notice", "Y", "http://e.org/Y"),
        ({"ruleId": "unknown", "ruleIndex": 99}, "warning", "unknown", None),
        ({"ruleId": None}, "warning", "t", None),
        ({"ruleId": "C", "level": "none"}, "notice", "C", None),
        ({"ruleId": "C", "level": "info"}, "notice", "C", None),
        ({"ruleId": "C", "level": "high"}, "error", "C", None),
        ({"ruleId": "A", "kind": "fail"}, "notice", "A", "https://e.org/A"),
        ({"ruleId": "B", "kind": "review"}, "notice", "B", None),
        ({"ruleId": "B", "kind": "open"}, "notice", "B", None),
    ],
)  # fmt: skip
def test_levels_and_rules(fields: dict[str, object], severity: str, rule: str, url: str | None) -> None:
    found = one(log(result(**fields), tool=TOOL))
    assert (found.severity, found.rule, found.url) == (severity, rule, url)


@pytest.mark.parametrize(
    ("fields", "there"),
    [
        ({"suppressions": []}, True),
        ({"suppressions": None}, True),
        ({"suppressions": [{"kind": "inSource"}]}, False),
        ({"suppressions": [{"kind": "external", "status": "accepted"}]}, False),
        ({"suppressions": [{"kind": "external", "status": "underReview"}]}, True),
        ({"suppressions": [{"kind": "external", "status": "rejected"}, {"kind": "inSource"}]}, True),
        ({"kind": "pass"}, False),
        ({"kind": "notApplicable"}, False),
        ({"baselineState": "absent"}, False),
        ({"baselineState": "unchanged"}, True),
    ],
)
def test_what_is_no_finding(fields: dict[str, object], there: bool) -> None:
    assert len(items(log(result(**fields)))) == there


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"text": " plain {0} {{x}} "}, "plain {0} {{x}}"),
        ({"markdown": "**bold**"}, "**bold**"),
        ({"text": "a {1} of {0} {5}", "arguments": ["x", "y"]}, "a y of x {5}"),
        ({"id": "default", "arguments": ["a", "b"]}, "a is b, {0} {9}"),
        ({"id": "all", "arguments": ["q"]}, "of all: q"),
        ({"id": "gone"}, "B"),
        ({"text": "from [user input](1) to [a\\]b](23), see [docs](https://e.org)"}, "from user input to a]b, see [docs](https://e.org)"),
        ({"text": "x\x1b[31mred\x1b[0m\r\ny"}, "xred\ny"),
        (None, "B"),
    ],
)  # fmt: skip
def test_messages(message: object, text: str) -> None:
    assert one(log(result(ruleId="B", message=message), tool=TOOL)).message == text


def test_a_message_may_be_long_but_has_an_end() -> None:
    assert len(one(log(result(message={"text": "x" * 1_000_000}))).message) < 70_000


BASES = {
    "SRC": {"uri": "lib/", "uriBaseId": "ROOT"},
    "ROOT": {"uri": "file:///home/runner/work"},
    "A": {"uri": "a/", "uriBaseId": "B"},
    "B": {"uri": "b/", "uriBaseId": "A"},
    "BARE": {"description": {"text": "no uri"}},
}


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ({"uri": "src/a.py"}, "src/a.py"),
        ({"uri": "src/a%20b%23%C3%A9.py"}, "src/a b#é.py"),
        ({"uri": "file:///src/a%20b.py"}, "/src/a b.py"),
        ({"uri": "file:/src/a.py"}, "/src/a.py"),
        ({"uri": "file://localhost/src/a.py"}, "/src/a.py"),
        ({"uri": "file:///C:/src/a.py"}, "C:/src/a.py"),
        ({"uri": "C:\\src\\a.py"}, "C:\\src\\a.py"),
        ({"uri": "a.py", "uriBaseId": "SRC"}, "/home/runner/work/lib/a.py"),
        ({"uri": "a.py", "uriBaseId": "%SRCROOT%"}, "a.py"),
        ({"uri": "/abs/a.py", "uriBaseId": "SRC"}, "/abs/a.py"),
        ({"uri": "file:///abs/a.py", "uriBaseId": "SRC"}, "/abs/a.py"),
        ({"uri": "a.py", "uriBaseId": "BARE"}, "a.py"),
        ({"index": 1}, "/home/runner/work/two.py"),
        ({"index": 99}, ""),
        ({"index": 1, "uri": "own.py"}, "own.py"),
        ({"uri": "https://e.org/a%20b.py"}, "https://e.org/a%20b.py"),
        ({"uri": "a\x00\nb.py"}, "a b.py"),
        ({}, ""),
        (None, ""),
    ],
)  # fmt: skip
def test_paths(location: object, path: str) -> None:
    artifacts = [{"location": {"uri": "one.py"}}, {"location": {"uri": "two.py", "uriBaseId": "ROOT"}}]
    document = log(
        result(locations=[{"physicalLocation": {"artifactLocation": location, "region": {"startLine": 1}}}]),
        originalUriBaseIds=BASES,
        artifacts=artifacts,
    )
    assert one(document).path == path


def test_bases_that_go_round_in_a_circle_end() -> None:
    assert one(log(result(locations=[at("x", uriBaseId="A")]), originalUriBaseIds=BASES)).path.endswith("a/x")


def test_a_path_is_found_in_the_repository(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a b.py").write_text("")
    file = tmp_path / "x.sarif"
    file.write_text(json.dumps(log(result(locations=[at("a%20b.py", uriBaseId="SRC")]), originalUriBaseIds=BASES)))
    assert read.read_paths([file], root=tmp_path).findings[0].path == "lib/a b.py"


@pytest.mark.parametrize(
    ("region", "place"),
    [
        (None, (None, None, None, None)),
        ({}, (None, None, None, None)),
        ({"startColumn": 4}, (None, None, None, None)),
        ({"startLine": 3}, (3, None, None, None)),
        ({"startLine": 3, "startColumn": 1}, (3, 1, None, None)),
        ({"startLine": 3, "endLine": 3, "startColumn": 2, "endColumn": 5}, (3, 2, None, 5)),
        ({"startLine": 3, "endColumn": 5}, (3, 1, None, 5)),
        ({"startLine": 3, "endLine": 6}, (3, None, 6, None)),
        ({"startLine": 3, "startColumn": 9, "endLine": 6, "endColumn": 2}, (3, 9, 6, 2)),
        ({"startLine": 3, "startColumn": 9, "endLine": 4, "endColumn": 1}, (3, 9, None, None)),
        ({"startLine": 3, "startColumn": 9, "endColumn": 9}, (3, 9, None, None)),
        ({"startLine": 3, "endLine": 1}, (3, None, None, None)),
        ({"startLine": 0}, (None, None, None, None)),
        ({"startLine": "3"}, (None, None, None, None)),
        ({"startLine": 2**40}, (None, None, None, None)),
        ({"charOffset": 7}, (None, None, None, None)),
    ],
)
def test_regions(region: dict[str, int] | None, place: tuple[object, ...]) -> None:
    found = one(log(result(locations=[at("a.py", region)])))
    assert (found.line, found.column, found.end_line, found.end_column) == place


@pytest.mark.parametrize(
    ("kind", "place"), [("utf16CodeUnits", (13, 18)), ("unicodeCodePoints", (14, 20)), (None, (14, 20))]
)
def test_columns_are_characters(tmp_path: Path, kind: str | None, place: tuple[int, int]) -> None:
    (tmp_path / "a.py").write_text('x\nname = "😀"; l😀1 = 1\n', encoding="utf-8")
    region = {"startLine": 2, "startColumn": 14, "endColumn": 20}
    found = one(log(result(locations=[at("a.py", region)]), **({"columnKind": kind} if kind else {})), tmp_path)
    assert (found.column, found.end_column) == place


def test_every_location_is_a_finding_and_no_location_is_one_too() -> None:
    two = items(log(result(locations=[at("a.py", {"startLine": 1}), at("b.py")])))
    assert [(item.path, item.line) for item in two if isinstance(item, Finding)] == [("a.py", 1), ("b.py", None)]
    assert one(log(result(locations=[]))).path == ""
    assert one(log(result(locations=None, analysisTarget={"uri": "target.py"}))).path == "target.py"


def test_several_runs() -> None:
    first, second = log(result()), log(result(), tool={"driver": {"name": "u"}})
    found = items({"version": "2.1.0", "runs": first["runs"] + second["runs"]})
    assert [item.tool for item in found if isinstance(item, Finding)] == ["t", "u"]


@pytest.mark.parametrize(
    ("run", "kind", "reason"),
    [
        ({"invocations": [{"executionSuccessful": False}]}, "inconsistent", "t did not run to its end"),
        ({"invocations": [{"executionSuccessful": False, "exitCodeDescription": "no memory"}]}, "inconsistent", "t did not run to its end: no memory"),
        ({"invocations": [{"executionSuccessful": True, "toolExecutionNotifications": [{"level": "error", "message": {"text": "boom"}}, {"level": "warning", "message": {"text": "w"}}, {"message": {"text": "w"}}]}]},
         "inconsistent", "t reports an error: boom"),
        ({"invocations": [{"executionSuccessful": False, "toolConfigurationNotifications": [{"level": "error", "descriptor": {"id": "CFG"}, "locations": [at("a.py")]}]}]},
         "inconsistent", "t reports an error: a.py: CFG"),
        ({"externalPropertyFileReferences": {"results": [{"location": {"uri": "r.json"}}]}}, "missing", "results of t are in other files, which are not read"),
    ],
)  # fmt: skip
def test_a_run_that_is_less_than_it_seems_is_a_problem(run: dict[str, object], kind: str, reason: str) -> None:
    problem = items(log(**run))
    assert problem == [Problem("x.sarif", kind, reason)]  # type: ignore[arg-type] # the literals of the table


@pytest.mark.parametrize(
    ("document", "findings", "kinds"),
    [
        ({"version": "2.1.0", "runs": []}, 0, ["empty"]),
        ({"version": "2.1.0"}, 0, ["empty"]),
        ({"version": "1.0.0", "runs": [{}]}, 0, ["unreadable"]),
        ({"version": "2.1.0", "runs": ["x"]}, 0, ["unreadable"]),
        (log("x", result(), 7), 1, ["unreadable"]),
        ({"version": "2.1.0", "runs": [{"tool": 1, "results": {"a": 1}}]}, 0, ["unreadable"]),
        ({"version": "2.1.0", "runs": [{"results": None}]}, 0, []),
        ([], 0, ["unreadable"]),
        (b"", 0, ["unreadable"]),
        (json.dumps(log(result(), result())).encode()[:-60], 2, ["unreadable"]),
        (json.dumps(log(result(), result())).encode() + b"\ntrailing", 2, ["unreadable"]),
        (json.dumps(log(result(message={"text": "X"}))).encode().replace(b"X", b"\xff"), 1, []),
        ("﻿".encode() + json.dumps(log(result())).encode(), 1, []),
        (json.dumps(log(result())).encode("utf-16"), 1, []),
    ],
)  # fmt: skip
def test_logs_that_are_wrong_keep_what_can_be_read(document: object, findings: int, kinds: list[str]) -> None:
    found = items(document)
    assert sum(isinstance(item, Finding) for item in found) == findings
    assert [item.kind for item in found if isinstance(item, Problem)] == kinds


def test_limits(tmp_path: Path) -> None:
    assert [item.kind for item in items(log(result()), limits=Limits(document=50)) if isinstance(item, Problem)] == ["limit"]  # fmt: skip
    (tmp_path / "x.sarif").write_text(json.dumps(log(*[result()] * 20)))
    found = read.read_paths([tmp_path / "x.sarif"], limits=Limits(findings=5))
    assert (len(found.findings), [problem.kind for problem in found.problems]) == (5, ["limit"])


# --- the writer


def back(report: FindingReport, root: Path = NOWHERE) -> FindingReport:
    found = items(sarif.dumps(report, root=root), root)
    return collect.report(
        (item for item in found if isinstance(item, Finding)), (item for item in found if isinstance(item, Problem))
    )


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=8)
PATHS = st.lists(NAMES.filter(lambda part: part not in {".", ".."}), min_size=1, max_size=3).map("/".join)
LINES = st.integers(1, 2**31 - 1)
PLACES = st.one_of(
    st.just((None, None, None, None)),
    st.tuples(LINES, st.none() | LINES, st.none(), st.none()),
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.none(), st.integers(10, 99)),
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(10, 99), st.none() | st.integers(2, 99)),
)


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    line, column, end_line, end_column = draw(PLACES)
    path = draw(PATHS | PATHS.map("/{}".format) | PATHS.map("C:/{}".format))
    severity = draw(st.sampled_from(["error", "warning", "notice"]))
    return Finding(path, line, column, end_line, end_column, severity, draw(NAMES), draw(NAMES), draw(NAMES))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", ["/A:", "A:", "A:/", "/A:/", "//A:", "A:/b", "/A:/b", "C:/A:", "%41", "ab:c", "a\\b", "/"]
)
def test_a_path_that_looks_like_a_drive_or_a_uri_is_read_back_equal(path: str) -> None:
    report = FindingReport((Finding(path, 1, None, None, None, "error", "r", "m", "t"),))
    assert back(report).findings == report.findings


@settings(max_examples=100, deadline=None)
@given(st.lists(findings(), max_size=6))
def test_what_is_written_is_read_back_equal(some: list[Finding]) -> None:
    report = collect.report(some, [])
    assert sorted(back(report).findings, key=repr) == sorted(report.findings, key=repr)


def test_real_reports_are_read_back_equal() -> None:
    report = read.read_paths(
        [DATA.parent / name for name in ("eslint/metadata.json", "ruff/ruff.json", "shellcheck/json1.json")],
        root=NOWHERE,
    )
    assert len(report.findings) == 33
    assert back(report).findings == report.findings


def test_a_finding_without_a_file_has_a_location_that_github_takes() -> None:
    nowhere = Finding("", None, None, None, None, "error", "r", "m", "t")
    document = json.loads(sarif.dumps(FindingReport((nowhere,))))
    (written,) = document["runs"][0]["results"]
    assert written["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": "no%20file%20is%20named", "uriBaseId": "%SRCROOT%"}}}
    ]
    assert back(FindingReport((nowhere,))).findings == (nowhere,)


def finding(number: int, severity: str = "error", **fields: object) -> Finding:
    base = Finding("a.py", number, None, None, None, "error", "R", f"m{number}", "t")
    return replace(base, severity=severity, **fields)  # type: ignore[arg-type]


def test_problems_are_told_in_a_run_of_our_own() -> None:
    report = FindingReport((finding(1),), (Problem("lint.json", "unreadable", "is cut off"),))
    runs = json.loads(sarif.dumps(report))["runs"]
    assert [run["tool"]["driver"]["name"] for run in runs] == ["t", "ci-buildkit"]
    assert runs[1]["invocations"][0]["executionSuccessful"] is False
    assert [problem.reason for problem in back(report).problems] == [
        "ci-buildkit reports an error: lint.json: is cut off"
    ]
    many = FindingReport((), tuple(Problem("x", "empty", str(number)) for number in range(3_000)))
    notes = json.loads(sarif.dumps(many))["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert (len(notes), notes[-1]["message"]["text"]) == (1_001, "and 2,000 more problems")


def test_the_most_severe_are_kept_and_the_rest_is_told() -> None:
    some = [finding(number, ["notice", "warning", "error"][number % 3]) for number in range(1, 31)]
    made = sarif.build(FindingReport(tuple(some)), root=NOWHERE, limits=sarif.Limits(results=15, shown=10))
    (run,) = json.loads(made.data)["runs"]
    assert [one["level"] for one in run["results"]] == ["error"] * 10 + ["warning"] * 5
    assert [problem.kind for problem in made.left_out] == ["limit"]
    told = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert told == [
        "15 of 30 findings of t are left out, the least severe: GitHub takes no more",
        "GitHub shows 10 of these 15 findings, the most severe",
    ]
    assert [item.reason for item in items(made.data) if isinstance(item, Problem)] == [
        f"t reports an error: {made.left_out[0].reason}"
    ]


def test_more_tools_than_runs() -> None:
    some = [finding(number, "error" if number > 3 else "notice", tool=f"t{number}") for number in range(1, 8)]
    made = sarif.build(FindingReport(tuple(some)), root=NOWHERE, limits=sarif.Limits(runs=4))
    names = [run["tool"]["driver"]["name"] for run in json.loads(made.data)["runs"]]
    assert names == ["t4", "t5", "t6", "ci-buildkit"]
    assert len(made.left_out) == 4


def test_a_log_that_is_too_large_when_packed_is_cut_to_fit() -> None:
    some = tuple(finding(number, "error" if number < 50 else "notice") for number in range(1, 2_000))
    made = sarif.build(FindingReport(some), root=NOWHERE, limits=sarif.Limits(gzip=20_000))
    results = json.loads(made.data)["runs"][0]["results"]
    assert 100 < len(results) < 1_000
    assert [one["level"] for one in results[:49]] == ["error"] * 49
    assert made.left_out
    nothing = sarif.build(FindingReport(some), root=NOWHERE, limits=sarif.Limits(gzip=10))
    assert json.loads(nothing.data)["runs"][0]["results"] == []


def test_fingerprints_stay_when_code_moves(tmp_path: Path) -> None:
    def prints(*some: Finding) -> list[str]:
        document = json.loads(sarif.dumps(FindingReport(some), root=tmp_path))
        return [next(iter(one["partialFingerprints"].values())) for one in document["runs"][0]["results"]]

    (tmp_path / "a.py").write_text("import os\nimport sys\n")
    before = prints(finding(1), finding(2))
    (tmp_path / "a.py").write_text("# new\n\n    import  os\nimport sys\n")
    assert prints(finding(3), finding(4)) == before
    assert len(set(before)) == 2
    # Two alike are told apart; another rule or file is another finding.
    same = prints(finding(3), finding(3), finding(3, rule="Q"), finding(3, path="b.py"))
    assert len(set(same)) == 4
    # Without a source line the message counts, less the line numbers in it.
    far = [replace(finding(number), path="gone.py", message=f"see line {number}") for number in (7, 8)]
    assert prints(far[0]) == prints(far[1])


def test_rules_say_what_github_shows() -> None:
    some = (finding(1, "warning", url=None), finding(2, "error", url="https://e.org/a b"), finding(3, rule="S"))
    (run,) = json.loads(sarif.dumps(FindingReport(some)))["runs"]
    assert run["automationDetails"] == {"id": "ci-buildkit/t/"}
    first, second = run["tool"]["driver"]["rules"]
    assert first["id"] == "R"
    assert first["helpUri"] == "https://e.org/a%20b"
    assert first["defaultConfiguration"] == {"level": "error"}
    assert "https://e.org/a%20b" in first["help"]["text"]
    assert {"shortDescription", "fullDescription", "help"} <= second.keys()
    assert "helpUri" not in second


def test_the_file_is_replaced_and_what_is_left_out_returned(tmp_path: Path) -> None:
    assert sarif.write(FindingReport((finding(1),)), tmp_path / "a" / "f.sarif") == ()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["f.sarif"]
