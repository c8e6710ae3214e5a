"""Every rule that keeps a run from being green by mistake, and from blaming the wrong one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from ci_buildkit.config.levels import Level
from ci_buildkit.engine.progress import Progress, Step
from ci_buildkit.findings.model import Finding, FindingReport, Severity
from ci_buildkit.pipeline import judge
from ci_buildkit.pipeline.judge import PASSED, Seen, Verdict
from ci_buildkit.problem import Problem
from ci_buildkit.results.model import Case, Evidence, TestReport, Totals
from ci_buildkit.results.policy import Policy

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


FAILED = "[test 2/2] RUN go test ended with exit code"
KILLED = progress(("[test 2/2] RUN go test", EXIT_1.replace("code: 1", "code: 137"), False))
LISTED = "quarantined until 2030-01-31: the server is being replaced"


def excused(*reasons: str, passed: int = 0) -> TestReport:
    """A judged report with a failure for each reason; "" is a failure that counts."""
    cases = [
        Case("a.xml", "junit", "s", "c", f"f{n}", "failed", evidence=Evidence(quarantined=reason))
        for n, reason in enumerate(reasons)
    ]
    cases += [Case("a.xml", "junit", "s", "c", f"p{n}", "passed") for n in range(passed)]
    return TestReport(cases, totals=Totals(tests=len(cases), passed=passed, failed=len(reasons)))


NOTHING = Policy("nothing").judged(excused("", "", passed=7))


@pytest.mark.parametrize(
    ("returncode", "solve", "found", "recorded", "outcome", "code", "reason"),
    [
        (0, RAN, NOTHING, None, "passed", 0, "2 of 9 tests failed, which --fail-on tests=nothing lets pass"),
        (1, BROKE, NOTHING, None, "passed", 0, "2 of 9 tests failed, which --fail-on tests=nothing lets pass"),
        (0, RAN, NOTHING, 1, "passed", 0, "2 of 9 tests failed, which --fail-on tests=nothing lets pass"),
        (1, BROKE, excused(LISTED, passed=1), None, "passed", 0, "1 of 2 tests failed, which is quarantined"),
        (
            1, BROKE, Policy("nothing").judged(excused(LISTED, "", LISTED)), None, "passed", 0,
            "2 of 3 tests failed, which are quarantined; 1 of 3 tests failed, which --fail-on tests=nothing lets pass",
        ),
        (1, BROKE, excused(LISTED, "", passed=1), None, "failed", 1, "1 of 3 tests failed; 1 of 3 tests failed, which is quarantined"),
        # What is let pass does not explain this.
        (1, KILLED, NOTHING, None, "failed", 1, f"2 of 9 tests failed, which --fail-on tests=nothing lets pass, but {FAILED} 137"),
        (0, RAN, NOTHING, 124, "failed", 1, "2 of 9 tests failed, which --fail-on tests=nothing lets pass, but the tests ended with exit code 124"),
        (0, RAN, NOTHING, -9, "failed", 1, "2 of 9 tests failed, which --fail-on tests=nothing lets pass, but the tests ended with exit code -9"),
        (0, RAN, replace(NOTHING, problems=report(problem="is cut").problems), 0, "failed", 5, "a.xml: is cut"),
        (1, EARLIER, NOTHING, None, "error", 3, "[base 2/2] RUN go mod download ended with exit code 1"),
    ],
)  # fmt: skip
def test_failed_tests_that_do_not_count(
    returncode: int, solve: Progress, found: TestReport, recorded: int | None, outcome: str, code: int, reason: str
) -> None:
    verdict = judge.tests(returncode, solve, "", ("test",), found, recorded)
    assert (verdict.outcome, verdict.exit_code, verdict.reason) == (outcome, code, reason)


@pytest.mark.parametrize(
    ("returncode", "solve", "found", "recorded", "again"),
    [
        (0, RAN, RED, None, True),
        (0, RAN, RED, 1, True),
        (1, BROKE, RED, None, True),
        (1, BROKE, excused("", LISTED), None, True),
        (1, BROKE, GREEN, None, False),
        (1, BROKE, NONE, None, False),
        (0, RAN, GREEN, 1, False),
        (1, BROKE, NOTHING, None, False),
        (1, EARLIER, RED, None, False),
        (1, KILLED, RED, None, False),
        (0, RAN, RED, 137, False),
        (0, RAN, replace(RED, problems=report(problem="is cut").problems), None, False),
    ],
)
def test_only_failed_tests_are_worth_another_attempt(
    returncode: int, solve: Progress, found: TestReport, recorded: int | None, again: bool
) -> None:
    assert judge.only_tests_failed(returncode, solve, ("test",), found, recorded) is again


LINT = progress(("[lint 2/2] RUN golangci-lint run", EXIT_1, False))
LINTED = "[lint 2/2] RUN golangci-lint run ended with exit code 1"
OOM = progress(("[lint 2/2] RUN golangci-lint run", EXIT_1.replace("code: 1", "code: 137"), False))
CUT = (Problem("a.sarif", "unreadable", "is cut"),)


def seen(
    errors: int = 0,
    warnings: int = 0,
    notices: int = 0,
    known: int = 0,
    problems: tuple[Problem, ...] = (),
    **fields: Any,
) -> Seen:
    """What a lint stage left: so many findings of each severity."""
    counts: dict[Severity, int] = {"error": errors, "warning": warnings, "notice": notices}
    findings = tuple(
        Finding("a.go", 1, 2, None, None, severity, "r", "x", "golangci-lint")
        for severity, number in counts.items()
        for _ in range(number)
    )
    listed = (Finding("b.go", 1, 2, None, None, "error", "r", "x", "golangci-lint"),) * known
    return Seen(FindingReport(findings, problems, listed), **{"source": "log", **fields})


@pytest.mark.parametrize(
    ("level", "returncode", "solve", "found", "outcome", "code", "reason"),
    [
        # The linter's own exit code decides.
        ("failures", 0, progress(), seen(), "passed", 0, None),
        ("failures", 0, progress(), seen(2), "passed", 0, None),
        ("failures", 1, LINT, seen(1), "failed", 1, "1 finding"),
        ("failures", 1, LINT, seen(0, 1, 1), "failed", 1, "2 findings"),
        ("failures", 1, LINT, seen(source=None), "failed", 1, f"{LINTED}; no finding could be read from its log"),
        ("failures", 1, LINT, seen(source="recovered"), "failed", 1, f"{LINTED}; no finding could be read from its files"),
        ("failures", 1, EARLIER, seen(1), "error", 3, "[base 2/2] RUN go mod download ended with exit code 1"),
        ("failures", 1, progress(("[2/2] RUN lint", EXIT_1, False)), seen(1), "failed", 1, "1 finding"),
        ("failures", 1, LINT, seen(known=2), "passed", 0, "2 known findings, which the baseline lets pass"),
        ("failures", 1, LINT, seen(1, known=2), "failed", 1, "1 finding"),
        # What could not be read may be what the linter failed for.
        ("failures", 1, LINT, seen(known=2, problems=CUT), "failed", 5, "a.sarif: is cut"),
        ("failures", 0, progress(), seen(known=2, problems=CUT), "passed", 0, None),
        ("failures", 0, progress(), seen(problems=CUT), "passed", 0, None),
        ("failures", 1, LINT, seen(1, problems=CUT, source="recovered"), "failed", 1, "1 finding"),
        # An export, whose RUN had to succeed: the exit code that it recorded, else its own errors.
        ("failures", 0, progress(), seen(1, 1, source="export"), "failed", 1, "2 findings, 1 of which counts"),
        ("failures", 0, progress(), seen(0, 1, source="export"), "passed", 0, None),
        ("failures", 0, progress(), seen(1, source="export", exit_code=0), "passed", 0, None),
        ("failures", 0, progress(), seen(0, 1, source="export", exit_code=1), "failed", 1, "1 finding"),
        ("failures", 0, progress(), seen(source="export", exit_code=2), "failed", 1, "the linter ended with exit code 2; no finding could be read from its files"),
        ("failures", 0, progress(), seen(problems=CUT, source="export"), "failed", 5, "a.sarif: is cut"),
        # Only errors.
        ("errors", 0, progress(), seen(1), "failed", 1, "1 finding"),
        ("errors", 0, progress(), seen(0, 3), "passed", 0, None),
        ("errors", 1, LINT, seen(2, 3), "failed", 1, "5 findings, 2 of which count"),
        ("errors", 1, LINT, seen(0, 3), "passed", 0, "3 findings, which --fail-on lint=errors lets pass"),
        ("errors", 1, LINT, seen(0, 1, known=1), "passed", 0, "1 finding, which --fail-on lint=errors lets pass; 1 known finding, which the baseline lets pass"),
        ("errors", 1, LINT, seen(), "failed", 1, f"{LINTED}; no finding could be read from its log"),
        ("errors", 1, OOM, seen(0, 3), "failed", 1, f"{LINTED}37, which 3 findings cannot explain"),
        ("errors", 0, progress(), seen(0, 1, problems=CUT), "failed", 5, "a.sarif: is cut"),
        ("errors", 1, EARLIER, seen(0, 3), "error", 3, "[base 2/2] RUN go mod download ended with exit code 1"),
        # Warnings too.
        ("warnings", 0, progress(), seen(0, 1), "failed", 1, "1 finding"),
        ("warnings", 0, progress(), seen(0, 1, 2), "failed", 1, "3 findings, 1 of which counts"),
        ("warnings", 0, progress(), seen(0, 0, 2), "passed", 0, None),
        ("warnings", 1, LINT, seen(0, 0, 2), "failed", 1, "2 findings"),
        ("warnings", 1, LINT, seen(known=1), "passed", 0, "1 known finding, which the baseline lets pass"),
        ("warnings", 0, progress(), seen(problems=CUT), "failed", 5, "a.sarif: is cut"),
        # Nothing, that is nothing that is known.
        ("nothing", 0, progress(), seen(1), "passed", 0, None),
        ("nothing", 1, LINT, seen(2, 1), "passed", 0, "3 findings, which --fail-on lint=nothing lets pass"),
        ("nothing", 0, progress(), seen(1, source="export", exit_code=1), "passed", 0, "1 finding, which --fail-on lint=nothing lets pass"),
        ("nothing", 1, LINT, seen(), "failed", 1, f"{LINTED}; no finding could be read from its log"),
        ("nothing", 1, OOM, seen(2), "failed", 1, f"{LINTED}37, which 2 findings cannot explain"),
        ("nothing", 1, LINT, seen(1, problems=CUT), "failed", 5, "a.sarif: is cut"),
        ("nothing", 0, progress(), seen(problems=CUT), "passed", 0, None),
    ],
)  # fmt: skip
def test_a_lint_stage(
    level: Level, returncode: int, solve: Progress, found: Seen, outcome: str, code: int, reason: str | None
) -> None:
    verdict = judge.lint(returncode, solve, "", ("lint",), found, level)
    assert (verdict.outcome, verdict.exit_code, verdict.reason) == (outcome, code, reason)


UNREACHED = ("[lint 3/3] RUN shellcheck x", "", False)
CANCELLED = ("[lint 3/3] RUN shellcheck x", 'process "/bin/sh -c x" did not complete: context canceled', False)
CACHED = ("[lint 3/3] RUN shellcheck x", "", True)
FIRST = ("[lint 2/3] RUN golangci-lint run", EXIT_1, False)


@pytest.mark.parametrize("other", [UNREACHED, CANCELLED])
def test_what_is_let_pass_does_not_hide_a_step_that_never_ended(other: tuple[str, str, bool]) -> None:
    cut_off = progress(other, FIRST)  # BuildKit names all steps at the start, the last one first
    why = "[lint 2/3] RUN golangci-lint run ended with exit code 1, so that [lint 3/3] RUN shellcheck x never ended"
    left: dict[Level, Seen] = {"failures": seen(known=1), "errors": seen(0, 1), "nothing": seen(1)}
    for level, found in left.items():
        assert judge.lint(1, cut_off, "", ("lint",), found, level) == Verdict("failed", why, 1)
    told = "1 of 1 test failed, which is quarantined, but"
    assert judge.tests(1, cut_off, "", ("lint",), excused(LISTED), None) == Verdict("failed", f"{told} {why}", 1)
    assert judge.only_tests_failed(1, cut_off, ("lint",), excused(""), None)


def test_steps_that_ended_and_those_of_other_stages_do_not_count_as_cut_off() -> None:
    ran = {"digest": "ran", "name": "[lint 1/3] RUN x", "started": "2026-01-01T00:00:00Z", "completed": "2026-01-01T00:00:01Z"}  # fmt: skip
    solve = progress(CACHED, FIRST, ("[other 2/2] RUN y", "", False), ("[lint 4/4] COPY . .", "", False))
    solve.feed(json.dumps({"vertexes": [ran]}).encode())
    assert judge.lint(1, solve, "", ("lint",), seen(known=1)).outcome == "passed"


LOST = "ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF"


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (EXIT_1, "ERROR: failed to solve", 3),
        (EXIT_1.replace("x", "curl: connection refused"), "", 3),
        ("failed to compute cache key: no such file", "", 3),
        ("error writing: no space left on device", "", 4),
        ("failed to push host/x: unexpected status from PUT request: 403 Forbidden", "", 4),
        ("dial tcp 127.0.0.1:5000: connect: connection refused", "", 4),
        ("", LOST, 4),
        (EXIT_1.replace("code: 1", "code: 137"), LOST, 4),
        (EXIT_1, 'ERROR: failed to solve: process "curl: connection refused" did not complete successfully', 3),
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


def test_a_result_is_partly_replayed_when_one_run_of_its_stages_was_cached() -> None:
    cached, ran = ("[test 2/3] RUN t", "", True), ("[test 3/3] RUN t", "", False)
    assert judge.partly_replayed(progress(cached, ran), ("test",))
    assert not judge.partly_replayed(progress(ran, ("[test 1/3] FROM x", "", True)), ("test",))
    assert not judge.partly_replayed(progress(cached), ("lint",))


LINT_RED = Verdict("failed", "3 findings", 1)


@pytest.mark.parametrize(
    ("name", "stages", "tests", "outcome", "code", "said"),
    [
        ("[test 2/2] RUN go test", ("test",), NONE, "failed", 1, ""),
        ("[test 2/2] RUN go test", ("test",), RED, "failed", 1, "; until then 3 tests ran, 2 of which failed"),
        ("[2/2] RUN go test", ("test",), GREEN, "failed", 1, "; until then 3 tests ran, 0 of which failed"),
        ("[build 2/2] RUN go build", ("test",), NONE, "error", 3, ""),
        ("[2/2] RUN go build", (), NONE, "error", 3, ""),
        ("[base 1/2] FROM golang", ("test",), NONE, "error", 4, ""),
        ("[internal] load metadata for golang", ("test",), NONE, "error", 4, ""),
    ],
)
def test_a_stage_that_takes_too_long(
    name: str, stages: tuple[str, ...], tests: TestReport, outcome: str, code: int, said: str
) -> None:
    step = Step("a", name)
    found = judge.overtime("10m", step, stages, PASSED, tests.totals)
    assert found == Verdict(outcome, f"took longer than 10m (--stage-timeout){said}; it was at {name}", code)  # type: ignore[arg-type]


def test_what_was_wrong_before_the_time_was_over_stays_wrong() -> None:
    found = judge.overtime("10m", None, ("lint",), LINT_RED, NONE.totals)
    assert found == Verdict("failed", "took longer than 10m (--stage-timeout); 3 findings", 1)


def test_steps_that_have_begun_and_not_ended_run() -> None:
    stamps = [
        {},
        {"started": "2026-01-01T12:00:00Z"},
        {"started": "2026-01-01T12:00:00Z", "completed": "2026-01-01T12:00:01Z"},
        {"started": "2026-01-01T12:00:00Z", "error": "no"},
    ]
    made = Progress()
    vertexes = [{"digest": str(number), "name": str(number), **stamp} for number, stamp in enumerate(stamps)]
    made.feed(json.dumps({"vertexes": vertexes}).encode())
    assert [step.name for step in judge.running(made)] == ["1"]


@pytest.mark.parametrize(
    ("returncode", "found", "code"),
    [
        (1, Verdict("failed", "1 of 2 tests failed", 1), 1),  # a RUN that failed is the project's
        (1, Verdict("passed", "1 of 2 tests failed, which is quarantined"), 5),  # it may hold what is not
        (1, Verdict("error", "no such host", 4), 4),
        (0, Verdict("failed", "1 of 2 tests failed", 1), 5),
        (0, PASSED, 5),
    ],
)
def test_a_report_that_was_left_out_may_say_anything(returncode: int, found: Verdict, code: int) -> None:
    large = Problem("test: /out/a.xml", "limit", "left out: larger than 64 MiB")
    assert judge.incomplete(found, [large], returncode).exit_code == code
    assert judge.incomplete(found, [], returncode) == found
