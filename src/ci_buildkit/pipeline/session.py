"""What all stages of a run share, and where their files are."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from ci_buildkit.config.options import Options
from ci_buildkit.engine.batch import Batch
from ci_buildkit.engine.builder import Builder
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.fleet import Fleet
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.pipeline.clock import Clock
from ci_buildkit.pipeline.policies import Policies
from ci_buildkit.pipeline.staging import Staging
from ci_buildkit.pipeline.view import View
from ci_buildkit.plan.stages import Stage

# Docker processes side by side. All of 200 started at once took each other's time until docker gave up waiting for the
# builder; BuildKit itself runs no more steps at once than it has room for.
BUILDS_AT_ONCE = 32


class Session(Struct, frozen=True):
    """What all stages of a run share. `clock` began with it, `emit` hands a call to the thread that talks to the view.

    `batch` builds the stages that only have to be built.
    """

    buildx: Buildx
    fleet: Fleet
    options: Options
    cancellation: Cancellation
    staging: Staging
    definitions: Mapping[str, Mapping[str, Any]]
    root: Path
    clock: Clock
    emit: Callable[[Callable[[], None]], None]
    view: View
    can_debug: bool
    policies: Policies
    batch: Batch | None = None

    @property
    def builder(self) -> Builder:
        """What builds run on now; another one after a machine has died."""
        return self.fleet.builder

    def exported(self, stage: Stage) -> Path:
        """Where a stage's files are exported to."""
        return export_folder(self.staging, stage)

    def log(self, stage: str) -> Path:
        """The log file of a stage."""
        return self.staging.report / "logs" / f"{safe_name(stage)}.log"


def export_folder(staging: Staging, stage: Stage) -> Path:
    """Reports and images go straight into the report; everything else is put there after it was looked at."""
    folders = {
        "test": staging.report / "results",
        "lint": staging.report / "results",
        "image": staging.report / "images",
    }
    return folders.get(stage.kind, staging.work / "export") / safe_name(stage.name)


def safe_name(name: str) -> str:
    """A target's name as a file name."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", name)
