"""Whether anything keeps the pinned actions of a repository up to date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ci_buildkit.doctor import workflowfile
from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.workflowfile import Value, YamlFile

DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")
# Where Renovate looks for its settings (docs.renovatebot.com, "Configuration options"); it updates actions by itself.
RENOVATE = (
    *("renovate.json", "renovate.json5", ".github/renovate.json", ".github/renovate.json5", ".gitlab/renovate.json"),
    *(
        ".gitlab/renovate.json5",
        ".renovaterc",
        ".renovaterc.json",
        ".renovaterc.json5",
        "renovate.jsonc",
        ".renovaterc.jsonc",
    ),
    ".github/renovate.jsonc",
)
ECOSYSTEM = "github-actions"
ENTRY = f"""  - package-ecosystem: {ECOSYSTEM}
    directory: /
    schedule:
      interval: weekly"""


def examine(root: Path, workflows: Sequence[YamlFile]) -> list[Diagnosis]:
    """A notice where actions are used and no bot looks for new versions of them."""
    if not any("uses:" in line for file in workflows for line in file.lines):
        return []
    if any((root / name).is_file() for name in RENOVATE):
        return []
    path = next((name for name in DEPENDABOT if (root / name).is_file()), None)
    if path is None:
        said = f"nothing looks for new versions of the actions that workflows use; add {DEPENDABOT[0]} with {ECOSYSTEM}"
        return [Diagnosis(DEPENDABOT[0], None, "no-update-bot", "notice", said, f"version: 2\nupdates:\n{ENTRY}")]
    file = workflowfile.read(root / path, path)
    if file.root is None:
        return [Diagnosis(path, fault.line, "unreadable-workflow", "error", fault.message) for fault in file.faults]
    if _updates_actions(file.root):
        return []
    said = f"Dependabot does not look for new versions of actions: no entry with package-ecosystem: {ECOSYSTEM}"
    return [Diagnosis(path, None, "no-update-bot", "notice", said, None)]


def _updates_actions(root: Value) -> bool:
    updates = root.of("updates")
    return any(entry.text_of("package-ecosystem") == ECOSYSTEM for entry in updates.items) if updates else False
