"""The machines of a builder as `docker buildx inspect` shows them, and which of them builds which platform. Pure."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from msgspec import Struct, field

OPTION = re.compile(r'(?<!\S)(\S+?)=("(?:[^"\\]|\\.)*")')


class Machine(Struct, frozen=True):
    """A node of a builder. `fixed` are the platforms that buildx builds there before all others.

    `error` is what buildx said of one that it could not ask.
    """

    name: str
    endpoint: str = ""
    status: str = ""
    buildkit: str = ""
    platforms: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def alive(self) -> bool:
        """Whether its BuildKit answers."""
        return self.status == "running" and not self.error

    @property
    def native(self) -> tuple[str, ...]:
        """The platforms that it executes itself: buildx lists them first (amd64 and its levels)."""
        first = self.platforms[0] if self.platforms else ""
        pair = "linux/386" if first.split("/")[:2] == ["linux", "amd64"] else first
        return tuple(p for p in self.platforms if p in {first, pair} or p.startswith(f"{first}/v"))

    @property
    def shown(self) -> str:
        """It in a message: name and endpoint."""
        return f"{self.name} ({self.endpoint})" if self.endpoint else self.name


def driver(text: str) -> str:
    """The driver in what `docker buildx inspect` prints."""
    head = text.partition("\nNodes:")[0]
    return next((_value(line) for line in head.splitlines() if line.startswith("Driver:")), "")


def read(text: str) -> tuple[Machine, ...]:
    """The machines in what `docker buildx inspect` prints (docker/buildx commands/inspect.go)."""
    return tuple(_machine(block) for block in _blocks(text))


def _blocks(text: str) -> Iterator[dict[str, str]]:
    """The `Key: value` lines of each node; those below a key are indented or a rule's, and not asked for."""
    block: dict[str, str] = {}
    for line in text.partition("\nNodes:")[2].splitlines():
        if line.startswith("Name:") and block:
            yield block
            block = {}
        if line[:1].strip() and ":" in line:
            block.setdefault(line.partition(":")[0], _value(line))
    if block:
        yield block


def _value(line: str) -> str:
    return line.partition(":")[2].strip()


def _machine(block: Mapping[str, str]) -> Machine:
    listed = [part.strip() for part in block.get("Platforms", "").split(",") if part.strip()]
    options = {key: str(ast.literal_eval(value)) for key, value in OPTION.findall(block.get("Driver Options", ""))}
    return Machine(
        name=block.get("Name", ""),
        endpoint=block.get("Endpoint", ""),
        status=block.get("Status", ""),
        buildkit=block.get("BuildKit version", "") or block.get("Buildkit", ""),
        platforms=tuple(part.rstrip("*") for part in listed),
        fixed=tuple(part.rstrip("*") for part in listed if part.endswith("*")),
        options=options,
        error=block.get("Error", ""),
    )


def assigned(found: Sequence[Machine], wished: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The machine that builds each platform, as the fixed platforms of each: every platform is on one list.

    buildx takes the first node that lists a platform, be it emulated there (docker/buildx build/resolver), and asks the
    other nodes only when a platform is fixed nowhere. So: where the user wishes it, else where it is native, else on the
    first machine that can. `wished` are the user's platforms by machine, none of which need be listed.
    """
    lists: dict[str, list[str]] = {machine.name: [] for machine in found}
    every = dict.fromkeys(p for m in found for p in (*m.native, *wished.get(m.name, ()), *m.platforms))
    for platform in every:
        able = [m for m in found if platform in m.platforms or platform in wished.get(m.name, ())]
        best = min(able, key=lambda m: (platform not in wished.get(m.name, ()), platform not in m.native))
        lists[best.name].append(platform)
    # A machine's own platforms stay first: that is how `native` knows them.
    return {m.name: tuple(sorted(lists[m.name], key=partial(_foreign, m.native))) for m in found}


def _foreign(native: Sequence[str], platform: str) -> bool:
    return platform not in native


def platforms(found: Iterable[Machine]) -> tuple[str, ...]:
    """All platforms of some machines, each once, in their order."""
    return tuple(dict.fromkeys(platform for machine in found for platform in machine.platforms))
