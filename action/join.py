"""Put together what the jobs of a distributed pipeline made: the step of actions/join.

Returns 0 whatever the jobs did, as the run step of the action does: artifacts come before the verdict.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from action.run import ran, tell

from ci_buildkit.cli import jobs
from ci_buildkit.config.sources import INPUT_PREFIX
from ci_buildkit.errors import most_fundamental
from ci_buildkit.github.step import ended, inputs
from ci_buildkit.record import outcome_of
from ci_buildkit.report import verdict
from ci_buildkit.report.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Options that count for joining; all others have counted on the machines.
OPTIONS = ("CONTEXT", "ANNOTATION", "IMMUTABLE_TAGS", "SIGN", "LOGIN", "REPORT_DIR")


def arrange(downloads: Path, prefix: str, names: Iterable[str], target: Path) -> None:
    """Give each job's report its job's name, and put its binaries, which are an artifact of their own, into it."""
    for name in names:
        report, dist = (downloads / f"{prefix}-{name}-{kind}" for kind in ("report", "binaries"))
        if report.is_dir():
            shutil.copytree(report, target / name, symlinks=True)
            if dist.is_dir():
                shutil.copytree(dist, target / name / "dist", symlinks=True, dirs_exist_ok=True)


def lost(push: str, found: verdict.Verdict) -> list[str]:
    """What to say where nobody told whether to push. Without a word of it a green pipeline would push nothing."""
    if push in {"true", "false"} or found.exit_code:
        return []
    return [
        "the plan's output push did not arrive: GitHub drops an output that holds a masked text, such as `true` in secret-env"
    ]


def judged(values: dict[str, str], found: verdict.Verdict) -> dict[str, str]:
    """The outputs, red where the jobs are, whatever their reports say."""
    code = most_fundamental([int(values["exit-code"]), found.exit_code])
    if code != int(values["exit-code"]):
        values |= {"exit-code": str(code), "outcome": outcome_of(code), "verdict": found.sentence}
    return values


def main(environ: Mapping[str, str]) -> int:
    """Join and write the outputs; 0. Raises ConfigurationError."""
    names = jobs.names(environ["STEP_JOBS"])
    downloads, prefix = Path(environ["STEP_REPORTS"]), environ["STEP_ARTIFACT_NAME"]
    found = verdict.judge(jobs.results(environ["STEP_NEEDS"]), [], jobs.read(downloads, prefix, names))
    print(inert(found.sentence), flush=True)
    given = inputs(environ["STEP_OPTIONS"])
    os.environ.update({name: given[name] for name in given if name.removeprefix(INPUT_PREFIX) in OPTIONS})
    push = environ["STEP_PUSH"] == "true" and not found.exit_code
    with tempfile.TemporaryDirectory() as folder:
        arrange(downloads, prefix, names, Path(folder))
        words = [word for name in names for word in ("--expect", name)]
        problems = [*found.besides, *lost(environ["STEP_PUSH"], found)]
        words += [word for text in problems for word in ("--problem", text)]
        values = ran(os.environ, ["join", folder, "--push" if push else "--no-push", *words])
    tell(judged(values, found), environ)
    return 0


if __name__ == "__main__":
    sys.exit(ended(main, os.environ))
