"""What act's `--json` log says in one line. Pure.

Fields: nektos/act pkg/runner/logger.go, step.go, job_executor.go, command.go of 0.2.89.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ci_buildkit import jsontext

SETUP, COMPLETE = "--setup-job", "--complete-job"
OWN_STEPS = {SETUP: "Set up job", COMPLETE: "Complete job"}


@dataclass(frozen=True, slots=True)
class Record:
    """One line. `job` is act's name of the job, `path` the ids of the step and, in composite actions, of those in it.

    `seconds` is how long a step took, where it has ended. A line that is no JSON is a record with nothing but `message`.
    """

    message: str
    job: str = ""
    job_id: str = ""
    matrix: Mapping[str, Any] = field(default_factory=dict)
    step: str = ""
    path: tuple[str, ...] = ()
    stage: str = ""
    level: str = ""
    command: str = ""
    output: bool = False
    step_result: str = ""
    job_result: str = ""
    seconds: float | None = None
    data: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def failing(self) -> bool:
        """Whether act says here why the step in question failed; a step's own `::error::` is none."""
        return self.level == "error" and not self.command

    @property
    def as_json(self) -> dict[str, Any]:
        """The line as act wrote it; as a message what is no JSON. Its values are not masked, but for the message."""
        return dict(self.data) or {"msg": self.message}

    @property
    def is_noise(self) -> bool:
        """Whether only somebody who looks for a mistake in act wants to read it."""
        return self.level in {"debug", "trace"} and not (self.step_result or self.job_result)


def parse(line: bytes) -> Record:
    """The record of a line."""
    try:
        data = jsontext.loads(line)
    except jsontext.Broken:
        data = None
    if not isinstance(data, dict) or "msg" not in data:
        return Record(line.decode(errors="replace").rstrip("\r\n"))
    path = data.get("stepID") or data.get("stepid")
    matrix = data.get("matrix")
    nanoseconds = data.get("executionTime")
    return Record(
        message=str(data["msg"]).rstrip("\r\n"),
        job=_text(data, "job").rstrip(" "),  # which act fills up to the longest name
        job_id=_text(data, "jobID"),
        matrix=matrix if isinstance(matrix, dict) else {},
        step=_text(data, "step"),
        path=tuple(str(part) for part in path) if isinstance(path, list) else (),
        stage=_text(data, "stage"),
        level=_text(data, "level"),
        command=_text(data, "command"),
        output=bool(data.get("raw_output")),
        step_result=_text(data, "stepResult"),
        job_result=_text(data, "jobResult"),
        seconds=nanoseconds / 1e9 if isinstance(nanoseconds, int | float) else None,
        data=data,
    )


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""
