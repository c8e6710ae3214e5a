"""What BuildKit and bake say beyond our own rules. The answers are real ones of BuildKit 0.33 and buildx 0.38."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.doctor.checks import Checks, Question, beyond, unasked
from ci_buildkit.doctor.diagnosis import Diagnosis, Severity


def warning(rule: str, line: int, detail: str = "detail") -> dict[str, Any]:
    place = {"start": {"line": line}, "end": {"line": line}}
    return {"ruleName": rule, "description": "about", "detail": detail, "location": {"ranges": [place]}}


def answer(*warnings: dict[str, Any], error: str = "", line: int = 1) -> dict[str, Any]:
    """As `--call=check,format=json` answers."""
    place = {"start": {"line": line}, "end": {"line": line}}
    failed = {"buildError": {"message": error, "location": {"ranges": [place]}}} if error else {}
    return {"warnings": list(warnings) or None, "sources": [{"filename": "Dockerfile", "data": ""}], **failed}


def told(rule: str, line: int, severity: Severity = "warning") -> Diagnosis:
    return Diagnosis("sub/Dockerfile", line, rule, severity, "ours")


def asked(*ours: Diagnosis) -> Question:
    return Question("sub/Dockerfile", "sub", ours)


def test_a_check_is_told_with_its_own_name() -> None:
    found = list(beyond(answer(warning("FromAsCasing", 3, "'as' and 'FROM' keywords' casing do not match")), asked()))
    assert found == [
        Diagnosis("sub/Dockerfile", 3, "FromAsCasing", "warning", "'as' and 'FROM' keywords' casing do not match")
    ]


@pytest.mark.parametrize(
    ("rule", "ours"),
    [
        ("DuplicateStageName", "duplicate-stage"), ("SecretsUsedInArgOrEnv", "secret-in-image"),
        ("UndefinedArgInFrom", "undeclared-from"), ("UndefinedVar", "misspelt-variable"),
    ],
)  # fmt: skip
def test_nothing_is_told_twice(rule: str, ours: str) -> None:
    assert list(beyond(answer(warning(rule, 3)), asked(told(ours, 3)))) == []
    assert len(list(beyond(answer(warning(rule, 3)), asked(told(ours, 4))))) == 1
    assert len(list(beyond(answer(warning("Other", 3)), asked(told(ours, 3))))) == 1


def test_a_line_with_an_error_of_ours_needs_no_more() -> None:
    assert list(beyond(answer(warning("InvalidDefaultArgInFrom", 3)), asked(told("unknown-stage", 3, "error")))) == []


def test_an_error_is_told_where_we_saw_none() -> None:
    said = answer(error="dockerfile parse error on line 2: unknown flag", line=2)
    assert [(one.line, one.rule, one.severity) for one in beyond(said, asked())] == [(2, "BuildError", "error")]
    assert list(beyond(said, asked(told("unknown-flag", 5, "error")))) == []


@pytest.mark.parametrize(
    ("message", "severity"),
    [
        ("nox: failed to resolve source metadata for docker.io/library/nox:latest: docker.io/library/nox:latest: not found", "error"),
        ("a: failed to resolve source metadata for docker.io/library/a:1: failed to do request: Head \"https://x\": dial tcp: i/o timeout", "notice"),
        ("a: failed to resolve source metadata for x/a: pull access denied: failed to authorize: 401", "notice"),
        ("dockerfile parse error", "error"),
    ],
)  # fmt: skip
def test_a_registry_that_does_not_answer_says_nothing_against_the_file(message: str, severity: str) -> None:
    assert [one.severity for one in beyond(answer(error=message), asked())] == [severity]


def test_without_docker_that_is_said_once(tmp_path: Path) -> None:
    checks = Checks({"PATH": str(tmp_path)})
    questions = [asked(), asked()]
    assert checks.dockerfiles(tmp_path, questions) == []
    assert list(checks.bake(tmp_path, "docker-bake.hcl", [])) == []
    (one,) = unasked(checks.trouble)
    assert (one.path, one.rule, one.severity) == ("", "checks-not-run", "notice")
    assert "there is no `docker` command" in one.message
    assert not list(unasked(""))
