"""The test points of one TAP stream as a tree of subtests, and the cases that it stands for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ci_buildkit.results import tap_text
from ci_buildkit.results.maker import group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.paths import PathMapper
    from ci_buildkit.results.maker import CaseMaker
    from ci_buildkit.results.model import Case, Outcome
    from ci_buildkit.text import Excerpt

_TIMING = re.compile(r"^(.*) in (\d+)(ms|sec)$")
# What broke around tests, and not in one: hooks of bats and Mocha, files that Node and Vitest could not load.
_AROUND = re.compile(
    r"^(?:setup|teardown)_(?:file|suite) failed$|\"(?:before|after) (?:all|each)\" hook|^\S+\.[cm]?[jt]sx?$"
)
_ERRORS = frozenset({"hookFailed", "cancelledByParent", "testAborted", "exit"})
_MAX_DEPTH = 100


class Point:
    """One test point, or a subtest: then `children` are its points."""

    __slots__ = ("block", "children", "directive", "name", "notes", "number", "ok", "reason", "seconds")

    def __init__(self, number: int, name: str, *, ok: bool, directive: str = "", reason: str = "", seconds: float = 0.0) -> None:  # fmt: skip
        """`directive` is "skip", "todo" or ""."""
        self.number = number
        self.name = name
        self.ok = ok
        self.directive = directive
        self.reason = reason
        self.seconds = seconds
        self.block: list[str] | None = None
        self.notes: Excerpt | None = None
        self.children: list[Point] | None = None


class Level:
    """The points of one subtest, or of the stream itself, while they come in."""

    __slots__ = ("buffered", "name", "next", "plan", "points", "reason", "troubles")

    def __init__(self, name: str = "", buffered: Point | None = None) -> None:
        """`buffered` is the subtest's own point where it came first."""
        self.name = name
        self.buffered = buffered
        self.plan: int | None = None
        self.reason = ""
        self.points: list[Point] = []
        self.next = 1
        self.troubles: list[str] = []

    @property
    def complete(self) -> bool:
        """Whether all planned points are there."""
        return self.plan is not None and len(self.points) >= self.plan

    def add(self, point: Point) -> None:
        """Takes a point; one out of sequence is a trouble."""
        if point.number != self.next and not self.troubles:
            self.troubles.append(f"test {point.number} came where {self.next} was to come")
        self.next = point.number + 1
        self.points.append(point)

    def trouble(self) -> str:
        """What is wrong with the points as a whole; "" where nothing is."""
        there = len(self.points)
        if self.plan is None:
            return "the plan is missing, so tests may be"
        if self.plan != there:
            return f"{self.plan} tests were planned, and {there} came"
        return self.troubles[0] if self.troubles else ""


def cases(points: list[Point], suite: str, maker: CaseMaker, mapper: PathMapper) -> Iterator[Case]:
    """The case of every test; a subtest is one only where it broke by itself."""
    _untimed(points)
    yield from _below(points, (suite,), maker, mapper, todo=False)


def _below(points: list[Point], path: tuple[str, ...], maker: CaseMaker, mapper: PathMapper, *, todo: bool) -> Iterator[Case]:  # fmt: skip
    suite = group(path)
    for point in points:
        if not point.children:
            yield _case(point, suite, maker, mapper, todo=todo)
            continue
        broken = maker.broken
        below = (*path, point.name) if len(path) < _MAX_DEPTH else path
        yield from _below(point.children, below, maker, mapper, todo=todo or point.directive == "todo")
        if not point.ok and not point.directive and not todo:
            said = _told(point, mapper)
            if maker.broken == broken or said.kind in _ERRORS:
                message = said.message or "failed, but none of its tests did"
                yield maker.case(suite, "", _name(point), "error", point.seconds, message=message, details=said.details, place=said.place)  # fmt: skip


def _case(point: Point, suite: str, maker: CaseMaker, mapper: PathMapper, *, todo: bool) -> Case:
    if point.directive or (todo and not point.ok):
        reason = point.reason or ("to do" if point.directive != "skip" else "")
        return maker.case(suite, "", _name(point), "skipped", point.seconds, message=reason)
    if point.ok:
        return maker.passed(suite, "", _name(point), point.seconds)
    said = _told(point, mapper)
    outcome: Outcome = "error" if said.kind in _ERRORS or _AROUND.search(point.name) else "failed"
    return maker.case(suite, "", _name(point), outcome, point.seconds, message=said.message, details=said.details, place=said.place)  # fmt: skip


def _told(point: Point, mapper: PathMapper) -> tap_text.Told:
    return tap_text.told(point.block or [], point.notes.text() if point.notes else "", mapper)


def _name(point: Point) -> str:
    return point.name or f"test {point.number}"


def _untimed(points: list[Point]) -> None:
    """bats with `--timing` ends every name with the time that the test took, which is no part of the name."""
    found = [_TIMING.match(point.name) for point in points]
    if not all(found):
        return
    for point, match in zip(points, found, strict=True):
        if match:
            point.name = match[1]
            point.seconds = int(match[2][:9]) * (1e-3 if match[3] == "ms" else 1.0)
