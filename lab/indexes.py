"""Where this machine gets packages of Python, Node.js and Rust from: builds inside the lab's images must ask there too.

Each function looks at the machine when an image is made. Nothing of it is in a file of this repository.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from pathlib import Path

from .console import LabError, run

# Settings of pip that say where packages are; folders of this machine (find-links) are none that a build sees.
PIP = ("index-url", "extra-index-url", "trusted-host")
UV = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INSECURE_HOST")
# The tables of cargo's configuration that say where crates are, and keys in them that nobody else may have.
CARGO_TABLES = re.compile(r"\s*\[\s*(source|registries)\s*\.")
CARGO_SECRETS = re.compile(r"\s*(token|secret-key\S*|credential-provider)\s*=")


@functools.cache
def pip() -> dict[str, str]:
    """Return the variables that give pip and uv this machine's indexes; empty where they are the usual ones."""
    found = {name: os.environ[name] for name in UV if os.environ.get(name)}
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    for line in sorted(listed.stdout.splitlines()):
        name, _, value = line.partition("=")
        setting = name.rpartition(".")[2]
        if setting in PIP:
            # The environment (`:env:`) is sorted before the files, and is stronger.
            found.setdefault(f"PIP_{setting.replace('-', '_').upper()}", value.strip("'\"").replace("\\n", " "))
    if index := found.get("PIP_INDEX_URL"):
        found.setdefault("UV_DEFAULT_INDEX", index)
    return found


@functools.cache
def npm() -> dict[str, str]:
    """Return the variable that gives npm this machine's registry; empty where it is the usual one."""
    try:
        # Without --long npm lists only what is set somewhere.
        listed = run(["npm", "config", "list"], timeout=60)
    except LabError:  # no npm yet: then nobody has set anything for it
        return {}
    found = re.search(r'^registry = "(.+)"', listed, re.MULTILINE)
    return {"npm_config_registry": found[1]} if found else {}


def cargo(home: Path | None = None) -> str:
    """Return the tables of cargo's configuration in ``home`` that replace sources, without credentials."""
    folder = home or Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    for name in ("config", "config.toml"):  # cargo's own order: the old name wins
        if (folder / name).is_file():
            return _tables((folder / name).read_text())
    return ""


def _tables(config: str) -> str:
    kept, inside = [], False
    for line in config.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            inside = bool(CARGO_TABLES.match(line))
        if inside and not CARGO_SECRETS.match(line):
            kept.append(line)
    return "".join(kept)
