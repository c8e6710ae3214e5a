"""Show which steps of a run were not in the cache, and why: the first causes, not what merely followed them.

Compares a run with the one before it, or with OTHER. Exit code 0 whatever is found, 5 where a record cannot be read.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.report.explain import Explained, Explanation

DEFAULT = Path("ci-report")
RECORD = "run.json"
MOUNTS = re.compile(r" --mount=\S+")  # which hide the command that people look for
WIDEST = 100
NEXT = "name the run.json of a report, or run `ci-buildkit run` first"
EXAMPLES = """
ci-buildkit explain
ci-buildkit explain ci-report --format json
ci-buildkit explain ci-report/run.json yesterday/run.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two records, and the format."""
    parser.add_argument(
        "run", nargs="?", type=Path, default=DEFAULT, metavar="RUN.json",
        help="the record of a run, or its report folder (default: ci-report/run.json)",
    )  # fmt: skip
    parser.add_argument(
        "other", nargs="?", type=Path, metavar="OTHER.json",
        help="the record of an earlier run to compare with; without it, previous.json beside RUN.json",
    )  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text", help="(default: text)")


def call(arguments: argparse.Namespace) -> int:
    """Compare and print; returns 0.

    Raises:
        OutputError: a record is missing or damaged. That no earlier run was kept is no error.
    """
    from ci_buildkit.cli.recordfile import read
    from ci_buildkit.pipeline.staging import PREVIOUS
    from ci_buildkit.report.explain import explain

    file = _file(arguments.run)
    now = read(file, NEXT)
    other = _file(arguments.other) if arguments.other else file.with_name(PREVIOUS)
    kept = arguments.other is not None or other.exists()
    before = read(other, "name another earlier record, or remove this one") if kept else None
    explanation = explain(now, before)
    if arguments.format == "json":
        from ci_buildkit.cli.output import print_json

        print_json({"steps": [as_json(step) for step in explanation.steps]})
    else:
        print("\n".join(lines(explanation)))
    return 0


def _file(path: Path) -> Path:
    return path / RECORD if path.is_dir() or path == DEFAULT else path


def as_json(step: Explained) -> dict[str, Any]:
    """The public keys of a first cause."""
    return {
        "stage": step.stages[0],
        "step": step.step,
        "ran": True,
        "seconds": step.seconds,
        "cause": step.reason.cause,
        "detail": step.reason.detail,
        "stages": list(step.stages),
        "followed_steps": step.followed,
        "lost_seconds": step.lost_seconds,
        "transferred": step.transferred,
        "advice": step.advice or None,
    }


def lines(explanation: Explanation) -> Iterator[str]:
    """The explanation for people."""
    from ci_buildkit.report.text import cut, inert
    from ci_buildkit.text import plural

    against = f", compared with the run of {explanation.earlier}" if explanation.earlier else ""
    if not explanation.steps:
        yield inert(f"All {plural(explanation.total, 'step')} came from the cache{against}.")
        return
    yield inert(
        f"{explanation.ran} of {plural(explanation.total, 'step')} ran{against}. What came first, the costliest at the top:"
    )
    for step in explanation.steps:
        yield ""
        yield inert(f"{cut(MOUNTS.sub('', step.step), WIDEST)} ({', '.join(step.stages)})")
        yield inert(f"  {step.reason.cause}: {step.reason.detail}")
        yield inert(f"  {_cost(step)}")
        if step.advice:
            yield inert(f"  {step.advice}")


def _cost(step: Explained) -> str:
    from ci_buildkit.report.text import duration, size
    from ci_buildkit.text import plural

    parts = [duration(step.seconds)]
    if step.followed:
        parts.append(f"{duration(step.lost_seconds)} with the {plural(step.followed, 'step')} that followed")
    if step.transferred:
        parts.append(f"{size(step.transferred)} transferred")
    return ", ".join(parts)
