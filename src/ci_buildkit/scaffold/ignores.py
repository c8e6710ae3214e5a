"""Lines that a `.dockerignore` and a `.gitignore` lack. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ci_buildkit.checkout import ignore
from ci_buildkit.config.options import CONFIG_FILE, Options
from ci_buildkit.scaffold import render

REPORT = f"{Options.model_fields['report_dir'].default}/"
# What changes from run to run, or with every commit, and is no input of a build of ours.
ALWAYS = (".git",)
# What may change without a build having to run again. A new file has these too.
NO_INPUTS = (".github", ".dockerignore", "Dockerfile", "*.Dockerfile", CONFIG_FILE)


def docker(text: str, ignored: Iterable[str], *, ours: bool) -> tuple[str, ...]:
    """The lines that `.dockerignore` lacks. `ours` says that the Dockerfile is one that we write.

    Somebody else's Dockerfile may need any file but the report.
    """
    wanted = (*ALWAYS, *ignored, REPORT) if ours else (REPORT,)
    leaves_out = ignore.parse(text)
    return tuple(line for line in wanted if not leaves_out(_sample(line)))


def dockerignore(ignored: Iterable[str], *, ours: bool) -> str:
    """A whole `.dockerignore`, where there is none."""
    return render.tidy("dockerignore", inputs=(*ALWAYS, *NO_INPUTS) if ours else (), outputs=(*ignored, REPORT))


def git(text: str, untracked: Iterable[str]) -> tuple[str, ...]:
    """The lines that `.gitignore` lacks."""
    there = {line.strip().strip("/") for line in text.splitlines()}
    return tuple(line for line in (*untracked, REPORT) if line.strip("/") not in there)


def _sample(pattern: str) -> str:
    """A path that a pattern of ours is meant for."""
    return pattern.removeprefix("**/").rstrip("/").replace("*", "x")
