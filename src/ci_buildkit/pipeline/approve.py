"""Whether images that were pushed by digest may get their tags: tried out on native platforms, then signed."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from msgspec.structs import replace

from ci_buildkit.config.options import Options
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import CiBuildkitError, OutputError
from ci_buildkit.pipeline.flaws import IMPLIED
from ci_buildkit.pipeline.judge import CANCELLED, PASSED, Verdict
from ci_buildkit.pipeline.pushed import Approval, Pushed
from ci_buildkit.pipeline.session import BUILDS_AT_ONCE, Session
from ci_buildkit.plan import smoke
from ci_buildkit.plan.stages import Plan

SMOKE_SECONDS = 300  # for one command on one platform
# Of the end of what a command printed, in a reason: lines, because docker may swap those of stdout and stderr, and characters.
SHOWN_LINES, SHOWN = 3, 200


def check(options: Options, plan: Plan, buildx: Buildx) -> None:
    """Raise ConfigurationError or EngineError, before anything is built, where images could not be approved later."""
    images = _images(plan)
    if not (plan.push and images):
        return
    if options.smoke:
        from ci_buildkit.engine import containers

        smoke.commands(options.smoke, images)
        containers.native(buildx, ())
    if options.sign:
        from ci_buildkit.engine import cosign

        cosign.check(cosign.parse(options.sign), buildx.environment)


def verdicts(session: Session, plan: Plan, pushed: Sequence[Pushed]) -> list[Approval]:
    """An approval for each image, in the same order. Nothing is signed unless every image passed its commands."""
    approvals = [Approval(image) for image in pushed]
    if session.options.smoke and pushed:
        approvals = _smoked(session, plan, pushed)
    if session.options.sign and pushed and all(approval.verdict == PASSED for approval in approvals):
        with ThreadPoolExecutor(max_workers=BUILDS_AT_ONCE) as pool:
            return list(pool.map(partial(_signed, session), approvals))
    return approvals


def _images(plan: Plan) -> list[str]:
    return [stage.name for stage in plan.stages if stage.kind == "image"]


def _smoked(session: Session, plan: Plan, pushed: Sequence[Pushed]) -> list[Approval]:
    """Each stage's image is tried out under the first of its names."""
    from ci_buildkit.engine import containers

    commands = smoke.commands(session.options.smoke, _images(plan))
    try:
        native = containers.native(session.buildx, session.builder.native)
    except CiBuildkitError as error:
        return [Approval(image, _verdict(session, error)) for image in pushed]
    first = {(image.stage, image.digest): image for image in reversed(pushed)}
    with ThreadPoolExecutor(max_workers=len(first)) as pool:
        tried = pool.map(lambda image: _try_out(session, image, commands[image.stage], native), first.values())
        results = dict(zip(first, tried, strict=True))
    return [replace(results[image.stage, image.digest], pushed=image) for image in pushed]


def _try_out(session: Session, image: Pushed, commands: Sequence[smoke.Command], native: frozenset[str]) -> Approval:
    """Run an image's commands on each platform that docker's machine executes itself."""
    from ci_buildkit.engine import containers

    if not commands:
        return Approval(image)
    platforms = [platform for platform in image.held.platforms if IMPLIED.get(platform, platform) in native]
    if left := [platform for platform in image.held.platforms if platform not in platforms]:
        text = f"{image.stage} was not tried out on {', '.join(left)}: docker's machine does not execute that itself"
        session.emit(partial(session.view.message, "warning", text))
    passed: list[str] = []
    try:
        for platform in platforms:
            session.emit(partial(session.view.phase, f"trying out {image.stage} on {platform}"))
            for command in commands:
                _run(session, image, platform, command)
            passed.append(platform)
    except CiBuildkitError as error:
        return Approval(image, _verdict(session, error), smoked=tuple(passed))
    finally:
        containers.forget(session.buildx, image.reference)
    return Approval(image, smoked=tuple(passed))


def _run(session: Session, image: Pushed, platform: str, command: smoke.Command) -> None:
    """Run one command, its output in `logs/TARGET.smoke.log`. Raises OutputError where it does not succeed."""
    from ci_buildkit.engine import containers
    from ci_buildkit.engine.patience import patiently

    said = session.buildx.mask(f"`{shlex.join(command)}` on {platform}")
    log = session.log(f"{image.stage}.smoke")
    with log.open("a", encoding="utf-8", errors="replace") as out:
        out.write(f"# {said}, {image.reference}\n")
        container = containers.Container(image.reference, platform, command, SMOKE_SECONDS)
        patiently(lambda: container.pull(session.buildx, session.cancellation), session.cancellation)
        ran = container.run(session.buildx, session.cancellation, lambda line: out.write(f"{line}\n"))
        ending = f"did not end within {SMOKE_SECONDS} s" if ran.timed_out else f"ended with exit code {ran.returncode}"
        out.write(f"# {ending}\n")
    if ran.timed_out or ran.returncode:
        last = " / ".join(ran.text.splitlines()[-SHOWN_LINES:])[-SHOWN:]
        raise OutputError(f"{image.stage}: {said} {ending}: {last or 'it printed nothing'} (logs/{log.name})")


def _signed(session: Session, approval: Approval) -> Approval:
    image = approval.pushed
    session.emit(partial(session.view.phase, f"signing {image.reference}"))
    try:
        sign(str(session.options.sign), image, session.buildx.environment, session.cancellation)
    except CiBuildkitError as error:
        return replace(approval, verdict=_verdict(session, error))
    return replace(approval, signed=True)


def sign(text: str, image: Pushed, environ: Mapping[str, str], cancellation: Cancellation) -> None:
    """Sign an image as `--sign` says, with every platform in it, and verify that. What was signed before stays.

    Raises:
        EngineError: cosign or the registry fails.
        OutputError: what was signed does not verify.
    """
    from ci_buildkit.engine import cosign
    from ci_buildkit.engine.patience import patiently

    signer = cosign.Cosign(cosign.parse(text), environ, cancellation)
    references = list(
        dict.fromkeys((image.reference, *(f"{image.name}@{manifest.digest}" for manifest in image.held.manifests)))
    )
    try:
        signer.verify(references)
    except OutputError:
        patiently(lambda: signer.sign(image.reference), cancellation)
        signer.verify(references)


def _verdict(session: Session, error: CiBuildkitError) -> Verdict:
    return CANCELLED if session.cancellation.cancelled else Verdict("error", error.message, error.exit_code)
