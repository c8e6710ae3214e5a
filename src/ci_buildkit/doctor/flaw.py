"""What a rule finds in a file, and what a rule is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from msgspec import Struct

from ci_buildkit.doctor.diagnosis import Diagnosis, Severity

Looked = TypeVar("Looked")


class Flaw(Struct, frozen=True):
    """One place that a rule complains of, in the terms of `Diagnosis`.

    `severity` is that of the rule and `path` that of the examined file unless they are given.
    """

    line: int | None
    message: str
    fix: str | None = None
    safe: bool = False
    severity: Severity | None = None
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Rule(Generic[Looked]):
    """A rule: its name, its usual severity, what it is about in one sentence, and the pure function that looks.

    A rule that `repairs` is about spelling: the rules behind it look at the file as it was meant, so that one misspelt
    word makes one diagnosis.
    """

    name: str
    severity: Severity
    about: str
    find: Callable[[Looked], Iterable[Flaw]]
    repairs: bool = False

    def diagnoses(self, path: str, looked: Looked) -> Iterator[Diagnosis]:
        """What the rule says of the file at `path`."""
        for flaw in self.find(looked):
            where = path if flaw.path is None else flaw.path
            severity = flaw.severity or self.severity
            yield Diagnosis(where, flaw.line, self.name, severity, flaw.message, flaw.fix, flaw.safe)
