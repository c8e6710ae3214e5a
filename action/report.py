"""Publish the report of another workflow's run, which is not trusted: the step of actions/report."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from ci_buildkit.__main__ import main as command
from ci_buildkit.cli import recordfile
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.github import foreign
from ci_buildkit.github.runner import GitHub
from ci_buildkit.github.runner import command as workflow_command
from ci_buildkit.github.step import TITLE, ended

if TYPE_CHECKING:
    from collections.abc import Mapping

WORDS = ("check", "comment")


def flags(wished: str) -> list[str]:
    """What to publish, as flags: what is wished must succeed. Raises ConfigurationError."""
    words = wished.replace(",", " ").split()
    if unknown := [word for word in words if word not in WORDS]:
        raise ConfigurationError(f"the input publish holds {unknown[0]!r}", hint=f"it takes {' and '.join(WORDS)}")
    return [f"--{'' if word in words else 'no-'}{word}" for word in WORDS]


def main(environ: Mapping[str, str]) -> int:
    """Look at the report and publish it; the command's exit code. Raises ConfigurationError and OutputError."""
    described = foreign.run(GitHub.from_environ(environ))
    wished = flags(environ["STEP_PUBLISH"])
    folder = Path(environ["STEP_REPORTS"], f"{environ['STEP_ARTIFACT_NAME']}-report")
    if not folder.is_dir():
        text = f"the run left no artifact {folder.name}, so there is nothing to publish"
        print(workflow_command("notice", text, {"title": TITLE}), flush=True)
        return 0
    with tempfile.TemporaryDirectory() as name:
        foreign.take(folder, Path(name))
        foreign.check(recordfile.read(Path(name, "run.json"), "look at the run that made it"), described)
        sys.argv = ["ci-buildkit", "publish", "--report-dir", name, "--name", environ["STEP_NAME"], *wished]
        return int(command() or 0)


if __name__ == "__main__":
    sys.exit(ended(main, os.environ))
