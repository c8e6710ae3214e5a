"""Run the pipeline: lint, test, binaries and image stages at the same time on one builder."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import threading
from typing import TYPE_CHECKING

from ci_buildkit.cli import flags
from ci_buildkit.errors import CiBuildkitError, EngineError, Interrupted, most_fundamental, said

if TYPE_CHECKING:
    from collections.abc import Container

    from ci_buildkit.config.options import Options
    from ci_buildkit.engine.buildx import Buildx
    from ci_buildkit.engine.process import Cancellation
    from ci_buildkit.pipeline.clock import Clock
    from ci_buildkit.pipeline.run import Finished
    from ci_buildkit.pipeline.staging import Staging
    from ci_buildkit.pipeline.view import View

EXAMPLES = """
ci-buildkit run                                            # every stage that the Dockerfile has
ci-buildkit run lint test
ci-buildkit run --platform linux/amd64,linux/arm64 binaries
ci-buildkit run --image ghcr.io/org/app --push --tag type=semver,pattern={{version}}
ci-buildkit run --cache-from type=gha,scope={target} --cache-to type=gha,scope={target},mode=max
ci-buildkit run --fail-on lint=warnings --min-tests 100
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All options."""
    flags.add_options(parser)


def call(arguments: argparse.Namespace) -> int:
    """Run; the exit code is the record's, or that of a failure to write the report."""
    from ci_buildkit.pipeline.clock import Clock

    clock = Clock()
    options = flags.settings(arguments).options
    with contextlib.closing(_asking(options)) as buildx:
        return _run(options, buildx, clock)


def _asking(options: Options) -> Buildx:
    """docker, which is asked for a builder by name already: its answer takes as long as the imports that follow."""
    from ci_buildkit.engine.buildx import VERSION, Buildx, inspection

    buildx = Buildx(os.environ)
    if options.builder and not options.login:  # which changes what docker is asked with
        buildx.begin(*inspection(options.builder))
        buildx.begin(*VERSION)
    return buildx


def _run(options: Options, buildx: Buildx, clock: Clock) -> int:
    from ci_buildkit.cli.interrupts import cancel_on_signals
    from ci_buildkit.engine.process import Cancellation
    from ci_buildkit.pipeline.staging import Staging, check_target

    check_target(options.report_dir, options.context)
    cancellation = Cancellation()
    cancel_on_signals(cancellation)
    staging = Staging()
    try:
        with contextlib.closing(_view(options)) as view:
            finished = _execute(options, buildx, cancellation, staging, view, clock)
        code = _report(finished, staging, options)
    except CiBuildkitError:
        if cancellation.cancelled:  # what broke, broke because of it
            raise Interrupted("interrupted before the first stage began") from None
        raise
    except BrokenPipeError:  # nobody reads what is printed
        raise
    except OSError as error:  # a full disk, mostly
        message = f"the report could not be written: {said(error)}"
        raise EngineError(message, hint=f"what there is was kept in {staging.keep()}") from error
    finally:
        staging.remove()
    _end(finished, options)
    return code


def _execute(
    options: Options, buildx: Buildx, cancellation: Cancellation, staging: Staging, view: View, clock: Clock
) -> Finished:
    """Prepare and run; the builder is gone afterwards where this run made it."""
    from ci_buildkit.pipeline import policies
    from ci_buildkit.pipeline.prepare import prepared, sweep_leftovers

    wanted = policies.load(options)
    view.phase("preparing the builder and the plan")
    with prepared(options, os.environ, _load_run, buildx) as ready:
        from ci_buildkit.pipeline.run import Run, execute

        sweep_leftovers(ready.buildx, made=options.builder is None)
        if options.sign or options.smoke:
            from ci_buildkit.pipeline import approve

            approve.check(options, ready.plan, ready.buildx)
        kinds = {stage.kind for stage in ready.plan.stages}
        threading.Thread(target=_load_reports, args=(kinds,), name="imports", daemon=True).start()
        run = Run(
            plan=ready.plan,
            options=options,
            buildx=ready.buildx,
            buildx_version=ready.buildx_version,
            fleet=ready.fleet,
            cancellation=cancellation,
            staging=staging,
            view=view,
            clock=clock,
            policies=wanted,
            notes=ready.notes,
        )
        return execute(run)


def _view(options: Options) -> View:
    from ci_buildkit.github.runner import GitHub

    kind = options.progress
    if kind == "auto":
        github = GitHub.from_environ(os.environ).is_github
        kind = "github" if github else "tty" if sys.stderr.isatty() else "plain"
    if kind == "github":
        from ci_buildkit.github.log import GitHubView

        return GitHubView()
    from ci_buildkit.report import terminal

    return terminal.LiveView() if kind == "tty" else terminal.PlainView()


def _load_run() -> None:
    """Import what runs a plan while docker is asked for what the plan is made of."""
    importlib.import_module("ci_buildkit.pipeline.run")


def _load_reports(kinds: Container[str]) -> None:
    """Import what reports and stages of these kinds need at their end while the builds run: 0.1 s that nobody waits for.

    Of the readers only the likeliest: a log in which every step came from the cache needs none.
    """
    from ci_buildkit.engine import answers
    from ci_buildkit.findings import sarif
    from ci_buildkit.report import html, summary
    from ci_buildkit.results import junit_writer

    _ = sarif, summary, junit_writer
    if "test" in kinds:
        from ci_buildkit.results.read import READERS

        _ = next(iter(READERS))
    if "lint" in kinds:
        from ci_buildkit.findings import read

        _ = read
    html.load(answers.folder(os.environ) / "templates")


def _report(finished: Finished, staging: Staging, options: Options) -> int:
    """Write every report and put the folder in place; returns the exit code."""
    from ci_buildkit.cli import reports
    from ci_buildkit.report.text import inert_lines

    record = finished.record
    reports.write(staging.report, record, finished.tests, finished.findings, root=finished.root)
    try:
        staging.put(options.report_dir)
    except CiBuildkitError as error:
        print(inert_lines(f"error: {error}"), file=sys.stderr)
        return most_fundamental([record.exit_code, error.exit_code])
    return record.exit_code


def _end(finished: Finished, options: Options) -> None:
    from ci_buildkit.github.runner import GitHub
    from ci_buildkit.report import terminal

    record, tests, known = finished.record, finished.tests, finished.findings.known
    github = GitHub.from_environ(os.environ)
    if github.is_github:
        from ci_buildkit.github import annotate

        print("\n".join(annotate.commands(record, tests, known=known, url=github.run_url)), flush=True)
    print(terminal.end_text(record, tests, options.report_dir, known=known), end="", file=sys.stderr)
    if github.is_github and github.summary_path:  # which other runners that pass for GitHub's do not all have
        from ci_buildkit.report import summary

        github.append_summary(summary.render(record, tests, known=known))
