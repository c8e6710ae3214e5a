"""Plan the jobs of a distributed pipeline: the step of actions/plan. The options are those of a workflow, as JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from action.run import take_secrets

from ci_buildkit.cli.plan import render
from ci_buildkit.config.sources import load
from ci_buildkit.github.runner import GitHub
from ci_buildkit.github.step import ended, inputs
from ci_buildkit.report.text import inert

if TYPE_CHECKING:
    from collections.abc import Mapping


def main(environ: Mapping[str, str]) -> int:
    """Write the outputs; 0. Raises the errors of planning."""
    from ci_buildkit.pipeline.prepare import prepared
    from ci_buildkit.plan import matrix

    take_secrets(environ)
    options = load({}, {**environ, **inputs(environ["STEP_OPTIONS"])}).options
    with prepared(options, os.environ) as ready:
        made = json.loads(render(ready.plan, "matrix", matrix.runners(options.runner), by="platform"))
    github = GitHub.from_environ(environ)
    github.set_output("matrix", json.dumps(made))
    github.set_output("push", str(options.push).lower())
    for entry in made["include"]:
        runner = json.dumps(entry["runner"])
        print(inert(f"{entry['name']}: {entry['stage']} on {runner}"), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(ended(main, os.environ))
