"""How fast a cost grows with a size: a power law, fitted to measured points. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

STEP = 0.01
STEEPEST = 3.0
GROWN = 2.0  # times the cost of the smallest size
FEWEST = 3  # points, for three unknowns
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Law:
    """`fixed + growing * (size / largest) ** exponent`."""

    fixed: float
    growing: float
    exponent: float
    largest: float

    def at(self, size: float) -> float:
        """What a size costs."""
        return self.fixed + self.growing * float((size / self.largest) ** self.exponent)


def exponent(points: Points) -> float:
    """The exponent of the law of these points: 1 is linear, 0 says that there is none."""
    found = law(points)
    return found.exponent if found else 0.0


def law(points: Points) -> Law | None:
    """The law `a + b * size**k` of points `(size, cost)`, sizes rising, that has the least squares of relative errors.

    Relative, because each point then weighs the same, whatever its size. What every size costs, `a`, is fitted as well,
    between nothing and the whole cost of the smallest size. To subtract that cost instead, as if all of it were fixed, makes
    linear growth look steeper: memory is a peak, and what the start of a process has freed is used up before the peak moves.

    For the same reason growth is looked for where it outweighs the start: only points count that cost at least twice what
    the smallest size does, and always the three largest. None where not even the largest costs twice as much: over the
    whole range the size decides less than the start does.
    """
    base = points[0][1]
    if points[-1][1] < GROWN * base:
        return None
    grown = [point for point in points if point[1] >= GROWN * base]
    chosen = grown if len(grown) >= FEWEST else points[-FEWEST:]
    steps = (number * STEP for number in range(1, round(STEEPEST / STEP) + 1))
    return min((_with(chosen, base, steepness) for steepness in steps), key=lambda one: _error(chosen, one))


def _with(points: Points, most: float, steepness: float) -> Law:
    """The best law with an exponent, by linear least squares: each point says `a / cost + b * power / cost = 1`."""
    largest = points[-1][0]
    rows = [(1 / cost, float((size / largest) ** steepness) / cost) for size, cost in points]
    aa, ab, bb = (sum(row[i] * row[j] for row in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    a, b = sum(row[0] for row in rows), sum(row[1] for row in rows)
    determinant = aa * bb - ab * ab
    fixed = (a * bb - b * ab) / determinant if determinant > 0 else 0.0
    fixed = min(max(fixed, 0.0), most)
    return Law(fixed, max((b - fixed * ab) / bb, 0.0), steepness, largest)


def _error(points: Points, found: Law) -> float:
    return sum((found.at(size) / cost - 1) ** 2 for size, cost in points)
