"""The nodes that a builder is made of, as `--driver`, `--node` and `--driver-opt` say, and the words that make them. Pure.

Keys are those of buildx' drivers (docker/buildx driver/*/factory.go); buildx itself takes most mistakes only for an
option that it does not know, and some, like a missing certificate, for a node that never answers.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct, field

from ci_buildkit.config import row
from ci_buildkit.errors import ConfigurationError

OWN_KEYS = ("name", "endpoint", "platforms")
CONTAINER, REMOTE, KUBERNETES = "docker-container", "remote", "kubernetes"
OPTIONS: Mapping[str, tuple[str, ...]] = {
    CONTAINER: (
        *("network", "image", "memory", "memory-swap", "cpu-period", "cpu-quota", "cpu-shares", "cpuset-cpus"),
        *("cpuset-mems", "cgroup-parent", "restart-policy", "default-load", "provenance-add-gha"),
        "allow-untrusted-image",
    ),
    REMOTE: ("cacert", "cert", "key", "servername", "default-load"),
    KUBERNETES: (
        *("image", "namespace", "replicas", "requests.cpu", "requests.memory", "requests.ephemeral-storage"),
        *("persistent-volume-claim.requests.storage", "limits.cpu", "limits.memory", "limits.ephemeral-storage"),
        *("rootless", "schedulername", "serviceaccount", "nodeselector", "annotations", "labels", "tolerations"),
        *("loadbalance", "qemu.install", "qemu.image", "buildkit-root-volume-memory", "default-load", "timeout"),
    ),
}
FILES = ("cacert", "cert", "key")
SCHEMES = ("tcp", "unix", "ssh", "docker-container", "kube-pod", "npipe")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
PLATFORM = re.compile(r"[a-z0-9]+(/[A-Za-z0-9._-]+){1,2}")
EXAMPLE = "name=arm,endpoint=tcp://10.0.0.2:1234,platforms=linux/arm64"


class Node(Struct, frozen=True):
    """A node that is asked for. Without a name buildx gives it one; without an endpoint it is docker's own machine.

    `platforms` are those that the user wants to be built there.
    """

    name: str = ""
    endpoint: str = ""
    platforms: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


def nodes(driver: str, texts: Iterable[str], shared: Mapping[str, str]) -> tuple[Node, ...]:
    """The nodes of a builder; one where none is named. `shared` are driver options that hold for all of them.

    Shared options that only another driver has are left out: a machine may set them for every builder. Raises
    ConfigurationError, with the node and the key, for what buildx would refuse or wait for in vain.
    """
    for key in shared:
        if not any(_known(other, key) for other in OPTIONS):
            raise _unknown("--driver-opt", key, OPTIONS[driver])
    common = {key: value for key, value in shared.items() if _known(driver, key)}
    found = tuple(parse(driver, text, common) for text in texts)
    if not found:
        if driver == REMOTE:
            raise ConfigurationError("--driver remote needs --node: where BuildKit listens", hint=f"write {EXAMPLE}")
        return (Node(options=common),)
    for what in ("name", "endpoint"):
        values = [getattr(node, what) for node in found if driver != KUBERNETES or what == "name"]
        double = next((value for value in values if values.count(value) > 1 and (value or what == "endpoint")), None)
        if double is not None:
            said = f"the {what} {double!r}" if double else f"no {what}"
            raise ConfigurationError(f"two nodes have {said}: each --node needs one of its own")
    return found


def parse(driver: str, text: str, common: Mapping[str, str]) -> Node:
    """One node as `--node` writes it: a row of CSV, `KEY=VALUE` in each field. Raises ConfigurationError."""
    fields = _fields(text)
    for key in fields:
        if key not in OWN_KEYS and not _known(driver, key):
            raise _unknown(f"--node {text!r}", key, (*OWN_KEYS, *OPTIONS[driver]))
    name, endpoint = fields.pop("name", ""), fields.pop("endpoint", "")
    platforms = tuple(part.strip() for part in fields.pop("platforms", "").split(";") if part.strip())
    who = f"--node {name or text!r}"
    if name and not NAME.fullmatch(name):
        raise ConfigurationError(f"{who}: name: it begins with a letter and has letters, digits, `.`, `_` and `-` only")
    for platform in platforms:
        if not PLATFORM.fullmatch(platform):
            hint = "write OS/ARCH or OS/ARCH/VARIANT, several with semicolons: linux/arm64;linux/arm/v7"
            raise ConfigurationError(f"{who}: platforms: {platform!r} is not a platform", hint=hint)
    options = {**common, **fields}
    if driver == REMOTE:
        _check_remote(who, endpoint)
        options = _certificates(who, options)
    elif driver == KUBERNETES and endpoint:
        hint = "KUBECONFIG and the option namespace say where the pods run"
        raise ConfigurationError(f"{who}: endpoint: the driver kubernetes has none", hint=hint)
    return Node(name.lower(), endpoint, platforms, options)


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in row.fields(text, "--node"):
        key, equals, value = part.partition("=")
        key = key.strip()
        if not equals or not key:
            hint = f"write {EXAMPLE}; a field that holds a comma stands in double quotes"
            raise ConfigurationError(f"--node {text!r}: {part!r} is not of the form KEY=VALUE", hint=hint)
        if key in found:
            raise ConfigurationError(f"--node {text!r}: {key} is there twice")
        found[key] = value.strip()
    if not found:
        raise ConfigurationError("--node is empty", hint=f"write {EXAMPLE}")
    return found


def _known(driver: str, key: str) -> bool:
    return key in OPTIONS[driver] or (driver != REMOTE and key.startswith("env.") and key != "env.")


def _unknown(where: str, key: str, known: Sequence[str]) -> ConfigurationError:
    near = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return ConfigurationError(f"{where}: unknown key {key!r}", hint=hint)


def _check_remote(who: str, endpoint: str) -> None:
    if not endpoint:
        raise ConfigurationError(f"{who}: endpoint: it is missing", hint=f"write where BuildKit listens: {EXAMPLE}")
    try:
        url = urlsplit(endpoint)
        dialled = url.scheme in SCHEMES and (url.scheme != "tcp" or bool(url.hostname and url.port))
    except ValueError:  # a port or a bracket that cannot be
        dialled = False
    if not dialled:
        hint = f"write {', '.join(f'{scheme}://' for scheme in SCHEMES)}..., and tcp://HOST:PORT"
        raise ConfigurationError(f"{who}: endpoint: buildx cannot dial {endpoint!r}", hint=hint)


def _certificates(who: str, options: Mapping[str, str]) -> dict[str, str]:
    """The options with absolute paths, which buildx insists on."""
    files = [key for key in FILES if key in options]
    needed = {"cert": ("cacert", "key"), "key": ("cacert", "cert"), "servername": ("cacert",)}
    for key, others in needed.items():
        missing = [other for other in others if key in options and other not in options]
        if missing:
            raise ConfigurationError(f"{who}: {key}: {' and '.join(missing)} must be there with it")
    paths = {key: Path(options[key]).absolute() for key in files}
    for key, path in paths.items():
        if not path.is_file():
            raise ConfigurationError(f"{who}: {key}: there is no file {path}")
    return {**options, **{key: str(path) for key, path in paths.items()}}


def node_name(driver: str, builder: str, node: Node) -> str:
    """The name that buildx shall give the node, "" for one of its own choice.

    Containers and deployments are called by it, so a plain one would be that of another builder's node too.
    """
    return node.name if driver == REMOTE or not node.name else f"{builder.lower()}-{node.name}"


def create_words(driver: str, builder: str, node: Node, *, append: bool, config: Path | None) -> list[str]:
    """The words of `docker buildx create` that make a node, the first one with its builder."""
    words = ["--name", builder, *(["--append"] if append else ["--driver", driver])]
    if name := node_name(driver, builder, node):
        words += ["--node", name]
    if node.platforms:
        words += ["--platform", ",".join(node.platforms)]
    words += [word for key, value in node.options.items() for word in ("--driver-opt", row.written([f"{key}={value}"]))]
    if config and driver != REMOTE:
        words += ["--buildkitd-config", str(config)]
    return [*words, *([node.endpoint] if node.endpoint else [])]
