"""Stand-ins for actions of GitHub's, bundled from their npm packages: `python -m lab.upload_artifact` prints where.

That is the one for actions/upload-artifact; `python -m lab.upload_artifact download-artifact` names another. act resolves
`actions/upload-artifact@SHA` to that folder with `--local-repository`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from .console import LabError, run, say
from .places import Places, Store, digest
from .runner import install

PROJECTS = ("upload-artifact", "download-artifact")


def folder(store: Store, name: str = PROJECTS[0]) -> Path:
    """Return the folder with the action: its action.yml and one bundled script. Made on the first call."""
    project = Path(__file__).resolve().parent / name

    def make(work: Path) -> None:
        with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=store.root) as scratch:
            source = Path(scratch)
            install(project, source)
            run(["npm", "run", "bundle"], cwd=source, timeout=120)
            shutil.copy(source / "action.yml", work)
            shutil.copytree(source / "dist", work / "dist")

    files = sorted(path for path in project.rglob("*") if path.is_file() and "node_modules" not in path.parts)
    return store.ensure("actions", name, digest(Path(__file__), *files), make)


def main() -> int:
    """Print the folder; returns 0, 4 with a message, or 2 for a name that is none."""
    name = sys.argv[1] if sys.argv[1:] else PROJECTS[0]
    if name not in PROJECTS:
        say(f"there is no stand-in for {name}: {', '.join(PROJECTS)}")
        return 2
    places = Places.of_user()
    try:
        with places.locked():
            sys.stdout.write(f"{folder(Store(places), name)}\n")
    except LabError as error:
        say(str(error))
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
