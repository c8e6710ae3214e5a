"""Say how the jobs of a workflow ended together: the step of actions/verdict. It fails where one of them is red."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit.cli import jobs
from ci_buildkit.github.runner import GitHub, command
from ci_buildkit.github.step import TITLE, ended
from ci_buildkit.report import verdict
from ci_buildkit.report.text import inert

if TYPE_CHECKING:
    from collections.abc import Mapping


def main(environ: Mapping[str, str]) -> int:
    """Write the outputs and the job summary; the exit code of the whole. Raises ConfigurationError."""
    names = jobs.names(environ.get("STEP_JOBS", ""))
    found = verdict.judge(
        jobs.results(environ["STEP_NEEDS"]),
        environ.get("STEP_MAY_SKIP", "").split(),
        jobs.read(Path(environ["STEP_REPORTS"]), environ["STEP_ARTIFACT_NAME"], names) if names else [],
        environ.get("STEP_NOTHING", ""),
    )
    github = GitHub.from_environ(environ)
    github.set_output("outcome", found.outcome)
    github.set_output("exit-code", str(found.exit_code))
    github.set_output("verdict", found.sentence)
    github.set_output("jobs", json.dumps(verdict.document(found.jobs)))
    if github.summary_path:
        github.append_summary(verdict.markdown(found))
    text = inert(found.sentence)
    print(command("error", text, {"title": TITLE}) if found.exit_code else text, flush=True)
    return found.exit_code


if __name__ == "__main__":
    sys.exit(ended(main, os.environ))
