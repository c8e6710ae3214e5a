"""A problem: something that was expected and is missing, unreadable or contradictory. It is data, never an exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ProblemKind = Literal[
    "unreadable",
    "empty",
    "inconsistent",
    "stale",
    "missing",
    "limit",
    "unmapped",
    "mismatch",
    "policy",
    "quarantine",
    "cleanup",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is where (a file, a stage's name), `reason` is a sentence that says why and, if there is one, the mend."""

    path: str
    kind: ProblemKind
    reason: str
