"""golangci-lint and BuildKit's checks, as the real tools wrote them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ci_buildkit.findings import buildkit, merge, read, sarif
from ci_buildkit.findings.buildkit import BuildWarning
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.lines import decode
from ci_buildkit.paths import PathMap, PathMapper
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Limits, Source
from ci_buildkit.scan import Head

DATA = Path(__file__).parents[2] / "data" / "findings"
REPO = DATA / "repo"

PLACES = [
    ("cmd/server/main.go", 1, 1, "revive"),
    ("cmd/server/main.go", 8, 6, "unused"),
    ("cmd/server/main.go", 11, 11, "errcheck"),
    ("cmd/server/main.go", 14, 14, "govet"),
    ("cmd/server/main.go", 16, 3, "staticcheck"),
    ("pkg/store/store.go", 1, 1, "revive"),
    ("pkg/store/store.go", 5, 6, "revive"),
    ("pkg/store/store.go", 7, 1, "revive"),
    ("pkg/store/store.go", 12, 15, "errcheck"),
    ("pkg/store/store.go", 13, 9, "errcheck"),
]


def places(report: FindingReport) -> list[tuple[str, int | None, int | None, str]]:
    return [(one.path, one.line, one.column, one.rule) for one in report.findings]


@pytest.mark.parametrize(
    "name", ["golangci-v2.txt", "golangci-v2-color.txt", "golangci-v2.json", "golangci-v2-both.txt"]
)
def test_golangci_lint_in_every_form(name: str) -> None:
    found = read.read_paths([DATA / name], root=REPO)
    assert places(found) == PLACES
    assert found.problems == ()
    unchecked = found.findings[2]
    assert unchecked == Finding(
        "cmd/server/main.go", 11, 11, None, None, "error", "errcheck",
        "Error return value of `os.Remove` is not checked", "golangci-lint",
    )  # fmt: skip
    # Only the JSON report grades: where both were printed it wins.
    revive = found.findings[0].severity
    assert revive == ("error" if name.endswith("v2.txt") or "color" in name else "warning")


def test_golangci_lint_between_other_lines_of_a_log(tmp_path: Path) -> None:
    log = [
        "go: downloading x",
        *(DATA / "golangci-v2.txt").read_text().splitlines(),
        "ERROR: exit status 1",
        "a.go:1: no",
    ]
    assert places(read.read_log(log, name="lint", root=REPO)) == PLACES
    (tmp_path / "lint.log").write_text("\n".join(f"#12 0.345 {line}" for line in log))
    assert places(read.read_paths([tmp_path / "lint.log"], root=REPO)) == PLACES
    both = read.read_log(["x", *(DATA / "golangci-v2.json").read_text().splitlines(), *log], name="lint", root=REPO)
    assert places(both) == PLACES


def test_version_1_text_and_json() -> None:
    text = ["/src/cmd/server/main.go:11: ineffectual (ineffassign)", "C:\\x\\main.go:1:2: m (n)", "level=warning msg=x"]
    found = read.read_log(text, name="log", root=REPO)
    assert places(found) == [("C:/x/main.go", 1, 2, "n"), ("cmd/server/main.go", 11, None, "ineffassign")]
    document = {
        "Issues": [
            {"FromLinter": "lll", "Text": "long", "Severity": "info", "SourceLines": None, "Replacement": None,
             "LineRange": {"From": 11, "To": 13}, "Pos": {"Filename": "cmd/server/main.go", "Offset": 0, "Line": 11, "Column": 0}},
        ],
        "Report": {"Error": "timeout exceeded"},
    }  # fmt: skip
    found = read.read_log([json.dumps(document, separators=(",", ":"))], name="log", root=REPO)
    (one,) = found.findings
    assert (one.severity, one.column, one.end_line, one.rule) == ("notice", None, 13, "lll")
    assert [problem.kind for problem in found.problems] == ["inconsistent"]
    assert "timeout exceeded" in found.problems[0].reason
    cut = json.dumps({"Issues": [*document["Issues"], {"FromLinter": "lll"}]}, separators=(",", ":"))[:-12]
    found = read.read_log(["level=info", cut, "exit status 1"], name="log", root=REPO)
    assert ([one.rule for one in found.findings], [problem.kind for problem in found.problems]) == (
        ["lll"],
        ["unreadable"],
    )


def test_typecheck_gives_the_compilers_lines() -> None:
    text = [
        "cmd/server/main.go:1: : # example.com/shop/cmd/server",
        "cmd/server/main.go:12:2: declared and not used: x (typecheck)",
    ]
    issue = {
        "FromLinter": "typecheck",
        "Text": ": # example.com/shop/cmd/server\ncmd/server/main.go:12:2: declared and not used: x",
        "Pos": {"Filename": "cmd/server/main.go", "Line": 1, "Column": 0},
    }
    line = json.dumps({"Issues": [issue]}, separators=(",", ":"))
    for lines in (text, [line], [*text, line]):
        (one,) = read.read_log(lines, name="log", root=REPO).findings
        assert (one.line, one.column, one.message) == (12, 2, "declared and not used: x")


def test_a_message_over_several_lines_ends_with_its_linter() -> None:
    lines = ["a.go:3:4: first", "second", "third (revive)", "\tsource", "\t^", "b.go:1:1: no linter", "c.go:2:2: m (x)"]
    found = read.read_log(lines, name="log", root=REPO)
    assert [(one.path, one.message, one.tool) for one in found.findings] == [
        ("a.go", "first\nsecond\nthird", "golangci-lint"),
        ("b.go", "no linter", "go"),
        ("c.go", "m", "golangci-lint"),
    ]


@pytest.mark.parametrize(
    ("content", "findings", "kinds"),
    [
        ("0 issues.\n", 0, []),
        ('{"Issues":null,"Report":{}}', 0, []),
        ('{\n  "Issues": [\n {"FromLinter": "a", "Text": "t", "Pos": {"Filename": "x.go", "Line": 1}}]}', 1, []),
        ('{"Issues":[{"FromLinter":"a"', 0, ["unreadable"]),
        ('{\n "Issues": [\n', 0, ["unreadable"]),
        ("", 0, ["empty"]),
        ("hello", 0, ["unreadable"]),
        ('{"warnings": [', 0, ["unreadable"]),
        ('{"warnings": null, "sources": []}', 0, []),
    ],
)
def test_files_that_say_little(content: str, findings: int, kinds: list[str], tmp_path: Path) -> None:
    file = tmp_path / "lint.json"
    file.write_text(content)
    found = read.read_paths([file], root=tmp_path)
    assert len(found.findings) == findings
    assert [problem.kind for problem in found.problems] == kinds


def test_a_folder_is_searched_for_lint_reports(tmp_path: Path) -> None:
    assert [problem.kind for problem in read.read_paths([tmp_path]).problems] == ["missing"]
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "lint.txt").write_text("a.go:1:1: m (x)\n")
    (tmp_path / "main.c").write_text("int x;\n")
    found = read.read_paths([tmp_path])
    assert (len(found.findings), found.problems) == (1, ())
    (tmp_path / "golangci.json").write_text('{"Iss')
    assert [problem.kind for problem in read.read_paths([tmp_path]).problems] == ["unreadable"]


def test_checks_of_a_build_find_the_dockerfile_by_its_content() -> None:
    found = read.read_paths([DATA / "buildkit-check.json"], root=REPO)
    assert {one.path for one in found.findings} == {"sub/Dockerfile.bad"}
    assert [(one.line, one.severity, one.rule) for one in found.findings] == [
        (1, "warning", "StageNameCasing"),
        (1, "warning", "FromAsCasing"),
        (3, "warning", "FromAsCasing"),
        (3, "warning", "InvalidDefaultArgInFrom"),
        (3, "error", "BuildError"),
        (4, "warning", "MaintainerDeprecated"),
    ]
    assert found.findings[0].message == "Stage name 'Build' should be lowercase"
    assert found.findings[0].url == "https://docs.docker.com/go/dockerfile/rule/stage-name-casing/"
    assert found.problems == ()


def test_checks_of_a_bake_file_count_each_dockerfile_once(tmp_path: Path) -> None:
    found = read.read_paths([DATA / "buildkit-bake-check.json"], root=REPO)
    assert len(found.findings) == 7
    assert {one.path for one in found.findings} == {"sub/Dockerfile.bad"}
    # Bake says where the Dockerfile is, so that it need not be there.
    away = read.read_paths([DATA / "buildkit-bake-check.json"], root=tmp_path)
    assert {one.path for one in away.findings} == {"sub/Dockerfile.bad"}


def test_a_dockerfile_that_cannot_be_parsed_and_a_clean_one() -> None:
    (one,) = read.read_paths([DATA / "buildkit-err.json"], root=REPO).findings
    assert (one.severity, one.line, one.path) == ("error", 2, "sub/Dockerfile.err")
    assert "did you mean RUN?" in one.message
    clean = read.read_paths([DATA / "buildkit-clean.json"], root=REPO)
    assert (clean.findings, clean.problems) == ((), ())


def test_warnings_of_a_build() -> None:
    url = "https://docs.docker.com/go/dockerfile/rule/stage-name-casing/"
    named = BuildWarning(
        "StageNameCasing: Stage name 'B' should be lowercase (line 3)", ("d",), url, "Dockerfile", 3, 4
    )
    plain = BuildWarning("Something else", (), url, "other.Dockerfile", 0, 0)
    found = buildkit.from_warnings([named, plain, named], "docker/Dockerfile")
    assert found.findings == (
        Finding(
            "docker/Dockerfile",
            3,
            None,
            4,
            None,
            "warning",
            "StageNameCasing",
            "Stage name 'B' should be lowercase",
            "buildkit",
            url,
        ),
        Finding(
            "other.Dockerfile",
            None,
            None,
            None,
            None,
            "warning",
            "stage-name-casing",
            "Something else",
            "buildkit",
            url,
        ),
    )


def test_paths_are_mapped_and_what_is_unknown_is_told() -> None:
    lines = ["/src/cmd/server/main.go:3:1: m (x)", "/elsewhere/gone.go:1:1: m (x)"]
    found = read.read_log(lines, name="log", root=REPO)
    assert [one.path for one in found.findings] == ["/elsewhere/gone.go", "cmd/server/main.go"]
    assert read.unmapped(found, REPO) == ("/elsewhere/gone.go",)
    mapped = read.read_log(lines, name="log", root=REPO, path_map=PathMap.parse(["/elsewhere=pkg"]))
    assert [one.path for one in mapped.findings] == ["cmd/server/main.go", "pkg/gone.go"]


def test_sarif_is_complete_and_valid() -> None:
    found = merge(read.read_paths([DATA / name], root=REPO) for name in ("golangci-v2.txt", "buildkit-check.json"))
    odd = Finding("a dir/\u00e9#?%.go", None, None, None, None, "notice", "r", "", "odd tool")
    absolute = Finding("/elsewhere/x.go", 5, None, 7, None, "error", "r", "m", "odd tool")
    document = json.loads(sarif.dumps(merge([found, FindingReport((odd, absolute))])))
    assert document["version"] == "2.1.0"
    runs = {run["tool"]["driver"]["name"]: run for run in document["runs"]}
    assert list(map(len, (runs[name]["results"] for name in ("golangci-lint", "buildkit", "odd tool")))) == [10, 6, 2]
    for run in runs.values():
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        assert len(rules) == len(set(rules))
        for result in run["results"]:
            assert rules[result["ruleIndex"]] == result["ruleId"]
            assert result["message"]["text"]
            assert result["level"] in {"error", "warning", "note"}
    first = runs["golangci-lint"]["results"][0]["locations"][0]["physicalLocation"]
    assert first == {
        "artifactLocation": {"uri": "cmd/server/main.go", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 1, "startColumn": 1},
    }
    far, whole = [result["locations"][0]["physicalLocation"] for result in runs["odd tool"]["results"]]
    assert whole == {"artifactLocation": {"uri": "a%20dir/%C3%A9%23%3F%25.go", "uriBaseId": "%SRCROOT%"}}
    assert far == {"artifactLocation": {"uri": "file:///elsewhere/x.go"}, "region": {"startLine": 5, "endLine": 7}}
    assert json.loads(sarif.dumps(FindingReport()))["runs"][0]["results"] == []


def test_more_findings_than_the_limit_are_a_problem(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("".join(f"a.go:{line}:1: m (x)\n" for line in range(1, 20)))
    found = read.read_paths([tmp_path / "l.txt"], limits=Limits(findings=5))
    assert (len(found.findings), [problem.kind for problem in found.problems]) == (5, ["limit"])


FILES = [file.read_bytes() for file in sorted(DATA.iterdir()) if file.is_file()]


def through_every_reader(data: bytes) -> None:
    head = Head(data[:65536], decode(data[:65536]))
    mapper = PathMapper(None, Path("/nonexistent"))
    for reader in read.READERS:
        reader.sniff(head)
        items = list(reader.read(io.BytesIO(data), Source("x", mapper)))
        findings = [item for item in items if isinstance(item, Finding)]
        assert all(isinstance(item, Finding | Problem) for item in items)
        assert all(one.line is None or one.line > 0 for one in findings)
        sarif.dumps(FindingReport(tuple(findings))).decode("utf-8")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    through_every_reader(data)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_real_reports_that_were_damaged(file: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(file)))
    end = data.draw(st.integers(start, min(len(file), start + 100)))
    through_every_reader(file[:start] + data.draw(st.binary(max_size=20)) + file[end:])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["Issues", "Pos", "Line", "Column", "Text", "FromLinter", "LineRange", "To", "Report", "Error", "warnings", "sources",
                         "location", "ranges", "start", "end", "line", "target", "check", "build", "context", "dockerfile", "buildError",
                         "message", "sourceIndex", "filename", "data", "url", "ruleName"]),
        inner,
        max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(JSON)
def test_any_json(document: object) -> None:
    through_every_reader(json.dumps(document).encode())
    through_every_reader(json.dumps({"Issues": document, "Report": document}).encode())
    through_every_reader(json.dumps({"warnings": document, "sources": document, "buildError": document}).encode())
