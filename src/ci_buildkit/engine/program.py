"""A program of the builder's own machine, asked for its version inside a build step: never on this machine.

The step has no network, no files but the program, no rights, and little time. Nothing of it is kept or pushed.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ci_buildkit.engine.answers import Answer
from ci_buildkit.engine.buildx import Buildx, explain
from ci_buildkit.engine.errand import Errand, build
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.engine.progress import Progress

SECONDS = 10.0  # for the whole build
MOST = 1 << 12  # characters of an answer
# The file has a name of its own: BuildKit takes a file of the context for the one that it had before where the folder's name,
# the file's name, its size and its time are the same, and all binaries of a commit have the commit's time.
DOCKERFILE = """FROM scratch
COPY --chmod=755 program-{sha256} /program
USER 65534:65534
RUN --network=none ["/program", "--version"]
"""


def version(buildx: Buildx, builder: str, program: Path, sha256: str, folder: Path, cancellation: Cancellation) -> str:
    """What a static program prints with `--version`; "" where it fails or takes too long.

    The answer of a program, told by its hash, is kept between runs, also that it took too long; `folder` is made for the
    question. Raises EngineError where the builder could not run it.
    """
    known = Answer(buildx.environment, ("program", DOCKERFILE, sha256))
    if (answer := known.get()) is not None:
        return answer
    folder.mkdir(parents=True)
    (folder / "Dockerfile").write_text(DOCKERFILE.replace("{sha256}", sha256), encoding="utf-8")
    _copy(program, folder / f"program-{sha256}")
    try:
        flags = ["--no-cache", "--provenance=false", "--output=type=cacheonly", str(folder)]
        errand = build(buildx, builder, flags, cancellation, SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if cancellation.cancelled or (errand.expired and not _ran_long(errand.progress)):
        return ""
    answer = "" if errand.expired else _answer(errand)
    known.put(answer)
    return answer


def _ran_long(progress: Progress) -> bool:
    """Whether the program had most of the time for itself, and not a builder that was busy."""
    began = [step.first for step in progress.steps.values() if step.first is not None]
    ran = [step.first for step in progress.steps.values() if step.first is not None and step.is_run]
    return bool(ran) and min(ran) - min(began) < SECONDS / 2


def _answer(errand: Errand) -> str:
    """The beginning of what was printed, where the program ended well. Raises EngineError where it was not even run."""
    if errand.ended.returncode == 0:
        return "\n".join(errand.printed)[:MOST]
    failed = errand.progress.failed
    if failed is not None and failed.is_run:
        return ""
    raise explain(errand.ended.text or (failed.error if failed else "the builder said nothing"))


def _copy(program: Path, to: Path) -> None:
    try:
        os.link(program, to)
    except OSError:  # another file system
        shutil.copyfile(program, to)
