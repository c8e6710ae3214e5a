"""A simulated working day of an organisation: runs that come to shared BuildKit nodes, wait, and find their cache or not.

Discrete events (simpy); the same seed gives the same day. Everything that is assumed and not measured is a field of
`Organisation`.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import random
import statistics
from collections import OrderedDict
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import simpy

HOUR = 3600.0


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
    """One simulated working day.

    Waits and totals are seconds, rising. `found` is the share of runs whose cache was on the node, `busy` the work of the day
    over what the nodes can do in it: more than 1 where they cannot.
    """

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
        self.held = 0.0
        self.busy = 0.0

    def look(self, repository: int, size: float) -> bool:
        """Whether the repository's cache is there; it is afterwards."""
        found = repository in self.caches
        if not found:
            self.caches[repository] = size
            self.held += size
        self.caches.move_to_end(repository)
        while self.held > self.room and len(self.caches) > 1:
            self.held -= self.caches.popitem(last=False)[1]
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


def constant(_draw: random.Random, mean: float) -> float:
    """A run of a repository takes as long as the last one that did the same."""
    return mean


def simulate(
    organisation: Organisation,
    measured: Measured,
    nodes: int,
    placement: str,
    *,
    seed: int = 1,
    lasting: Callable[[random.Random, float], float] = constant,
) -> Result:
    """A working day after a day that filled the caches; only the second day counts.

    The same seed gives the same days. `lasting` draws how long a run takes whose mean is known.
    """
    draw = random.Random(seed)
    environment = simpy.Environment()
    fleet = [Node(environment, organisation) for _ in range(nodes)]
    sizes = [organisation.size * draw.lognormvariate(0, organisation.spread) for _ in range(organisation.repositories)]
    ranks = range(organisation.repositories)
    weights = list(itertools.accumulate((rank + 1) ** -organisation.popularity for rank in ranks))
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
            mean = seconds(measured, found=found, changed=draw.random() < organisation.changed) * sizes[repository]
            work = lasting(draw, mean)
            yield environment.timeout(work)
        if counts:
            waits.append(began - came)
            totals.append(environment.now - came)
            hits.append(found)
            node.busy += work

    def arrivals() -> Generator[Any]:
        while environment.now < 48 * HOUR:
            yield environment.timeout(draw.expovariate(rate(organisation, environment.now % (24 * HOUR))))
            repository = draw.choices(ranks, cum_weights=weights)[0]
            number = homes(repository) if placement == "hashing" else draw.randrange(nodes)
            environment.process(run(repository, fleet[number], counts=environment.now >= 24 * HOUR))

    environment.process(arrivals())
    environment.run()  # to the end of the last run, so that the longest waits count, too
    capacity = nodes * organisation.builds_at_once * 24 * HOUR
    busy = sum(node.busy for node in fleet) / capacity
    return Result(nodes, placement, tuple(sorted(waits)), tuple(sorted(totals)), statistics.fmean(hits), busy)


def rate(organisation: Organisation, now: float) -> float:
    """Runs a second at a time of the day: one rate in the busiest hours, another in the rest."""
    length = organisation.busiest_hours * HOUR
    if 9 * HOUR <= now < 9 * HOUR + length:
        return organisation.runs_a_day * organisation.busiest_share / length
    return organisation.runs_a_day * (1 - organisation.busiest_share) / (24 * HOUR - length)
