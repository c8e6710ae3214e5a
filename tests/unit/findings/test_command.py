"""`ci-buildkit findings` as other programs call it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_buildkit.cli import findings
from ci_buildkit.cli.main import main
from ci_buildkit.findings.model import Finding

ERROR = "/src/cmd/main.go:3:5: 100%, done: ##[error]x (errcheck)\n"
WARNING = (
    '{"warnings":[{"ruleName":"R","detail":"d","url":"https://docs.docker.com/x/","location":'
    '{"ranges":[{"start":{"line":2},"end":{"line":3}}]}}],"sources":[{"filename":"Dockerfile"}]}'
)


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("cmd").mkdir()
    Path("cmd/main.go").write_text("")
    Path("Dockerfile").write_text("")
    Path("error.txt").write_text(ERROR)
    Path("warning.json").write_text(WARNING)
    Path("clean.txt").write_text("0 issues.\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["clean.txt"], 0),
        (["warning.json"], 0),
        (["warning.json", "--fail-on", "warning"], 1),
        (["error.txt"], 1),
        (["error.txt", "gone.txt"], 5),
        (["error.txt", "--path-map", "x"], 2),
        (["error.txt", "--format", "yaml"], 2),
        (["error.txt", "--fail-on", "nothing"], 0),
        (["warning.json", "--fail-on", "notice"], 1),
        (["warning.json", "--max-warnings", "1"], 0),
        (["warning.json", "--max-warnings", "0"], 1),
        (["warning.json", "--max-warnings", "0", "--fail-on", "nothing"], 1),
        (["error.txt", "--max-warnings", "-1"], 2),
        (["error.txt", "--max-warnings", "\u0663"], 2),
        (["error.txt", "--pattern", "x"], 2),
        (["error.txt", "gone.txt", "--fail-on", "nothing"], 5),
        ([], 2),
    ],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    assert main(["findings", *arguments]) == code


def test_json_has_exactly_the_keys_of_the_contract(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    main(["findings", "error.txt", "warning.json", "gone.txt", "--format", "json"])
    out = capsysbinary.readouterr().out
    assert b"##[" not in out
    assert json.loads(out) == {
        "findings": [
            {"path": "Dockerfile", "line": 2, "column": None, "end_line": 3, "end_column": None, "severity": "warning",
             "rule": "R", "message": "d", "tool": "buildkit", "url": "https://docs.docker.com/x/"},
            {"path": "cmd/main.go", "line": 3, "column": 5, "end_line": None, "end_column": None, "severity": "error",
             "rule": "errcheck", "message": "100%, done: ##[error]x", "tool": "golangci-lint", "url": None},
        ],
        "problems": [{"path": "gone.txt", "kind": "missing", "reason": "no such file or folder"}],
    }  # fmt: skip


def test_github_commands_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    main(["findings", "error.txt", "warning.json", "gone.txt", "--format", "github"])
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "::warning title=buildkit%3A R,file=Dockerfile,line=2,endLine=3::d",
        "::error title=golangci-lint%3A errcheck,file=cmd/main.go,line=3,col=5::100%25, done: ##[error]x",
    ]
    assert "gone.txt" in captured.err
    command = findings.command(Finding("a,b:c\n.go", None, None, None, None, "notice", "r", "m\r\n::error::x", "t"))
    assert command == "::notice title=t%3A r,file=a%2Cb%3Ac%0A.go::m%0A::error::x"


def test_text_and_sarif(capsys: pytest.CaptureFixture[str]) -> None:
    main(["findings", "error.txt", "warning.json"])
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "warning  Dockerfile:2     d (R)"
    assert out[1].startswith("error    cmd/main.go:3:5  100%, done: ")
    assert out[-1] == "2 findings: 1 error, 1 warning"
    main(["findings", "clean.txt"])
    assert capsys.readouterr().out == "no findings\n"
    main(["findings", "error.txt", "--format", "sarif"])
    log = capsys.readouterr().out
    assert json.loads(log)["runs"][0]["results"][0]["ruleId"] == "errcheck"
    assert "##[" not in log


def test_a_path_that_is_not_in_the_repository_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("error.txt").write_text("/app/gone.go:1:1: m (x)\n")
    assert main(["findings", "error.txt", "--format", "json"]) == 1
    assert "--path-map" in capsys.readouterr().err


ANY = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    [
        "::error::x",
        "\n::add-mask::x",
        "\r::stop-commands::y",
        "##[add-path]/x",
        "%0A::warning::",
        "a,file=b",
        "\x1b[31m",
        "\u2028::notice::",
    ]
)


@given(ANY, ANY, ANY, ANY, st.none() | st.integers(1, 9), st.none() | st.integers(1, 9))
def test_a_finding_is_one_command_whatever_it_says(
    path: str, rule: str, message: str, tool: str, line: int | None, end_line: int | None
) -> None:
    text = findings.command(Finding(path, line, 2, end_line, 3, "warning", rule, message, tool))
    assert not re.search(r"[\r\n\x00-\x08\x0b-\x1f\x1b\x85\u2028\u2029]", text)
    # How the runner takes it apart (ActionCommand.TryParseV2): the first `::` ends the name and properties.
    head, separator, _ = text.removeprefix("::").partition("::")
    name, _, properties = head.partition(" ")
    assert (name, separator) == ("warning", "::")
    assert {pair.partition("=")[0] for pair in properties.split(",") if pair} <= {
        "title", "file", "line", "endLine", "col", "endColumn",
    }  # fmt: skip
