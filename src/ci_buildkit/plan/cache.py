"""Which caches a stage reads and writes: the user's entries, each with a place of its own for every target. Pure.

All stages run at the same time, and a cache that two of them wrote would hold only what the last one wrote (moby/buildkit
README, "Export cache"). So an entry that does not say otherwise gets the target's name where its backend keeps things
apart: a GitHub, S3 or Azure cache by `scope` or `name`, a registry by tag, a folder by subfolder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from ci_buildkit.config import row
from ci_buildkit.errors import ConfigurationError

Way = Literal["cache-from", "cache-to"]

BACKENDS = ("registry", "gha", "local", "s3", "azblob", "inline")
# The key that keeps caches of one backend apart (docs.docker.com/build/cache/backends).
APART = {"gha": "scope", "s3": "name", "azblob": "name"}
# Those that let in (moby/buildkit cache/remotecache). The environment can have them instead.
CREDENTIALS = frozenset({"token", "ghtoken", "access_key_id", "secret_access_key", "session_token"})
WORDS = ("target", "platform", "branch")
LONGEST = 80  # characters of a place; GitHub's keys and tags take 128 and more, prefixes included


class Scope(Struct, frozen=True):
    """Whose caches: a target built for platforms, on branches: the run's own first, then the default branch."""

    target: str
    platforms: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """A name of this target and these platforms, of letters, digits, `.`, `_` and `-`."""
        return clean("-".join((self.target, *self.platforms)))


def entries(given: Iterable[str], scope: Scope, way: Way, *, image: bool) -> list[str]:
    """Cache entries as a bake target takes them, each once.

    What is read from a place of the branch is also read from that of the default branch. `image` says whether the stage
    makes one: only an image can carry a cache inline. Raises ConfigurationError for an entry that no backend knows.
    """
    found: dict[str, None] = {}
    for text in given:
        fields = parse(text, way)
        if fields["type"] == "inline" and not image:
            continue
        branches = scope.branches or ("",)
        needs_branch = any("{branch}" in value for value in fields.values())
        for branch in branches if way == "cache-from" and needs_branch else branches[:1]:
            found[_written(_complete(fields, scope, branch, way))] = None
    return list(found)


def check(read: Iterable[str], write: Iterable[str]) -> None:
    """Raise ConfigurationError for an entry that no backend knows."""
    for text in read:
        parse(text, "cache-from")
    for text in write:
        parse(text, "cache-to")


def parse(text: str, way: Way) -> dict[str, str]:
    """The fields of an entry; a bare reference is one of a registry. Raises ConfigurationError."""
    parts = row.fields(text, f"--{way}")
    if len(parts) == 1 and "=" not in parts[0]:
        parts = ["type=registry", f"ref={parts[0]}"]
    pairs = [field.partition("=") for field in parts]
    fields = {key.strip(): value for key, _, value in pairs}
    kind = fields.get("type", "")
    if not all(equals and key.strip() for key, equals, _ in pairs) or kind not in BACKENDS:
        raise ConfigurationError(
            f"--{way} {text!r} is not a cache",
            hint=f"write type=TYPE,KEY=VALUE,... with TYPE one of {', '.join(BACKENDS)}",
        )
    if kind == "inline" and way == "cache-from":
        raise ConfigurationError(
            "an inline cache is read from the image that carries it", hint="write --cache-from type=registry,ref=IMAGE"
        )
    unknown = [word for value in fields.values() for word in re.findall(r"\{(\w*)\}", value) if word not in WORDS]
    if unknown:
        raise ConfigurationError(
            f"--{way} {text!r}: nothing is called {{{unknown[0]}}}",
            hint=f"there are {', '.join(f'{{{word}}}' for word in WORDS)}",
        )
    return fields


def uses_branch(given: Iterable[str]) -> bool:
    """Whether an entry has a place for each branch."""
    return any("{branch}" in text for text in given)


