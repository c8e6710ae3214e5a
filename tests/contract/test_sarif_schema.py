"""SARIF as OASIS's JSON schema wants it: ours, and what other tools wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from tests.scripts import script

from ci_buildkit.findings import read, sarif
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.problem import Problem

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "findings"
ODD = FindingReport(
    (
        Finding("", None, None, None, None, "error", "r", "", "t"),
        Finding("C:/a b/\u00e9#%.go", 3, None, 5, None, "notice", "r s", "m", "", "https://e.org/a b?c#d"),
        Finding("/abs/x", 1, 2, None, 3, "warning", "a/b", "\U0001f600", "t"),
    ),
    (Problem("x", "empty", "has no content"),),
)


@pytest.fixture(scope="module")
def schema() -> Draft4Validator:
    """Of the npm package that carries it."""
    tools = script("test_tools")
    folder = tools.npm_folder() / "node_modules/@microsoft/jest-sarif/lib/schemas"
    assert folder.is_dir(), "the npm packages of tests/npm are not installed: call bin/test_tools.py"
    return Draft4Validator(json.loads((folder / "sarif-2.1.0-rtm.5.json").read_text("utf-8")))


def wrong(schema: Draft4Validator, document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in schema.iter_errors(document)]


def test_every_report_that_we_write(schema: Draft4Validator) -> None:
    every = read.read_paths([DATA], root=DATA / "repo")
    assert len(every.findings) > 100
    for report in (every, FindingReport(), ODD):
        assert wrong(schema, json.loads(sarif.dumps(report))) == []
    some = sarif.build(every, limits=sarif.Limits(runs=3, results=5, shown=2))
    assert some.left_out
    assert wrong(schema, json.loads(some.data)) == []


def test_the_schema_refuses_what_is_wrong(schema: Draft4Validator) -> None:
    document = json.loads(sarif.dumps(ODD))
    document["runs"][0]["results"][0]["level"] = "notice"
    document["runs"][0]["results"][0]["line"] = 1
    assert len(wrong(schema, document)) == 2


def test_what_github_asks_for(schema: Draft4Validator) -> None:
    for run in json.loads(sarif.dumps(ODD))["runs"]:
        assert run["tool"]["driver"]["name"]
        assert all(one["locations"] and one["message"]["text"] and one["ruleId"] for one in run["results"])
        assert all(one["partialFingerprints"] for one in run["results"])
