"""`python bin/init_workflows.py`: zizmor on the workflows that `ci-buildkit init` writes, each kind of them.

They become files of other people's repositories, so they are held to the strictest rules and to no exceptions but those
that stand in the files themselves. `make lint` calls this. Exit code 1 where anything is found.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from ci_buildkit.scaffold.look import Look
from ci_buildkit.scaffold.workflow import PATH, Wish, text

BIN = Path(sys.executable).parent
COMMIT = "0" * 40
# Everything that changes what is written: images here, there or nowhere; one project or several; a tag or a commit.
WISHES = [
    Wish(image=image, action=action)
    for image in ("", "ghcr.io/acme/shop", "acme/shop", "registry.example.com/shop")
    for action in ("org/ci-buildkit@v1", f"org/ci-buildkit@{COMMIT}")
]
FOLDERS = [(".",), ("api",), ("api", "web")]


def written(folder: Path) -> list[Path]:
    """Each kind of workflow, in a repository of its own below the folder."""
    found = []
    for number, (wish, folders) in enumerate((wish, folders) for wish in WISHES for folders in FOLDERS):
        path = folder / f"repository-{number}" / PATH
        path.parent.mkdir(parents=True)
        path.write_text(text(Look(), wish, folders), encoding="utf-8")
        found.append(path)
    return found


def main() -> int:
    """Check all of them, tell what is found, and return 0 or 1."""
    with tempfile.TemporaryDirectory() as name:
        files = written(Path(name))
        command = [f"{BIN}/zizmor", "--offline", "--quiet", "--no-config", "--persona=pedantic", *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        print((done.stdout + done.stderr).replace(f"{name}/", ""), end="")
    print(f"{len(files)} workflows as `ci-buildkit init` writes them")
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
