"""Run the repository's workflows on this machine with act, and say how every job and step ended.

WORKFLOW is a file, its name in .github/workflows, or the workflow's own name; without it all run that GitHub would run for
the event. What is behind `--` is passed on to act. Exit code 1 where a job failed or did not run though nothing told it to
skip.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_buildkit.errors import CiBuildkitError, ConfigurationError, FailuresFound, Interrupted, OutputError, said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ci_buildkit.act.outcome import Job, Outcome, Step
    from ci_buildkit.act.prepare import Request
    from ci_buildkit.act.session import Finished
    from ci_buildkit.act.view import View

PASSES_ON = True  # what is behind `--`
COLOURS = {"success": "32", "failure": "31", "not-run": "31", "skipped": "2"}
EXAMPLES = """
ci-buildkit act                                                  # what a push of this branch would start
ci-buildkit act ci.yml --event pull_request
ci-buildkit act release --event tag                              # the tag that is checked out
ci-buildkit act deploy --event workflow_dispatch --input where=test --secret DEPLOY_KEY
ci-buildkit act --job test --matrix go:1.24
ci-buildkit act --offline --use acme/tools@v2=../tools -- --concurrent-jobs 1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The workflow, what happened, and what stands for what GitHub has."""
    add = parser.add_argument
    add("workflow", nargs="?", default="", metavar="WORKFLOW", help="the workflow (default: all that the event starts)")
    add("--event", default="", metavar="NAME",
        help="what happened: push, pull_request, workflow_dispatch ..., or tag for the push of the tag at this commit "
        "(default: push where a workflow has it)")  # fmt: skip
    add("--event-file", type=Path, metavar="FILE", help="the event as JSON (default: made of what Git knows)")
    add("--input", action="append", default=[], metavar="NAME=VALUE", help="an input of workflow_dispatch")
    add("--job", default="", metavar="ID", help="only this job and those that it needs")
    add("--matrix", action="append", default=[], metavar="KEY:VALUE", help="only legs of matrices that have this value")
    add("--image", action="append", default=[], metavar="[LABEL=]IMAGE",
        help="the image of GitHub's Linux runners, or of one label of runs-on (default: CI_BUILDKIT_RUNNER_IMAGE, act's "
        "settings, catthehacker/ubuntu:act-latest)")  # fmt: skip
    add("--use", action="append", default=[], metavar="OWNER/REPO@REF=DIR",
        help="a folder that stands for a repository of actions or workflows")  # fmt: skip
    add("--secret", action="append", default=[], metavar="NAME[=VALUE]",
        help="a secret, from the variable of that name; act reads the file .secrets, too")  # fmt: skip
    add("--var", action="append", default=[], metavar="NAME[=VALUE]",
        help="a variable of `vars`, in the same way; act reads the file .vars, too")  # fmt: skip
    add("--offline", action="store_true", help="use nothing but what is on this machine")
    add("--artifacts", type=Path, metavar="DIR", help="unpack what jobs upload into DIR/NAME")
    add("--verbose", "-v", action="store_true", help="show what steps print")
    add("--format", choices=("text", "json"), default="text", help="(default: text)")


def call(arguments: argparse.Namespace) -> int:
    """Run and print; returns 0 or 1, and 130 where it was interrupted.

    Raises:
        ConfigurationError: the request or a workflow is wrong.
        EngineError: act, Docker or an image is not to be had, or act broke.
        OutputError: an artifact cannot be unpacked.
    """
    from ci_buildkit.act.session import execute
    from ci_buildkit.cli.interrupts import cancel_on_signals
    from ci_buildkit.engine.process import Cancellation

    request = _request(arguments)
    cancellation = Cancellation()
    cancel_on_signals(cancellation)
    view = _view(verbose=arguments.verbose)
    try:
        finished = execute(request, os.environ, cancellation, view)
    except CiBuildkitError:
        if cancellation.cancelled:  # what broke, broke because of it
            raise Interrupted("interrupted before act began") from None
        raise
    finally:
        view.close()
    _print(finished, arguments.format)
    if arguments.artifacts:
        _unpack(finished.outcome, arguments.artifacts)
    if finished.interrupted:
        raise Interrupted("interrupted; what the run had in Docker is removed")
    return 0 if finished.outcome.outcome == "passed" else FailuresFound.exit_code


def _request(arguments: argparse.Namespace) -> Request:
    """What is asked for, with those of act's own options that say the same."""
    from ci_buildkit.act.passed import divide
    from ci_buildkit.act.plan import Selection
    from ci_buildkit.act.prepare import Request

    passed = divide(getattr(arguments, "passed", ()))
    legs = [*arguments.matrix, *passed.all("--matrix")]
    workflow = passed.last("--workflows")
    event_file, server = passed.last("--eventpath"), passed.last("--artifact-server-path")
    return Request(
        folder=Path.cwd(),
        workflow=arguments.workflow or ("" if Path(workflow).is_dir() else workflow),
        event=arguments.event,
        event_file=arguments.event_file or (Path(event_file) if event_file else None),
        inputs=dict(_pairs("--input", arguments.input, "=")),
        selection=Selection(arguments.job or passed.last("--job"), tuple(_pairs("--matrix", legs, ":"))),
        images=[*arguments.image, *passed.all("--platform")],
        uses=[*arguments.use, *passed.uses],
        secrets=[*arguments.secret, *passed.all("--secret")],
        variables=[*arguments.var, *passed.all("--var")],
        offline=arguments.offline,
        artifact_folder=Path(server).absolute() if server else None,
        passed=passed.words,
    )


