"""The binaries of a run: gathered, looked at, asked for their version, archived, described, listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from ci_buildkit.artifacts import archive, binaries, lists, names
from ci_buildkit.artifacts.binaries import Export, Seen
from ci_buildkit.artifacts.package import Package
from ci_buildkit.artifacts.stamp import Stamp
from ci_buildkit.engine import program
from ci_buildkit.errors import EngineError, said
from ci_buildkit.pipeline import archives, sbom
from ci_buildkit.pipeline.depot import Depot
from ci_buildkit.pipeline.session import Session, safe_name
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.plan.stages import VERSION_ARGS, Plan, Stage, version_args
from ci_buildkit.problem import Problem
from ci_buildkit.record import BinaryRecord
from ci_buildkit.tags.labels import plain_text

AT_ONCE = 4  # archives that are written, and programs that are asked for their version


class Produced(Struct, frozen=True):
    """The files that a run built, and what is wrong with them."""

    binaries: tuple[BinaryRecord, ...] = ()
    problems: tuple[Problem, ...] = ()


def produce(session: Session, plan: Plan, runs: Iterable[StageRun]) -> Produced:
    """Put what the binaries stages exported into the report's `dist/`. What fails is a problem, never an exception."""
    built = [run for run in runs if run.stage.kind == "binaries" and run.record.outcome == "passed"]
    dist = session.staging.report / "dist"
    try:
        dist.mkdir(exist_ok=True)
        return _produce(session, plan, built, dist) if built else Produced()
    except OSError as error:  # a full disk: what the other stages left is still written
        return Produced((), (Problem("dist", "unreadable", said(error)),))


def _produce(session: Session, plan: Plan, built: Sequence[StageRun], dist: Path) -> Produced:
    options = session.options
    exports = [
        Export(
            safe_name(run.stage.name),
            session.exported(run.stage),
            run.record.platforms,
            _stamp(run.stage, session, plan),
        )
        for run in built
    ]
    named = archives.of(options, plan, [(run.stage, run.record.platforms) for run in built])
    packages, problems = binaries.gather(exports, dist, named, by_target=names.by_target(options.archive_name))
    seen = binaries.look(packages)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:  # compressing takes the most of all this
        epoch = plan.version.source_date_epoch
        depot, checksums = Depot(session.buildx.environment), {one.path: one.sha256 for one in seen}
        writing = [pool.submit(_write, depot, one, checksums, epoch) for one in packages]
        answers = _answers(session, binaries.questions(seen, session.builder.native))
        for written in writing:
            written.result()
    if sbom.wanted(options):
        problems += sbom.write(session, built, packages, epoch)
    records, wrong = binaries.judge(seen, answers, dist)
    if packages:
        lists.write(dist, archives.program(plan.context), plan.version, packages, records)
    return Produced(tuple(records), (*problems, *wrong))


def _write(depot: Depot, package: Package, checksums: Mapping[Path, str], epoch: int) -> None:
    """Write the archive of a package, or have it from an earlier run that wrote the same."""
    identity = archive.identity(package.archive, package.folder, package.paths, epoch, checksums)
    if not depot.take(identity, package.archive):
        archive.write(package.archive, package.folder, package.paths, epoch)
        depot.keep(identity, package.archive)


def _stamp(stage: Stage, session: Session, plan: Plan) -> Stamp | None:
    """What the build of a stage was told of its version; None where its file asks for none, or nobody compares."""
    declared = version_args(stage.target, plan.version)
    args = stage.definition.get("args", {})
    versions = tuple(
        dict.fromkeys(plain_text(args[name]) for name in VERSION_ARGS if name in declared and args.get(name))
    )
    return Stamp(versions, plan.version.revision) if versions and session.options.check_version else None


def _answers(session: Session, asked: Sequence[Seen]) -> dict[str, str]:
    """What programs say of their version, by their hash; nothing of those that were not run."""

    def ask(number: int, one: Seen) -> str | EngineError:
        folder = session.staging.work / "versions" / str(number)
        try:
            return program.version(
                session.buildx, session.builder.name, one.path, one.sha256, folder, session.cancellation
            )
        except EngineError as error:
            return error

    if not asked:
        return {}
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        answers = list(pool.map(ask, range(len(asked)), asked))
    if trouble := next((answer for answer in answers if isinstance(answer, EngineError)), None):
        session.view.message("warning", f"binaries were not asked for their version: {trouble.message}")
    return {one.sha256: answer for one, answer in zip(asked, answers, strict=True) if isinstance(answer, str)}
