"""Find the projects that changed and make a job matrix of them: the step of actions/projects."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit.cli import projects
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.github.runner import GitHub
from ci_buildkit.github.step import ended
from ci_buildkit.report.markdown import cell, inline, table
from ci_buildkit.report.text import inert
from ci_buildkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ci_buildkit.plan.projects import Standing


def words(text: str) -> list[str]:
    """The lines of an input, without empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def sentence(changed: Sequence[Standing], known: Sequence[Standing], why: str) -> str:
    """What is built, and why."""
    if not changed:
        return f"No project changed, so nothing is built: {why}."
    return f"{len(changed)} of {plural(len(known), 'project')} {'is' if len(changed) == 1 else 'are'} built: {why}."


def summary(headline: str, found: Sequence[Standing]) -> str:
    """The job summary."""
    rows = [["🔨" if one.changed else "⏭️", cell(one.project.path), inline(one.why)] for one in found]
    return f"{inline(headline, 1000)}\n\n{table(['', 'Project', 'Why'], rows)}\n"


def main(environ: Mapping[str, str]) -> int:
    """Write the outputs and the job summary; 0. Raises ConfigurationError."""
    if environ.get("STEP_CONTEXT"):
        raise ConfigurationError(
            "the inputs projects and context are both set",
            hint="each project is a context of its own: leave context out",
        )
    changes, found = projects.find(
        Path(),
        words(environ["STEP_PROJECTS"]),
        environ.get("STEP_CHANGED_SINCE", "").strip(),
        words(environ.get("STEP_SHARED", "")),
        words(environ.get("STEP_IGNORED", "")),
    )
    changed = [one for one in found if one.changed]
    headline = sentence(changed, found, changes.why)
    github = GitHub.from_environ(environ)
    github.set_output("matrix", json.dumps(projects.matrix(found)))
    github.set_output("count", str(len(changed)))
    github.set_output("reason", inert(headline))
    github.set_output("projects", json.dumps(projects.document(changes, found)["projects"]))
    if github.summary_path:
        github.append_summary(summary(headline, found))
    print("\n".join([inert(headline), *(inert(f"  {one.project.path}: {one.why}") for one in found)]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(ended(main, os.environ))
