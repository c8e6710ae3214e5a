"""Registry logins for one run: in a docker configuration of its own, which goes with everything in it at the end.

`docker login` would leave the password in the user's configuration, or ask the user's credential store to keep it.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci_buildkit.config import row
from ci_buildkit.engine import scratch
from ci_buildkit.engine.buildx import explain
from ci_buildkit.errors import ConfigurationError, EngineError

# Where docker keeps Docker Hub's credentials (docker/cli cli/config/configfile, registry.IndexServer).
HUB = "https://index.docker.io/v1/"
HUB_NAMES = frozenset({"", "docker.io", "index.docker.io", "registry-1.docker.io"})
KEYS = ("registry", "username", "password-env", "password-file")
TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in where; the registry of Docker Hub is ""."""

    registry: str
    username: str
    password: str = field(repr=False)


def parse(text: str, environ: Mapping[str, str]) -> Login:
    """A login as `--login` takes it: `registry=HOST,username=NAME,password-env=VAR` or `password-file=FILE`.

    Raises ConfigurationError for a form that it has not, and where the password is not there.
    """
    pairs = (part.partition("=") for part in row.fields(text, "--login"))
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    unknown = [key for key in fields if key not in KEYS]
    ways = fields.keys() & {"password-env", "password-file"}
    if unknown or not fields.get("username") or len(ways) != 1:
        raise ConfigurationError(  # not the text itself: someone may have written the password into it
            f"--login is wrong: {_wrong(unknown, fields, len(ways))}",
            hint="write registry=HOST,username=NAME,password-env=VARIABLE, or password-file=FILE",
        )
    # A host alone, as docker keeps credentials: by any other name it would take the user's credential store for this one
    # (docker/cli cli/config/credentials, ConvertToHostname).
    registry = fields.get("registry", "").rpartition("://")[2].partition("/")[0]
    password = _password(fields, environ)
    if not password:
        where = fields.get("password-env") or fields.get("password-file")
        raise ConfigurationError(
            f"there is no password for {registry or 'Docker Hub'}: {where} is empty or not set",
            hint="pass it to this step, for example with env: in a workflow",
        )
    return Login("" if registry in HUB_NAMES else registry, fields["username"], password)


def _wrong(unknown: list[str], fields: Mapping[str, str], ways: int) -> str:
    if unknown:
        return "a password is not written there" if "password" in unknown else f"its keys are {', '.join(KEYS)}"
    if not fields.get("username"):
        return "it has no username"
    return "it has no password" if not ways else "it has two passwords"


def _password(fields: Mapping[str, str], environ: Mapping[str, str]) -> str:
    if "password-env" in fields:
        return environ.get(fields["password-env"], "").strip()
    file = Path(fields["password-file"])
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigurationError(f"the password file {file} cannot be read: {reason}") from error


@contextlib.contextmanager
def logged_in(logins: Iterable[str], environ: Mapping[str, str]) -> Iterator[Mapping[str, str]]:
    """The environment of docker's processes in which these logins hold; the given one without any.

    Everything else of the user's docker configuration is there too: contexts, plugins, builders, other credentials.
    Raises ConfigurationError for a wrong login and EngineError where a registry refuses it.
    """
    wanted = [parse(text, environ) for text in logins]
    if not wanted:
        yield environ
        return
    usual = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", ""), ".docker"))
    scratch.sweep()  # a killed run has left its passwords
    own = scratch.folder("login-")
    try:
        _prepare(own, usual, wanted)
        inside = {
            **environ,
            "DOCKER_CONFIG": str(own),
            "BUILDX_CONFIG": environ.get("BUILDX_CONFIG") or str(usual / "buildx"),
        }
        for login in wanted:
            _login(login, inside)
        yield inside
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _prepare(own: Path, usual: Path, wanted: Iterable[Login]) -> None:
    """Make the configuration: the user's, but the registries logged in to keep their credentials in this very file.

    An empty credential helper is how docker says so (docker/cli cli/config/configfile/file.go, GetCredentialsStore).
    """
    settings: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        settings = dict(json.loads((usual / "config.json").read_text(encoding="utf-8")))
    helpers = {login.registry or HUB: "" for login in wanted}
    settings["credHelpers"] = {**(settings.get("credHelpers") or {}), **helpers}
    file = own / "config.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(settings), encoding="utf-8")
    for name in ("cli-plugins", "contexts"):
        if (usual / name).is_dir():
            (own / name).symlink_to((usual / name).resolve())


def _login(login: Login, environ: Mapping[str, str]) -> None:
    where = login.registry or "Docker Hub"
    command = ["docker", "login", "--username", login.username, "--password-stdin", *filter(None, [login.registry])]
    try:
        done = subprocess.run(
            command,
            env=dict(environ),
            input=login.password.encode(),
            capture_output=True,
            check=False,
            timeout=TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise EngineError(
            f"{where} did not answer the login in {TIMEOUT_SECONDS} s", hint="check the registry's name"
        ) from error
    except OSError as error:
        raise EngineError(f"docker could not be started: {error}") from error
    if done.returncode:
        said = explain(done.stderr.decode(errors="replace"), ("login",))
        refused = "unauthorized" in said.message.lower() or "denied" in said.message.lower()
        raise EngineError(
            f"the login to {where} as {login.username} failed: {said.message}",
            hint="check the user's name and the password" if refused else said.hint or "check the registry's name",
        )
