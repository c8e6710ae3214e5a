"""Runs one stage of a plan: solve, take the reports out, read them, judge."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ci_buildkit.engine import recover
from ci_buildkit.engine.progress import Line, Progress
from ci_buildkit.engine.solve import LogFile, Solved, Watch, bake_command, debug_command, solve
from ci_buildkit.errors import CiBuildkitError, EngineError, said
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.pipeline import again, judge, reading, timeline
from ci_buildkit.pipeline.session import Session, safe_name
from ci_buildkit.pipeline.view import Snapshot
from ci_buildkit.plan import bake
from ci_buildkit.plan.stages import Stage
from ci_buildkit.problem import Problem
from ci_buildkit.record import StageRecord
from ci_buildkit.results.model import TestReport

UPDATES = 0.1  # seconds between two progress reports of a stage


@dataclass(slots=True)
class StageRun:
    """How a stage went. `metadata` is the entry of its target in buildx' metadata file."""

    stage: Stage
    record: StageRecord
    verdict: judge.Verdict
    tests: TestReport = field(default_factory=TestReport)
    findings: FindingReport = field(default_factory=FindingReport)
    problems: tuple[Problem, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


def run_stage(session: Session, stage: Stage) -> StageRun:
    """Run a stage to its end. A failure is an outcome, never an exception."""
    began = time.time()
    if session.cancellation.cancelled:
        return _ended(session, stage, began, Progress(), judge.CANCELLED)
    try:
        with session.log(stage.name).open("w", encoding="utf-8", errors="replace") as out:
            log = LogFile(out)
            return _tests(session, stage, log, began) if stage.kind == "test" else _plain(session, stage, log, began)
    except (OSError, CiBuildkitError) as error:  # a full disk, say: the other stages go on
        shutil.rmtree(session.exported(stage), ignore_errors=True)
        session.staging.make_room()
        verdict = (
            judge.Verdict("error", error.message, error.exit_code)
            if isinstance(error, CiBuildkitError)
            else judge.Verdict("error", said(error), EngineError.exit_code)
        )
        return _ended(session, stage, began, Progress(), verdict)


def _tests(session: Session, stage: Stage, log: LogFile, began: float) -> StageRun:
    solved = _attempt(session, stage, log, began)
    read = reading.tests(session, stage, solved, began)
    warnings = reading.warnings(session, stage, solved)
    attempts = 1
    if again.needed(session, stage, solved, read):
        log.text("# the result came from the cache: running the tests again")
        attempts = 2
        solved = _attempt(session, stage, log, began, anew=True)
        read = reading.tests(session, stage, solved, began)
    again.remember(session, stage, solved, read)
    verdict = judge.tests(solved.returncode, solved.progress, solved.text, stage.rerun, read.report, read.exit_code)
    if session.cancellation.cancelled and solved.returncode:
        verdict = judge.CANCELLED
    verdict = _with_guess(stage, verdict)
    ended = _ended(session, stage, began, solved.progress, verdict, attempts, source=read.source)
    ended.tests, ended.problems, ended.metadata = read.report, tuple(read.problems), _metadata(solved, stage)
    ended.findings = warnings
    return ended


def _plain(session: Session, stage: Stage, log: LogFile, began: float) -> StageRun:
    solved = _attempt(session, stage, log, began)
    findings = reading.warnings(session, stage, solved)
    if stage.kind == "lint":
        found = reading.lint_findings(session, stage)
        verdict = judge.lint(solved.returncode, solved.progress, solved.text, stage.target.stage, found.findings)
        findings = FindingReport((*found.findings, *findings.findings), (*found.problems, *findings.problems))
    else:
        verdict = judge.build(solved.returncode, solved.progress, solved.text)
        if verdict.exit_code:  # half an export is of no use, and may be what filled the disk that the report needs
            shutil.rmtree(session.exported(stage), ignore_errors=True)
    if session.cancellation.cancelled and solved.returncode:
        verdict = judge.CANCELLED
    ended = _ended(session, stage, began, solved.progress, _with_guess(stage, verdict))
    ended.findings, ended.metadata = findings, _metadata(solved, stage)
    return ended


def _with_guess(stage: Stage, verdict: judge.Verdict) -> judge.Verdict:
    """The verdict with a guess at a misspelt stage, where BuildKit looked for an image of that name."""
    for line, written, near in stage.target.dockerfile.misspelt():
        if verdict.outcome == "error" and re.search(rf"\b{re.escape(written)}\b", verdict.reason or ""):
            guess = f'{stage.target.file.name}:{line}: there is no stage "{written}"; did you mean "{near}"?'
            return judge.Verdict(verdict.outcome, f"{verdict.reason}; {guess}", verdict.exit_code)
    return verdict


def _attempt(session: Session, stage: Stage, log: LogFile, began: float, *, anew: bool = False) -> Solved:
    target = dict(session.definitions[stage.name])
    metadata = session.staging.work / f"{safe_name(stage.name)}.json"
    watch = _watch(session, stage, began)
    if anew:
        target = again.definition(session, stage, target)
        shutil.rmtree(session.exported(stage), ignore_errors=True)
    if stage.kind == "test" and session.can_debug and bake.is_plain(target):
        terminal = recover.Terminal(session.staging.work / f"{safe_name(stage.name)}.tar")
        script = recover.script(terminal.token, stage.workdir, session.options.results_path)
        on = "error" if stage.export == "results" else "always"
        command = debug_command(
            session.buildx, session.builder.name, bake.build_flags(stage.name, target), script, on=on
        )
        solved = solve(command, session.buildx, session.cancellation, log, watch, metadata, terminal)
        if solved.recovered:
            recover.unpack(solved.recovered, terminal.spool, session.exported(stage))
        log.text("")
        return solved
    sets = again.overrides(stage.name, target) if anew else []
    command = bake_command(session.buildx, session.builder.name, session.bake_file, stage.name, sets)
    solved = solve(command, session.buildx, session.cancellation, log, watch, metadata)
    log.text("")
    return solved


def _watch(session: Session, stage: Stage, began: float) -> Watch:
    last = 0.0

    def moved(progress: Progress) -> None:
        nonlocal last
        now = time.time()
        if now - last < UPDATES:
            return
        last = now
        steps = [step for step in progress.steps.values() if not step.is_internal]
        snapshot = Snapshot(
            progress.current,
            sum(s.completed is not None for s in steps),
            sum(s.cached for s in steps),
            len(steps),
            now - began,
        )
        session.emit(lambda: session.view.progress(stage.name, snapshot))

    def lines(new: Sequence[Line]) -> None:
        texts = [(line.step.name, line.text) for line in new]

        def tell() -> None:
            for step, text in texts:
                session.view.log(stage.name, step, text)

        session.emit(tell)

    return Watch(lines, moved)


def _metadata(solved: Solved, stage: Stage) -> Mapping[str, Any]:
    own = solved.metadata.get(stage.name)
    return own if isinstance(own, dict) else solved.metadata


def _ended(
    session: Session,
    stage: Stage,
    began: float,
    progress: Progress,
    verdict: judge.Verdict,
    attempts: int = 1,
    source: str | None = None,
) -> StageRun:
    steps = timeline.steps(progress, session.began, session.builder.native, stage.platforms)
    own = [step for step in progress.steps.values() if not step.is_internal]
    record = StageRecord(
        name=stage.name,
        kind=stage.kind,
        target=stage.target.stage,
        platforms=stage.platforms or session.builder.platforms[:1],
        outcome=verdict.outcome,
        reason=verdict.reason,
        seconds=round(time.time() - began, 3),
        started=round(began - session.began, 3),
        steps=len(own),
        cached_steps=sum(step.cached for step in own),
        attempts=attempts,
        results_from=source,  # type: ignore[arg-type]
        replayed=stage.kind == "test" and judge.replayed(progress, stage.rerun),
        emulated=timeline.emulation(steps),
        timeline=steps,
    )
    session.emit(lambda: session.view.finished(record, session.log(stage.name)))
    return StageRun(stage, record, verdict)


def own_findings(runs: Sequence[StageRun]) -> tuple[Finding, ...]:
    """The findings of all stages, each once: stages share a Dockerfile and so its warnings."""
    return tuple(dict.fromkeys(finding for run in runs for finding in run.findings.findings))
