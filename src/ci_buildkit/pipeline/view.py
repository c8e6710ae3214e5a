"""What a running pipeline tells whoever is watching. Implementations are in `report.terminal` and `github.log`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from ci_buildkit.record import StageRecord

Level = Literal["notice", "warning", "error"]


class Snapshot(Struct, frozen=True):
    """How far a stage is: the step that runs now, steps ended, steps from the cache, steps known so far, seconds."""

    current: str
    done: int
    cached: int
    total: int
    seconds: float


class View(Protocol):
    """Receives events from one thread only, in order. No method may raise or block.

    Every text can hold anything a build printed: a view must neither let it control the terminal nor the runner.
    """

    def start(self, stages: Sequence[str]) -> None:
        """The run begins with these stages, in the plan's order."""

    def phase(self, text: str) -> None:
        """What happens before, between and after the stages: "creating builder", "pushing images"."""

    def progress(self, stage: str, snapshot: Snapshot) -> None:
        """A stage moved; called at most ten times a second for each stage."""

    def log(self, stage: str, step: str, line: str) -> None:
        """One line of a step's output, without its line end."""

    def finished(self, stage: StageRecord, log: Path) -> None:
        """A stage ended; `log` is its complete plain log."""

    def message(self, level: Level, text: str) -> None:
        """Something that people should know now."""

    def close(self) -> None:
        """The run is over or was interrupted; restores the terminal. Called exactly once."""
