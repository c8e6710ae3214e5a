"""The reference pages of what workflows use: the action and the reusable workflows, from their YAML."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from markup import code, page, table

from ci_buildkit.config.options import Options, option_string

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(".github") / "workflows"
NAMES = [option_string(name) for name in Options.model_fields]


def read(path: Path) -> dict[str, Any]:
    """A YAML file of the repository. YAML 1.1, which PyYAML reads, has true for the key `on`: it is `on` here."""
    found: dict[Any, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8")) or {}
    return {"on" if key is True else key: value for key, value in found.items()}


def action() -> str:
    """The page on the action."""
    written = read(Path("action.yml"))
    inputs = [
        (code(name), one["description"], code(one["default"]) if one["default"] else "")
        for name, one in written["inputs"].items()
    ]
    outputs = [(code(name), one["description"]) for name, one in written["outputs"].items()]
    return page(
        "The action",
        "`action.yml`",
        "```yaml\n- uses: org/ci-buildkit@v1\n```",
        "## Inputs",
        "An empty input is not set: then `ci-buildkit.yml` of the repository decides, else the default.",
        table(["Input", "Meaning", "Default"], inputs),
        "## Outputs",
        "Outputs are written whether the pipeline passed or not; read them in a step with `if: always()`.",
        table(["Output", "Meaning"], outputs),
    )


def workflows() -> str:
    """The page on the reusable workflows, and the parts that they are made of."""
    found = {path: read(path.relative_to(ROOT)) for path in sorted((ROOT / FOLDER).glob("*.yml"))}
    # One that also runs by itself is this repository's own.
    called = {path: one for path, one in found.items() if set(one.get("on", ())) == {"workflow_call"}}
    parts = [
        (
            "Each is called from a job of your own workflow. What a caller grants with `permissions` must be at least what the "
            "jobs below ask for; a job that asks for nothing itself has what the caller grants."
        ),
        *(part for path, one in called.items() for part in _workflow(path, one)),
        "## Parts",
        "The workflows are made of these actions, which do one step each.",
        table(
            ["Action", "Does"],
            [(code(f"org/ci-buildkit/actions/{path.parent.name}@v1"), read(path)["description"]) for path in _parts()],
        ),
    ]
    return page("Reusable workflows", "`.github/workflows/`", *parts)


def _parts() -> list[Path]:
    return [path.relative_to(ROOT) for path in sorted(ROOT.glob("actions/*/action.yml"))]


def _workflow(path: Path, written: dict[str, Any]) -> list[str]:
    call = written["on"]["workflow_call"]
    parts = [
        f"## {path.name}",
        _head(path),
        f"```yaml\njobs:\n  ci:\n    uses: org/ci-buildkit/{FOLDER}/{path.name}@v1\n```",
        "### " + "Inputs" + f" of {path.name}",
        *_inputs(call.get("inputs", {})),
    ]
    for title, head in (("secrets", "Secret"), ("outputs", "Output")):
        if rows := [(code(name), one.get("description", "")) for name, one in (call.get(title) or {}).items()]:
            parts += [f"### {title.capitalize()} of {path.name}", table([head, "Meaning"], rows)]
    jobs = [(code(name), _permissions(one.get("permissions"))) for name, one in written["jobs"].items()]
    return [*parts, f"### Permissions of {path.name}", table(["Job", "Permissions"], jobs)]


def _head(path: Path) -> str:
    """What a workflow is for: the first paragraph of the comment at its top."""
    text = re.match(r"(?:# .*\n)+", path.read_text(encoding="utf-8"))
    return " ".join(line.removeprefix("# ") for line in text[0].splitlines()) if text else ""


def _inputs(inputs: dict[str, Any]) -> list[str]:
    own = [
        (code(name), one["description"], one["type"], _default(one))
        for name, one in inputs.items()
        if name not in NAMES
    ]
    missing = [code(name) for name in NAMES if name not in inputs]
    without = f", without {', '.join(missing)}" if missing else ""
    shared = (
        f"Beside these every [option](options.md) is an input{without}. An option whose input is left out is not set."
    )
    return [table(["Input", "Meaning", "Type", "Default"], own), shared]


def _default(one: dict[str, Any]) -> str:
    default = one.get("default", "")
    if one.get("required"):
        return "required"
    return code(str(default).lower() if isinstance(default, bool) else str(default)) if default != "" else ""


def _permissions(granted: dict[str, str] | None) -> str:
    if granted is None:
        return "what the caller grants"
    return ", ".join(code(f"{name}: {level}") for name, level in granted.items()) or "none"
