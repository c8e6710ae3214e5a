"""What an organisation needs: a discrete-event simulation of runs on shared BuildKit nodes, fed with measured times.

`python -m bench.scale` reads the measured JSON (`docs/benchmarks.json`), prints the table and writes
`docs/scale.md` with its picture. Everything that is assumed and not measured is a field of `Organisation`.
"""

from __future__ import annotations

import bisect
import hashlib
import json
import math
import random
import statistics
import sys
from collections import OrderedDict
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import simpy

from bench.rows import ROOT

MEASURED = ROOT / "docs" / "benchmarks.json"
PAGE = ROOT / "docs" / "scale.md"
PICTURE = ROOT / "docs" / "images" / "scale.svg"
HOUR = 3600.0
NODES = (1, 2, 3, 5, 8, 12, 20, 30, 50)
PATIENCE = 10.0  # seconds that 95 of 100 runs should not exceed before they begin


@dataclass(frozen=True)
class Organisation:
    """What is assumed. Runs come by a Poisson process whose rate follows the working day."""

    repositories: int = 1000
    runs_a_day: int = 20_000
    busiest_hours: float = 8.0
    busiest_share: float = 0.7  # of a day's runs, in the busiest hours
    popularity: float = 0.9  # exponent of Zipf's law over the repositories
    # How much longer the repositories' builds take than the measured example's: log-normal, this at the median.
    size: float = 1.0
    spread: float = 0.8
    changed: float = 0.85  # share of runs that change source; the others find everything in the cache
    cache_gb: float = 3.0  # what one repository of the measured size keeps on a node
    disk_gb: float = 500.0  # of a node
    builds_at_once: int = 4  # of a node, so that each has the two cores of the measurement
    requests_limit: int = 1000  # an hour and repository, of GITHUB_TOKEN (GitHub's REST API rate limits)


@dataclass(frozen=True)
class Measured:
    """Seconds of a whole run of the example on two cores, and what one publishing run asks of GitHub."""

    cold: float
    changed: float
    warm: float
    kept_mounts: float
    requests: int
    cold_mb: float
    mounts_mb: float
    cache_gb: float


@dataclass(frozen=True)
class Result:
    """One simulated working day. Waits are in seconds, `found` is the share of runs whose cache was on the node."""

    nodes: int
    placement: str
    waits: tuple[float, ...]
    totals: tuple[float, ...]
    found: float
    busy: float

    def wait(self, share: float) -> float:
        """The wait that a share of the runs did not exceed."""
        return self.waits[min(len(self.waits) - 1, int(share * len(self.waits)))]


def seconds(measured: Measured, *, found: bool, changed: bool) -> float:
    """How long a run of the example's size takes on a node."""
    if not found:
        return measured.cold
    return measured.changed if changed else measured.warm


class Node:
    """A BuildKit node: builds side by side, and caches of repositories until the disk is full (least recently used go)."""

    def __init__(self, environment: simpy.Environment, organisation: Organisation) -> None:
        """An empty node."""
        self.slots = simpy.Resource(environment, organisation.builds_at_once)
        self.room = organisation.disk_gb
        self.caches: OrderedDict[int, float] = OrderedDict()
        self.busy = 0.0

    def look(self, repository: int, size: float) -> bool:
        """Whether the repository's cache is there; it is afterwards."""
        found = repository in self.caches
        self.caches[repository] = size
        self.caches.move_to_end(repository)
        while sum(self.caches.values()) > self.room and len(self.caches) > 1:
            self.caches.popitem(last=False)
        return found


