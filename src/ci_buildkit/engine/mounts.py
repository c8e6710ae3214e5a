"""What cache mounts hold, taken out of a builder and put into one: for all mounts at once, as one tar file each.

A build step of an image that the Dockerfile uses anyway mounts them and runs `tar`. Exporting their files one by one
would take several times as long. The step must not come from the cache; but BuildKit empties the cache mounts of a build
with `--no-cache` (solver/llbsolver/bridge.go), so an argument makes it a new one.
"""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, cast, get_args

from msgspec import Struct

from ci_buildkit.engine.buildx import Buildx, explain
from ci_buildkit.engine.errand import build
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import EngineError

SECONDS = 600.0  # for one build; a mount that somebody else has locked could be waited for without end
IMAGES = 3  # that are tried
FULL = 1 << 20  # bytes that a disk has free at most where something broke because it is full
NAME = "ci-buildkit-mounts"
CONTEXT = f"{NAME}-saved"
PLACE = "/ci-buildkit"
# Of what the steps here leave in a builder.
LEFT = "ci-buildkit.mounts"

State = Literal["taken", "same", "empty", "large", "changing"]

# Sizes are in KiB. The fingerprint is of names, modes, sizes, owners and times: it is the same after the files were put
# into another builder, where not every tar gives links their old times. The smallest mounts are taken first.
TAKE = """set -e
list() {
  find . -type f -exec stat -c "%n %f %s %u %g %Y" {} +
  find . ! -type d ! -type f -exec stat -c "%n %f %s" {} +
}
mkdir -p /ci-buildkit/out
cd /ci-buildkit/mounts
left=$1
du -sk -- * | sort -n | while read -r size n; do
  cd "/ci-buildkit/mounts/$n"
  root=$(stat -c "%a %u %g" .)
  print=$(list | sort | sha256sum | cut -c 1-64)
  eval "known=\\${$((n + 2))}"
  if [ -z "$(find . ! -type d | head -n 1)" ]; then state=empty
  elif [ "$print" = "$known" ]; then state=same; left=$((left - size))
  elif [ "$size" -gt "$left" ]; then state=large
  elif tar --numeric-owner -cf "/ci-buildkit/out/$n.tar" .; then state=taken; left=$((left - size))
  else state=changing; rm -f "/ci-buildkit/out/$n.tar"
  fi
  echo "$n $state $size $print $root" >>/ci-buildkit/out/list
done
"""
# What is there stays as it is. Unpacked aside first: of a run that dies meanwhile nothing is left that looks like a cache.
PUT = """set -e
n=0
while [ $# -gt 0 ]; do
  cd "/ci-buildkit/mounts/$n"
  rm -rf .ci-buildkit
  if [ -z "$(ls -A)" ]; then
    mkdir .ci-buildkit
    tar --numeric-owner -xpf "/ci-buildkit/saved/$n.tar" -C .ci-buildkit || { rm -rf .ci-buildkit; exit 1; }
    (cd .ci-buildkit && find . -mindepth 1 -maxdepth 1 -exec sh -c 'mv -- "$@" ..' sh {} +)
    rm -rf .ci-buildkit
    chmod "$1" .
    chown "$2:$3" .
    echo "put $n"
  fi
  n=$((n + 1))
  shift 3
done
"""


class Taken(Struct, frozen=True):
    """One mount that was looked at. `size` is in bytes, `root` is mode, owner and group of its folder."""

    number: int
    state: State
    size: int
    fingerprint: str
    root: str


class Saved(Struct, frozen=True):
    """A mount's content to put in: `options` of its `--mount`, the file's name, and `root` as in `Taken`."""

    options: str
    file: str
    root: str


class Workshop(Struct, frozen=True):
    """Where the builds run. `images` are the beginnings of Dockerfiles that end in a FROM, each with its flags.

    `folder` is empty, for the builds' own files.
    """

    buildx: Buildx
    builder: str
    images: Sequence[tuple[str, Sequence[str]]]
    folder: Path
    cancellation: Cancellation


def present(buildx: Buildx, builder: str) -> frozenset[str]:
    """The cache mounts that a builder has, each by its namespace and id with a `/` between them.

    Raises EngineError where it does not answer.
    """
    return usage(buildx.call("buildx", "du", "--builder", builder, "--filter", "type=exec.cachemount", "--verbose"))


def usage(text: str) -> frozenset[str]:
    """The cache mounts in what `docker buildx du --verbose` prints. Their descriptions hold the steps' whole scripts."""
    found = set()
    for record in re.split(r"^ID:\s", text, flags=re.MULTILINE):
        if mounted := re.search(r"^Description:\s+cached mount (\S+) from ", record, re.MULTILINE):
            ids = re.findall(r" with id \"([^\"]*)\"$", record, re.MULTILINE)
            found.add(ids[-1] if ids else mounted[1])
    return frozenset(found)


