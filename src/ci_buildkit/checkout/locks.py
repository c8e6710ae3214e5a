"""The lock files of a build context: they say what package managers download into their caches. Reads files."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

from ci_buildkit.checkout import inputs

NAMES = frozenset(
    [
        "build.gradle",
        "build.gradle.kts",
        "bun.lock",
        "bun.lockb",
        "cabal.project.freeze",
        "Cargo.lock",
        "composer.lock",
        "conan.lock",
        "deno.lock",
        "flake.lock",
        "Gemfile.lock",
        "go.sum",
        "go.work.sum",
        "gradle.lockfile",
        "mix.lock",
        "npm-shrinkwrap.json",
        "package-lock.json",
        "Package.resolved",
        "packages.lock.json",
        "paket.lock",
        "pdm.lock",
        "Pipfile.lock",
        "pixi.lock",
        "pnpm-lock.yaml",
        "Podfile.lock",
        "poetry.lock",
        "pom.xml",
        "pubspec.lock",
        "pylock.toml",
        "rebar.lock",
        "stack.yaml.lock",
        "uv.lock",
        "yarn.lock",
    ]
)
PATTERN = "requirements*.txt"


def key(contexts: Iterable[Path]) -> str:
    """A hash of the lock files in these folders, 16 hexadecimal digits; "" where there are none.

    What a `.dockerignore` leaves out does not count, nor what lies behind the first `inputs.MAX_FILES` files.
    """
    digest = hashlib.sha256()
    found = False
    for context in contexts:
        for path, entry in islice(inputs.walk(context), inputs.MAX_FILES):
            name = entry.name
            if name in NAMES or fnmatchcase(name, PATTERN):
                with contextlib.suppress(OSError):
                    content = Path(entry.path).read_bytes()
                    digest.update(os.fsencode(path) + b"\0" + hashlib.sha256(content).digest())
                    found = True
    return digest.hexdigest()[:16] if found else ""
