"""Pushes the images of a run, once its gates have passed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ci_buildkit.engine.solve import LogFile, Watch, bake_command, solve
from ci_buildkit.errors import BuildFailed, EngineError
from ci_buildkit.pipeline import judge
from ci_buildkit.pipeline.session import Session, safe_name
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.plan.stages import Plan
from ci_buildkit.record import ImageRecord

ATTEMPTS = 3
PAUSE = 1.0  # seconds before the second attempt, doubled before the third


def images(
    session: Session, plan: Plan, runs: Sequence[StageRun], *, open_gates: bool
) -> tuple[list[ImageRecord], list[judge.Verdict]]:
    """Push where the plan says so and the gates are open; a record for each image that was built.

    The verdicts are those of failed pushes. The build itself is in the builder's cache already.
    """
    built = [run for run in runs if run.stage.kind == "image" and run.record.outcome == "passed"]
    push = plan.push and open_gates and not session.cancellation.cancelled
    records: list[ImageRecord] = []
    verdicts: list[judge.Verdict] = []
    with ThreadPoolExecutor(max_workers=max(1, len(built))) as pool:
        outcomes = list(pool.map(lambda run: _push(session, plan, run), built)) if push else [None] * len(built)
    for run, pushed in zip(built, outcomes, strict=True):
        digest = str(run.metadata.get("containerimage.digest", ""))
        if pushed is not None:
            verdict, pushed_digest = pushed
            digest = pushed_digest or digest
            if verdict.exit_code:
                verdicts.append(verdict)
        done = pushed is not None and not pushed[0].exit_code
        records += [
            ImageRecord(name=image.name, tags=image.tags, digest=digest, platforms=run.record.platforms, pushed=done)
            for image in plan.images
            if image.stage == run.stage.name
        ] or [ImageRecord(name=run.stage.name, tags=(), digest=digest, platforms=run.record.platforms, pushed=False)]
    return records, verdicts


def _push(session: Session, plan: Plan, run: StageRun) -> tuple[judge.Verdict, str]:
    name = run.stage.name
    references = [r for image in plan.images if image.stage == name for r in image.references]
    sets = [f"{name}.output=type=image,push=true", *(f"{name}.tags={reference}" for reference in references)]
    session.emit(lambda: session.view.phase(f"pushing {', '.join(references)}"))
    with session.log(name).open("a", encoding="utf-8", errors="replace") as out:
        log = LogFile(out)
        verdict, digest = judge.PASSED, ""
        for attempt in range(ATTEMPTS):
            log.text(f"# pushing {', '.join(references)}, attempt {attempt + 1}")
            verdict, digest = _once(session, name, sets, log)
            if verdict.exit_code != EngineError.exit_code or _refused(verdict) or session.cancellation.cancelled:
                break
            if attempt + 1 < ATTEMPTS:
                time.sleep(PAUSE * 2**attempt)
    return verdict, digest


def _once(session: Session, name: str, sets: Sequence[str], log: LogFile) -> tuple[judge.Verdict, str]:
    metadata = session.staging.work / f"{safe_name(name)}.push.json"
    command = bake_command(session.buildx, session.builder.name, session.bake_file, name, sets)
    solved = solve(command, session.buildx, session.cancellation, log, Watch(lambda _: None, lambda _: None), metadata)
    if session.cancellation.cancelled and solved.returncode:
        return judge.CANCELLED, ""
    verdict = judge.build(solved.returncode, solved.progress, solved.text)
    if verdict.exit_code == BuildFailed.exit_code:  # it was built before: what fails now is the push
        verdict = judge.Verdict("error", verdict.reason, EngineError.exit_code)
    if verdict.exit_code:
        return judge.Verdict(verdict.outcome, f"push of {name} failed: {verdict.reason}", verdict.exit_code), ""
    own: dict[str, Any] = dict(solved.metadata.get(name) or {})
    return judge.PASSED, str(own.get("containerimage.digest", ""))


def _refused(verdict: judge.Verdict) -> bool:
    """Whether trying again is of no use: the registry knows who asks and says no."""
    said = (verdict.reason or "").lower()
    return any(word in said for word in ("401", "403", "denied", "unauthorized", "insufficient_scope"))
