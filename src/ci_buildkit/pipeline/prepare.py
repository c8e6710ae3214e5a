"""From options to a plan: the builder made or found, the targets asked for, the version read, at once where possible."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from ci_buildkit.artifacts import names
from ci_buildkit.checkout.branches import branches
from ci_buildkit.checkout.event import Event
from ci_buildkit.checkout.version import version
from ci_buildkit.config.options import Options, pairs
from ci_buildkit.engine import builder as builders
from ci_buildkit.engine import login, nodes, scratch, secrets
from ci_buildkit.engine.builder import Builder, Wanted
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.fleet import Fleet
from ci_buildkit.errors import CiBuildkitError, ConfigurationError, EngineError
from ci_buildkit.pipeline import archives
from ci_buildkit.pipeline.view import Level
from ci_buildkit.plan import attestations, cache, description, platforms, stages, targets
from ci_buildkit.plan.description import Description
from ci_buildkit.plan.stages import Plan
from ci_buildkit.record import VersionRecord


class Prepared(Struct, frozen=True):
    """A plan and what to run it on. `notes` are what to tell before it runs."""

    plan: Plan
    buildx: Buildx
    buildx_version: str
    fleet: Fleet
    notes: tuple[tuple[Level, str], ...] = ()


def wanted(options: Options) -> Wanted:
    """The builder that the options ask for. Raises ConfigurationError where they say what no builder can be."""
    made_of = nodes.nodes(options.driver, options.node, pairs(options.driver_opt))
    return Wanted(options.builder, options.builder_image, options.buildkitd_config, options.driver, made_of)


@contextlib.contextmanager
def prepared(
    options: Options,
    environ: Mapping[str, str],
    meanwhile: Callable[[], None] = lambda: None,
    buildx: Buildx | None = None,
) -> Iterator[Prepared]:
    """A builder and a plan; the builder goes at the end where this run made it for itself. `meanwhile` is called while
    docker is waited for, of which `buildx` may have asked some already.

    Raises the errors of its parts. What is wrong with the options or files is found before a builder is made.
    """
    targets.source(options)
    platforms.check(options.platform)
    names.check(options.archive_name)
    if options.model_fields_set & {"persist_cache_mounts", "cache_mounts_size"}:
        from ci_buildkit.plan import mounts

        mounts.check(options)
    attestations.check(options)
    wanted(options)
    cache.check(options.cache_from, options.cache_to)
    secrets.check(options.secret, environ)
    buildx = buildx or Buildx(environ)
    buildx.check()
    with login.logged_in(options.login, environ) as inside:
        yield from _ready(options, inside, buildx if inside is environ else Buildx(inside), meanwhile)


def _ready(
    options: Options, environ: Mapping[str, str], buildx: Buildx, meanwhile: Callable[[], None]
) -> Iterator[Prepared]:
    event = Event.from_environ(environ)
    with ThreadPoolExecutor(max_workers=5) as pool:
        stamped = pool.submit(version, options.context, event, options.version)
        number = pool.submit(lambda: buildx.version)
        pool.submit(archives.program, options.context)  # asked of Git now, wanted below
        asking = pool.submit(targets.discover, options, Buildx(environ, options.builder)) if options.builder else None
        pool.submit(meanwhile)
        described = _described(options, stamped.result(), environ) if description.wanted(options) else None
        made = builders.ensure(buildx, wanted(options))
        fleet = Fleet(buildx, made)
        try:
            lost = fleet.without_dead()
            # A named builder is asked while it is looked at; had it to be made first, that question found nobody.
            if asking is None or made.created or lost:
                asking = pool.submit(targets.discover, options, Buildx(environ, fleet.builder.name))
            of = (
                branches(options.context, environ)
                if cache.uses_branch((*options.cache_from, *options.cache_to))
                else ()
            )
            plan = stages.make(options, asking.result(), stamped.result(), of, described)
            archives.check(options, plan, fleet.home)
            buildx.mask = _mask(plan, options, environ)
            plan, fits = fitting(plan, fleet.whole)
            notes = (*_notes(fleet, plan, lost), *fits, *_unmade(described), *_uncached(plan, environ))
            yield Prepared(plan, buildx, number.result(), fleet, notes)
        finally:
            fleet.close()
            if not made.kept:
                with contextlib.suppress(CiBuildkitError):
                    builders.remove(buildx, made.name)


def _described(options: Options, stamped: VersionRecord, environ: Mapping[str, str]) -> Description:
    """What the images are described with. Raises ConfigurationError for a line that cannot be read."""
    from datetime import UTC, datetime

    from ci_buildkit.checkout.trigger import context

    now = datetime.now(UTC)
    return description.describe(options, context(options.context, environ, now), stamped, now, environ)


def _unmade(described: Description | None) -> tuple[tuple[Level, str], ...]:
    """Which lines made no tag."""
    return tuple(("notice", f"--tag: {text}") for text in described.warnings) if described else ()


def _uncached(plan: Plan, environ: Mapping[str, str]) -> tuple[tuple[Level, str], ...]:
    """Which caches are named and cannot be used."""
    definitions = [*plan.linked.values(), *(stage.definition for stage in plan.stages)]
    missing = cache.without_tokens(definitions, environ)
    return (("warning", missing),) if missing else ()


def _notes(fleet: Fleet, plan: Plan, lost: str) -> tuple[tuple[Level, str], ...]:
    """What to tell of the builder. Raises EngineError where only machines that do not answer could build a stage."""
    alone = {p: stage.name for stage in plan.stages for p in fleet.uncovered(stage.platforms)}
    if alone:
        raise EngineError(
            f"{lost}; nobody else can build {', '.join(f'{name} for {p}' for p, name in alone.items())}",
            hint="start BuildKit there, or leave these platforms out with --platform",
        )
    notes: list[tuple[Level, str]] = [("warning", f"{lost}; the others build without it")] if lost else []
    if fleet.whole.driver == nodes.REMOTE:
        limits = "BUILDKIT_STEP_LOG_MAX_SIZE and BUILDKIT_STEP_LOG_MAX_SPEED"
        said = f"{fleet.whole.name} is not ours to set up: where BuildKit cuts long logs, set {limits} to -1 there"
        notes.append(("notice", said))
    return tuple(notes)


def fitting(plan: Plan, builder: Builder) -> tuple[Plan, tuple[tuple[Level, str], ...]]:
    """The plan with what this builder can do with images, and what to tell of that.

    buildx refuses the OCI exporter where several machines build (build/build.go), and a push by digest with the docker
    driver; what its image store takes depends on the daemon. Raises ConfigurationError where images cannot be pushed.
    """
    docker = builder.driver == "docker"
    if docker and plan.push and any(stage.kind == "image" for stage in plan.stages):
        raise ConfigurationError(
            f"the builder {builder.name} is docker's own, which cannot push an image before its tags",
            hint="leave --builder out, or make one with `ci-buildkit builder create NAME`",
        )
    kept = [stage.name for stage in plan.stages if stage.export == "layout"]
    if not kept or not (docker or len(builder.machines) > 1):
        return plan, ()
    why = "docker's own builder makes none for sure" if docker else "a builder of several machines makes none"
    said = f"no OCI layout is kept of {', '.join(kept)}: {why}; --no-oci-layout says so beforehand"
    return stages.without_layouts(plan), (("notice", said),)


def _mask(plan: Plan, options: Options, environ: Mapping[str, str]) -> secrets.Mask:
    """What hides every secret and password of a run."""
    named = [secret for stage in plan.stages for secret in stage.definition.get("secret", ())]
    passwords = [login.parse(text, environ).password for text in options.login]
    passwords += cache.credentials(stage.definition for stage in plan.stages)
    if options.sign:
        from ci_buildkit.engine import cosign

        passwords += cosign.parse(options.sign).secrets(environ)
    return secrets.mask(named, passwords, environ)


def sweep_leftovers(buildx: Buildx, *, made: bool) -> threading.Thread:
    """Remove temporary folders of dead runs, in the background; the thread is not waited for.

    Their builders too, where this run has `made` one: who keeps builders by name leaves none behind.
    """

    def sweep() -> None:
        scratch.sweep()
        if made:
            with contextlib.suppress(CiBuildkitError):
                builders.sweep(buildx)

    thread = threading.Thread(target=sweep, name="sweep", daemon=True)
    thread.start()
    return thread
