"""From what a stage did to its outcome. Pure: every rule that keeps a run from being green by mistake is here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ci_buildkit.engine.progress import Progress, Step
from ci_buildkit.errors import BuildFailed, EngineError, FailuresFound, OutputError
from ci_buildkit.findings.model import Finding
from ci_buildkit.record import StageOutcome
from ci_buildkit.results.model import TestReport

# What BuildKit or buildx says when the trouble is not the Dockerfile's: substrings of error messages, lower case.
ENGINE_TROUBLE = (
    "no space left on device",
    "connection refused",
    "connection reset",
    "i/o timeout",
    "tls handshake",
    "unexpected status from",
    "failed to push",
    "denied: requested access",
    "authorization failed",
    "401 unauthorized",
    "403 forbidden",
    "error reading from server",
    "transport is closing",
    "no such container",
    "closing transport",
    "server misbehaving",
    "no such host",
    "broken pipe",
    "unavailable desc",
    "toomanyrequests",
    "insufficient_scope",
    "builder is not running",
    "cannot connect to the docker daemon",
    "failed to list workers",
)


EXIT_CODE = re.compile(r"did not complete successfully: exit code: (\d+)")
MAX_NAME = 200  # characters of a step's name in a reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome, its reason (None when passed) and the exit code that it asks for."""

    outcome: StageOutcome
    reason: str | None = None
    exit_code: int = 0


PASSED = Verdict("passed")
CANCELLED = Verdict("cancelled", "interrupted", 130)


def build(returncode: int, progress: Progress, text: str) -> Verdict:
    """The verdict on a build that only has to succeed."""
    if returncode == 0:
        return PASSED
    step = progress.failed
    said = _said(step, text)
    # A failing RUN is the project's own even where its output speaks of a refused connection.
    own = step is not None and "did not complete successfully" in step.error
    if not own and any(phrase in said.lower() for phrase in ENGINE_TROUBLE):
        return Verdict("error", said, EngineError.exit_code)
    return Verdict("error", said, BuildFailed.exit_code)


def lint(returncode: int, progress: Progress, text: str, stage: str, findings: Sequence[Finding]) -> Verdict:
    """A lint target fails by its own RUN; anything that breaks before it is a failed build."""
    if returncode == 0:
        return PASSED
    if not own_step(progress.failed, (stage,)):
        return build(returncode, progress, text)
    if findings:
        return Verdict("failed", count(len(findings), "finding"), FailuresFound.exit_code)
    reason = f"{_said(progress.failed, text)}; no finding could be read from its log"
    return Verdict("failed", reason, FailuresFound.exit_code)


def tests(  # noqa: PLR0911 - one return a rule
    returncode: int, progress: Progress, text: str, stages: Sequence[str], report: TestReport, exit_code: int | None
) -> Verdict:
    """The verdict on a test target. `exit_code` is what its exit-code file recorded, None without one."""
    if returncode and not own_step(progress.failed, stages):
        return build(returncode, progress, text)
    totals = report.totals
    found = "its reports show no failure" if totals.tests else "no test report was found"
    if report.problems:
        worst = report.problems[0]
        return Verdict("failed", f"{worst.path}: {worst.reason}", OutputError.exit_code)
    if report.broken:
        return Verdict("failed", f"{totals.failed + totals.errors} of {count(totals.tests, 'test')} failed", 1)
    if returncode:
        return Verdict("failed", f"{found}, but {_said(progress.failed, text)}", FailuresFound.exit_code)
    if exit_code:
        return Verdict("failed", f"{found}, but the tests ended with exit code {exit_code}", FailuresFound.exit_code)
    if not totals.tests:
        return Verdict("failed", "no test results were found, neither files nor in the log", OutputError.exit_code)
    return PASSED


def own_step(step: Step | None, stages: Sequence[str]) -> bool:
    """Whether a step is a RUN of one of these stages, and failed by its command's exit code."""
    return step is not None and "did not complete successfully" in step.error and runs_in(step, stages)


def runs_in(step: Step, stages: Sequence[str]) -> bool:
    """Whether a step is a RUN of one of these stages; where a file has only one stage, its steps do not name it."""
    return step.is_run and step.stage in {*stages, ""}


def replayed(progress: Progress, stages: Sequence[str]) -> bool:
    """Whether every RUN of these stages came from the cache, so that what they show is an earlier run's."""
    runs = [step for step in progress.steps.values() if runs_in(step, stages)]
    return bool(runs) and all(step.cached for step in runs)


def count(number: int, noun: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _said(step: Step | None, text: str) -> str:
    if step is not None and step.error:
        name = " ".join(step.name.split())
        if ended := EXIT_CODE.search(step.error):  # the command is in the name already
            return f"{name[:MAX_NAME]} ended with exit code {ended[1]}"
        return f"{name[:MAX_NAME]}: {step.error}"
    lines = [line for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["the build ended without a message"])[-1].removeprefix("ERROR: ")
