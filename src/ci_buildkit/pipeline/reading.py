"""Reads what a stage left, results and findings alike: of its export, else of the failed step, else of its log."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from ci_buildkit.engine import recover, search
from ci_buildkit.engine.progress import stage_of
from ci_buildkit.engine.solve import MARKER, Solved
from ci_buildkit.errors import CiBuildkitError
from ci_buildkit.findings.model import FindingReport
from ci_buildkit.pipeline import judge
from ci_buildkit.pipeline.session import Session, safe_name
from ci_buildkit.plan.stages import Stage
from ci_buildkit.problem import Problem
from ci_buildkit.results.model import TestReport, changed

STEP_HEADER = re.compile(r"#(\d+) (\[.*)")
STEP_LINE = re.compile(r"#(\d+) \d+\.\d{3} (.*)")
STEP_CACHED = re.compile(r"#(\d+) CACHED$")


class Reading(Struct):
    """What was read out of one attempt. A problem in `report` makes the stage red, one in `problems` is only told.

    `left_out` are reports that nobody has read, which make a stage red that is not red by itself.
    """

    report: TestReport = field(default_factory=TestReport)
    source: judge.Source = None
    exit_code: int | None = None
    problems: list[Problem] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)


class LintReading(Struct):
    """The same of a lint stage."""

    seen: judge.Seen
    problems: list[Problem]


class _Files(Struct):
    """The folder of a stage's files, where they come from, and what there is to say of them."""

    folder: Path
    source: judge.Source
    exit_code: int | None = None
    unreadable: list[Problem] = field(default_factory=list)


def tests(session: Session, stage: Stage, solved: Solved, attempt: int) -> Reading:
    """Results of the export, else of the failed step, else of what attempt number `attempt` wrote to the log."""
    from ci_buildkit.results import read

    left = Reading()
    places = _places(session, stage)
    if files := _files(session, stage, solved, left.problems):
        left.exit_code, left.source = files.exit_code, files.source
        # A cached step's files are as old as the run that made them; one that ran now must have made them now, by the
        # clock that their times are of.
        since = None if judge.replayed(solved.progress, stage.rerun) else _began(session, solved)
        found = read.read_paths([files.folder], since=since, **places)
        found = replace(found, problems=(*found.problems, *files.unreadable))
        left.report = _named(found, files.folder, f"results/{safe_name(stage.name)}")
    if not left.report.totals.tests and all(problem.kind == "missing" for problem in left.report.problems):
        name = f"logs/{safe_name(stage.name)}.log"
        lines = log_lines(session.log(stage.name), stage.rerun, attempt)
        found = read.read_log(lines, name=name, **places)
        left.source = "log" if found.totals.tests or found.problems else None
        left.report = found
    left.left_out = _left_out(stage, solved)
    return left


def _began(session: Session, solved: Solved) -> float:
    """When a build began, by the builder's clock; by this machine's where no step told its time."""
    origin = solved.progress.origin
    return origin if math.isfinite(origin) else session.clock.at


def lint(session: Session, stage: Stage, solved: Solved, attempt: int) -> LintReading:
    """Findings of the export, else of the failed step, else of what attempt number `attempt` wrote to the log.

    Unlike tests' results they may be older than the run: what a linter says depends on nothing but its input.
    """
    from ci_buildkit.findings import read

    told: list[Problem] = []
    found, source, exit_code = FindingReport(), None, None
    places = _places(session, stage)
    patterns = session.policies.patterns
    if files := _files(session, stage, solved, told):
        found = read.read_paths([files.folder], patterns=patterns, **places)
        source, exit_code = files.source, files.exit_code
        if not found.findings and {problem.kind for problem in found.problems} == {"missing"}:  # no report among them
            found, source = FindingReport(), files.source if files.unreadable else None
        problems = (*found.problems, *files.unreadable)
        name = f"results/{safe_name(stage.name)}"
        found = replace(found, problems=tuple(_renamed(problem, files.folder, name) for problem in problems))
    if not found.findings and not found.problems:
        lines = log_lines(session.log(stage.name), stage.rerun, attempt)
        logged = read.read_log(lines, name=f"logs/{safe_name(stage.name)}.log", patterns=patterns, **places)
        if logged.findings or logged.problems:
            found, source = logged, "log"
    if source == "log":  # nothing is missing without files that could not be had
        told.clear()
    found = replace(found, problems=(*found.problems, *_left_out(stage, solved)))
    return LintReading(judge.Seen(_sorted_out(session, found), source, exit_code), told)


def _sorted_out(session: Session, found: FindingReport) -> FindingReport:
    """The report with each finding once, and those apart that the baseline lists.

    The baseline was written of such a report. What it lists and this stage does not find may be another's finding, so
    nothing is said of it.
    """
    found = replace(found, findings=tuple(dict.fromkeys(found.findings)))
    if session.policies.baseline is None:
        return found
    from ci_buildkit.findings import baseline
    from ci_buildkit.paths import PathMapper

    source_line = PathMapper(root=session.root).source_line
    return replace(baseline.split(found, session.policies.baseline, source_line), notes=found.notes)


