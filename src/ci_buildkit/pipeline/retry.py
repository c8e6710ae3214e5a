"""A test stage once more because tests failed in it that may pass another time, and its attempts as one."""

from __future__ import annotations

from collections.abc import Callable

from ci_buildkit.pipeline.reading import Reading
from ci_buildkit.pipeline.session import Session, safe_name
from ci_buildkit.plan.stages import Stage
from ci_buildkit.results import attempts


def set_aside(session: Session, stage: Stage, number: int) -> Callable[[str], str]:
    """Keep the report files of attempt `number` beside those of the next; returns where a file of it is then."""
    name, aside = safe_name(stage.name), f"{safe_name(stage.name)}.attempt-{number}"
    folder = session.exported(stage)
    if folder.is_dir():
        folder.rename(folder.with_name(aside))

    def elsewhere(file: str) -> str:
        own = f"results/{name}/"
        return f"results/{aside}/{file.removeprefix(own)}" if file.startswith(own) else file

    return elsewhere


def folded(first: Reading, then: Reading, elsewhere: Callable[[str], str]) -> Reading:
    """What two attempts left. How the tests ended is what the last one says."""
    return Reading(
        report=attempts.fold(first.report, then.report, elsewhere),
        source=then.source or first.source,
        exit_code=then.exit_code,
        problems=list(dict.fromkeys([*first.problems, *then.problems])),
        left_out=then.left_out,
    )
