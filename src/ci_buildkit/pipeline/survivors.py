"""What happens to a build when a machine of the builder dies: it goes on with the others, or fails with that name."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from functools import partial

from msgspec import Struct

from ci_buildkit.engine.builder import Builder
from ci_buildkit.engine.solve import Solved
from ci_buildkit.errors import EngineError
from ci_buildkit.pipeline import judge
from ci_buildkit.pipeline.session import Session


class Loss(Struct, frozen=True):
    """Machines that do not answer any more. `final` says that no other can build what they were to."""

    said: str
    final: bool


def loss(session: Session, name: str, platforms: Sequence[str], used: Builder, solved: Solved) -> Loss | None:
    """Why a build of the stage `name` on `used` broke, where it is for a machine that has died; the others build from
    then on. None where the build did not break, or all machines answer.

    A step of a machine that is shut down can end with an exit code of its own, so that with several machines every broken
    build is looked into.
    """
    if not solved.returncode or session.cancellation.cancelled:
        return None
    trouble = judge.build(solved.returncode, solved.progress, solved.text).exit_code == EngineError.exit_code
    killed = solved.returncode < 0  # because its machine did not answer
    if not (trouble or killed) and len(used.machines) < 2:
        return None
    said = ""
    with contextlib.suppress(EngineError):  # where docker is in trouble itself, the build's own message says so
        said = session.fleet.missing(used)
    if not said:
        return None
    if session.builder is used:
        return Loss(f"{said}; no machine is left", final=True)
    if alone := session.fleet.uncovered(platforms):
        return Loss(f"{said}; no other machine can build for {', '.join(alone)}", final=True)
    session.emit(partial(session.view.message, "warning", f"{name}: {said}; it is built again by the others"))
    return Loss(said, final=False)
