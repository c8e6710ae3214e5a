"""`python bin/page_workflows.py`: the YAML of other programs in the documentation, against their schemas and actionlint.

Workflows are GitHub's; what a comment above a block names, `<!-- file: NAME -->`, is looked at by its name. `make lint`
calls this. Exit code 1 where anything is wrong.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import page_code
import pages
import yaml

BIN = Path(sys.executable).parent
# What can stand in a comment above a block, and the schema that check-jsonschema has for it.
SCHEMAS = {
    ".gitlab-ci.yml": "vendor.gitlab-ci",
    ".github/dependabot.yml": "vendor.dependabot",
    "workflow": "vendor.github-workflows",
}


def written(root: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Each such block as a file of its own, which is named after its place; and what it is."""
    for page in pages.documents(root):
        for block in pages.blocks(page, "yaml"):
            kind = block.notes.get("file", "")
            text = block.text if kind else page_code.whole_workflow(block.text, yaml.safe_load(block.text))
            if text:
                path = folder / (block.place.replace("/", "-").replace(":", "-") + ".yml")
                path.write_text(text, encoding="utf-8")
                yield kind or "workflow", path


def main() -> int:
    """Check all of them, tell what is wrong, and return 0 or 1."""
    if shutil.which("actionlint") is None:
        print("there is no actionlint: `make lab` brings it, `. .lab/env` puts it on PATH")
        return 1
    code = 0
    with tempfile.TemporaryDirectory() as name:
        found = list(written(pages.ROOT, Path(name)))
        for kind in dict.fromkeys(kind for kind, _ in found):
            files = [str(path) for one, path in found if one == kind]
            commands = [[f"{BIN}/check-jsonschema", "--builtin-schema", SCHEMAS[kind], *files]]
            commands += [["actionlint", *files]] if kind == "workflow" else []
            for command in commands:
                done = subprocess.run(command, cwd=name, capture_output=True, text=True, check=False)
                code |= int(done.returncode != 0)
                print((done.stdout + done.stderr).replace(f"{name}/", ""), end="")
    print(f"{len(found)} blocks of YAML in pages")
    return code


if __name__ == "__main__":
    sys.exit(main())
