"""`ci-buildkit doctor` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.cli.main import main
from ci_buildkit.doctor import bake, rules

FLOATING = (
    'the image "alpine" has no tag, which means latest: what is built changes when the image does; '
    "name a version of alpine"
)
BAD = "FROM golagn:1.26 AS base\nRUN x\nFROM bas\nRUN y\n"


@pytest.fixture(autouse=True)
def _inside(folder: Path) -> None:
    """Each test has a working directory of its own."""


def problems(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, Any]]]:
    code = main(["doctor", *words, "--format", "json", "--no-environment"])
    return code, json.loads(capsys.readouterr().out)["problems"]


def test_json_has_the_keys_that_others_rely_on(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Dockerfile").write_text(BAD, encoding="utf-8")
    code, found = problems(capsys)
    assert code == 1
    assert found[1] == {
        "path": "Dockerfile", "line": 3, "rule": "unknown-stage", "severity": "error",
        "message": 'stage "bas" does not exist; did you mean "base"?', "fix": "FROM base",
    }  # fmt: skip


def test_text_is_grouped_by_file_with_fixes_beneath_and_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Dockerfile").write_text(BAD, encoding="utf-8")
    Path("b.Dockerfile").write_text("FROM alpine\n", encoding="utf-8")
    assert main(["doctor", "--no-environment"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "Dockerfile",
        'Dockerfile:1: error: there is no official image "golagn"; did you mean "golang"? [unknown-image]',
        "    = FROM golang:1.26 AS base",
        'Dockerfile:3: error: stage "bas" does not exist; did you mean "base"? [unknown-stage]',
        "    = FROM base",
        "",
        "b.Dockerfile",
        f"b.Dockerfile:1: notice: {FLOATING} [floating-image]",
        "",
        "2 errors, 1 notice; --fix mends 2 of them; looked at 2 Dockerfiles.",
    ]


def test_nothing_wrong_is_one_line_that_says_what_was_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--no-environment"]) == 0
    assert capsys.readouterr().out == "Nothing is wrong: there is no Dockerfile, bake file or workflow.\n"
    Path("Dockerfile").write_text("FROM alpine:3.22\n", encoding="utf-8")
    Path("docker-bake.hcl").write_text('target "default" {}\n', encoding="utf-8")
    assert main(["doctor", "--no-environment"]) == 0
    assert capsys.readouterr().out == "Nothing is wrong: looked at 1 Dockerfile, 1 bake file.\n"


def test_warnings_and_notices_are_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Dockerfile").write_text("FROM alpine\nARG TOKEN\n", encoding="utf-8")
    code, found = problems(capsys)
    assert (code, [one["severity"] for one in found]) == (0, ["notice", "warning"])


@pytest.mark.parametrize("words", [["nowhere"], ["nowhere/Dockerfile", "--fix"]])
def test_a_path_that_does_not_exist_is_wrong_usage(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["doctor", *words, "--no-environment"]) == 2
    assert "there is no file or folder nowhere" in capsys.readouterr().err


def test_fix_shows_a_diff_and_ends_with_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Dockerfile").write_text(BAD, encoding="utf-8")
    assert main(["doctor", "--fix", "--no-environment"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("--- Dockerfile\n+++ Dockerfile\n")
    assert "-FROM bas\n+FROM base\n" in out
    assert out.endswith("Nothing is wrong: looked at 1 Dockerfile.\n")
    assert Path("Dockerfile").read_text(encoding="utf-8") == BAD.replace("golagn", "golang").replace(
        "FROM bas\n", "FROM base\n"
    )


def test_fix_of_one_file_leaves_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("Dockerfile", "b.Dockerfile"):
        Path(name).write_text(BAD, encoding="utf-8")
    assert main(["doctor", "Dockerfile", "--fix", "--no-environment"]) == 0
    assert "golagn" in Path("b.Dockerfile").read_text(encoding="utf-8")
    assert "b.Dockerfile" not in capsys.readouterr().out


def test_with_json_the_diff_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Dockerfile").write_text(BAD, encoding="utf-8")
    assert main(["doctor", "--fix", "--format", "json", "--no-environment"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"problems": []}
    assert "+FROM base" in err


def test_what_a_file_says_is_no_command_and_no_terminal_control(capsys: pytest.CaptureFixture[str]) -> None:
    Path("Dockerfile").write_text("FROM alpine:3.22\nRUN x\n::error::y\n\x1b[31m##[add-path]/x\n", encoding="utf-8")
    assert main(["doctor", "--no-environment"]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "##[" not in out
    assert not [line for line in out.splitlines() if line.lstrip().startswith("::")]


def test_a_rule_has_a_name_of_its_own_and_says_what_it_is_about() -> None:
    of_dockerfiles = {rule.name: rule.about for rule in rules.RULES}
    of_bake_files = {rule.name: rule.about for rule in bake.RULES}
    assert (len(of_dockerfiles), len(of_bake_files)) == (len(rules.RULES), len(bake.RULES))
    every = {**of_dockerfiles, **of_bake_files}
    assert all(about.endswith(".") and name == name.lower() for name, about in every.items())