def ring(nodes: int, points: int = 100) -> Callable[[int], int]:
    """Consistent hashing: a node for each repository, and few that move when a node comes or goes."""
    places = sorted((_hash(f"node-{node}-{point}"), node) for node in range(nodes) for point in range(points))
    keys = [key for key, _ in places]

    def place(repository: int) -> int:
        return places[bisect.bisect(keys, _hash(f"repository-{repository}")) % len(places)][1]

    return place


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def simulate(organisation: Organisation, measured: Measured, nodes: int, placement: str, seed: int = 1) -> Result:
    """A working day after a day that filled the caches; only the second day counts."""
    draw = random.Random(seed)
    environment = simpy.Environment()
    fleet = [Node(environment, organisation) for _ in range(nodes)]
    sizes = [organisation.size * draw.lognormvariate(0, organisation.spread) for _ in range(organisation.repositories)]
    weights = [1 / (rank + 1) ** organisation.popularity for rank in range(organisation.repositories)]
    homes = ring(nodes)
    waits: list[float] = []
    totals: list[float] = []
    hits: list[bool] = []

    def run(repository: int, node: Node, *, counts: bool) -> Generator[Any]:
        came = environment.now
        with node.slots.request() as slot:
            yield slot
            began = environment.now
            found = node.look(repository, organisation.cache_gb * sizes[repository])
            work = seconds(measured, found=found, changed=draw.random() < organisation.changed) * sizes[repository]
            yield environment.timeout(work)
        if counts:
            waits.append(began - came)
            totals.append(environment.now - came)
            hits.append(found)
            node.busy += work

    def arrivals() -> Generator[Any]:
        while environment.now < 48 * HOUR:
            yield environment.timeout(draw.expovariate(rate(organisation, environment.now % (24 * HOUR))))
            repository = draw.choices(range(organisation.repositories), weights)[0]
            number = homes(repository) if placement == "hashing" else draw.randrange(nodes)
            environment.process(run(repository, fleet[number], counts=environment.now >= 24 * HOUR))

    environment.process(arrivals())
    environment.run(until=60 * HOUR)
    capacity = nodes * organisation.builds_at_once * 24 * HOUR
    busy = sum(node.busy for node in fleet) / capacity
    return Result(nodes, placement, tuple(sorted(waits)), tuple(sorted(totals)), statistics.fmean(hits), busy)


def rate(organisation: Organisation, now: float) -> float:
    """Runs a second at a time of the day: one rate in the busiest hours, another in the rest."""
    length = organisation.busiest_hours * HOUR
    if 9 * HOUR <= now < 9 * HOUR + length:
        return organisation.runs_a_day * organisation.busiest_share / length
    return organisation.runs_a_day * (1 - organisation.busiest_share) / (24 * HOUR - length)


def measured(document: Mapping[str, Any]) -> Measured:
    """The costs in the measured JSON. Raises KeyError where they were not measured."""
    from bench import costs

    found = {row["name"]: row["ours"] for row in document["parts"]["costs"]["rows"]}
    return Measured(
        cold=found[costs.COLD],
        changed=found[costs.CHANGED],
        warm=found[costs.WARM],
        kept_mounts=found[costs.KEPT],
        requests=int(found[costs.REQUESTS]),
        cold_mb=found[costs.PULLED],
        mounts_mb=found[costs.MOUNTS],
        cache_gb=found[costs.DISK] / 1000,
    )


def days(organisation: Organisation, costs: Measured) -> dict[str, list[Result]]:
    """A simulated day for each number of nodes and both placements."""
    return {
        placement: [simulate(organisation, costs, nodes, placement) for nodes in NODES]
        for placement in ("hashing", "random")
    }


def enough(results: Sequence[Result]) -> Result:
    """The fewest nodes on which 95 of 100 runs wait less than ten seconds; the most where none are enough."""
    return next((one for one in results if one.wait(0.95) < PATIENCE), results[-1])


def traffic(organisation: Organisation, costs: Measured) -> dict[str, float]:
    """Terabytes a day that runs on fresh machines move, without caches and with kept cache mounts, and on shared nodes."""
    runs = organisation.runs_a_day
    mean = organisation.size * math.exp(organisation.spread**2 / 2)
    return {
        "new machines, nothing kept": runs * mean * costs.cold_mb / 1e6,
        "new machines, cache mounts kept": runs * mean * (costs.cold_mb + 2 * costs.mounts_mb) / 1e6,
    }


