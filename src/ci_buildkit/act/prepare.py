"""From what a user asks for to everything that is known before act starts."""

from __future__ import annotations

import secrets as randomness
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import TimeoutExpired

from msgspec import Struct, field

from ci_buildkit import jsontext
from ci_buildkit.act import actions, choice, docker, event, images, plan, program, triggers
from ci_buildkit.act.actions import Repositories
from ci_buildkit.act.docker import Docker
from ci_buildkit.act.event import Checkout
from ci_buildkit.act.images import Images
from ci_buildkit.act.matrix import EXPRESSION
from ci_buildkit.act.plan import Plan, Selection
from ci_buildkit.act.program import Act
from ci_buildkit.act.triggers import Trigger
from ci_buildkit.act.view import View
from ci_buildkit.act.workflow import Workflow
from ci_buildkit.checkout import git
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation, answer
from ci_buildkit.errors import ConfigurationError, EngineError, said

DEFAULT_BRANCH = "main"  # where Git does not know it


class Request(Struct, frozen=True):
    """What the user asks for, as it is written.

    `artifact_folder` is that of act's server, where it is not to be the run's own; `passed` are further words for act.
    """

    folder: Path
    workflow: str = ""
    event: str = ""
    event_file: Path | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    selection: Selection = field(default_factory=Selection)
    images: Sequence[str] = ()
    uses: Sequence[str] = ()
    secrets: Sequence[str] = ()
    variables: Sequence[str] = ()
    offline: bool = False
    artifact_folder: Path | None = None
    passed: Sequence[str] = ()


class Ready(Struct, frozen=True):
    """What act is started with. `repositories` are its flags for folders, `texts` hold all labels that may be used."""

    top: Path
    act: Act
    docker: Docker
    plan: Plan
    images: Images
    event: str
    payload: bytes
    repository: str
    repositories: Sequence[str]
    texts: Sequence[str]


class Tools(Struct, frozen=True):
    """What preparing works with; `scratch` is a folder of this run alone."""

    environ: Mapping[str, str]
    buildx: Buildx
    cancellation: Cancellation
    scratch: Path
    view: View


def prepare(request: Request, tools: Tools) -> Ready:
    """Decide everything, and have the images.

    Raises ConfigurationError where something is wrong with the workflows or the request, EngineError where act, Docker
    or an image is not to be had.
    """
    tools.view.phase("looking for act and Docker")
    act = program.find(tools.environ, tools.cancellation, offline=request.offline)
    for note in act.notes:
        tools.view.note("notice", note)
    found = docker.look(tools.buildx)
    top = git.top(request.folder)
    if top is None:
        raise ConfigurationError(f"{request.folder} is in no Git repository", hint="act needs one: `git init`")
    given = actions.given(request.uses)
    repositories = Repositories(given, tools.scratch, tools.environ, tools.cancellation, request.offline)
    facts = _checkout(top)
    workflows, happened, notes = _chosen(request, top, facts, act, tools)
    mapped = images.images(request.images, tools.environ, images.actrc(top, tools.environ))
    token = f"act{randomness.token_hex(4)}"
    planned = plan.make(workflows, top, mapped, repositories.workflow, token, request.selection)
    used = actions.look(workflows, planned.uses, top, repositories)
    for note in (*notes, *repositories.notes, *planned.notes, *used.notes):
        tools.view.note("warning", note)
    if request.offline:
        _check_missing(planned, used.missing)
    texts = tuple(planned.files.values())
    _have_images(planned, mapped, used.images, request, tools)
    return Ready(
        top=top,
        act=act,
        docker=found,
        plan=planned,
        images=mapped,
        event=happened.event,
        payload=_payload(request, workflows, happened, facts),
        repository=facts.repository,
        repositories=[*repositories.flags, f"--local-repository={planned.repository}={tools.scratch / 'stage'}"],
        texts=texts,
    )


