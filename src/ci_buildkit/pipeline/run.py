"""Runs a plan: the stages side by side on one builder, then the gates, the images, the record and the report."""

from __future__ import annotations

import contextlib
import importlib
import json
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from ci_buildkit.checkout import git
from ci_buildkit.config.options import Options
from ci_buildkit.engine import batch
from ci_buildkit.engine.batch import Batch
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.fleet import Fleet
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import OutputError, most_fundamental
from ci_buildkit.findings.model import FindingReport
from ci_buildkit.pipeline import policies
from ci_buildkit.pipeline.clock import Clock
from ci_buildkit.pipeline.criticalpath import critical_path
from ci_buildkit.pipeline.inputs import Gathering
from ci_buildkit.pipeline.policies import Policies
from ci_buildkit.pipeline.session import BUILDS_AT_ONCE, Session, export_folder
from ci_buildkit.pipeline.stage import StageRun, own_checks, own_findings, run_stage
from ci_buildkit.pipeline.staging import Staging, context_warning
from ci_buildkit.pipeline.view import Level, View
from ci_buildkit.plan import bake, cache
from ci_buildkit.plan.stages import Plan, Stage
from ci_buildkit.plan.targets import contexts
from ci_buildkit.problem import Problem
from ci_buildkit.record import BuilderRecord, ImageRecord, RunRecord, TestsRecord, outcome_of
from ci_buildkit.results.model import Case, TestReport

if TYPE_CHECKING:
    from ci_buildkit.pipeline import binaries
    from ci_buildkit.pipeline.mounts import Keeper

# Calls to the view that may wait; a build that prints faster waits for it. One call can hold megabytes of log lines:
# with 4096 of them the process grew to 370 MB while a step printed 100 MB, with 64 to 61 MB.
QUEUE = 16
# Imported while the builder works on the stages, instead of before.
AFTERWARDS = ("ci_buildkit.pipeline.binaries", "ci_buildkit.pipeline.release")


class Finished(Struct, frozen=True):
    """A run that is over: its record, every test case, and every finding. `root` is the repository's."""

    record: RunRecord
    tests: TestReport
    findings: FindingReport
    root: Path


class Run(Struct, frozen=True):
    """What a run needs."""

    plan: Plan
    options: Options
    buildx: Buildx
    buildx_version: str
    fleet: Fleet
    cancellation: Cancellation
    staging: Staging
    view: View
    clock: Clock
    policies: Policies
    notes: Sequence[tuple[Level, str]] = ()


def execute(run: Run) -> Finished:
    """Run the plan to its end and write everything but the rendered reports into the staging folder."""
    session, calls = _prepare(run)
    gathering = Gathering(run.plan, session.root)
    run.view.start([stage.name for stage in run.plan.stages])
    for level, text in run.notes:
        run.view.message(level, text)
    keeper = _keeper(session, run.plan)
    runs = _stages(session, run.plan, calls, keeper)
    from ci_buildkit.pipeline import binaries, release

    run.staging.make_room()
    codes = [stage.verdict.exit_code for stage in runs]
    tests, findings = _tests(runs), own_findings(runs)
    problems = [*_problems(runs), *findings.problems]
    kinds = {stage.kind for stage in run.plan.stages}
    closed = policies.gates(run.policies, kinds, tests, findings.findings, own_checks(runs))
    codes += [gate.exit_code for gate in closed]
    problems += [*(gate.problem for gate in closed), *policies.notes(run.policies, tests)]
    built = binaries.produce(session, run.plan, runs)
    if built.problems:  # a wrong binary closes the gates too
        codes.append(OutputError.exit_code)
    with _serving(calls), keeper.saving(runs) if keeper else contextlib.nullcontext():
        images, refused = release.images(session, run.plan, runs, open_gates=not any(codes))
    codes += [verdict.exit_code for verdict in refused]
    problems += [Problem("push", "unreadable", verdict.reason or "") for verdict in refused]
    if run.cancellation.cancelled:
        codes.append(130)
    if warning := context_warning(run.options.report_dir, run.plan.context):
        run.view.message("warning", f"{warning.path}: {warning.reason}")
    problems += built.problems
    record = _record(run, runs, most_fundamental(codes), tests, findings, images, built, problems).model_copy(
        update={"inputs": gathering.record(), **({"cache_mounts": keeper.record} if keeper else {})}
    )
    record = record.model_copy(update={"critical_path": critical_path(record)})
    (run.staging.report / "run.json").write_text(record.to_json(), encoding="utf-8")
    return Finished(record, tests, findings, session.root)


def _prepare(run: Run) -> tuple[Session, queue.Queue[Callable[[], None] | None]]:
    calls: queue.Queue[Callable[[], None] | None] = queue.Queue(maxsize=QUEUE)
    definition = bake.definition(run.plan, lambda stage: str(export_folder(run.staging, stage)))
    (run.staging.report / "bake.json").write_text(by_hand(run.plan), encoding="utf-8")
    session = Session(
        buildx=run.buildx,
        fleet=run.fleet,
        options=run.options,
        cancellation=run.cancellation,
        staging=run.staging,
        definitions=definition["target"],
        root=git.top(run.plan.context) or run.plan.context,
        clock=run.clock,
        emit=calls.put,
        view=run.view,
        can_debug=can_debug(run.buildx_version),
        policies=run.policies,
        batch=_batch(run),
    )
    return session, calls


