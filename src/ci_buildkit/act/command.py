"""The command line of act. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from ci_buildkit.act.docker import Docker
from ci_buildkit.act.leftovers import MARK
from ci_buildkit.config.options import variable_of

# What is the machine's and not the workflow's: it holds in jobs as it does here.
BUILDER_IMAGE, BUILDKITD_CONFIG = variable_of("builder_image"), variable_of("buildkitd_config")
DRIVER_OPTS = variable_of("driver_opt")
INDEXES = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX")
# act's artifact server writes the blocks of an artifact in the order in which they arrive: one at a time, then.
ONE_BLOCK = {"ACTIONS_ARTIFACT_UPLOAD_CONCURRENCY": "1"}


class Call(Struct, frozen=True):
    """Everything that one call of act depends on."""

    act: Path
    event: str
    workflows: Path
    event_file: Path
    platforms: Sequence[str]
    repositories: Sequence[str]
    docker: Docker
    port: int
    artifacts: Path
    cache: Path
    environment: Mapping[str, str]
    secrets: Sequence[str]
    variables: Sequence[str]
    mounts: Sequence[str]
    matrix: Sequence[tuple[str, str]]
    passed: Sequence[str]


def words(call: Call) -> list[str]:
    """The command. Later flags win, so what the user passes on comes last."""
    return [
        str(call.act), call.event,
        # Only with -v act tells that a job or step is skipped. The rest of what it says then is dropped.
        "--json", "--verbose",
        "--rm",
        # What act's settings files may say, and would make the result untrue.
        "--dryrun=false", "--watch=false", "--reuse=false", "--job=",
        # Images are pulled before, where they are missing; with the second, what is fetched can be used offline later.
        "--pull=false", "--action-offline-mode",
        "--workflows", str(call.workflows), "--eventpath", str(call.event_file),
        *call.platforms, *call.repositories,
        "--artifact-server-path", str(call.artifacts), "--artifact-server-port", str(call.port),
        "--cache-server-path", str(call.cache),
        *_addresses(call.docker),
        *(f"--env={name}={value}" for name, value in call.environment.items()),
        *(f"--secret={name}" for name in call.secrets),
        *(f"--var={name}" for name in call.variables),
        *(f"--matrix={key}:{value}" for key, value in call.matrix),
        *([f"--container-options={' '.join(f'-v {path}:{path}:ro' for path in call.mounts)}"] if call.mounts else []),
        *call.passed,
    ]  # fmt: skip


def _addresses(docker: Docker) -> Iterator[str]:
    if docker.socket:
        yield f"--container-daemon-socket={docker.socket}"
    if docker.address:
        yield f"--artifact-server-addr={docker.address}"
        yield f"--cache-server-addr={docker.address}"


def environment(environ: Mapping[str, str], repository: str, token: str) -> tuple[dict[str, str], list[str]]:
    """The variables that jobs get beside the workflow's own, and notes of those that they do not get.

    Values stand in act's command line, which everybody on the machine can read: none with a password.
    """
    found = {"GITHUB_REPOSITORY": repository, **ONE_BLOCK}
    settings = {BUILDER_IMAGE: environ.get(BUILDER_IMAGE, ""), BUILDKITD_CONFIG: "".join(mounts(environ))}
    found |= {name: value for name, value in settings.items() if value}
    # The mark tells the builders of this run's jobs, should they be killed. Other drivers than docker-container drop it.
    options = [option for option in (environ.get(DRIVER_OPTS, "").strip(), f"env.{MARK}={token}") if option]
    found[DRIVER_OPTS] = ",".join(options)
    notes = []
    for name in INDEXES:
        if not (url := environ.get(name)):
            continue
        if urlsplit(url).password:
            notes.append(f"{name} holds a password, so jobs do not get it: give it as a secret")
        else:
            found[name] = url
    return found, notes


def mounts(environ: Mapping[str, str]) -> list[str]:
    """The files of this machine that jobs need at the same place."""
    return [str(Path(path).absolute()) for path in [environ.get(BUILDKITD_CONFIG, "")] if path]


def repository(top: Path) -> list[str]:
    """The folder of Git's that a linked worktree points to: without it the copy in a job is no repository."""
    pointer = top / ".git"
    if not pointer.is_file():
        return []
    folder = Path(pointer.read_text(encoding="utf-8").removeprefix("gitdir:").strip())
    return [str(folder.parents[1])] if folder.is_absolute() and folder.parent.name == "worktrees" else []