def tidy(buildx: Buildx, builder: str) -> None:
    """Remove what the builds here left in a builder beside the mounts: copies of all that they hold. Raises EngineError."""
    what = ("--filter", f"description~={LEFT}", "--filter", "type!=exec.cachemount")
    buildx.call("buildx", "prune", "--force", "--builder", builder, *what)


def take(workshop: Workshop, mounts: Sequence[tuple[str, str]], limit: int, out: Path) -> list[Taken]:
    """Look at mounts, each given by its options and the fingerprint that is known of it; those that differ are taken.

    `out` is made and gets `NUMBER.tar` of each mount that was taken, `limit` bytes at most together. Raises EngineError.
    """
    flags = [f"--mount=type=cache,{options},target={PLACE}/mounts/{n}" for n, (options, _) in enumerate(mounts)]
    known = [fingerprint or "-" for _, fingerprint in mounts]

    def text(begin: str) -> str:
        made = _step(begin, flags, [TAKE, "take", str(max(0, limit) // 1024), *known])
        return f"{made}FROM scratch\nCOPY --from={NAME} {PLACE}/out /\n"

    try:
        _build(workshop, text, ["--output", f"type=local,dest={out}"])
    except EngineError as error:
        if shutil.disk_usage(out.parent).free < FULL:  # of which buildx says EOF, mostly
            raise EngineError(f"no space left on device: {out.parent}") from error
        raise
    try:
        lines = (out / "list").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise EngineError("the builder left no list of the cache mounts") from error
    return sorted(map(_taken, lines), key=lambda taken: taken.number)


def put(workshop: Workshop, saved: Sequence[Saved], shelf: Path) -> list[int]:
    """Put saved files of the folder `shelf` into mounts that are empty; which of them were. Raises EngineError."""
    flags = []
    for n, one in enumerate(saved):
        flags.append(f"--mount=type=cache,{one.options},target={PLACE}/mounts/{n}")
        flags.append(f"--mount=type=bind,from={CONTEXT},source={one.file},target={PLACE}/saved/{n}.tar")
    roots = [word for one in saved for word in one.root.split()]
    own = ["--output", "type=cacheonly", "--build-context", f"{CONTEXT}={shelf}"]
    printed = _build(workshop, lambda begin: _step(begin, flags, [PUT, "put", *roots]), own)
    return [int(line.removeprefix("put ")) for line in printed if re.fullmatch(r"put \d+", line)]


def _step(begin: str, mounts: Sequence[str], words: Sequence[str]) -> str:
    """A Dockerfile whose stage `NAME` runs a script as root with these mounts."""
    command = json.dumps(["/bin/sh", "-c", *words])
    new = f"ARG CI_BUILDKIT_RUN={secrets.token_hex(8)}"
    return f"{begin} AS {NAME}\nUSER 0:0\n{new}\nRUN {' '.join(mounts)} {command}\n"


def _build(workshop: Workshop, text: Callable[[str], str], own: Sequence[str]) -> list[str]:
    """Build with the first image that can; the lines that the step printed. Raises EngineError with the last failure."""
    failure = EngineError("the Dockerfile has no image that could run tar on them")
    for begin, flags in workshop.images[:IMAGES]:
        (workshop.folder / "Dockerfile").write_text(text(begin), encoding="utf-8")
        try:
            return _once(workshop, ["--provenance=false", *own, *flags, str(workshop.folder)])
        except EngineError as error:
            failure = error
    raise failure


def _once(workshop: Workshop, flags: Sequence[str]) -> list[str]:
    errand = build(workshop.buildx, workshop.builder, flags, workshop.cancellation, SECONDS)
    if errand.ended.returncode == 0:
        return errand.printed
    if errand.expired:
        raise EngineError(f"it took longer than {SECONDS:g} s")
    said = next((line for line in reversed(errand.printed) if line.strip()), "") or errand.ended.text
    raise explain(workshop.buildx.mask(said))


def _taken(line: str) -> Taken:
    """A line of the list that the step wrote. Raises EngineError for anything else."""
    words = line.split()
    if len(words) != 7 or not words[0].isdecimal() or words[1] not in get_args(State) or not words[2].isdecimal():
        raise EngineError("the builder's list of the cache mounts is not readable")
    return Taken(int(words[0]), cast("State", words[1]), int(words[2]) * 1024, words[3], " ".join(words[4:]))
