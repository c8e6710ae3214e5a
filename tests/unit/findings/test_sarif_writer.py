"""What is written for GitHub's code scanning, key by key, and what its limits leave of it."""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.findings import sarif
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.problem import Problem

NOWHERE = Path("/nonexistent")


def finding(number: int, severity: str = "error", **fields: object) -> Finding:
    base = Finding("a.py", number, None, None, None, "error", "R", f"m{number}", "t")
    return replace(base, severity=severity, **fields)  # type: ignore[arg-type]


def runs(*findings: Finding, problems: tuple[Problem, ...] = (), limits: sarif.Limits | None = None) -> list[Any]:
    made = sarif.build(FindingReport(findings, problems), root=NOWHERE, limits=limits)
    return list(json.loads(made.data)["runs"])


def fingerprint(rule: str, path: str, text: str) -> str:
    return hashlib.sha256(f"{rule}\0{path}\0{text}".encode()).hexdigest()[:32]


def test_a_whole_document() -> None:
    some = (
        Finding("cmd/main.go", 3, 7, 4, 2, "warning", "no-eval", "do not", "lint", "https://e.org/no eval"),
        Finding("", None, None, None, None, "notice", "style", "", "lint"),
    )
    title = {"text": "lint: no-eval"}
    style = {"text": "lint: style"}
    assert json.loads(sarif.dumps(FindingReport(some), root=NOWHERE)) == {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "lint",
                        "rules": [
                            {
                                "id": "no-eval",
                                "shortDescription": title,
                                "fullDescription": title,
                                "help": {
                                    "text": "no-eval is a rule of lint. It is described at https://e.org/no%20eval"
                                },
                                "defaultConfiguration": {"level": "warning"},
                                "helpUri": "https://e.org/no%20eval",
                            },
                            {
                                "id": "style",
                                "shortDescription": style,
                                "fullDescription": style,
                                "help": {"text": "style is a rule of lint."},
                                "defaultConfiguration": {"level": "note"},
                            },
                        ],
                    }
                },
                "automationDetails": {"id": "ci-buildkit/lint/"},
                "columnKind": "unicodeCodePoints",
                "results": [
                    {
                        "ruleId": "no-eval",
                        "ruleIndex": 0,
                        "level": "warning",
                        "message": {"text": "do not"},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": "cmd/main.go", "uriBaseId": "%SRCROOT%"},
                                    "region": {"startLine": 3, "startColumn": 7, "endLine": 4, "endColumn": 2},
                                }
                            }
                        ],
                        "partialFingerprints": {
                            "ciBuildkitSourceLine/v1": f"{fingerprint('no-eval', 'cmd/main.go', 'do not')}:1"
                        },
                    },
                    {
                        "ruleId": "style",
                        "ruleIndex": 1,
                        "level": "note",
                        "message": {"text": "style"},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": "no%20file%20is%20named", "uriBaseId": "%SRCROOT%"}
                                }
                            }
                        ],
                        "partialFingerprints": {"ciBuildkitSourceLine/v1": f"{fingerprint('style', '', '')}:1"},
                        "properties": {"ci-buildkit/no-path": True},
                    },
                ],
            }
        ],
    }


def test_the_document_is_indented_and_ends_with_a_newline() -> None:
    text = sarif.dumps(FindingReport((finding(1),)), root=NOWHERE).decode()
    assert text.startswith('{\n  "$schema": ')
    assert text.endswith("\n}\n")


def test_a_report_without_findings_and_one_with_problems_have_a_run_of_our_own() -> None:
    own = {
        "tool": {"driver": {"name": "ci-buildkit", "rules": []}},
        "automationDetails": {"id": "ci-buildkit/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": []}],
        "results": [],
    }
    assert runs() == [own]
    note = {"level": "error", "message": {"text": "l.json: is cut off"}}
    wrong = {"executionSuccessful": False, "toolExecutionNotifications": [note]}
    assert runs(problems=(Problem("l.json", "unreadable", "is cut off"),)) == [{**own, "invocations": [wrong]}]
    assert [run["tool"]["driver"]["name"] for run in runs(finding(1))] == ["t"]
    assert [run["tool"]["driver"]["name"] for run in runs(finding(1, tool=""))] == ["ci-buildkit"]


@pytest.mark.parametrize(("count", "last"), [(1000, "x: 999"), (1001, "and 1 more problems")])
def test_a_thousand_problems_are_told(count: int, last: str) -> None:
    (run,) = runs(problems=tuple(Problem("x", "empty", str(number)) for number in range(count)))
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert len(notes) == count
    assert notes[999]["message"]["text"] == "x: 999"
    assert notes[-1]["message"]["text"] == last


