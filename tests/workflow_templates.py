"""The organisation's workflow templates: what there is, and what GitHub makes of one when somebody takes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "workflow-templates"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yml"))
# A project of the kind that each is for, below examples/.
EXAMPLES = {
    "container-only": "container-only",
    "go": "buildme",
    "monorepo": "monorepo",
    "node": "node",
    "python": "python",
    "release": "monorepo/api",
    "rust": "rust",
}


def properties(name: str) -> dict[str, Any]:
    """What GitHub shows of a template."""
    return dict(json.loads((FOLDER / f"{name}.properties.json").read_text(encoding="utf-8")))


def template(name: str) -> str:
    """The text of a template, `$default-branch` in it."""
    return (FOLDER / f"{name}.yml").read_text(encoding="utf-8")


def instance(name: str, branch: str = "main") -> str:
    """The workflow file that GitHub proposes in a repository with this default branch."""
    return template(name).replace("$default-branch", branch)
