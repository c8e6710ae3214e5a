"""Every rule that keeps a run from being green by mistake, and from blaming the wrong one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ci_buildkit.engine.progress import Progress
from ci_buildkit.findings.model import Finding
from ci_buildkit.pipeline import judge
from ci_buildkit.pipeline.judge import PASSED, Verdict
from ci_buildkit.problem import Problem
from ci_buildkit.results.model import TestReport, Totals

EXIT_1 = 'process "/bin/sh -c x" did not complete successfully: exit code: 1'


def progress(*steps: tuple[str, str, bool]) -> Progress:
    """A solve of steps: name, error, cached."""
    made = Progress()
    for number, (name, error, cached) in enumerate(steps):
        vertex = {"digest": str(number), "name": name, "error": error, "cached": cached}
        made.feed(json.dumps({"vertexes": [vertex]}).encode())
    return made


def report(passed: int = 0, failed: int = 0, errors: int = 0, problem: str = "") -> TestReport:
    """A test report with these counts."""
    totals = Totals(tests=passed + failed + errors, passed=passed, failed=failed, errors=errors)
    problems = (Problem("a.xml", "unreadable", problem),) if problem else ()
    return TestReport(problems=problems, totals=totals)


GREEN, RED, NONE = report(passed=3), report(passed=1, failed=1, errors=1), report()
RAN = progress(("[test 1/2] FROM x", "", True), ("[test 2/2] RUN go test", "", False))
BROKE = progress(("[test 2/2] RUN go test", EXIT_1, False))
EARLIER = progress(("[base 2/2] RUN go mod download", EXIT_1, False))


@pytest.mark.parametrize(
    ("returncode", "solve", "found", "recorded", "outcome", "code", "reason"),
    [
        # The build went well.
        (0, RAN, GREEN, None, "passed", 0, None),
        (0, RAN, GREEN, 0, "passed", 0, None),
        (0, RAN, RED, None, "failed", 1, "2 of 3 tests failed"),
        (0, RAN, RED, 0, "failed", 1, "2 of 3 tests failed"),
        (0, RAN, GREEN, 2, "failed", 1, "its reports show no failure, but the tests ended with exit code 2"),
        (0, RAN, NONE, 2, "failed", 1, "no test report was found, but the tests ended with exit code 2"),
        (0, RAN, NONE, None, "failed", 5, "no test results were found, neither files nor in the log"),
        (0, RAN, NONE, 0, "failed", 5, "no test results were found, neither files nor in the log"),
        (0, RAN, replace(GREEN, problems=report(problem="is stale").problems), 0, "failed", 5, "a.xml: is stale"),
        (0, RAN, replace(RED, problems=report(problem="is cut").problems), 0, "failed", 5, "a.xml: is cut"),
        # The tests' own RUN failed.
        (1, BROKE, RED, None, "failed", 1, "2 of 3 tests failed"),
        (
            1,
            BROKE,
            GREEN,
            None,
            "failed",
            1,
            "its reports show no failure, but [test 2/2] RUN go test ended with exit code 1",
        ),
        (
            1,
            BROKE,
            NONE,
            None,
            "failed",
            1,
            "no test report was found, but [test 2/2] RUN go test ended with exit code 1",
        ),
        # Something before it did: that is a failed build, whatever reports an earlier run left.
        (1, EARLIER, GREEN, 0, "error", 3, "[base 2/2] RUN go mod download ended with exit code 1"),
        (1, EARLIER, RED, 1, "error", 3, "[base 2/2] RUN go mod download ended with exit code 1"),
    ],
)
def test_a_test_stage(
    returncode: int, solve: Progress, found: TestReport, recorded: int | None, outcome: str, code: int, reason: str
) -> None:
    verdict = judge.tests(returncode, solve, "", ("test-results", "test"), found, recorded)
    assert (verdict.outcome, verdict.exit_code, verdict.reason) == (outcome, code, reason)


FINDING = Finding("a.go", 1, 2, None, None, "error", "errcheck", "x", "golangci-lint")
LINT = progress(("[lint 2/2] RUN golangci-lint run", EXIT_1, False))


@pytest.mark.parametrize(
    ("returncode", "solve", "findings", "outcome", "code", "reason"),
    [
        (0, progress(), 0, "passed", 0, None),
        (0, progress(), 2, "passed", 0, None),
        (1, LINT, 1, "failed", 1, "1 finding"),
        (1, LINT, 2, "failed", 1, "2 findings"),
        (
            1,
            LINT,
            0,
            "failed",
            1,
            "[lint 2/2] RUN golangci-lint run ended with exit code 1; no finding could be read from its log",
        ),
        (1, EARLIER, 1, "error", 3, "[base 2/2] RUN go mod download ended with exit code 1"),
        (1, progress(("[2/2] RUN lint", EXIT_1, False)), 1, "failed", 1, "1 finding"),
    ],
)
def test_a_lint_stage(
    returncode: int, solve: Progress, findings: int, outcome: str, code: int, reason: str | None
) -> None:
    verdict = judge.lint(returncode, solve, "", "lint", [FINDING] * findings)
    assert (verdict.outcome, verdict.exit_code, verdict.reason) == (outcome, code, reason)


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (EXIT_1, "ERROR: failed to solve", 3),
        (EXIT_1.replace("x", "curl: connection refused"), "", 3),
        ("failed to compute cache key: no such file", "", 3),
        ("error writing: no space left on device", "", 4),
        ("failed to push host/x: unexpected status from PUT request: 403 Forbidden", "", 4),
        ("dial tcp 127.0.0.1:5000: connect: connection refused", "", 4),
        ("", "ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF", 4),
        ("", "ERROR: failed to solve: dockerfile parse error on line 3: unknown instruction: FORM", 3),
        ("", "", 3),
    ],
)
def test_a_build_is_the_project_s_or_the_engine_s_trouble(error: str, text: str, code: int) -> None:
    verdict = judge.build(1, progress(("[a 2/2] RUN x", error, False)), text)
    assert (verdict.outcome, verdict.exit_code) == ("error", code)
    assert verdict.reason


def test_a_build_without_a_word_still_has_a_reason() -> None:
    assert judge.build(1, progress(), "\n").reason == "the build ended without a message"
    assert judge.build(1, progress(), "noise\nERROR: real\nmore noise").reason == "real"
    assert judge.build(0, progress(), "ERROR: x") == PASSED == Verdict("passed")


@pytest.mark.parametrize(
    ("steps", "replayed"),
    [
        ((), False),
        ((("[test 1/2] FROM x", "", True),), False),
        ((("[test 2/2] RUN t", "", True), ("[other 2/2] RUN t", "", False)), True),
        ((("[test 2/3] RUN t", "", True), ("[test 3/3] RUN t", "", False)), False),
        ((("[2/2] RUN t", "", True),), True),
    ],
)
def test_a_result_is_replayed_when_every_run_of_its_stages_was_cached(
    steps: tuple[tuple[str, str, bool], ...], replayed: bool
) -> None:
    assert judge.replayed(progress(*steps), ("test",)) is replayed
