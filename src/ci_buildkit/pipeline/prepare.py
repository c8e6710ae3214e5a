"""From options to a plan: the builder made or found, the targets asked for, the version read, at once where possible."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ci_buildkit.checkout.branches import branches
from ci_buildkit.checkout.event import Event
from ci_buildkit.checkout.version import version
from ci_buildkit.config.options import Options, pairs
from ci_buildkit.engine import builder as builders
from ci_buildkit.engine import login, secrets
from ci_buildkit.engine.builder import Builder, Wanted
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.errors import CiBuildkitError
from ci_buildkit.plan import cache, stages, targets
from ci_buildkit.plan.stages import Plan


@dataclass(frozen=True, slots=True)
class Prepared:
    """A plan and the builder to run it on."""

    plan: Plan
    buildx: Buildx
    buildx_version: str
    builder: Builder


def wanted(options: Options) -> Wanted:
    """The builder that the options ask for."""
    return Wanted(options.builder, options.builder_image, options.buildkitd_config, pairs(options.driver_opt))


@contextlib.contextmanager
def prepared(options: Options, environ: Mapping[str, str]) -> Iterator[Prepared]:
    """A builder and a plan; the builder goes at the end where this run made it for itself.

    Raises the errors of its parts. What is wrong with the options or files is found before a builder is made.
    """
    targets.source(options)
    stages.check_platforms(options.platform)
    cache.check(options.cache_from, options.cache_to)
    secrets.check(options.secret, environ)
    Buildx(environ).check()
    with login.logged_in(options.login, environ) as inside:
        yield from _ready(options, inside)


def _ready(options: Options, environ: Mapping[str, str]) -> Iterator[Prepared]:
    event = Event.from_environ(environ)
    buildx = Buildx(environ)
    with ThreadPoolExecutor(max_workers=4) as pool:
        stamped = pool.submit(version, options.context, event, options.version)
        number = pool.submit(lambda: buildx.version)
        asking = pool.submit(targets.discover, options, Buildx(environ, options.builder)) if options.builder else None
        made = builders.ensure(buildx, wanted(options))
        try:
            # A named builder is asked while it is looked at; had it to be made first, that question found nobody.
            if asking is None or made.created:
                asking = pool.submit(targets.discover, options, Buildx(environ, made.name))
            of = (
                branches(options.context, environ)
                if cache.uses_branch((*options.cache_from, *options.cache_to))
                else ()
            )
            plan = stages.make(options, asking.result(), stamped.result(), of)
            buildx.mask = _mask(plan, options, environ)
            yield Prepared(plan, buildx, number.result(), made)
        finally:
            if not made.kept:
                with contextlib.suppress(CiBuildkitError):
                    builders.remove(buildx, made.name)


def _mask(plan: Plan, options: Options, environ: Mapping[str, str]) -> secrets.Mask:
    """What hides every secret and password of a run."""
    named = [secret for stage in plan.stages for secret in stage.definition.get("secret", ())]
    passwords = [login.parse(text, environ).password for text in options.login]
    if options.sign:
        from ci_buildkit.engine import cosign

        passwords += cosign.parse(options.sign).secrets(environ)
    return secrets.mask(named, passwords, environ)


def sweep_leftovers(buildx: Buildx) -> threading.Thread:
    """Remove builders of dead runs, in the background; the thread is not waited for."""

    def sweep() -> None:
        with contextlib.suppress(CiBuildkitError):
            builders.sweep(buildx)

    thread = threading.Thread(target=sweep, name="sweep", daemon=True)
    thread.start()
    return thread