def _chosen(
    request: Request, top: Path, facts: Checkout, act: Act, tools: Tools
) -> tuple[tuple[Workflow, ...], Trigger, tuple[str, ...]]:
    """The workflows that run, what happened, and notes about that."""
    workflows = []
    for path in choice.files(top, request.workflow):
        _validate(act, path, tools)
        inside = path.relative_to(top) if path.is_relative_to(top) else path
        workflows.append(choice.load(path, str(inside)))
    name = choice.event_of(workflows, request.event)
    happened = event.trigger(name, facts, tag=request.event == triggers.TAG)
    chosen = choice.choose(workflows, happened, named=bool(request.workflow))
    return chosen.workflows, happened, chosen.notes


def _validate(act: Act, path: Path, tools: Tools) -> None:
    """Raise ConfigurationError with act's words where it refuses a workflow file."""
    words = [str(act.path), "--validate", "--workflows", str(path)]
    try:
        done = answer(words, env=tools.environ, cancellation=tools.cancellation, seconds=60)
    except (OSError, TimeoutExpired) as error:
        raise EngineError(f"act could not look at {path}: {error}") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip() and "level=" not in line]
        raise ConfigurationError("\n".join(lines).removeprefix("Error: ") or f"act refuses {path}")


def _checkout(top: Path) -> Checkout:
    head = git.head(top)
    revision = git.revision(top)
    return Checkout(
        repository=event.repository(git.remote_url(top), top.name),
        revision=revision,
        parent=next(iter(git.parents(top, revision)), "") if revision else "",
        ref=git.ref(top),
        default_branch=git.default_branch(top) or DEFAULT_BRANCH,
        tag=head.tag if head and head.distance == 0 else "",
    )


def _payload(request: Request, workflows: Sequence[Workflow], happened: Trigger, facts: Checkout) -> bytes:
    inputs = event.inputs(workflows, happened.event, request.inputs) if not request.event_file else request.inputs
    if request.event_file is None:
        return jsontext.dumps(event.payload(happened, facts, inputs))
    try:
        document = jsontext.loads(request.event_file.read_bytes())
    except (OSError, jsontext.Broken) as error:
        reason = said(error) if isinstance(error, OSError) else str(error)
        raise ConfigurationError(f"the event {request.event_file} cannot be read: {reason}") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"the event {request.event_file} is no JSON object")
    if inputs:
        own = document.get("inputs") or {}
        if not isinstance(own, dict):
            raise ConfigurationError(f"the event {request.event_file}: its `inputs` are no JSON object")
        document["inputs"] = {**own, **inputs}
    return jsontext.dumps(document)


def _check_missing(planned: Plan, missing: Mapping[str, str]) -> None:
    """Raise ConfigurationError, naming every repository that would have to be fetched."""
    named = [f"{name}, which {by} uses" for name, by in missing.items()]
    named += [f"{one.job.calls}, which {one.id} calls" for one in planned.jobs if one.opaque]
    if named:
        raise ConfigurationError(
            "--offline, and nothing here stands for " + "; ".join(named),
            hint="give each a folder with --use OWNER/REPO@REF=DIR, or run once with the network",
        )


def _have_images(planned: Plan, mapped: Images, others: Sequence[str], request: Request, tools: Tools) -> None:
    """Pull the runner images that are missing; offline every image that is used must be there."""
    runners = {mapped.image(label) for label in _labels(planned)} - {"", images.ON_THE_HOST}
    own = [image for one in planned.jobs for image in one.job.images if EXPRESSION not in image]
    wanted = dict.fromkeys([*sorted(runners), *(own if request.offline else ()), *(others if request.offline else ())])
    for image in docker.missing(tools.buildx, wanted):
        if request.offline:
            raise EngineError(
                f"--offline, and the image {image} is not there", hint=f"run `docker pull {image}` before"
            )
        tools.view.phase(f"pulling {image}")
        docker.pull(tools.buildx, image, tools.cancellation, lambda _: None)


def _labels(planned: Plan) -> Iterator[str]:
    """What jobs run on as far as it is known, with the runners that a matrix of the run itself may name."""
    for one in planned.jobs:
        if one.job.has_container or one.job.calls:
            continue
        for leg in one.legs if one.legs is not None else ({},):
            yield from one.job.labels_of(leg) or (images.USUAL[0],)
