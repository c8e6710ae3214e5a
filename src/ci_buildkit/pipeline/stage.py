"""Runs one stage of a plan: solve, take the reports out, read them, judge."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ci_buildkit.config.options import Options
from ci_buildkit.engine import recover
from ci_buildkit.engine.builder import Builder
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.engine.progress import Line, Progress, stage_of
from ci_buildkit.engine.solve import LogFile, Solved, Watch, bake_command, debug_command, solve
from ci_buildkit.errors import CiBuildkitError
from ci_buildkit.findings.model import Finding, FindingReport
from ci_buildkit.pipeline import judge, timeline
from ci_buildkit.pipeline.staging import Staging
from ci_buildkit.pipeline.view import Snapshot, View
from ci_buildkit.plan import bake
from ci_buildkit.plan.stages import Stage
from ci_buildkit.problem import Problem
from ci_buildkit.record import StageRecord
from ci_buildkit.results.model import TestReport

UPDATES = 0.1  # seconds between two progress reports of a stage
STEP_HEADER = re.compile(r"#(\d+) (\[.*)")
STEP_LINE = re.compile(r"#(\d+) \d+\.\d{3} (.*)")


@dataclass(frozen=True, slots=True)
class Bench:
    """What all stages of a run share. `emit` hands a call to the thread that talks to the view."""

    buildx: Buildx
    builder: Builder
    options: Options
    cancellation: Cancellation
    staging: Staging
    bake_file: Path
    definitions: Mapping[str, Mapping[str, Any]]
    root: Path
    began: float
    emit: Callable[[Callable[[], None]], None]
    view: View
    can_debug: bool

    def exported(self, stage: Stage) -> Path:
        """Where a stage's files are exported to."""
        return export_folder(self.staging, stage)

    def log(self, stage: str) -> Path:
        """The log file of a stage."""
        return self.staging.report / "logs" / f"{safe_name(stage)}.log"


def export_folder(staging: Staging, stage: Stage) -> Path:
    """Results go straight into the report; everything else is put there after it was looked at."""
    top = staging.report / "results" if stage.kind == "test" else staging.work / "export"
    return top / safe_name(stage.name)


