"""Reads what a stage left: results of its export, else of the failed step, else of its log; findings of its log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ci_buildkit.engine import recover
from ci_buildkit.engine.progress import stage_of
from ci_buildkit.engine.solve import Solved
from ci_buildkit.errors import CiBuildkitError
from ci_buildkit.findings.model import FindingReport
from ci_buildkit.pipeline import judge
from ci_buildkit.pipeline.session import Session, safe_name
from ci_buildkit.plan.stages import Stage
from ci_buildkit.problem import Problem
from ci_buildkit.results.model import TestReport, changed

STEP_HEADER = re.compile(r"#(\d+) (\[.*)")
STEP_LINE = re.compile(r"#(\d+) \d+\.\d{3} (.*)")


@dataclass(slots=True)
class Reading:
    """What was read out of one attempt. A problem in `report` makes the stage red, one in `problems` is only told."""

    report: TestReport = field(default_factory=TestReport)
    source: str | None = None
    exit_code: int | None = None
    problems: list[Problem] = field(default_factory=list)


def tests(session: Session, stage: Stage, solved: Solved, began: float) -> Reading:
    """Results of the export, else of the failed step, else of the log."""
    from ci_buildkit import paths
    from ci_buildkit.results import read

    left = Reading()
    folder = session.exported(stage)
    path_map = paths.PathMap.parse(session.options.path_map)
    if solved.recovered is not None:
        if solved.recovered.trouble:
            reason = f"reports could not be taken out of the step: {solved.recovered.trouble}"
            left.problems.append(Problem(stage.name, "unreadable", reason))
        _drop_sources(session, stage, folder, solved.recovered)
    if folder.is_dir() and any(path.is_file() for path in folder.rglob("*")):
        left.exit_code, unreadable = _exit_code(folder)
        # A cached step's files are as old as the run that made them; one that ran now must have made them now.
        since = None if judge.replayed(solved.progress, stage.rerun) else began
        found = read.read_paths([folder], path_map=path_map, root=session.root, since=since)
        found = replace(found, problems=(*found.problems, *unreadable))
        left.report = _named(found, folder, f"results/{safe_name(stage.name)}")
        left.source = "recovered" if solved.recovered and solved.recovered.files else "export"
    if not left.report.totals.tests and all(problem.kind == "missing" for problem in left.report.problems):
        name = f"logs/{safe_name(stage.name)}.log"
        lines = log_lines(session.log(stage.name), stage.rerun)
        found = read.read_log(lines, name=name, path_map=path_map, root=session.root)
        left.source = "log" if found.totals.tests or found.problems else None
        left.report = found
    if solved.recovered is not None and solved.recovered.left_out:
        limit = f"left out: larger than {recover.MAX_FILE_KIB // 1024} MiB"
        lost = [Problem(f"{stage.name}: {path}", "limit", limit) for path in solved.recovered.left_out]
        left.report = replace(left.report, problems=(*left.report.problems, *lost))
    return left


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
    top = f"{folder.as_posix()}"

    def inside(path: str) -> str:
        return path.replace(top, name, 1)

    return replace(
        report,
        cases=tuple(changed(case, file=inside(case.file)) for case in report.cases),
        problems=tuple(Problem(inside(p.path), p.kind, p.reason) for p in report.problems),
    )


def _drop_sources(session: Session, stage: Stage, folder: Path, recovered: recover.Recovered) -> None:
    """Remove recovered files that are the repository's own: a fixture named like a report is none."""
    workdir = stage.workdir.strip("/")
    context = Path(str(stage.definition.get("context", session.options.context)))
    for name in list(recovered.files):
        inside = name.strip("/")
        if not workdir or not inside.startswith(f"{workdir}/"):
            continue
        source, copy = context / inside.removeprefix(f"{workdir}/"), folder / inside
        if source.is_file() and copy.is_file() and source.read_bytes() == copy.read_bytes():
            copy.unlink()
            recovered.files.remove(name)


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


def lint_findings(session: Session, stage: Stage) -> FindingReport:
    """What the lint target's own steps printed that a reader of findings knows."""
    from ci_buildkit import paths
    from ci_buildkit.findings import read

    lines = log_lines(session.log(stage.name), (stage.target.stage,))
    path_map = paths.PathMap.parse(session.options.path_map)
    return read.read_log(lines, name=f"logs/{safe_name(stage.name)}.log", root=session.root, path_map=path_map)


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
    return buildkit.from_warnings(warnings, name)
