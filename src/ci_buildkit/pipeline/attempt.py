"""One build of a stage: the command, who watches it, and its reports taken out of the step."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from ci_buildkit.engine import patience, pulse, recover, search, trouble
from ci_buildkit.engine.progress import Line, Progress
from ci_buildkit.engine.solve import Hearing, LogFile, Solved, Watch, bake_command, debug_command, solve
from ci_buildkit.errors import EngineError
from ci_buildkit.pipeline import again, judge, survivors
from ci_buildkit.pipeline.limit import Limit
from ci_buildkit.pipeline.session import Session, safe_name
from ci_buildkit.pipeline.view import Snapshot
from ci_buildkit.plan import bake
from ci_buildkit.plan.stages import Stage

UPDATES = 0.1  # seconds between two progress reports of a stage


def attempt(session: Session, stage: Stage, log: LogFile, limit: Limit, *, anew: bool = False) -> Solved:
    """Build a stage, with what it takes to have its reports if its RUN fails. `anew` keeps its RUNs from the cache.

    It is built again after a pause where a registry or the engine gave trouble that may pass, and at once where a machine
    died and others can build it. What comes back is in the folder that the stage exports to. Nothing is tried again once
    the stage's time is over.
    """
    for number in itertools.count(1):
        used = session.builder
        with pulse.watched(used.machines) as started:
            solved = _once(session, stage, log, _watch(session, stage, limit, started), anew=anew)
        limit.ended()
        if limit.over:
            return solved
        loss = survivors.loss(session, stage.name, stage.platforms, used, solved)
        if loss and loss.final:
            return replace(solved, lost=loss.said)
        why = loss.said if loss else _passing(session, solved)
        if not loss and not (why and patience.rest(number, session.cancellation)):
            return solved
        shutil.rmtree(session.exported(stage), ignore_errors=True)
        log.another(why)
    raise AssertionError("unreachable")


def _passing(session: Session, solved: Solved) -> str:
    """The trouble that broke a build and may be over soon; "" where the build did not break, or for good."""
    if session.cancellation.cancelled:
        return ""
    verdict = judge.build(solved.returncode, solved.progress, solved.text)
    reason = verdict.reason or ""
    return reason if verdict.exit_code == EngineError.exit_code and trouble.may_pass(reason) else ""


def _once(session: Session, stage: Stage, log: LogFile, watch: Watch, *, anew: bool) -> Solved:
    target = dict(session.definitions[stage.name])
    metadata = session.staging.work / f"{safe_name(stage.name)}.json"
    if anew:
        target = again.definition(session, stage, target)
        shutil.rmtree(session.exported(stage), ignore_errors=True)
    if not stage.platforms and session.fleet.pinned:
        target["platforms"] = list(session.fleet.pinned)
    if session.batch and session.batch.awaits(stage.name):
        written, hearing = bake.located(target), Hearing(session.buildx.mask, log, watch)
        if together := session.batch.solve(session.builder.name, stage.name, written, hearing):
            return _told(session, stage, together, log)
    refused = None
    if stage.kind in {"test", "lint"} and session.can_debug and bake.is_plain(target):
        solved = _debugged(session, stage, log, watch, target, metadata)
        refused = _refused(solved)
        if refused is None or session.cancellation.cancelled:
            return _told(session, stage, solved, log)
    file = metadata.with_suffix(".bake.json")
    file.write_text(json.dumps(bake.alone(session.definitions, stage.name, target)), encoding="utf-8")
    command = bake_command(session.buildx, session.builder.name, file, stage.name)
    solved = solve(command, session.buildx, session.cancellation, log, watch, metadata)
    if solved.returncode or (stage.kind, stage.export) == ("test", "none"):  # whose reports were to be taken out
        solved.recovered = refused
    return _told(session, stage, solved, log)


def _debugged(
    session: Session, stage: Stage, log: LogFile, watch: Watch, target: Mapping[str, Any], metadata: Path
) -> Solved:
    """Build with buildx' debugger, which takes the reports out of the step."""
    terminal = recover.Terminal(session.staging.work / f"{safe_name(stage.name)}.tar")
    script, on = _script(session, stage, terminal.token)
    command = debug_command(session.buildx, session.builder.name, bake.build_flags(stage.name, target), script, on=on)
    solved = solve(command, session.buildx, session.cancellation, log, watch, metadata, terminal)
    if solved.recovered:
        recover.unpack(solved.recovered, terminal.spool, session.exported(stage))
    return solved


def _refused(solved: Solved) -> recover.Recovered | None:
    """What there is to say where buildx did not even begin, since it has no debugger that it could begin with."""
    if solved.returncode <= 0 or solved.progress.steps or trouble.is_engine(solved.text):
        return None
    last = next((line for line in reversed(solved.text.splitlines()) if line.startswith("ERROR: ")), "it said nothing")
    return recover.Recovered(trouble=f"buildx could not start its debugger: {last.removeprefix('ERROR: ')}")


def _told(session: Session, stage: Stage, solved: Solved, log: LogFile) -> Solved:
    """The build, after saying which caches gave trouble: that breaks no build, and nobody would see it."""
    log.text("")
    for step in solved.progress.cache_troubles:
        text = session.buildx.mask(f"{stage.name}: {step.name}: {step.error}")
        session.emit(partial(session.view.message, "warning", text))
    return solved


def _script(session: Session, stage: Stage, token: str) -> tuple[str, Literal["error", "always"]]:
    """The script that takes reports out of a step, and when it runs.

    A linter that is content is not asked for its reports: nobody waits for them, and most leave none.
    """
    if stage.kind == "lint":
        return search.script(token, stage.workdir, (), search.LINT_NAMES), "error"
    script = search.script(token, stage.workdir, session.options.results_path)
    return script, "error" if stage.export == "results" else "always"


def _watch(session: Session, stage: Stage, limit: Limit, started: Callable[[Callable[[], None]], object]) -> Watch:
    last, used = 0.0, session.builder

    def begin(kill: Callable[[], None]) -> None:
        started(kill)
        limit.began(used, kill)

    def moved(progress: Progress) -> None:
        nonlocal last
        limit.moved(progress)
        now = limit.clock.elapsed
        if now - last < UPDATES:
            return
        last = now
        steps = [step for step in progress.steps.values() if not step.is_internal]
        snapshot = Snapshot(
            progress.current,
            sum(s.completed is not None for s in steps),
            sum(s.cached for s in steps),
            len(steps),
            now,
        )
        session.emit(lambda: session.view.progress(stage.name, snapshot))

    def lines(new: Sequence[Line]) -> None:
        texts = [(line.step.name, line.text) for line in new]

        def tell() -> None:
            for step, text in texts:
                session.view.log(stage.name, step, text)

        session.emit(tell)

    return Watch(lines, moved, begin, limit.mark, lambda: limit.clock.elapsed)