def by_hand(plan: Plan) -> str:
    """The bake file of the report: `docker buildx bake -f bake.json STAGE` in the working directory repeats a stage."""
    written = bake.definition(plan, lambda stage: f"bake-out/{stage.name}")
    for target in written["target"].values():
        for way in target.keys() & {"cache-from", "cache-to"}:
            target[way] = [cache.without_credentials(entry) for entry in target[way]]
        target["context"] = bake.relative_context(target.get("context", "."))
        if Path(str(target.get("dockerfile", ""))).is_absolute():
            target["dockerfile"] = bake.relative_file(target["dockerfile"], target["context"])
    written["target"] = {name: bake.located(target) for name, target in written["target"].items()}
    return json.dumps(written, indent=2) + "\n"


def release(version: str) -> tuple[int, int] | None:
    """The release that a buildx is of, like (0, 38); None where nobody can read its version."""
    with contextlib.suppress(ValueError, IndexError):
        major, minor = (int(part) for part in version.lstrip("v").split(".")[:2])
        return major, minor
    return None


def can_debug(version: str) -> bool:
    """Whether this buildx has `debug build --on=error`: it came with v0.12 (buildx release notes)."""
    return (release(version) or (0, 12)) >= (0, 12)


def _batch(run: Run) -> Batch | None:
    """What builds together the stages that only have to be built, where this buildx, builder and plan have it so.

    Each of several machines may die for itself, stages that wait for cache mounts begin later than others, and one that may
    take only so long is ended alone.
    """
    able = (release(run.buildx_version) or (0, 0)) >= batch.SINCE
    if not able or len(run.fleet.whole.machines) > 1 or run.options.persist_cache_mounts:
        return None
    kinds = {"binaries", "image"}
    targets = [s.name for s in run.plan.stages if s.kind in kinds and not s.timeout and not contexts(s.definition)]
    return Batch(targets, run.buildx, run.cancellation, run.staging.work) if len(targets) > 1 else None


def _keeper(session: Session, plan: Plan) -> Keeper | None:
    """What restores and saves cache mounts, where the options ask for it."""
    if session.options.persist_cache_mounts is None:
        return None
    from ci_buildkit.pipeline.mounts import Keeper

    return Keeper(session, plan, session.options.persist_cache_mounts)


def _stages(
    session: Session, plan: Plan, calls: queue.Queue[Callable[[], None] | None], keeper: Keeper | None
) -> list[StageRun]:
    """All stages at once; this thread talks to the view. A failure in one never stops another.

    Each has a thread, but that the 33rd that has a process of its own waits for one to end.
    """
    together = session.batch.targets if session.batch else ()

    def go(stage: Stage) -> StageRun:
        if keeper:
            keeper.wait(stage)
        try:
            return run_stage(session, stage)
        finally:
            if session.batch:
                session.batch.leave(stage.name)

    with ThreadPoolExecutor(BUILDS_AT_ONCE) as pool, ThreadPoolExecutor(len(together) or 1) as waiting:
        futures = [(waiting if stage.name in together else pool).submit(go, stage) for stage in plan.stages]
        with _serving(calls):
            for module in AFTERWARDS:
                importlib.import_module(module)
            pool.shutdown(wait=True)
            waiting.shutdown(wait=True)
    return [future.result() for future in futures]


@contextlib.contextmanager
def _serving(calls: queue.Queue[Callable[[], None] | None]) -> Iterator[None]:
    """While the body waits, a thread takes the calls to the view; it has taken all of them at the end."""

    def serve() -> None:
        while (call := calls.get()) is not None:
            call()

    server = threading.Thread(target=serve, name="view")
    server.start()
    try:
        yield
    finally:
        calls.put(None)
        server.join()


def _problems(runs: Sequence[StageRun]) -> list[Problem]:
    return [problem for stage in runs for problem in (*stage.tests.problems, *stage.problems)]


def _tests(runs: Sequence[StageRun]) -> TestReport:
    from ci_buildkit import results

    return results.merge([stage.tests for stage in runs])


def _failed(tests: TestReport) -> tuple[Case, ...]:
    """The cases that failed or broke, those included that do not count."""
    return tuple(case for case in tests.cases if case.broken or case.quarantined)


def _record(
    run: Run,
    runs: Sequence[StageRun],
    exit_code: int,
    tests: TestReport,
    findings: FindingReport,
    images: Sequence[ImageRecord],
    built: binaries.Produced,
    problems: Sequence[Problem],
) -> RunRecord:
    builder = run.fleet.whole
    return RunRecord(
        outcome=outcome_of(exit_code),
        exit_code=exit_code,
        started=datetime.fromtimestamp(run.clock.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        seconds=round(run.clock.elapsed, 3),
        version=run.plan.version,
        builder=BuilderRecord(
            name=builder.name,
            driver=builder.driver,
            buildkit=builder.buildkit,
            buildx=run.buildx_version,
            platforms=builder.platforms,
            created=builder.created,
        ),
        stages=tuple(stage.record for stage in runs),
        tests=TestsRecord(totals=tests.totals, failed=_failed(tests)),
        findings=findings.findings,
        known_findings=len(findings.known),
        binaries=built.binaries,
        images=tuple(images),
        problems=tuple(problems),
    )
