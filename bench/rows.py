"""What benchmarks share: comparisons, curves, turns, the table and `.bench/results.json`.

Runs take turns with their peers (A B A B ...), so a machine whose speed drifts slows both. Medians are printed with their
spread, and the limits that can fail are ratios or differences with the machine's own peer, or amounts that any machine keeps.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from bench.fit import exponent

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
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": float(self.ours),
            "peer": float(self.peer),
            "ratio": self.ratio,
            "limit": self.limit,
            "reached": self.reached,
            "samples": samples_of(self.ours),
            "peer_samples": samples_of(self.peer) if self.peer else (),
        }


class Point(NamedTuple):
    """What one size took: seconds and MiB, both medians, and the seconds of each time that it was measured."""

    size: int
    seconds: float
    memory: float
    samples: tuple[float, ...]


@dataclass(frozen=True)
class Curve:
    """How seconds and memory grow with a size: points with rising sizes, and the exponents that `bench/fit.py` finds."""

    name: str
    size: str
    points: tuple[Point, ...]
    limit: float = 1.1

    @property
    def seconds_exponent(self) -> float:
        """How the time grows: 1 is linear."""
        return exponent([(point.size, point.seconds) for point in self.points])

    @property
    def memory_exponent(self) -> float:
        """How the memory grows: 1 is linear."""
        return exponent([(point.size, point.memory) for point in self.points])

    @property
    def reached(self) -> bool:
        """Whether neither grows faster than linearly."""
        return max(self.seconds_exponent, self.memory_exponent) <= self.limit

    def line(self, width: int) -> str:
        """The curve as one line of the table: its ends and its exponents."""
        first, last = self.points[0], self.points[-1]
        state = "" if self.reached else "   NOT REACHED"
        return (
            f"{self.name:{width}}  {first.size:,} to {last.size:,} {self.size}: {first.seconds:.2f} to {last.seconds:.2f} s, "
            f"{first.memory:.0f} to {last.memory:.0f} MiB; exponents {self.seconds_exponent:.2f} and "
            f"{self.memory_exponent:.2f}, at most {self.limit}{state}"
        )

    def json(self) -> dict[str, Any]:
        """The curve with its exponents."""
        return {
            "name": self.name,
            "size": self.size,
            "limit": self.limit,
            "reached": self.reached,
            "seconds_exponent": self.seconds_exponent,
            "memory_exponent": self.memory_exponent,
            "points": [point._asdict() for point in self.points],
        }


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


def publish(part: str, measure: Callable[[], Sequence[Row | Curve]]) -> int:
    """Measure a part, print its table and put it into the file, where other parts stay; 1 where a limit was not reached."""
    load = os.getloadavg()[0]
    began = time.monotonic()
    rows = measure()
    width = max(len(row.name) for row in rows)
    print(f"{part:{width}}  {'ours':>7}  {'peer':>7}  {'ratio':>6}  asked")
    for row in rows:
        print(row.line(width), flush=True)
    found = read()
    found["parts"][part] = {
        "day": datetime.now(UTC).strftime("%Y-%m-%d"),
        "load": round(load, 1),
        "minutes": round((time.monotonic() - began) / 60, 1),
        "cores": os.cpu_count(),
        "rows": [row.json() for row in rows],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return int(not all(row.reached for row in rows))


def read() -> dict[str, Any]:
    """What was measured so far; empty where nothing was."""
    try:
        found = json.loads(RESULTS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"parts": {}}
    known = isinstance(found, dict) and isinstance(found.get("parts"), dict)
    return found if known else {"parts": {}}