def _pairs(flag: str, texts: Iterable[str], mark: str) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, found, value = text.partition(mark)
        if not found or not name:
            raise ConfigurationError(f"{flag} {text!r} is not of the form NAME{mark}VALUE")
        yield name, value


def _view(*, verbose: bool) -> View:
    from ci_buildkit.act.view import LiveView, PlainView

    return LiveView() if sys.stderr.isatty() and not verbose else PlainView(verbose=verbose)


def _print(finished: Finished, form: str) -> None:
    from ci_buildkit.cli.output import print_json
    from ci_buildkit.report.text import inert

    outcome = finished.outcome
    if form == "json":
        print_json(as_json(outcome))
    else:
        print("\n".join(lines(outcome, colours=sys.stdout.isatty())))
    if outcome.problem:
        print(f"error: {inert(outcome.problem)}", file=sys.stderr)
    print(f"log: {finished.log}", file=sys.stderr)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The public keys of an outcome."""
    return {
        "outcome": outcome.outcome,
        "jobs": [
            {
                "id": job.id,
                "name": job.name,
                "conclusion": job.conclusion,
                "seconds": round(job.seconds, 1),
                "steps": [_step(step) for step in job.steps],
                "workflow": job.workflow,
                "reason": job.reason or None,
            }
            for job in outcome.jobs
        ],
        "artifacts": [{"name": one.name, "path": str(one.path), "size": one.size} for one in outcome.artifacts],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "conclusion": step.conclusion,
        "seconds": round(step.seconds, 1),
        "steps": [_step(inner) for inner in step.steps],
    }


def lines(outcome: Outcome, *, colours: bool) -> Iterator[str]:
    """The table for people: jobs, their steps, and the artifacts."""
    from ci_buildkit.cli.output import aligned
    from ci_buildkit.report.text import duration, size
    from ci_buildkit.text import plural

    rows = []
    for job in outcome.jobs:
        shown = "" if job.conclusion in {"skipped", "not-run"} else duration(job.seconds)
        rows.append([job.conclusion, shown, job.name, job.reason])
        rows += [list(row) for step in job.steps for row in _rows(step, 1)]
    yield from aligned(rows, COLOURS if colours else {})
    if outcome.artifacts:
        yield ""
        yield from aligned([["artifact", size(one.size), one.name, str(one.path)] for one in outcome.artifacts], {})
    yield ""
    yield f"{outcome.outcome}: {_counted(outcome.jobs, plural)}"


def _rows(step: Step, depth: int) -> Iterator[tuple[str, str, str, str]]:
    from ci_buildkit.report.text import duration, one_line

    name = one_line(step.name, 80)
    shown = "" if step.conclusion == "skipped" else duration(step.seconds)
    yield step.conclusion, shown, "  " * depth + name, "failed, but continue-on-error" if step.passed_over else ""
    for inner in step.steps:
        yield from _rows(inner, depth + 1)


def _counted(jobs: Iterable[Job], plural: Any) -> str:
    found: dict[str, int] = {}
    for job in jobs:
        found[job.conclusion] = found.get(job.conclusion, 0) + 1
    words = {"success": "succeeded", "failure": "failed", "skipped": "skipped", "not-run": "not run"}
    parts = [f"{found[conclusion]} {word}" for conclusion, word in words.items() if conclusion in found]
    return f"{plural(sum(found.values()), 'job')}, {', '.join(parts)}" if parts else "no job"


def _unpack(outcome: Outcome, folder: Path) -> None:
    import zipfile

    from ci_buildkit.act.runs import unpack

    for artifact in outcome.artifacts:
        try:
            unpack(artifact, folder / artifact.name)
        except (OSError, zipfile.BadZipFile) as error:
            reason = said(error) if isinstance(error, OSError) else str(error)
            raise OutputError(f"the artifact {artifact.name} cannot be unpacked: {reason}") from error
