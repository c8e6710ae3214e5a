"""Test stages whose failure is lost."""

from __future__ import annotations

import pytest

from .conftest import Diagnose


def stage(run: str, gather: str = "") -> str:
    return f"FROM golang:1.26 AS test\nRUN {run}\n" + (f"FROM scratch AS test-results\n{gather}\n" if gather else "")


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ("go test ./... || true", "`|| true`"), ("go test ./... || :", "`|| :`"), ("go test ./... || exit 0", "`|| exit 0`"),
        ("pytest tests || echo failed", "`|| echo failed`"), ("pytest; true", "ends with `true`"), ("cargo test ; exit 0", "`exit 0`"),
        ("go test ./... | tee /log", "here tee"), ("go test ./... 2>&1 | cat", "here cat"),
        ("cd x && go test ./... || true", "`|| true`"),
    ],
)  # fmt: skip
def test_a_step_that_is_always_green_is_an_error(diagnose: Diagnose, run: str, why: str) -> None:
    (one,) = diagnose(stage(run), "false-green")
    assert (one.line, one.severity) == (2, "error")
    assert why in one.message
    assert "exit-code" in one.message


@pytest.mark.parametrize(
    "run",
    ["go test -json ./... > /out/x.json || true", "go test -v ./... | go-junit-report > /out/junit.xml", "pytest --junitxml=/o/j.xml || true"],
)  # fmt: skip
def test_with_a_report_it_is_a_warning(diagnose: Diagnose, run: str) -> None:
    assert [one.severity for one in diagnose(stage(run), "false-green")] == ["warning"]


def test_elsewhere_than_in_a_test_stage_it_is_a_warning(diagnose: Diagnose) -> None:
    text = "FROM golang:1.26\nRUN go test ./... || true\n"
    assert [one.severity for one in diagnose(text, "false-green")] == ["warning"]


@pytest.mark.parametrize(
    "run",
    [
        "{ go test -json ./...; echo $? > /out/exit-code; } | tee /out/x.json", "go test ./...", "go test ./... && true",
        "set -o pipefail; go test ./... | tee /log", "set -eo pipefail && go test ./... | tee /log", "go test ./... || exit 1",
        "set -e; go test ./...; echo done", "go test -v ./... | go-junit-report -set-exit-code > /out/j.xml",
        "gotestsum --version || true", "apt-get update || true; go test ./...", "go test -run XXX ./... || true",
        "go test ./... || { code=$?; echo $code > /out/exit-code; }", "go test ./... | grep -v noise",
    ],
)  # fmt: skip
def test_a_step_that_fails_or_keeps_its_exit_code_is_left_alone(diagnose: Diagnose, run: str) -> None:
    assert diagnose(stage(run), "false-green") == []


def test_a_shell_that_is_strict_counts(diagnose: Diagnose) -> None:
    shell = 'FROM golang:1.26 AS test\nSHELL ["/bin/bash", "-eo", "pipefail", "-c"]\nRUN go test ./... | tee /log\nRUN pytest; echo x\n'
    assert diagnose(shell, "false-green") == []


GATHER = "COPY --from=test /out/ /"


@pytest.mark.parametrize(
    ("run", "fix"),
    [
        ("go test -json ./...", "RUN mkdir -p /out; { go test -json ./...; echo $? > /out/exit-code; }"),
        ("go test -json ./... > /out/x.json", "RUN mkdir -p /out; { go test -json ./... > /out/x.json; echo $? > /out/exit-code; }"),
        ("--mount=target=. go test -v ./...", "RUN --mount=target=. mkdir -p /out; { go test -v ./...; echo $? > /out/exit-code; }"),
        ("mkdir /out && go test -json ./... > /out/x.json", None), ("go test -json \\\n  ./...", None),
    ],
)  # fmt: skip
def test_results_that_a_failing_test_never_lets_out(diagnose: Diagnose, run: str, fix: str | None) -> None:
    (one,) = diagnose(stage(run, GATHER), "lost-results")
    assert (one.line, one.severity, one.fix, one.safe) == (2, "warning", fix, False)
    assert "/out/exit-code" in one.message


def test_a_single_file_would_need_a_second_copy(diagnose: Diagnose) -> None:
    (one,) = diagnose(stage("go test -json ./... > /o/x.json", "COPY --from=test /o/x.json /"), "lost-results")
    assert "/o/exit-code" in one.message
    assert "once that is copied too" in one.message


@pytest.mark.parametrize(
    ("run", "gather"),
    [
        ("{ go test -json ./...; echo $? > /out/exit-code; } > /out/x.json", GATHER), ("go test -json ./...", ""),
        ("go test -json ./...", "COPY --from=alpine:3 /out/ /"), ("make build", GATHER),
    ],
)  # fmt: skip
def test_results_that_are_kept_or_not_gathered_are_left_alone(diagnose: Diagnose, run: str, gather: str) -> None:
    assert diagnose(stage(run, gather), "lost-results") == []


@pytest.mark.parametrize(
    ("run", "advice"),
    [
        ("go test ./...", "go test -json"), ("pytest -q", "--junitxml"), ("gotestsum ./...", "--junitfile"), ("cargo test", "nextest"),
        ("dotnet test", "--logger trx"), ("vendor/bin/phpunit", "--log-junit"), ("bundle exec rspec", "--format json"),
        ("ctest", "--output-junit"), ("uv run pytest", "--junitxml"), ("python -m pytest", "--junitxml"), ("coverage run -m pytest", "--junitxml"),
    ],
)  # fmt: skip
def test_tests_without_a_report(diagnose: Diagnose, run: str, advice: str) -> None:
    (one,) = diagnose(stage(run), "no-test-report")
    assert (one.line, one.severity) == (2, "warning")
    assert advice in one.message


@pytest.mark.parametrize(
    "run",
    [
        "go test -json ./...", "go test -v ./...", "go test ./... | go-junit-report > x", "pytest --junit-xml=/o/x.xml", "npm test",
        "mvn verify", "./gradlew test", "make test", "go test $FLAGS ./...", "pytest && coverage xml -o /out/coverage.xml",
        "gotestsum --jsonfile /o/x", "cargo nextest run", "jest", "go test -c -o /x .", "pytest --version", "tox", "go vet ./...",
        "cargo test --no-run",
    ],
)  # fmt: skip
def test_a_report_or_a_tool_that_may_write_one_is_enough(diagnose: Diagnose, run: str) -> None:
    assert diagnose(stage(run), "no-test-report") == []


def test_a_setting_of_the_tool_or_another_stage_is_enough(diagnose: Diagnose) -> None:
    assert diagnose(stage("pytest"), "no-test-report", settings="addopts = --junitxml=out.xml") == []
    assert diagnose("FROM golang:1.26 AS build\nRUN go test ./...\n", "no-test-report") == []
    assert (
        len(diagnose("FROM golang:1.26 AS proof\nRUN go test ./...\n", "no-test-report", test_target=("proof",))) == 1
    )