def safe_name(name: str) -> str:
    """A target's name as a file name."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)


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


@dataclass(slots=True)
class _Reading:
    """What was read out of one attempt."""

    tests: TestReport = field(default_factory=TestReport)
    source: str | None = None
    exit_code: int | None = None
    problems: list[Problem] = field(default_factory=list)


def run_stage(bench: Bench, stage: Stage) -> StageRun:
    """Run a stage to its end. A failure is an outcome, never an exception."""
    began = time.time()
    if bench.cancellation.cancelled:
        return _ended(bench, stage, began, Progress(), judge.CANCELLED, 0)
    with bench.log(stage.name).open("w", encoding="utf-8", errors="replace") as out:
        log = LogFile(out)
        solved = _attempt(bench, stage, log, began)
        log.text("")
        if stage.kind != "test":
            return _plain(bench, stage, solved, began)
        reading = _read_tests(bench, stage, solved, began)
        attempts = 1
        if _must_rerun(bench, stage, solved, reading):
            # What a cached step shows is an earlier run's: a failure must be seen to happen, a missing report made.
            log.text("# the result came from the cache: running the tests again")
            attempts = 2
            solved = _attempt(bench, stage, log, began, anew=True)
            log.text("")
            reading = _read_tests(bench, stage, solved, began)
    verdict = _judge_tests(bench, stage, solved, reading)
    ended = _ended(bench, stage, began, solved.progress, verdict, attempts, source=reading.source)
    ended.tests, ended.problems, ended.metadata = reading.tests, tuple(reading.problems), _metadata(solved, stage)
    ended.findings = _warnings(bench, stage, solved)
    return ended


def _plain(bench: Bench, stage: Stage, solved: Solved, began: float) -> StageRun:
    findings = _warnings(bench, stage, solved)
    if stage.kind == "lint":
        found = _lint_findings(bench, stage)
        verdict = judge.lint(solved.returncode, solved.progress, solved.text, stage.target.stage, found.findings)
        findings = FindingReport((*found.findings, *findings.findings), (*found.problems, *findings.problems))
    else:
        verdict = judge.build(solved.returncode, solved.progress, solved.text)
    if bench.cancellation.cancelled and solved.returncode:
        verdict = judge.CANCELLED
    ended = _ended(bench, stage, began, solved.progress, verdict, 1)
    ended.findings, ended.metadata = findings, _metadata(solved, stage)
    return ended


def _attempt(bench: Bench, stage: Stage, log: LogFile, began: float, *, anew: bool = False) -> Solved:
    target = dict(bench.definitions[stage.name])
    metadata = bench.staging.work / f"{safe_name(stage.name)}.json"
    watch = _watch(bench, stage, began)
    if anew:
        target["no-cache-filter"] = list(stage.rerun)
        shutil.rmtree(bench.exported(stage), ignore_errors=True)
    if stage.kind == "test" and bench.can_debug and bake.is_plain(target):
        terminal = recover.Terminal(bench.staging.work / f"{safe_name(stage.name)}.b64")
        script = recover.script(terminal.token, stage.workdir, bench.options.results_path)
        on = "error" if stage.export == "results" else "always"
        command = debug_command(bench.buildx, bench.builder.name, bake.build_flags(stage.name, target), script, on=on)
        solved = solve(command, bench.buildx, bench.cancellation, log, watch, metadata, terminal)
        if solved.recovered:
            recover.unpack(solved.recovered, terminal.spool, bench.exported(stage))
        return solved
    sets = [f"{stage.name}.no-cache-filter={name}" for name in stage.rerun] if anew else []
    command = bake_command(bench.buildx, bench.builder.name, bench.bake_file, stage.name, sets)
    return solve(command, bench.buildx, bench.cancellation, log, watch, metadata)


def _watch(bench: Bench, stage: Stage, began: float) -> Watch:
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
        bench.emit(lambda: bench.view.progress(stage.name, snapshot))

    def lines(new: Sequence[Line]) -> None:
        texts = [(line.step.name, line.text) for line in new]

        def tell() -> None:
            for step, text in texts:
                bench.view.log(stage.name, step, text)

        bench.emit(tell)

    return Watch(lines, moved)


def _read_tests(bench: Bench, stage: Stage, solved: Solved, began: float) -> _Reading:
    """Results of the export, else of the failed step, else of the log."""
    from ci_buildkit import paths
    from ci_buildkit.results import read

    reading = _Reading()
    folder = bench.exported(stage)
    path_map = paths.PathMap.parse(bench.options.path_map)
    if solved.recovered is not None:
        reading.problems += _recovery_problems(stage, solved.recovered)
        _drop_sources(bench, stage, folder, solved.recovered)
    if folder.is_dir() and any(path.is_file() for path in folder.rglob("*")):
        reading.exit_code = _exit_code(folder, reading.problems)
        # A cached step's files are as old as the run that made them; one that ran now must have made them now.
        since = None if judge.replayed(solved.progress, stage.rerun) else began
        found = read.read_paths([folder], path_map=path_map, root=bench.root, since=since)
        reading.tests = _named(found, folder, f"results/{safe_name(stage.name)}")
        reading.source = "recovered" if solved.recovered and solved.recovered.files else "export"
    if not reading.tests.totals.tests and all(problem.kind == "missing" for problem in reading.tests.problems):
        name = f"logs/{safe_name(stage.name)}.log"
        lines = log_lines(bench.log(stage.name), stage.rerun)
        found = read.read_log(lines, name=name, path_map=path_map, root=bench.root)
        reading.source = "log" if found.totals.tests or found.problems else None
        reading.tests = found
    return reading


def _exit_code(folder: Path, problems: list[Problem]) -> int | None:
    """The exit code that the tests left anywhere in a folder; the worst of several (one a platform)."""
    from ci_buildkit.results import read

    codes = []
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        try:
            code = read.exit_code(place)
        except CiBuildkitError as error:
            problems.append(Problem(place.name, "unreadable", error.message))
            continue
        codes += [code] if code is not None else []
    return max(codes, key=abs, default=None)


def _named(report: TestReport, folder: Path, name: str) -> TestReport:
    """The report with its files named as they will stand in the report folder."""
    top = f"{folder.as_posix()}"

    def inside(path: str) -> str:
        return path.replace(top, name, 1)

    return replace(
        report,
        cases=tuple(replace(case, file=inside(case.file)) for case in report.cases),
        problems=tuple(Problem(inside(p.path), p.kind, p.reason) for p in report.problems),
    )


def _drop_sources(bench: Bench, stage: Stage, folder: Path, recovered: recover.Recovered) -> None:
    """Remove recovered files that are the repository's own: a fixture named like a report is none."""
    workdir = stage.workdir.strip("/")
    context = Path(str(stage.definition.get("context", bench.options.context)))
    for name in list(recovered.files):
        inside = name.strip("/")
        if not workdir or not inside.startswith(f"{workdir}/"):
            continue
        source, copy = context / inside.removeprefix(f"{workdir}/"), folder / inside
        if source.is_file() and copy.is_file() and source.read_bytes() == copy.read_bytes():
            copy.unlink()
            recovered.files.remove(name)


