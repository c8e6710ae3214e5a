"""What benchmarks share: comparisons, turns, the table and `.bench/results.json`.

Runs take turns with their peers (A B A B ...), so a machine whose speed drifts slows both. Medians are printed, and the
limits that can fail are ratios or differences with the machine's own peer, or amounts that any machine keeps.
"""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


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
        """The row as one line of the table."""
        digits = 3 if self.unit == "s" else 0
        peer = f"{self.peer:7.{digits}f}  {self.ratio:6.2f}" if self.peer else f"{'':7}  {'':6}"
        state = "" if self.reached else "   NOT REACHED"
        return f"{self.name:{width}}  {self.ours:7.{digits}f}  {peer}  {self.limit}{state}"


def turns(runs: int, *functions: Callable[[], float]) -> list[float]:
    """Medians of functions that take turns."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(runs):
        for own, function in zip(times, functions, strict=True):
            own.append(function())
    return [statistics.median(own) for own in times]


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


def publish(rows: Sequence[Row]) -> int:
    """Print the table and write the file; 1 where a limit was not reached."""
    width = max(len(row.name) for row in rows)
    print(f"{'':{width}}  {'ours':>7}  {'peer':>7}  {'ratio':>6}  asked")
    for row in rows:
        print(row.line(width))
    target = ROOT / ".bench"
    target.mkdir(exist_ok=True)
    results = {"cores": os.cpu_count(), "rows": [{**asdict(row), "ratio": row.ratio} for row in rows]}
    (target / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    return int(not all(row.reached for row in rows))
