"""What benchmarks share: comparisons, curves, turns, the table and `.bench/results.json`.

Runs take turns with their peers (A B A B ...), so a machine whose speed drifts slows both. Medians are printed with their
spread, and the limits that can fail are ratios or differences with the machine's own peer, or amounts that any machine keeps.
"""

from __future__ import annotations

import json
import math
import os
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / ".bench" / "results.json"


class Median(float):
    """The median of samples, which it knows."""

    samples: tuple[float, ...]

    def __new__(cls, samples: Iterable[float]) -> Self:
        """Raises statistics.StatisticsError without samples."""
        kept = tuple(samples)
        median = super().__new__(cls, statistics.median(kept))
        median.samples = kept
        return median


def samples_of(value: float) -> tuple[float, ...]:
    """The samples behind a value; itself alone where it is no median."""
    return value.samples if isinstance(value, Median) else (value,)


@dataclass(frozen=True)
class Row:
    """One comparison: medians in `unit`, and what was asked of it. A `peer` of 0 stands for none."""

    name: str
    ours: float
    peer: float
    limit: str
    reached: bool
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """Ours over the peer's."""
        return self.ours / self.peer if self.peer else 0.0

    def line(self, width: int) -> str:
        """The row as one line of the table; behind the medians the lowest and the highest sample of ours."""
        digits = 3 if self.unit == "s" else 0
        peer = f"{self.peer:7.{digits}f}  {self.ratio:6.2f}" if self.peer else f"{'':7}  {'':6}"
        state = "" if self.reached else "   NOT REACHED"
        samples = samples_of(self.ours)
        spread = f"  [{min(samples):.{digits}f} to {max(samples):.{digits}f}]" if len(samples) > 1 else ""
        return f"{self.name:{width}}  {self.ours:7.{digits}f}  {peer}  {self.limit}{state}{spread}"

    def json(self) -> dict[str, Any]:
        """The row with its ratio and all samples."""
        samples = {"samples": samples_of(self.ours), "peer_samples": samples_of(self.peer) if self.peer else ()}
        return {**asdict(self), "ratio": self.ratio, **samples}


@dataclass(frozen=True)
class Curve:
    """How seconds and memory grow with a size: points `(size, seconds, MiB)`, sizes rising.

    `seconds_exponent` and `memory_exponent` are the slopes of straight lines through the points on logarithmic axes: 1
    is linear. What is there at the smallest size, whatever the size, is taken off first.
    """

    name: str
    size: str
    points: tuple[tuple[int, float, float], ...]
    limit: float = 1.1

    @property
    def seconds_exponent(self) -> float:
        """The slope of the time."""
        return slope([(size, seconds) for size, seconds, _ in self.points])

    @property
    def memory_exponent(self) -> float:
        """The slope of the memory."""
        return slope([(size, memory) for size, _, memory in self.points])

    @property
    def reached(self) -> bool:
        """Whether neither grows faster than linearly."""
        return max(self.seconds_exponent, self.memory_exponent) <= self.limit

    def line(self, width: int) -> str:
        """The curve as one line of the table: its ends and its slopes."""
        first, last = self.points[0], self.points[-1]
        state = "" if self.reached else "   NOT REACHED"
        return (
            f"{self.name:{width}}  {first[0]:,} to {last[0]:,} {self.size}: {first[1]:.2f} to {last[1]:.2f} s, "
            f"{first[2]:.0f} to {last[2]:.0f} MiB; exponents {self.seconds_exponent:.2f} and {self.memory_exponent:.2f}, "
            f"at most {self.limit}{state}"
        )

    def json(self) -> dict[str, Any]:
        """The curve with its slopes."""
        own = {"seconds_exponent": self.seconds_exponent, "memory_exponent": self.memory_exponent}
        return {**asdict(self), **own, "reached": self.reached}


def slope(points: Sequence[tuple[float, float]]) -> float:
    """The exponent of growth above what the smallest size costs; 0 where nothing grows."""
    base = points[0][1]
    # A tenth more than at the start is noise, not growth.
    grown = [(math.log(size), math.log(value - base)) for size, value in points[1:] if value > base * 1.1]
    if len(grown) < 2:
        return 0.0
    return statistics.linear_regression(*zip(*grown, strict=True)).slope


def turns(runs: int, *functions: Callable[[], float]) -> list[Median]:
    """Medians of functions that take turns."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(runs):
        for own, function in zip(times, functions, strict=True):
            own.append(function())
    return [Median(own) for own in times]


def spent(function: Callable[[], float]) -> tuple[float, float]:
    """What a function returned, and the share of all processors' time that anything on the machine used meanwhile."""
    before = _ticks()
    seconds = function()
    busy, total = (now - then for now, then in zip(_ticks(), before, strict=True))
    return seconds, busy / total if total else 0.0


def _ticks() -> tuple[int, int]:
    """Busy and all ticks of all processors since the machine's start (proc_stat(5): idle is fourth, iowait fifth)."""
    fields = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


def publish(parts: Mapping[str, Sequence[Row | Curve]]) -> int:
    """Print the tables and write the file; 1 where a limit was not reached. Parts that were not measured stay in it."""
    results = read()
    for part, rows in parts.items():
        width = max(len(row.name) for row in rows)
        print(f"{part:{width}}  {'ours':>7}  {'peer':>7}  {'ratio':>6}  asked")
        for row in rows:
            print(row.line(width))
        load = os.getloadavg()[0]
        now = datetime.now(UTC).strftime("%Y-%m-%d")
        results["parts"][part] = {"day": now, "load": round(load, 1), "rows": [row.json() for row in rows]}
    results["cores"] = os.cpu_count()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return int(not all(row.reached for rows in parts.values() for row in rows))


def read() -> dict[str, Any]:
    """What was measured so far; empty where nothing was."""
    try:
        found = json.loads(RESULTS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"parts": {}}
    return found if isinstance(found.get("parts"), dict) else {"parts": {}}