def _places(session: Session, stage: Stage) -> dict[str, Any]:
    """How paths of the container are mapped: by the user's rules, and the stage's WORKDIR is where its context went."""
    from ci_buildkit.paths import PathMap

    workdirs: list[tuple[str, str]] = []
    with contextlib.suppress(ValueError):  # a context out of the repository
        inside = _context(session, stage).resolve().relative_to(session.root.resolve())
        workdirs += [(stage.workdir, inside.as_posix())] if stage.workdir else []
    path_map = PathMap.parse(session.options.path_map)
    return {"path_map": path_map, "root": session.root, "workdirs": workdirs}


def _context(session: Session, stage: Stage) -> Path:
    return Path(str(stage.definition.get("context", session.options.context)))


def _files(session: Session, stage: Stage, solved: Solved, told: list[Problem]) -> _Files | None:
    """The files that a stage exported or that were taken out of its step; None without any."""
    folder, recovered = session.exported(stage), solved.recovered
    if recovered is not None:
        if recovered.trouble:
            told.append(
                Problem(stage.name, "unreadable", f"reports could not be taken out of the step: {recovered.trouble}")
            )
        _drop_sources(session, stage, folder, recovered)
    if not folder.is_dir() or not any(path.is_file() for path in folder.rglob("*")):
        return None
    source: judge.Source = "recovered" if recovered and recovered.files else "export"
    code, unreadable = _exit_code(folder)
    return _Files(folder, source, code, unreadable)


def _left_out(stage: Stage, solved: Solved) -> list[Problem]:
    limit = f"left out: larger than {search.MAX_FILE_KIB // 1024} MiB"
    names = solved.recovered.left_out if solved.recovered else ()
    return [Problem(f"{stage.name}: {path}", "limit", limit) for path in names]


def _exit_code(folder: Path) -> tuple[int | None, list[Problem]]:
    """The exit code that the tests left anywhere in a folder, the worst of several (one a platform)."""
    from ci_buildkit.results import read

    codes: list[int] = []
    problems: list[Problem] = []
    for place in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        try:
            code = read.exit_code(place)
        except CiBuildkitError as error:
            problems.append(Problem(str(place / "exit-code"), "unreadable", error.message))
            continue
        codes += [code] if code is not None else []
    return max(codes, key=abs, default=None), problems


def _named(report: TestReport, folder: Path, name: str) -> TestReport:
    """The report with its files named as they will stand in the report folder."""
    top = folder.as_posix()
    return replace(
        report,
        cases=tuple(changed(case, file=case.file.replace(top, name, 1)) for case in report.cases),
        problems=tuple(_renamed(problem, folder, name) for problem in report.problems),
    )


def _renamed(problem: Problem, folder: Path, name: str) -> Problem:
    return dataclasses.replace(problem, path=problem.path.replace(folder.as_posix(), name, 1))


def _drop_sources(session: Session, stage: Stage, folder: Path, recovered: recover.Recovered) -> None:
    """Remove recovered files that are the repository's own: a fixture named like a report is none."""
    workdir = stage.workdir.strip("/")
    context = _context(session, stage)
    for name in list(recovered.files):
        inside = name.strip("/")
        if not workdir or not inside.startswith(f"{workdir}/"):
            continue
        source, copy = context / inside.removeprefix(f"{workdir}/"), folder / inside
        if source.is_file() and copy.is_file() and source.read_bytes() == copy.read_bytes():
            copy.unlink()
            recovered.files.remove(name)


def log_lines(path: Path, stages: Sequence[str], attempt: int = 1) -> Iterator[str]:
    """What the RUN steps of these Dockerfile stages printed in one attempt, without BuildKit's prefixes.

    A step that came from the cache then, since an earlier attempt had run it before something else broke, is heard there.
    """
    earlier = _heard_before(path, attempt) if attempt > 1 else {}
    own: set[str] = set()
    for number, line in _by_attempt(path):
        if header := STEP_HEADER.match(line):
            if "] RUN " in header[2] and stage_of(header[2]) in {*stages, ""}:
                own.add(header[1])
        elif (found := STEP_LINE.match(line)) and found[1] in own and number in {attempt, earlier.get(found[1])}:
            yield found[2]


def _heard_before(path: Path, attempt: int) -> dict[str, int]:
    """The steps that came from the cache in an attempt, each with the last one before it in which it printed."""
    printed: dict[str, int] = {}
    cached: set[str] = set()
    for number, line in _by_attempt(path):
        if number < attempt and (found := STEP_LINE.match(line)):
            printed[found[1]] = number
        elif number == attempt and (found := STEP_CACHED.match(line)):
            cached.add(found[1])
    return {step: number for step, number in printed.items() if step in cached}


def _by_attempt(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a log, each with the number of its attempt."""
    current = 1
    with path.open(encoding="utf-8", errors="replace", newline="\n") as log:
        for line in log:
            current += line.startswith(MARKER)
            yield current, line


def warnings(session: Session, stage: Stage, solved: Solved) -> FindingReport:
    """BuildKit's checks of the Dockerfile, from the status of the build."""
    if not solved.progress.warnings:
        return FindingReport()
    from ci_buildkit.findings import buildkit

    file = Path(str(stage.definition.get("dockerfile", stage.target.file)))
    try:
        name = file.resolve().relative_to(session.root.resolve()).as_posix()
    except ValueError:
        name = str(file)
    warnings = [
        buildkit.BuildWarning(w.short, w.detail, w.url, w.filename, w.start_line or 0, w.end_line or 0)
        for w in solved.progress.warnings
    ]
    return _sorted_out(session, buildkit.from_warnings(warnings, name))
