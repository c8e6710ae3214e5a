"""The branches whose caches a run reads: GitHub's event where there is one, Git otherwise."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from ci_buildkit.checkout import git

PULL = re.compile(r"refs/pull/(\d+)/")


def branches(folder: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The run's own branch first, then those that it comes from: a pull request's base, the default branch.

    A pull request is `pr-NUMBER`: by the name of its branch one from a fork could write where the repository reads.
    """
    own = environ.get("GITHUB_REF_NAME", "") if environ.get("GITHUB_REF_TYPE") == "branch" else ""
    if pull := PULL.match(environ.get("GITHUB_REF", "")):
        own = f"pr-{pull[1]}"
    elif not environ.get("GITHUB_REF"):
        own = git.branch(folder)
    default = _default(environ) or git.default_branch(folder)
    return tuple(dict.fromkeys(filter(None, (own, environ.get("GITHUB_BASE_REF", ""), default))))


def _default(environ: Mapping[str, str]) -> str:
    """The default branch that GitHub's event names; "" without one."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        event = json.loads(Path(environ.get("GITHUB_EVENT_PATH", "")).read_text(encoding="utf-8"))
        return str(event.get("repository", {}).get("default_branch") or "")
    return ""
