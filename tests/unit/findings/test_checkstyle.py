"""Checkstyle's XML, as Checkstyle and other tools wrote it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.reader import Limits

DATA = Path(__file__).parents[2] / "data" / "findings" / "checkstyle"
NOWHERE = Path("/nonexistent")


@pytest.mark.parametrize(
    ("name", "tool", "severities", "place", "rules"),
    [
        ("checkstyle", "checkstyle", {"warning": 10}, ("/src/java/src/Shop.java", 1, 17), {"AvoidStarImport", "RightCurlyAlone"}),
        ("eslint", "eslint", {"error": 8, "warning": 2}, ("/src/web/a.js", 1, 7), {"semi", "eqeqeq", "parsing-error"}),
        ("golangci-v1", "golangci-lint", {"error": 6, "warning": 1, "notice": 3}, ("cmd/server/main.go", 8, 6), {"unused"}),
        ("golangci-v2", "golangci-lint", {"error": 7, "warning": 5, "notice": 2}, ("cmd/server/main.go", 1, 1), {"errcheck"}),
        ("hadolint", "hadolint", {"error": 2, "warning": 5, "notice": 2}, ("Dockerfile", 1, 1), {"DL3006", "SC2086"}),
        ("shellcheck", "shellcheck", {"error": 3, "warning": 2, "notice": 4}, ("broken.sh", 2, 1), {"SC2086"}),
        ("phpcs", "phpcs", {"error": 8}, ("/src/php/shop.php", 1, 1), {"PSR12.Files.FileHeader.SpacingAfterBlock"}),
    ],
)  # fmt: skip
def test_what_real_tools_wrote(
    name: str, tool: str, severities: dict[str, int], place: tuple[str, int, int], rules: set[str]
) -> None:
    found = read.read_paths([DATA / f"{name}.xml"], root=NOWHERE)
    assert found.problems == ()
    assert Counter(one.severity for one in found.findings) == severities
    assert {one.tool for one in found.findings} == {tool}
    assert (found.findings[0].path, found.findings[0].line, found.findings[0].column) == place
    assert rules <= {one.rule for one in found.findings}


def test_a_message_does_not_repeat_its_rule() -> None:
    found = read.read_paths([DATA / "eslint.xml"], root=NOWHERE)
    assert found.findings[1].message == "Missing semicolon."


def written(text: str, tmp_path: Path, limits: Limits | None = None) -> FindingReport:
    (tmp_path / "c.xml").write_text(text)
    return read.read_paths([tmp_path / "c.xml"], root=NOWHERE, limits=limits)


@pytest.mark.parametrize(
    ("source", "tool", "rule"),
    [
        ("standard:no-wildcard-imports", "ktlint", "standard:no-wildcard-imports"),
        ("detekt.style.MagicNumber", "detekt", "style.MagicNumber"),
        ("stylelint.rules.block-no-empty", "stylelint", "block-no-empty"),
        ("com.puppycrawl.tools.checkstyle.Layout/LineLength", "rubocop", "Layout/LineLength"),
        ("com.puppycrawl.tools.checkstyle.checks.TodoCommentCheck", "checkstyle", "TodoComment"),
        ("errcheck", "checkstyle", "errcheck"),
        ("", "checkstyle", "parsing-error"),
    ],
)
def test_whose_finding_it_is(source: str, tool: str, rule: str, tmp_path: Path) -> None:
    found = written(f'<checkstyle><file name="a"><error line="1" source="{source}"/></file></checkstyle>', tmp_path)
    assert [(one.tool, one.rule, one.severity) for one in found.findings] == [(tool, rule, "error")]


def test_a_file_that_could_not_be_checked_is_a_problem(tmp_path: Path) -> None:
    text = (
        '<checkstyle><file name="A.java"><exception>\n<![CDATA[\nboom: at 3\n  at x]]></exception></file></checkstyle>'
    )
    found = written(text, tmp_path)
    assert [(one.kind, one.reason) for one in found.problems] == [
        ("inconsistent", "A.java was not checked: boom: at 3")
    ]
    told = read.read_paths([DATA / "checkstyle-broken.xml"], root=NOWHERE)
    assert [(one.path, one.severity) for one in told.findings] == [
        ("/src/java/src/Broken.java", "error"),
        ("/src/java/src/Shop.java", "error"),
    ]


def test_odd_files(tmp_path: Path) -> None:
    whole = Finding("a", None, None, None, None, "warning", "r", "m", "checkstyle")
    for line in ("0", "-1", "x", "99999999999", ""):
        text = f'<checkstyle><file name="a"><error line="{line}" column="2" severity="warning" message="m" source="r"/></file></checkstyle>'
        assert written(text, tmp_path).findings == (whole,)
    assert written('<checkstyle version="4.3"/>', tmp_path) == FindingReport()
    cut = written('<checkstyle><file name="a"><error line="1" source="r"/><error line="2', tmp_path)
    assert (len(cut.findings), [problem.kind for problem in cut.problems]) == (1, ["unreadable"])
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa">]><checkstyle><file name="&a;"/></checkstyle>'
    assert [problem.kind for problem in written(bomb, tmp_path).problems] == ["unreadable"]
    deep = "<checkstyle>" + "<file>" * 50
    assert [problem.kind for problem in written(deep, tmp_path, Limits(depth=10)).problems] == ["limit"]


def test_an_error_that_names_no_source(tmp_path: Path) -> None:
    found = written('<checkstyle><file name="a.php"><error line="1" severity="warning"/></file></checkstyle>', tmp_path)
    assert [(one.tool, one.rule, one.severity) for one in found.findings] == [("checkstyle", "warning", "warning")]
