"""Run the pipeline in this process, then tell the following steps how it ended. Returns 0 whatever the pipeline did.

The action's last step fails with the pipeline's exit code, after the artifacts are uploaded. The pipeline runs in this
very process because the runner sends its cancel signal to a step's first process only, and the builder has to be
removed then.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ci_buildkit.__main__ import main as command
from ci_buildkit.config.options import Options
from ci_buildkit.config.sources import load
from ci_buildkit.errors import CiBuildkitError
from ci_buildkit.github.runner import GitHub, add_mask
from ci_buildkit.github.step import ended, variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# CONTRACTS: "Exit codes of every command".
MEANINGS = {
    1: "lint findings or failed tests",
    2: "wrong usage or configuration",
    3: "a build failed",
    4: "trouble with the engine, the builder or a registry",
    5: "an expected output is missing, unreadable or wrong",
    6: "GitHub's API refused a request",
    130: "interrupted",
}
LONGEST_REASON = 200
VARIABLES = "SECRET_ENV"  # no CI_BUILDKIT_ variable: those are options
# What the action passes on, empty where GitHub gives none; buildx takes an empty address for one (build/opt.go).
CACHE_VARIABLES = ("ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL", "ACTIONS_CACHE_SERVICE_V2")


def identity(path: Path) -> tuple[int, int] | None:
    """What tells one version of a file from the next; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def read_record(path: Path, before: tuple[int, int] | None) -> dict[str, Any]:
    """The run record; empty where this run wrote none. An older run's, which is still `before`, is not ours to tell."""
    if identity(path) == before:
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def verdict(record: Mapping[str, Any], code: int) -> str:
    """One sentence without line ends: how the pipeline ended and why."""
    if code == 0:
        return f"The pipeline passed: {', '.join(stage['name'] for stage in record.get('stages', ()))}."
    why = MEANINGS.get(code, "an unexpected error")
    parts = []
    for stage in record.get("stages", ()):
        if stage["outcome"] in {"failed", "error"}:
            reason = " ".join(str(stage.get("reason") or "").split())
            parts.append(f"{stage['name']} {stage['outcome']}" + (f" ({reason[:LONGEST_REASON]})" if reason else ""))
    parts += [" ".join(str(problem["reason"]).split())[:LONGEST_REASON] for problem in record.get("problems", ())[:3]]
    details = f": {'; '.join(parts)}" if parts else ""
    where = "The job summary and the report tell more" if record else "The log of the step above says what to do"
    return f"The pipeline ended with exit code {code} ({why}){details}. {where}."


def outputs(record: Mapping[str, Any], code: int, report: Path) -> dict[str, str]:
    """The step's outputs. Numbers and texts as such, everything else as JSON; empty where there is no record."""
    result = {"exit-code": str(code), "outcome": "passed" if code == 0 else "error", "verdict": verdict(record, code)}
    if not record:
        # A pipeline that passes always leaves a record: without one there is nothing that could be trusted.
        return result if code else {**result, "exit-code": "5", "outcome": "error", "verdict": verdict({}, 5)}
    totals = record["tests"]["totals"]
    images = record["images"]
    return {
        **result,
        "outcome": record["outcome"],
        "version": record["version"]["value"],
        "revision": record["version"]["revision"],
        "digest": next((image["digest"] for image in images if image["digest"]), ""),
        "images": json.dumps(images),
        "tests": json.dumps(totals),
        "tests-failed": str(totals["failed"] + totals["errors"]),
        "findings": str(len(record["findings"])),
        "binaries": json.dumps(record["binaries"]),
        "report-dir": str(report),
    }


def report_folder(environ: Mapping[str, str]) -> Path:
    """Where the pipeline will write its report; the default where its options are wrong, which it will say itself."""
    try:
        return load({}, environ).options.report_dir.absolute()
    except CiBuildkitError:
        return Options().report_dir.absolute()


def take_secrets(environ: Mapping[str, str]) -> int:
    """Set the variables of the secret `secret-env`, which a reusable workflow passes on; 0. Raises ConfigurationError."""
    found = variables(environ.get(VARIABLES, ""), environ)
    for value in found.values():
        print("\n".join(add_mask(value)), flush=True)
    os.environ.pop(VARIABLES, None)
    os.environ.update(found)
    return 0


def pipeline(words: Sequence[str] = ("run",)) -> int:
    """Run a command of ci-buildkit, whose options come from the environment; returns its exit code."""
    if code := ended(take_secrets, os.environ):
        return code
    for name in CACHE_VARIABLES:
        if not os.environ.get(name):
            os.environ.pop(name, None)
    sys.argv = ["ci-buildkit", *words]
    try:
        code = command()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None) * 4
    return int(code or 0)


def ran(environ: Mapping[str, str], words: Sequence[str] = ("run",)) -> dict[str, str]:
    """Run a command that writes a report; the step's outputs."""
    report = report_folder(environ)
    before = identity(report / "run.json")
    code = pipeline(words)
    return outputs(read_record(report / "run.json", before), code, report)


def tell(values: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Write outputs; raises when they cannot be written."""
    github = GitHub.from_environ(environ)
    for name, value in values.items():
        github.set_output(name, value)


def main(environ: Mapping[str, str]) -> int:
    """Run the pipeline and write the outputs. Returns 0; raises when the outputs cannot be written."""
    tell(ran(environ), environ)
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
