"""`python bin/act_settings.py`: what act's settings file needs where github.com cannot be reached.

Each line names a folder that stands for an action of GitHub's which ours use: those that `lab/` has, made on the first call.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ("action.yml", "actions/*/action.yml", ".github/workflows/*.yml")
USES = re.compile(r"\buses: (actions/([\w-]+)@[0-9a-f]{40})")
sys.path.insert(0, str(ROOT))

from lab import upload_artifact  # noqa: E402
from lab.console import LabError  # noqa: E402
from lab.places import Places, Store  # noqa: E402


def used() -> dict[str, str]:
    """The actions of GitHub's that ours use, at a commit, and the name of each."""
    texts = [path.read_text(encoding="utf-8") for pattern in OURS for path in ROOT.glob(pattern)]
    return dict(sorted({found for text in texts for found in USES.findall(text)}))


def lines() -> list[str]:
    """A line for each of them that the lab has. Raises LabError where one cannot be made."""
    places = Places.of_user()
    with places.locked():
        folders = {name: upload_artifact.folder(Store(places), name) for name in upload_artifact.PROJECTS}
    folders["github-script"] = ROOT / "lab" / "github-script"
    return [f"--local-repository={action}={folders[name]}" for action, name in used().items() if name in folders]


def main() -> int:
    """Print the lines; returns 0, or 4 with a message."""
    try:
        print("\n".join(lines()))
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
