"""What the tests of the plan share: an engine that answers from memory, and files in the working directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.config.options import Options
from ci_buildkit.plan import dockerfile, stages, targets
from ci_buildkit.plan.description import Description
from ci_buildkit.plan.stages import Plan
from ci_buildkit.record import VersionRecord

VERSION = VersionRecord(value="v1.2.3", revision="a" * 40, dirty=False, source="tag", source_date_epoch=1700000000)


@dataclass
class Answers:
    """BuildKit's answers: every named stage and the last one for a Dockerfile, `printed` for a bake file."""

    printed: dict[str, Any] = field(default_factory=dict)
    default: frozenset[str] = frozenset()

    def targets(self, context: Path, file: Path, build_args: Mapping[str, str]) -> list[dict[str, Any]]:
        """As `--call=targets` answers: unnamed stages have no name, the last one is the default."""
        found = [{"name": "" if s.name.isdecimal() else s.name, "base": s.base} for s in dockerfile.read(file).stages]
        found[-1]["default"] = True  # type: ignore[assignment]
        return found

    def bake_targets(self, file: Path) -> list[str]:
        """The targets of the bake file."""
        return list(self.printed)

    def bake_print(self, file: Path, names: Sequence[str]) -> dict[str, Any]:
        """Their definitions."""
        return {"target": {name: self.printed[name] for name in names}}

    def bake_default(self, file: Path) -> frozenset[str]:
        """The default group."""
        return self.default


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def plan() -> Callable[..., Plan]:
    """Make the plan of a Dockerfile's text, or of a bake file's printed targets, with options."""

    def make(
        text: str = "",
        *,
        bake: dict[str, Any] | None = None,
        default: frozenset[str] = frozenset(),
        description: Description | None = None,
        branches: tuple[str, ...] = (),
        **options: Any,
    ) -> Plan:
        if text:
            Path("Dockerfile").write_text(text, encoding="utf-8")
        if bake is not None:
            Path("docker-bake.json").write_text("{}", encoding="utf-8")
        chosen = Options(**options)
        return stages.make(
            chosen, targets.discover(chosen, Answers(bake or {}, default)), VERSION, branches, description
        )

    return make