def test_a_rule_is_listed_once_with_its_most_severe_level_and_the_first_address() -> None:
    some = (
        finding(1, "notice", url="https://e.org/late"),
        finding(2, "error"),
        finding(3, "warning", url="https://e.org/first"),
        finding(4, "error", rule="S"),
    )
    (run,) = runs(*some)
    rules = run["tool"]["driver"]["rules"]
    assert [(rule["id"], rule["defaultConfiguration"]["level"], rule.get("helpUri")) for rule in rules] == [
        ("R", "error", "https://e.org/first"),
        ("S", "error", None),
    ]
    assert rules[0]["help"]["text"] == "R is a rule of t. It is described at https://e.org/first"
    assert [(one["ruleId"], one["ruleIndex"], one["level"]) for one in run["results"]] == [
        ("R", 0, "error"), ("S", 1, "error"), ("R", 0, "warning"), ("R", 0, "note"),
    ]  # fmt: skip


def test_results_alike_are_numbered() -> None:
    (run,) = runs(finding(7, message="see line 7"), finding(8, message="see line 8"), finding(9))
    prints = [one["partialFingerprints"]["ciBuildkitSourceLine/v1"] for one in run["results"]]
    same = fingerprint("R", "a.py", "see line N")
    assert prints == [f"{same}:1", f"{same}:2", f"{fingerprint('R', 'a.py', 'm9')}:1"]


def test_a_path_that_is_no_text_can_be_written() -> None:
    (run,) = runs(finding(1, path="a\udc80.py"))
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%3F.py"


@pytest.mark.parametrize(
    ("path", "uri", "relative"),
    [
        ("a b/c.py", "a%20b/c.py", True),
        ("a:b.py", "a%3Ab.py", True),
        ("~a!$&'()*+,;=@.py", "~a!$&'()*+,;=@.py", True),
        ("a?b#c%41.py", "a%3Fb%23c%2541.py", True),
        ("é.py", "%C3%A9.py", True),
        ("/src/a b.py", "file:///src/a%20b.py", False),
        ("C:/src/a:b.py", "file:///C:/src/a%3Ab.py", False),
        ("src/C:/a.py", "src/C%3A/a.py", True),
        ("Xa/XX.py", "Xa/XX.py", True),
        ("a..b/c.py", "a..b/c.py", True),
        # What leads out of the repository is not said to be in it.
        ("src/../../a.py", "src/../../a.py", False),
    ],
)
def test_a_path_is_a_uri_reference(path: str, uri: str, relative: bool) -> None:
    (run,) = runs(finding(1, path=path))
    base = {"uriBaseId": "%SRCROOT%"} if relative else {}
    assert run["results"][0]["locations"] == [
        {"physicalLocation": {"artifactLocation": {"uri": uri, **base}, "region": {"startLine": 1}}}
    ]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("see [x](https://e.org) or C:\\a", "see \\[x\\](https://e.org) or C:\\\\a"),
        ("takes [a] (b) or C:\\a", "takes [a] (b) or C:\\a"),
    ],
)
def test_a_message_has_no_link(message: str, text: str) -> None:
    (run,) = runs(finding(1, message=message))
    assert run["results"][0]["message"] == {"text": text}


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("http://e.org/a?b=%20#c", "http://e.org/a?b=%20#c"),
        ("https://e.org/\udc80", "https://e.org/%EF%BF%BD"),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_only_pages_of_the_web_are_named(url: str, written: str | None) -> None:
    (run,) = runs(finding(1, url=url))
    assert run["tool"]["driver"]["rules"][0].get("helpUri") == written


def test_a_line_of_no_file_is_none() -> None:
    (run,) = runs(finding(5, path=""))
    (place,) = run["results"][0]["locations"]
    assert place["physicalLocation"].keys() == {"artifactLocation"}


def test_as_many_results_of_a_tool_as_github_takes() -> None:
    limits = sarif.Limits(results=2, shown=2)
    made = sarif.build(FindingReport((finding(1), finding(2))), root=NOWHERE, limits=limits)
    assert made.left_out == ()
    assert "invocations" not in json.loads(made.data)["runs"][0]
    made = sarif.build(FindingReport((finding(1, "notice"), finding(2), finding(3))), root=NOWHERE, limits=limits)
    told = "1 of 3 findings of t are left out, the least severe: GitHub takes no more"
    assert made.left_out == (Problem("ci-buildkit", "limit", told),)
    (run,) = json.loads(made.data)["runs"]
    assert [one["message"]["text"] for one in run["results"]] == ["m2", "m3"]
    assert run["invocations"] == [
        {
            "executionSuccessful": True,
            "toolExecutionNotifications": [{"level": "error", "message": {"text": told}}],
        }
    ]