def _recovery_problems(stage: Stage, recovered: recover.Recovered) -> list[Problem]:
    problems = [
        Problem(f"{stage.name}: {path}", "limit", f"left out: larger than {recover.MAX_FILE_KIB // 1024} MiB")
        for path in recovered.left_out
    ]
    if recovered.trouble:
        problems.append(Problem(stage.name, "unreadable", f"reports could not be taken out: {recovered.trouble}"))
    return problems


def _must_rerun(bench: Bench, stage: Stage, solved: Solved, reading: _Reading) -> bool:
    if solved.returncode or bench.cancellation.cancelled or not judge.replayed(solved.progress, stage.rerun):
        return False
    red = reading.tests.broken or bool(reading.exit_code) or bool(reading.tests.problems)
    return red or not reading.tests.totals.tests


def _judge_tests(bench: Bench, stage: Stage, solved: Solved, reading: _Reading) -> judge.Verdict:
    if bench.cancellation.cancelled and solved.returncode:
        return judge.CANCELLED
    return judge.tests(solved.returncode, solved.progress, solved.text, stage.rerun, reading.tests, reading.exit_code)


def log_lines(path: Path, stages: Sequence[str]) -> Iterator[str]:
    """What the RUN steps of these Dockerfile stages printed, without BuildKit's prefixes."""
    own: set[str] = set()
    with path.open(encoding="utf-8", errors="replace", newline="\n") as log:
        for line in log:
            if header := STEP_HEADER.match(line):
                if "] RUN " in header[2] and stage_of(header[2]) in {*stages, ""}:
                    own.add(header[1])
            elif (found := STEP_LINE.match(line)) and found[1] in own:
                yield found[2]


def _lint_findings(bench: Bench, stage: Stage) -> FindingReport:
    from ci_buildkit import paths
    from ci_buildkit.findings import read

    lines = log_lines(bench.log(stage.name), (stage.target.stage,))
    path_map = paths.PathMap.parse(bench.options.path_map)
    return read.read_log(lines, name=f"logs/{safe_name(stage.name)}.log", root=bench.root, path_map=path_map)


def _warnings(bench: Bench, stage: Stage, solved: Solved) -> FindingReport:
    """BuildKit's checks of the Dockerfile, from the status of the build."""
    if not solved.progress.warnings:
        return FindingReport()
    from ci_buildkit.findings import buildkit

    file = Path(str(stage.definition.get("dockerfile", stage.target.file)))
    try:
        name = file.resolve().relative_to(bench.root.resolve()).as_posix()
    except ValueError:
        name = str(file)
    warnings = [
        buildkit.BuildWarning(w.short, w.detail, w.url, w.filename, w.start_line or 0, w.end_line or 0)
        for w in solved.progress.warnings
    ]
    return buildkit.from_warnings(warnings, name)


def _metadata(solved: Solved, stage: Stage) -> Mapping[str, Any]:
    own = solved.metadata.get(stage.name)
    return own if isinstance(own, dict) else solved.metadata


def _ended(
    bench: Bench,
    stage: Stage,
    began: float,
    progress: Progress,
    verdict: judge.Verdict,
    attempts: int,
    source: str | None = None,
) -> StageRun:
    steps = timeline.steps(progress, bench.began, bench.builder.native, stage.platforms)
    own = [step for step in progress.steps.values() if not step.is_internal]
    record = StageRecord(
        name=stage.name,
        kind=stage.kind,
        target=stage.target.stage,
        platforms=stage.platforms or bench.builder.platforms[:1],
        outcome=verdict.outcome,
        reason=verdict.reason,
        seconds=round(time.time() - began, 3),
        started=round(began - bench.began, 3),
        steps=len(own),
        cached_steps=sum(step.cached for step in own),
        attempts=max(attempts, 1),
        results_from=source,  # type: ignore[arg-type]
        replayed=stage.kind == "test" and judge.replayed(progress, stage.rerun),
        emulated=timeline.emulation(steps),
        timeline=steps,
    )
    bench.emit(lambda: bench.view.finished(record, bench.log(stage.name)))
    return StageRun(stage, record, verdict)


def own_findings(runs: Sequence[StageRun]) -> tuple[Finding, ...]:
    """The findings of all stages, each once: stages share a Dockerfile and so its warnings."""
    return tuple(dict.fromkeys(finding for run in runs for finding in run.findings.findings))
