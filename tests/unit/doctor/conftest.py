"""What the tests of the doctor share: a Dockerfile's or bake file's text in, what the rules say out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ci_buildkit.config.options import Options
from ci_buildkit.doctor import bakefile, examine, parse
from ci_buildkit.doctor.around import Around
from ci_buildkit.doctor.bakefile import BakeFile
from ci_buildkit.doctor.diagnosis import Diagnosis

Diagnose = Callable[..., list[Diagnosis]]


@pytest.fixture
def diagnose() -> Diagnose:
    """What one rule, or every rule, says of a Dockerfile. Keywords are fields of `Around`, or options."""

    def of(text: str, rule: str = "", **around: Any) -> list[Diagnosis]:
        options = {name: around.pop(name) for name in list(around) if name in Options.model_fields}
        found, _ = examine.dockerfile("Dockerfile", text, Around(options=Options(**options), **around))
        return [one for one in found if rule in {"", one.rule}]

    return of


@pytest.fixture
def diagnose_bake() -> Diagnose:
    """What one rule, or every rule, says of a bake file beside a Dockerfile."""

    def of(text: str, rule: str = "", *, path: str = "docker-bake.hcl", dockerfile: str = "") -> list[Diagnosis]:
        file = replace(bakefile.parse(path, text), files=frozenset({"Dockerfile"} if dockerfile else ()))
        parsed = {"Dockerfile": parse.parse("Dockerfile", dockerfile)} if dockerfile else {}
        return [one for one in examine.bake_file(replace(file, dockerfiles=parsed)) if rule in {"", one.rule}]

    return of


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


__all__ = ["BakeFile", "Diagnose"]
