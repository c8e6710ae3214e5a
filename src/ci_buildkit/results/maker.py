"""Makes cases out of what reports say, which is never trusted: texts cleaned and bounded, places found, names told apart."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ci_buildkit import text
from ci_buildkit.results.locate import Place, locate
from ci_buildkit.results.model import NO_EVIDENCE, Case, Defined, Evidence, Outcome
from ci_buildkit.results.reader import Item, Suite
from ci_buildkit.results.values import MAX_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ci_buildkit.problem import Problem
    from ci_buildkit.reader import Source

MILLISECONDS = 1e-3
_MOST = 1e15
_MANY = 10_000


class CaseMaker:
    """Makes the cases of one report, and counts them.

    A name that suite and class had already gets a number: formats without a word for attempts may well list a test
    twice, and the second must not make up for the first.
    """

    __slots__ = ("_form", "_groups", "_last", "_names", "_numbers", "_source", "broken", "count")

    def __init__(self, source: Source, form: str) -> None:
        """`form` becomes the cases' `format`."""
        self._source = source
        self._form = form
        self._groups: dict[tuple[str, str], set[str]] = {}
        self._numbers: dict[tuple[str, str, str], int] = {}
        self._last: tuple[str, str] = ("", "")
        self._names: set[str] = self._groups.setdefault(self._last, set())
        self.count = 0
        self.broken = 0

    def passed(
        self, suite: str, class_name: str, name: str, seconds: float, path: str = "", line: int | None = None
    ) -> Case:
        """A case that passed at once, and so has nothing to tell but where it is defined: nearly all of them."""
        self.count += 1
        suite, class_name = label(suite), label(class_name)
        evidence = self._defined(path, line) if path else NO_EVIDENCE
        name = self._distinct(suite, class_name, text.name(name))
        return Case(self._source.name, self._form, suite, class_name, name, "passed", seconds, evidence)

    def _defined(self, path: str, line: int | None) -> Defined:
        path = self._source.mapper(label(path))
        return Defined(path, line) if line else _in_file(path)

    def case(
        self,
        suite: str,
        class_name: str,
        name: str,
        outcome: Outcome,
        seconds: float = 0.0,
        *,
        message: str = "",
        details: str = "",
        output: str = "",
        path: str = "",
        line: int | None = None,
        place: Place | None = None,
        attempts: int = 1,
        flaky: bool = False,
    ) -> Case:
        """One case. Without a `message` it is the first line of `details`.

        `path` and `line` are where the test is defined, as the report writes it; `place` is where it failed, mapped. A
        failure without `place` is looked for in `details`.
        """
        broke = outcome in {"failed", "error"}
        self.count += 1
        self.broken += broke
        suite, class_name = label(suite), label(class_name)
        name = self._distinct(suite, class_name, text.name(name))
        if message or details or output or flaky or broke or attempts > 1:
            evidence: Defined = self._evidence(
                message, details, output, _Where(path, line, place, class_name), attempts, flaky=flaky, broke=broke
            )
        elif path:
            evidence = self._defined(path, line)
        else:
            evidence = NO_EVIDENCE
        return Case(self._source.name, self._form, suite, class_name, name, outcome, seconds, evidence)

    def _distinct(self, suite: str, class_name: str, name: str) -> str:
        last = self._last
        if suite is not last[1] or class_name is not last[0]:  # labels are kept, so mostly they are the same
            self._last = (class_name, suite)
            self._names = self._groups.setdefault(self._last, set())
        if name not in self._names:
            self._names.add(name)
            return name
        key = (class_name, suite, name)
        number = self._numbers[key] = self._numbers.get(key, 1) + 1
        return self._distinct(suite, class_name, f"{name} ({number})")

    def _evidence(
        self, message: str, details: str, output: str, where: _Where, attempts: int, *, flaky: bool, broke: bool
    ) -> Evidence:
        details = text.block(text.excerpt(details))
        if not details and "\n" in message.strip():
            details = text.block(text.excerpt(message))
        place = where.place
        if place is None and (broke or flaky):
            place = locate((details or message).replace("file://", ""), self._source.mapper, where.class_name)
        path = self._source.mapper(label(where.path)) if where.path else None
        line = where.line
        if place is not None:
            # Some tools shorten paths in what they print, and not in the fields of their report.
            path = path if path and path.endswith(f"/{place.path}") else place.path
            line = place.line
        said = text.first_line(message)
        return Evidence(
            message=said or text.first_line(details),
            path=path,
            line=line,
            attempts=attempts,
            flaky=flaky,
            details="" if details == said else details,
            output=text.block(text.excerpt(output)),
        )


class _Where:
    """Where a test is defined and where it failed, as far as its report says."""

    __slots__ = ("class_name", "line", "path", "place")

    def __init__(self, path: str, line: int | None, place: Place | None, class_name: str) -> None:
        self.path = path
        self.line = line
        self.place = place
        self.class_name = class_name


@lru_cache(maxsize=4096)
def label(written: str) -> str:
    """A suite, a class or a path on one clean line; cleaned once and kept once, since thousands of cases share it."""
    return text.name(written).strip()


@lru_cache(maxsize=4096)
def group(names: tuple[object, ...]) -> str:
    """The path of a group of tests, from the names of its groups."""
    return " / ".join(part for part in (label(name) for name in names if isinstance(name, str)) if part)


def path_of(names: Sequence[object]) -> str:
    """`group`, of names that may be anything."""
    try:
        return group(tuple(names))
    except TypeError:  # something that cannot be a key of the cache, and so is no name
        return group(tuple(name for name in names if isinstance(name, str)))


def duration(value: object, unit: float = 1.0) -> float:
    """A number of `unit` seconds as seconds; 0 for what is no positive number or no duration."""
    if (type(value) is float or type(value) is int) and 0 < value < _MOST:
        seconds = value * unit
        return seconds if seconds < MAX_SECONDS else 0.0
    return 0.0


def whole(value: object) -> int:
    """A count; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def with_suites(items: Iterable[Case | Problem]) -> Iterator[Item]:
    """`items` with a `Suite` before the first case of each suite, for formats that do not announce them.

    Cases that have nothing to tell come in lists, as `Item` allows.
    """
    seen: set[tuple[str, str]] = set()
    last: tuple[str, str] | None = None
    plain: list[Case] = []
    for item in items:
        if isinstance(item, Case):
            key = (item.suite, item.class_name)
            if key != last and key not in seen:
                seen.add(key)
                yield Suite(item.suite or item.class_name)
            last = key
            if item.evidence is NO_EVIDENCE and item.outcome == "passed" and len(plain) < _MANY:
                plain.append(item)
                continue
        if plain:
            yield plain
            plain = []
        yield item
    if plain:
        yield plain


@lru_cache(maxsize=4096)
def _in_file(path: str) -> Defined:
    return Defined(path)
