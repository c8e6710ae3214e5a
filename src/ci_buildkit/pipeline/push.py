"""Pushes the image of a stage to all its names at once, by digest: no tag moves."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ci_buildkit.engine import pulse
from ci_buildkit.engine.patience import patiently
from ci_buildkit.engine.solve import LogFile, Solved, Watch, bake_command, solve
from ci_buildkit.errors import EngineError, Interrupted
from ci_buildkit.pipeline import judge, survivors
from ci_buildkit.pipeline.forecast import AsPushed, Forecast
from ci_buildkit.pipeline.session import Session, safe_name
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.plan import bake

# buildx gives what several machines built the tag of its name, `latest` without one, unless the name has a digest; which
# one does not matter (buildx build/build.go, util/imagetools). BuildKit itself takes no name with a digest.
NO_DIGEST = "sha256:" + "0" * 64
TAKES_NO_DIGEST = "can't push tagged ref"
# What would build anew: the build is in the builder's cache, and that build is what was judged.
ANEW = ("no-cache", "no-cache-filter", "pull")


def push(session: Session, run: StageRun, names: Sequence[str]) -> str:
    """The digest that a stage's image has in the repositories `names` now.

    Raises:
        EngineError: a registry refuses, or gave trouble at every attempt.
        Interrupted: the run was cancelled.
    """
    name = run.stage.name
    session.emit(partial(session.view.phase, f"pushing {', '.join(names)}"))
    with session.log(name).open("a", encoding="utf-8", errors="replace") as out:
        log = LogFile(out)
        return patiently(lambda: _anywhere(session, run, names, log), session.cancellation)


def _anywhere(session: Session, run: StageRun, names: Sequence[str], log: LogFile) -> str:
    """Push from one machine, or from several of which each has some platforms: only buildx knows which it is."""
    if len(session.builder.machines) > 1:
        try:
            return _once(session, run, [f"{name}@{NO_DIGEST}" for name in names], log)
        except EngineError as error:
            if TAKES_NO_DIGEST not in error.message:
                raise
    return _once(session, run, names, log)


def _once(session: Session, run: StageRun, names: Sequence[str], log: LogFile) -> str:
    solved = _export(session, run, names, log)
    if run.manifests and run.manifests != solved.progress.manifests:
        text = f"{run.stage.name} was built anew for the push, and came out different"
        session.emit(partial(session.view.message, "warning", text))
    return str(_noted(session, run, solved).metadata["containerimage.digest"])


def learn(session: Session, run: StageRun) -> None:
    """Note what a stage's image will be when it is pushed. Raises as `push` does."""
    found = _forecast(session, run).get()
    if found is None:
        with session.log(run.stage.name).open("a", encoding="utf-8", errors="replace") as out:
            log = LogFile(out)
            solved = patiently(lambda: _export(session, run, (), log), session.cancellation)
        found = _noted(session, run, solved)
    run.manifests, run.metadata = found.manifests, found.metadata


def _forecast(session: Session, run: StageRun) -> Forecast:
    target = definition(session.definitions[run.stage.name], ())
    versions = [machine.buildkit for machine in session.builder.machines]
    return Forecast(session.buildx.environment, run.local, target, versions)


def _noted(session: Session, run: StageRun, solved: Solved) -> AsPushed:
    """What a build for the push made; noted where it took the image that the stage built, and none that it built anew."""
    found = AsPushed(frozenset(solved.progress.manifests), dict(solved.metadata[run.stage.name]))
    if not any(step.executed for step in solved.progress.steps.values()):
        _forecast(session, run).put(found)
    return found


def _export(session: Session, run: StageRun, names: Sequence[str], log: LogFile) -> Solved:
    """Write the image as it is pushed, and push it where there are names."""
    name = run.stage.name
    log.text(f"# pushing {', '.join(names)}" if names else "# what would be pushed")
    work = session.staging.work / safe_name(name)
    file = work.with_suffix(".push.json")
    target = definition(session.definitions[name], names)
    file.write_text(json.dumps(bake.alone(session.definitions, name, target)), encoding="utf-8")
    used = session.builder
    command = bake_command(session.buildx, used.name, file, name)
    with pulse.watched(used.machines) as started:
        watch = Watch(lambda _: None, lambda _: None, started)
        solved = solve(command, session.buildx, session.cancellation, log, watch, work.with_suffix(".pushed.json"))
    if session.cancellation.cancelled and solved.returncode:
        raise Interrupted("interrupted")
    verdict = judge.build(solved.returncode, solved.progress, solved.text)
    if loss := survivors.loss(session, name, run.stage.platforms, used, solved):
        raise EngineError(f"push of {name} failed: {loss.said}")
    if verdict.exit_code:
        raise EngineError(f"push of {name} failed: {verdict.reason}")
    return solved


def definition(built: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A bake target so changed that it is pushed to `names`, and built only if need be.

    Caches were written when it was built; the inline one is in the image.
    """
    target = {key: value for key, value in built.items() if key not in {*ANEW, "tags", "cache-to"}}
    if inline := [entry for entry in built.get("cache-to", ()) if _is_inline(entry)]:
        target["cache-to"] = inline
    by_digest = {"name": ",".join(names), "push": "true", "push-by-digest": "true", "name-canonical": "true"}
    output = {**built["output"][0], **bake.REPRODUCIBLE, **(by_digest if names else {})}
    return {**target, "output": [output]}


def _is_inline(entry: Any) -> bool:
    return entry.get("type") == "inline" if isinstance(entry, Mapping) else "type=inline" in str(entry).split(",")
