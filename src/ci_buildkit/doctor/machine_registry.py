"""The registries that images are to be pushed to: whether they answer, and whether docker is logged in there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec import Struct

from ci_buildkit.doctor.diagnosis import Severity
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.machine import Machine
from ci_buildkit.doctor.machine_builder import Builder
from ci_buildkit.engine import login
from ci_buildkit.engine.login import HUB_NAMES
from ci_buildkit.engine.registry import repository
from ci_buildkit.engine.trouble import REFUSALS
from ci_buildkit.errors import ConfigurationError

HUB = "docker.io"
# No image has it: to ask for it shows whether the registry answers, and costs nothing of what Docker Hub lets anyone pull.
PROBE = "ci-buildkit-doctor"
# Registries in the internet that let nobody push without a login.
CLOSED = re.compile(
    r"docker\.io|ghcr\.io|quay\.io|gcr\.io|.*\.(?:gcr\.io|pkg\.dev|azurecr\.io|amazonaws\.com)|public\.ecr\.aws|registry\.gitlab\.com"
)
REFUSED = (*REFUSALS, "authentication required", "insufficient_scope", "authorization failed", "401", "403")
PLAIN_HTTP = "server gave http response to https client"


class Registry(Struct, frozen=True):
    """A registry. `logged_in` is None where that cannot be known; `said` is what it answered, "" where all is well."""

    host: str
    image: str
    logged_in: bool | None
    said: str = ""
    refused: bool = False
    wrong_login: str = ""


class Credentials(Struct, frozen=True):
    """For which hosts docker has credentials; `unknown` where a helper keeps them that does not answer."""

    hosts: frozenset[str]
    unknown: bool = False


def look(machine: Machine, builder: Builder | None) -> tuple[Registry, ...]:
    """The registries of all images that the settings name, each asked once, side by side."""
    images = {host_of(name): name for name in (one.rpartition("=")[2] for one in machine.options.image)}
    if not images:
        return ()
    known = credentials(machine)
    chosen = builder.name if builder and builder.driver and not builder.trouble and not builder.stopped else ""
    with ThreadPoolExecutor(max_workers=len(images)) as pool:
        return tuple(pool.map(lambda item: _asked(machine, known, chosen, *item), images.items()))


def _asked(machine: Machine, known: Credentials, builder: str, host: str, image: str) -> Registry:
    own, wrong = _own_login(machine, host)
    logged_in = True if own or host in known.hosts else None if known.unknown else False
    words = ["--builder", builder] if builder else []
    reply = machine.ask("docker", "buildx", "imagetools", "inspect", "--raw", *words, f"{repository(image)}:{PROBE}")
    said = "" if reply.good or reply.said.endswith(": not found") else reply.said
    if PLAIN_HTTP in said.lower() and machine.options.buildkitd_config and not builder:
        said = ""  # the builder that a run makes has settings that this one has not
    refused = any(word in said.lower() for word in REFUSED)
    return Registry(host, image, logged_in, said, refused, wrong)


def _own_login(machine: Machine, host: str) -> tuple[bool, str]:
    """Whether an option logs in there, and why it cannot."""
    for text in machine.options.login:
        try:
            if (login.parse(text, machine.environ).registry or HUB) == host:
                return True, ""
        except ConfigurationError as error:
            if f"registry={host}" in text or (host == HUB and "registry=" not in text):
                return True, f"{error.message}; {error.hint}"
    return False, ""


def host_of(image: str) -> str:
    """The registry in an image's name, as docker reads it (distribution/reference, `splitDockerDomain`)."""
    first, slash, _ = image.partition("/")
    is_host = slash and (first == "localhost" or any(character in first for character in ".:"))
    return HUB if not is_host or first in HUB_NAMES else first


def settings_folder(environ: Mapping[str, str]) -> Path:
    """Where docker's settings are."""
    return Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", ""), ".docker"))


def credentials(machine: Machine) -> Credentials:
    """The hosts for which docker's settings, or the helper that they name, have a login. No password is read."""
    try:
        settings = json.loads((settings_folder(machine.environ) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Credentials(frozenset())
    settings = _mapping(settings)
    found = {bare(name) for name, entry in _mapping(settings.get("auths")).items() if entry}
    found |= {bare(name) for name, helper in _mapping(settings.get("credHelpers")).items() if helper}
    store = settings.get("credsStore")
    if not store:
        return Credentials(frozenset(found))
    try:
        listed = json.loads(machine.ask(f"docker-credential-{store}", "list").out)
    except ValueError:
        return Credentials(frozenset(found), unknown=True)
    return Credentials(frozenset(found | {bare(name) for name in _mapping(listed)}))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def bare(name: str) -> str:
    """A registry's host from what docker keeps credentials by."""
    host = name.rpartition("://")[2].partition("/")[0]
    return HUB if host in HUB_NAMES else host


def reachable(registries: Sequence[Registry], *, pushes: bool) -> Iterator[Flaw]:
    """Registries that do not answer."""
    for one in registries:
        if one.said and not one.refused:
            said = (
                f"the registry {one.host} of {one.image} does not answer: {one.said}; check its name, network and proxy"
            )
            yield Flaw(None, said, severity=_severity(pushes=pushes))


def _severity(*, pushes: bool) -> Severity:
    """A run that does not push does without a login."""
    return "error" if pushes else "warning"


def logins(registries: Sequence[Registry], *, pushes: bool) -> Iterator[Flaw]:
    """Registries that let nobody push without a login, and docker has none, or a wrong one."""
    severity = _severity(pushes=pushes)
    for one in registries:
        where = "" if one.host == HUB else f" {one.host}"
        if one.wrong_login:
            yield Flaw(None, one.wrong_login, severity=severity)
        elif one.refused and one.logged_in:
            said = f"the registry {one.host} refuses docker's login for {one.image}: {one.said}"
            yield Flaw(None, f"{said}; log in anew: docker login{where}", severity=severity)
        elif one.logged_in is False and (one.refused or CLOSED.fullmatch(one.host)):
            said = f"docker is not logged in to {one.host}, where {one.image} is to be pushed"
            yield Flaw(None, f"{said}; run docker login{where}, or give --login", severity=severity)
