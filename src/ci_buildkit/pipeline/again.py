"""When a stage must run again because its result came from the cache, and how it is kept from coming from there."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ci_buildkit.engine.answers import Answer
from ci_buildkit.engine.solve import Solved
from ci_buildkit.pipeline import judge
from ci_buildkit.pipeline.reading import Reading
from ci_buildkit.pipeline.session import Session, safe_name
from ci_buildkit.plan import dockerfile
from ci_buildkit.plan.stages import Stage

DOCKERFILE = "dockerfile"


def needed(session: Session, stage: Stage, solved: Solved, read: Reading) -> bool:
    """Whether what a stage shows is an earlier run's and cannot be believed.

    A failure must be seen to happen and a missing report be made. A report that the last run found stale would pass
    now, since nobody knows when a cached step ran; beside steps that ran, one that looks stale may be a cached one's.
    """
    report = read.report
    if session.cancellation.cancelled:
        return False
    if judge.partly_replayed(solved.progress, stage.rerun) and any(one.kind == "stale" for one in report.problems):
        return True
    if solved.returncode or not judge.replayed(solved.progress, stage.rerun):
        return False
    wrong = report.broken or bool(read.exit_code) or bool(report.problems) or not report.totals.tests
    return wrong or _stale(session, stage).get() is not None


def unheard(session: Session, stage: Stage, solved: Solved, source: judge.Source) -> bool:
    """Whether linters that passed may have printed findings which nobody can read: a cached step prints nothing.

    Any RUN of its stages may be the linter's, also one before another that failed. Findings in exported files are in
    the cache too.
    """
    if session.cancellation.cancelled or source not in {None, "log"}:
        return False
    return judge.partly_replayed(solved.progress, stage.rerun)


def remember(session: Session, stage: Stage, solved: Solved, read: Reading) -> None:
    """Note for the next run whether this one found a stale report."""
    if any(problem.kind == "stale" for problem in read.report.problems):
        _stale(session, stage).put("stale")
    elif not solved.returncode and not judge.replayed(solved.progress, stage.rerun):
        _stale(session, stage).forget()


def definition(session: Session, stage: Stage, target: Mapping[str, Any]) -> dict[str, Any]:
    """A stage's bake target so written that its test steps run whatever the cache holds.

    The Dockerfile is a copy in which these stages have one argument more: their cache mounts stay, which
    `no-cache-filter` would empty. An inline or remote Dockerfile has to take the latter.
    """
    file = Path(str(target.get(DOCKERFILE, "")))
    if not file.is_file():
        return {**target, "no-cache-filter": [*target.get("no-cache-filter", ()), *stage.rerun]}
    folder = session.staging.work / f"{safe_name(stage.name)}.again"
    folder.mkdir(exist_ok=True)
    text = file.read_text(encoding="utf-8", errors="surrogateescape")
    copy = folder / file.name
    changed = dockerfile.with_argument(text, stage.rerun, secrets.token_hex(8))
    copy.write_text(changed, encoding="utf-8", errors="surrogateescape")
    ignore = file.with_name(f"{file.name}.dockerignore")
    if ignore.is_file():
        shutil.copy(ignore, folder)
    return {**target, DOCKERFILE: str(copy)}


def _stale(session: Session, stage: Stage) -> Answer:
    definition = session.definitions[stage.name]
    place = (str(session.root.resolve()), str(definition.get(DOCKERFILE, "")), stage.name)
    return Answer(session.buildx.environment, ("stale", *place))
