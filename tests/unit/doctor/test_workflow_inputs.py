"""What the doctor knows of ci-buildkit's action and reusable workflows is what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ci_buildkit.doctor.permissions import LEVELS
from ci_buildkit.doctor.workflow_calls import INPUTS, WORKFLOWS

ROOT = Path(__file__).parents[3]


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)


def reusable() -> dict[str, Any]:
    """The workflows that can be called, by file name."""
    files = {path.name: load(path) for path in (ROOT / ".github" / "workflows").glob("*.yml")}
    # ci.yml is called by publish.yml of this repository only, and without inputs.
    return {name: file for name, file in files.items() if file["on"].get("workflow_call")}


def test_the_known_inputs_are_those_of_the_action() -> None:
    assert set(load(ROOT / "action.yml")["inputs"]) == INPUTS


def test_the_known_workflows_are_those_that_there_are_with_their_inputs() -> None:
    assert {name: set(file["on"]["workflow_call"].get("inputs", {})) for name, file in reusable().items()} == {
        name: set(called.inputs) for name, called in WORKFLOWS.items()
    }


def test_no_reusable_workflow_requires_an_input() -> None:
    inputs = [one for file in reusable().values() for one in file["on"]["workflow_call"].get("inputs", {}).values()]
    assert not [one for one in inputs if one.get("required") == "true"]


def asked(file: Any) -> dict[str, str]:
    """The most that jobs of a workflow ask for, scope by scope."""
    found: dict[str, str] = {}
    for job in file["jobs"].values():
        for scope, level in job.get("permissions", {}).items():
            found[scope] = max(level, found.get(scope, "none"), key=lambda one: LEVELS[one])
    return found


def test_the_permissions_that_callers_have_to_grant_are_known() -> None:
    assert {name: asked(file) for name, file in reusable().items()} == {
        name: dict(called.permissions) for name, called in WORKFLOWS.items()
    }