def page(organisation: Organisation, costs: Measured, results: Mapping[str, Sequence[Result]]) -> str:
    """`docs/scale.md`."""
    best, other = enough(results["hashing"]), enough(results["random"])
    peak = rate(organisation, 12 * HOUR) * HOUR
    top = peak * _share_of_the_most_popular(organisation)
    lines = [
        "# An organisation's day",
        "",
        (
            "Written by `python -m bench.scale` from the measured `docs/benchmarks.json`. The simulation is "
            "`bench/scale.py`; what is assumed and not measured are the fields of `Organisation` there."
        ),
        "",
        "## Assumed",
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name.replace('_', ' ')} | {value:,} |" for name, value in asdict(organisation).items()),
        "",
        "## Measured, on two cores",
        "",
        "| | |",
        "| --- | --- |",
        f"| run on a new builder | {costs.cold:.1f} s |",
        f"| the same with cache mounts kept | {costs.kept_mounts:.1f} s |",
        f"| run on a builder that has the cache, one file changed | {costs.changed:.1f} s |",
        f"| the same, nothing changed | {costs.warm:.1f} s |",
        f"| read from outside on a new builder | {costs.cold_mb:,.0f} MB |",
        f"| kept cache mounts | {costs.mounts_mb:,.0f} MB |",
        f"| what the builder holds afterwards | {costs.cache_gb:.1f} GB |",
        f"| requests to publish a run on a pull request | {costs.requests} |",
        "",
        "## Nodes",
        "",
        (
            "![Wait that 95 of 100 runs do not exceed, and share of runs that find their cache, by number of nodes]"
            "(images/scale.svg)"
        ),
        "",
        "Each repository goes to a node of its own by consistent hashing, or to any node at random.",
        "",
        "| Nodes | Placement | Cache found | Busy | Median wait | 95 of 100 wait less than | Median run |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
        *(
            _row(one)
            for one in sorted((r for rs in results.values() for r in rs), key=lambda r: (r.nodes, r.placement))
        ),
        "",
        (
            f"With consistent hashing **{best.nodes} nodes** of {organisation.builds_at_once * 2} cores are enough for waits below "
            f"{PATIENCE:.0f} s ({best.found:.0%} of the runs find their cache); with random placement {other.nodes}"
            f"{'' if other.wait(0.95) < PATIENCE else ' are still too few'} ({other.found:.0%})."
        ),
        "",
        "## Disk",
        "",
        (
            f"All caches together are {_caches(organisation):,.0f} GB, once with hashing. Random placement wants them on every node: "
            f"what does not fit in {organisation.disk_gb:.0f} GB is built again."
        ),
        "",
        "## Traffic of runs on new machines",
        "",
        "| | TB a day |",
        "| --- | ---: |",
        *(f"| {name} | {value:.1f} |" for name, value in traffic(organisation, costs).items()),
        "",
        "Kept mounts cost more bytes and save the time that compilers take: they belong near the machines.",
        "",
        "## GitHub's API",
        "",
        (
            f"The busiest repository has {top:.0f} runs in a busy hour, {top * costs.requests:,.0f} requests of the "
            f"{organisation.requests_limit:,} that its token may make. All repositories together make "
            f"{peak * costs.requests:,.0f} an hour, each on its own token."
        ),
        "",
        "## What gives way first",
        "",
        _bottleneck(organisation, costs, best, top),
        "",
    ]
    return "\n".join(lines)


def _row(one: Result) -> str:
    return (
        f"| {one.nodes} | {one.placement} | {one.found:.0%} | {one.busy:.0%} | {one.wait(0.5):,.0f} s | "
        f"{one.wait(0.95):,.0f} s | {statistics.median(one.totals):,.0f} s |"
    )


def _share_of_the_most_popular(organisation: Organisation) -> float:
    return float(1 / sum(1 / (rank + 1) ** organisation.popularity for rank in range(organisation.repositories)))


def _caches(organisation: Organisation) -> float:
    return organisation.repositories * organisation.cache_gb * organisation.size * math.exp(organisation.spread**2 / 2)


def _bottleneck(organisation: Organisation, costs: Measured, best: Result, top: float) -> str:
    """How far runs can grow before each resource is used up; the least decides."""
    room = {
        "the requests of the busiest repository": organisation.requests_limit / max(top * costs.requests, 0.001),
        f"the disks of {best.nodes} nodes": best.nodes * organisation.disk_gb / _caches(organisation),
        f"the cores of {best.nodes} nodes": 1
        / max(best.busy * organisation.busiest_share * 24 / organisation.busiest_hours, 0.001),
    }
    order = sorted(room, key=lambda name: room[name])
    return (
        f"First {order[0]}, at {room[order[0]]:.1f} times today's runs; then "
        + ", then ".join(f"{name} at {room[name]:.1f} times" for name in order[1:])
        + "."
    )


def draw(results: Mapping[str, Sequence[Result]], path: Path) -> None:
    """The picture: waits and found caches by number of nodes."""
    from bench.pictures import figure, save

    drawing, (waits, found) = figure(2)
    for placement, days_of in results.items():
        nodes = [one.nodes for one in days_of]
        waits.plot(nodes, [max(one.wait(0.95), 0.1) for one in days_of], marker="o", label=placement)
        found.plot(nodes, [one.found * 100 for one in days_of], marker="o", label=placement)
    waits.set(xlabel="nodes", ylabel="95 of 100 runs wait less than, s", yscale="log")
    found.set(xlabel="nodes", ylabel="runs that find their cache, %", ylim=(0, 100))
    waits.legend()
    found.legend()
    save(drawing, path)


def main() -> int:
    """Simulate, and write the page and its picture."""
    costs = measured(json.loads(MEASURED.read_text(encoding="utf-8")))
    organisation = replace(Organisation(), cache_gb=round(costs.cache_gb, 2))
    results = days(organisation, costs)
    PAGE.write_text(page(organisation, costs, results), encoding="utf-8")
    draw(results, PICTURE)
    print("\n".join(_row(one) for one in results["hashing"] + results["random"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
