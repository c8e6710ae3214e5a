"""Lines of act's log, as act 0.2.89 writes them, and plans of small workflows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ci_buildkit.act import plan, workflow
from ci_buildkit.act.images import Images
from ci_buildkit.act.log import Event, Log
from ci_buildkit.act.outcome import Outcome, conclude
from ci_buildkit.act.plan import Plan, Selection
from ci_buildkit.act.record import parse
from ci_buildkit.act.workflow import Workflow

IMAGES = Images("runner:1")
TOKEN = "act0"


def line(message: str, **fields: Any) -> bytes:
    """One line of the log."""
    return json.dumps({"level": "info", "msg": message, "time": "2026-01-02T03:04:05Z", **fields}).encode()


def planned(text: str, others: Mapping[str, str] | None = None, selection: Selection | None = None) -> Plan:
    """The plan for one workflow, ci.yml; `others` are workflows that it calls, by what stands in `uses`."""
    texts = others or {}

    def find(uses: str, root: Path) -> tuple[Workflow, Path] | None:
        return (workflow.parse(texts[uses], uses), root) if uses in texts else None

    first = workflow.parse(text, "ci.yml")
    return plan.make([first], Path("/top"), IMAGES, find, TOKEN, selection or Selection())


def one_step(job: str, result: str, **fields: Any) -> list[bytes]:
    """A job of one step from its first line to its last."""
    own = {"job": job, "jobID": "x", "matrix": {}, **fields}
    step = {**own, "step": "Do", "stepID": ["0"], "stage": "Main"}
    setup = {**own, "step": "Set up job", "stepid": ["--setup-job"]}
    lines = [
        line("⭐ Run Set up job", **setup),
        line("  ✅  Success - Set up job", stepResult="success", **setup),
        line("⭐ Run Main Do", **step),
        line("hello\n", raw_output=True, **step),
        line("  Done - Main Do", stepResult=result, executionTime=1_500_000_000, **step),
    ]
    if result == "failure":
        lines.append(line("exitcode '1': failure", **{**step, "level": "error"}))
    return [*lines, line("🏁  Job ended", jobResult=result, **own)]


def skipped(job: str) -> bytes:
    """A job whose condition does not hold."""
    return line("Skipping job", job=job, jobID="x", matrix={}, jobResult="skipped", level="debug")


def folded(lines: Iterable[bytes]) -> tuple[Log, list[Event]]:
    """The log of these lines, a second between two, and what happened in it."""
    log = Log()
    events: list[Event] = []
    for now, text in enumerate(lines):
        record = parse(text)
        if not record.is_noise:
            events += log.take(record, float(now))
    return log, events


def concluded(plan: Plan, lines: Iterable[bytes], code: int = 0) -> Outcome:
    """What is said of a run with this log."""
    return conclude(plan, folded(lines)[0], IMAGES, code, ())


def conclusions(plan: Plan, lines: Iterable[bytes], code: int = 0) -> dict[str, str]:
    """How each job ended, by its name."""
    return {job.name: job.conclusion for job in concluded(plan, lines, code).jobs}
