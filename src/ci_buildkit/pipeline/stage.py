"""Runs one stage of a plan: solve, take the reports out, read them, judge."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from ci_buildkit.engine.progress import Progress
from ci_buildkit.engine.solve import LogFile, Solved
from ci_buildkit.errors import CiBuildkitError, EngineError, OutputError, said
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.pipeline import again, judge, reading, retry, timeline
from ci_buildkit.pipeline.attempt import attempt
from ci_buildkit.pipeline.limit import Limit
from ci_buildkit.pipeline.session import Session
from ci_buildkit.plan.stages import Stage
from ci_buildkit.problem import Problem
from ci_buildkit.record import StageRecord
from ci_buildkit.results.model import TestReport, Totals

if TYPE_CHECKING:
    from ci_buildkit.engine.registry import Held

NOT_BUILT = Solved(0, "", Progress())


class StageRun(Struct):
    """How a stage went. `checks` are BuildKit's, `metadata` is the entry of its target in buildx' metadata file.

    `local` are the digests of an image's platforms as they lie in the builder, `manifests` those that they have when they are
    pushed, empty where nobody asked for them; `kept` is what the layout of a kept image holds.
    """

    stage: Stage
    record: StageRecord
    verdict: judge.Verdict
    tests: TestReport = field(default_factory=TestReport)
    findings: FindingReport = field(default_factory=FindingReport)
    checks: FindingReport = field(default_factory=FindingReport)
    problems: tuple[Problem, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    local: frozenset[str] = frozenset()
    manifests: frozenset[str] = frozenset()
    kept: Held | None = None


def run_stage(session: Session, stage: Stage) -> StageRun:
    """Run a stage to its end. A failure is an outcome, never an exception."""
    limit = Limit(session, stage)
    if session.cancellation.cancelled:
        return _ended(session, stage, limit, NOT_BUILT, judge.CANCELLED)
    try:
        with session.log(stage.name).open("w", encoding="utf-8", errors="replace") as out, limit.watching():
            log = LogFile(out)
            run = {"test": _tests, "lint": _lint}.get(stage.kind, _plain)
            return run(session, stage, log, limit)
    except (OSError, CiBuildkitError) as error:  # a full disk, say: the other stages go on
        shutil.rmtree(session.exported(stage), ignore_errors=True)
        session.staging.make_room()
        verdict = (
            judge.Verdict("error", error.message, error.exit_code)
            if isinstance(error, CiBuildkitError)
            else judge.Verdict("error", said(error), EngineError.exit_code)
        )
        return _ended(session, stage, limit, NOT_BUILT, verdict)


def _tests(session: Session, stage: Stage, log: LogFile, limit: Limit) -> StageRun:
    policy = session.policies.tests
    solved = attempt(session, stage, log, limit)
    read = reading.tests(session, stage, solved, log.attempts)
    warnings = reading.warnings(session, stage, solved)
    if not limit.over and again.needed(session, stage, solved, read):
        log.another("the result came from the cache")
        solved = attempt(session, stage, log, limit, anew=True)
        read = reading.tests(session, stage, solved, log.attempts)
    again.remember(session, stage, solved, read)
    report = policy.judged(read.report)
    for _ in range(session.policies.test_retries):
        failed = judge.only_tests_failed(solved.returncode, solved.progress, stage.rerun, report, read.exit_code)
        if not failed or session.cancellation.cancelled or limit.over:
            break
        aside = retry.set_aside(session, stage, log.attempts)
        log.another("tests failed")
        solved = attempt(session, stage, log, limit, anew=True)
        read = retry.folded(read, reading.tests(session, stage, solved, log.attempts), aside)
        report = policy.judged(read.report)
    verdict = judge.tests(solved.returncode, solved.progress, solved.text, stage.rerun, report, read.exit_code)
    verdict = judge.incomplete(verdict, read.left_out, solved.returncode)
    ended = _ended(
        session, stage, limit, solved, verdict, report.totals, attempts=log.attempts, results_from=read.source
    )
    ended.tests, ended.checks = report, warnings
    ended.problems = (*read.problems, *read.left_out, *_lost(stage, limit))
    return ended


def _lint(session: Session, stage: Stage, log: LogFile, limit: Limit) -> StageRun:
    solved = attempt(session, stage, log, limit)
    read = reading.lint(session, stage, solved, log.attempts)
    warnings = reading.warnings(session, stage, solved)
    verdict = _linted(session, stage, solved, read)
    wanted = session.policies.needs_every_finding and verdict.outcome == "passed"
    if wanted and again.unheard(session, stage, solved, read.seen.source):
        log.another("what the linter printed is not in the cache")
        solved = attempt(session, stage, log, limit, anew=True)
        read = reading.lint(session, stage, solved, log.attempts)
        verdict = _linted(session, stage, solved, read)
    seen = read.seen
    for note in seen.report.notes:
        session.emit(partial(session.view.message, "notice", f"{stage.name}: {note}"))
    ended = _ended(session, stage, limit, solved, verdict, attempts=log.attempts, findings_from=seen.source)
    ended.findings, ended.problems, ended.checks = seen.report, (*read.problems, *_lost(stage, limit)), warnings
    return ended


def _linted(session: Session, stage: Stage, solved: Solved, read: reading.LintReading) -> judge.Verdict:
    level = session.policies.fail_on.lint
    return judge.lint(solved.returncode, solved.progress, solved.text, stage.rerun, read.seen, level)


def _lost(stage: Stage, limit: Limit) -> tuple[Problem, ...]:
    """What there is to say of reports that were lost because the stage was ended from outside."""
    why = "reports could not be taken out of the step: nobody could end it inside the builder, so its build was ended"
    return (Problem(stage.name, "unreadable", why),) if limit.lost else ()


def _plain(session: Session, stage: Stage, log: LogFile, limit: Limit) -> StageRun:
    solved = attempt(session, stage, log, limit)
    warnings = reading.warnings(session, stage, solved)
    verdict = judge.build(solved.returncode, solved.progress, solved.text)
    if verdict.exit_code:  # half an export is of no use, and may be what filled the disk that the report needs
        shutil.rmtree(session.exported(stage), ignore_errors=True)
    kept = None
    if stage.export == "layout" and not verdict.exit_code:
        from ci_buildkit.engine import layout
        from ci_buildkit.pipeline import flaws

        kept = layout.read(session.exported(stage))
        if lost := flaws.of(kept, stage.platforms, stage.definition.get("attest", ())):
            raise OutputError(f"the image that was kept {lost}")
    ended = _ended(session, stage, limit, solved, verdict, attempts=log.attempts)
    ended.checks, ended.kept = warnings, kept
    return ended


def _with_guess(stage: Stage, verdict: judge.Verdict) -> judge.Verdict:
    """The verdict with a guess at a misspelt stage, where BuildKit looked for an image of that name."""
    for line, written, near in stage.target.dockerfile.misspelt():
        if verdict.outcome == "error" and re.search(rf"\b{re.escape(written)}\b", verdict.reason or ""):
            guess = f'{stage.target.file.name}:{line}: there is no stage "{written}"; did you mean "{near}"?'
            return judge.Verdict(verdict.outcome, f"{verdict.reason}; {guess}", verdict.exit_code)
    return verdict


def _metadata(solved: Solved, stage: Stage) -> Mapping[str, Any]:
    own = solved.metadata.get(stage.name)
    return own if isinstance(own, dict) else solved.metadata


def _ended(
    session: Session,
    stage: Stage,
    limit: Limit,
    solved: Solved,
    verdict: judge.Verdict,
    totals: Totals | None = None,
    **fields: Any,
) -> StageRun:
    """A stage that is over; `totals` are its tests', `fields` those of its record that only its kind has."""
    if session.cancellation.cancelled and solved.returncode:
        verdict = judge.CANCELLED
    elif limit.over and stage.timeout and solved.returncode:
        verdict = judge.overtime(stage.timeout.text, limit.step, stage.rerun, verdict, totals or Totals())
    elif solved.lost:
        verdict = judge.Verdict("error", solved.lost, EngineError.exit_code)
    verdict = _with_guess(stage, verdict)
    progress = solved.progress
    steps = timeline.steps(progress, session.clock.at, session.builder.native, stage.platforms)
    own = [step for step in progress.steps.values() if not step.is_internal]
    record = StageRecord(
        name=stage.name,
        kind=stage.kind,
        target=stage.target.stage,
        platforms=stage.platforms or session.fleet.home,
        outcome=verdict.outcome,
        reason=verdict.reason,
        seconds=round(limit.clock.elapsed if solved.seconds is None else solved.seconds, 3),
        started=round(limit.clock.after(session.clock), 3),
        steps=len(own),
        cached_steps=sum(step.cached for step in own),
        replayed=stage.kind == "test" and judge.replayed(progress, stage.rerun),
        emulated=timeline.emulation(steps),
        timeline=steps,
        **fields,
    )
    session.emit(lambda: session.view.finished(record, session.log(stage.name)))
    local = frozenset(progress.manifests)
    return StageRun(stage, record, verdict, metadata=_metadata(solved, stage), local=local)


def own_checks(runs: Sequence[StageRun]) -> tuple[Finding, ...]:
    """What BuildKit's checks found, each once: stages share a Dockerfile and so its warnings."""
    return tuple(dict.fromkeys(finding for run in runs for finding in run.checks.findings))


def own_findings(runs: Sequence[StageRun]) -> FindingReport:
    """The findings of all stages, BuildKit's included, each once, and what could not be read of them."""
    reports = [report for run in runs for report in (run.findings, run.checks)]
    return FindingReport(
        findings=tuple(dict.fromkeys(finding for report in reports for finding in report.findings)),
        problems=tuple(problem for report in reports for problem in report.problems),
        known=tuple(dict.fromkeys(finding for report in reports for finding in report.known)),
    )
