"""The stand-in for actions/upload-artifact, bundled from its npm packages: `python -m lab.upload_artifact` prints where.

act resolves `actions/upload-artifact@SHA` to that folder with `--local-repository`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from .console import LabError, run, say
from .places import Places, Store, digest
from .runner import install

PROJECT = Path(__file__).resolve().parent / "upload-artifact"


def folder(store: Store) -> Path:
    """Return the folder with the action: its action.yml and one bundled script. Made on the first call."""

    def make(work: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="upload-artifact-", dir=store.root) as name:
            source = Path(name)
            install(PROJECT, source)
            run(["npm", "run", "bundle"], cwd=source, timeout=120)
            shutil.copy(source / "action.yml", work)
            shutil.copytree(source / "dist", work / "dist")

    files = sorted(path for path in PROJECT.rglob("*") if path.is_file() and "node_modules" not in path.parts)
    return store.ensure("actions", "upload-artifact", digest(Path(__file__), *files), make)


def main() -> int:
    """Print the folder; returns 0, or 4 with a message."""
    places = Places.of_user()
    try:
        with places.locked():
            sys.stdout.write(f"{folder(Store(places))}\n")
    except LabError as error:
        say(str(error))
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