def without_tokens(definitions: Iterable[Mapping[str, Any]], environ: Mapping[str, str]) -> str:
    """Why GitHub's cache will not be used by bake targets that name it; "" where it will, or none does.

    buildx leaves such an entry out without a word where the token or the address is not in its environment (buildx
    build/opt.go), and GitHub gives both to actions only, not to steps that run a command.
    """
    missing: dict[str, None] = {}
    for fields in _of_targets(definitions):
        if fields.get("type") != "gha":
            continue
        if not (fields.get("token") or environ.get("ACTIONS_RUNTIME_TOKEN")):
            missing["ACTIONS_RUNTIME_TOKEN"] = None
        given = fields.get("url") or fields.get("url_v2")
        if not (given or environ.get("ACTIONS_RESULTS_URL") or environ.get("ACTIONS_CACHE_URL")):
            missing["ACTIONS_RESULTS_URL"] = None
    if not missing:
        return ""
    return (
        f"GitHub's cache (type=gha) is not used: {' and '.join(missing)} {'are' if len(missing) > 1 else 'is'} not set"
    )


def credentials(definitions: Iterable[Mapping[str, Any]]) -> list[str]:
    """The credentials that cache entries of bake targets hold."""
    return [value for fields in _of_targets(definitions) for key, value in fields.items() if key in CREDENTIALS]


def without_credentials(entry: Any) -> Any:
    """An entry of a bake target that can be shown to anyone."""
    fields = _fields(entry)
    if not fields.keys() & CREDENTIALS:
        return entry
    shown = {key: value for key, value in fields.items() if key not in CREDENTIALS}
    return shown if isinstance(entry, Mapping) else _written(shown)


def _of_targets(definitions: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
    ways: tuple[Way, ...] = ("cache-from", "cache-to")
    return (_fields(entry) for definition in definitions for way in ways for entry in definition.get(way, ()))


def _fields(entry: Any) -> dict[str, str]:
    """An entry of a bake target, a map or a line of CSV."""
    if isinstance(entry, Mapping):
        return {str(key): str(value) for key, value in entry.items()}
    pairs = (part.partition("=") for part in row.fields(str(entry), "a cache of the bake file"))
    return {key.strip().lower(): value for key, _, value in pairs}


def clean(text: str) -> str:
    """A text as part of a tag, scope or folder; long ones keep their beginning and get a hash."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 9]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _complete(fields: Mapping[str, str], scope: Scope, branch: str, way: Way) -> dict[str, str]:
    """An entry with its words filled in, a place of its own, and the defaults that suit a pipeline.

    `mode=max`, since lint and test stages export no image whose layers `min` would keep; `ignore-error=true`, since a
    cache that cannot be written is no failure of a build.
    """
    kind = fields["type"]
    values = {"target": clean(scope.target), "platform": clean("-".join(scope.platforms)), "branch": clean(branch)}
    apart = any(f"{{{word}}}" in value for value in fields.values() for word in ("target", "platform"))
    filled = {key: _filled(value, values) for key, value in fields.items()}
    if kind in APART:
        filled.setdefault(APART[kind], scope.place)
    elif kind == "local" and not apart:
        filled |= {key: f"{filled[key].rstrip('/')}/{scope.place}" for key in ("src", "dest") if key in filled}
    elif kind == "registry" and not apart and "ref" in filled:
        filled["ref"] = _tagged(filled["ref"], scope.place)
    if way == "cache-to" and kind != "inline":
        filled = {**filled, "mode": filled.get("mode", "max"), "ignore-error": filled.get("ignore-error", "true")}
    return filled


def _filled(value: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], value)


def _tagged(reference: str, place: str) -> str:
    """A reference whose tag ends in a place; one by digest cannot change and stays."""
    if "@" in reference:
        return reference
    head, slash, last = reference.rpartition("/")
    name, _, tag = last.partition(":")
    return f"{head}{slash}{name}:{f'{tag}-{place}' if tag else place}"


def _written(fields: Mapping[str, str]) -> str:
    """The entry as buildx reads it: one line of CSV."""
    return row.written(f"{key}={value}" for key, value in fields.items())