def test_more_results_than_github_shows_are_a_note() -> None:
    some = [finding(number) for number in range(1, 1203)]
    (run,) = runs(*some, limits=sarif.Limits(shown=1201))
    text = "GitHub shows 1,201 of these 1,202 findings, the most severe"
    assert run["invocations"] == [
        {"executionSuccessful": True, "toolExecutionNotifications": [{"level": "note", "message": {"text": text}}]}
    ]
    (run,) = runs(*some, limits=sarif.Limits(results=5, shown=6))
    assert [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]] == [
        "1,197 of 1,202 findings of t are left out, the least severe: GitHub takes no more"
    ]


def test_the_limits_are_those_that_github_publishes() -> None:
    assert sarif.Limits() == sarif.Limits(runs=20, results=25_000, shown=5_000, gzip=10_000_000)


def names(of: list[Any]) -> list[str]:
    return [run["tool"]["driver"]["name"] for run in of]


def test_as_many_tools_as_github_takes_runs() -> None:
    three = [finding(number, tool=f"t{number}") for number in (1, 2, 3)]
    limits = sarif.Limits(runs=3)
    assert names(runs(*three, limits=limits)) == ["t1", "t2", "t3"]
    # Our own run, which tells problems, is one of them: the tool with the least findings has none.
    problem = Problem("x", "empty", "no")
    some = (*three, finding(4, tool="t1"), finding(5, tool="t3"))
    found = runs(*some, problems=(problem,), limits=limits)
    assert names(found) == ["t1", "t3", "ci-buildkit"]
    assert [note["message"]["text"] for note in found[-1]["invocations"][0]["toolExecutionNotifications"]] == [
        "x: no",
        "1 of 1 findings of t2 are left out, the least severe: GitHub takes no more",
    ]
    # The most severe finding counts before how many there are.
    many = [finding(number, "warning", tool="many") for number in range(1, 9)]
    found = runs(*many, *(finding(9, tool=f"e{number}") for number in range(3)), limits=limits)
    assert names(found) == ["e0", "e1", "ci-buildkit"]
    assert found[-1]["invocations"][0]["executionSuccessful"] is True


def test_a_document_of_the_greatest_size_is_whole_and_a_larger_one_is_cut_to_nearly_it() -> None:
    report = FindingReport(tuple(finding(number) for number in range(1, 400)))
    whole = sarif.build(report, root=NOWHERE)
    size = len(zlib.compress(whole.data))
    assert sarif.build(report, root=NOWHERE, limits=sarif.Limits(gzip=size)) == whole
    for limit in (size - 1, size // 2, size // 5):
        cut = sarif.build(report, root=NOWHERE, limits=sarif.Limits(gzip=limit))
        assert limit * 0.5 < len(zlib.compress(cut.data)) <= limit
        kept = [one["message"]["text"] for one in json.loads(cut.data)["runs"][0]["results"]]
        assert kept == [f"m{number}" for number in range(1, len(kept) + 1)]
        assert [problem.reason for problem in cut.left_out] == [
            f"{399 - len(kept)} of 399 findings of t are left out, the least severe: GitHub takes no more"
        ]


def test_lines_of_source_are_those_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\n  x  =  1\n")
    (run,) = json.loads(sarif.dumps(FindingReport((finding(2),)), root=tmp_path))["runs"]
    line = hashlib.sha256(b"x = 1").hexdigest()[:16]
    assert run["results"][0]["partialFingerprints"] == {
        "ciBuildkitSourceLine/v1": f"{fingerprint('R', 'a.py', line)}:1"
    }


def test_what_was_left_out_is_told_of_the_file_that_was_written(tmp_path: Path) -> None:
    file = tmp_path / "out" / "f.sarif"
    (tmp_path / "a.py").write_text("x = 1\n")
    report = FindingReport(tuple(finding(1, tool=f"t{number:02}") for number in range(21)))
    lost = "1 of 1 findings of t{} are left out, the least severe: GitHub takes no more"
    assert sarif.write(report, file, root=tmp_path) == (
        Problem("f.sarif", "limit", lost.format(19)),
        Problem("f.sarif", "limit", lost.format(20)),
    )
    assert file.read_bytes() == sarif.dumps(report, root=tmp_path) != sarif.dumps(report, root=NOWHERE)
    assert sarif.write(FindingReport(), file) == ()
    assert file.read_bytes() == sarif.dumps(FindingReport())
