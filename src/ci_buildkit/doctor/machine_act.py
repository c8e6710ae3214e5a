"""act, which runs the repository's workflows on this machine."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.machine import Machine
from ci_buildkit.doctor.machine_docker import Docker

PUBLIC = "catthehacker/ubuntu:act-latest"  # what act proposes as its medium image
VARIABLE = "CI_BUILDKIT_RUNNER_IMAGE"
MAPPED = re.compile(r"^(?:-P|--platform)[\s=]", re.MULTILINE)


class Act(Struct, frozen=True):
    """Whether there is act, and the image that stands for GitHub's runners; `here` is None where that is not known."""

    program: str
    image: str = ""
    here: bool | None = None


def look(machine: Machine, docker: Docker | None, *, workflows: bool) -> Act | None:
    """Look for act and its image; None where the repository has no workflow to run."""
    if not workflows:
        return None
    program = machine.find_tool("act")
    image = machine.environ.get(VARIABLE, "") or ("" if _maps_itself(machine) else PUBLIC)
    if not program or not image or docker is None or not docker.server:
        return Act(program, image)
    reply = machine.ask("docker", "image", "inspect", "--format", "{{.Id}}", image)
    known = reply.good or "no such image" in reply.said.lower()
    return Act(program, image, reply.good if known else None)


def _maps_itself(machine: Machine) -> bool:
    """Whether act's own settings name images (nektos/act cmd/root.go, `configLocations`)."""
    home = machine.environ.get("HOME", "")
    folder = Path(machine.environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "act")
    for file in (folder / "actrc", Path(home, ".actrc"), machine.root / ".actrc"):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if MAPPED.search(file.read_text(encoding="utf-8")):
                return True
    return False


def missing(act: Act | None) -> Iterator[Flaw]:
    """Whether there is act."""
    if act is not None and not act.program:
        yield Flaw(None, "there is no act, so the workflows only run on GitHub; ci-buildkit act says how to get it")


def without_image(act: Act | None) -> Iterator[Flaw]:
    """Whether the image of the runner is there."""
    if act is not None and act.program and act.here is False:
        how = f"act has to pull it first; docker pull {act.image}"
        yield Flaw(None, f"the image {act.image}, which stands for GitHub's runner under act, is not here: {how}")
