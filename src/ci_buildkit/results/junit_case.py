"""What one `testcase` element of JUnit XML says: its outcome, its attempts, and where it failed."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from ci_buildkit import text
from ci_buildkit.results import go_failure
from ci_buildkit.results.locate import Place, locate
from ci_buildkit.results.model import NO_EVIDENCE, Case, Defined, Evidence, Outcome
from ci_buildkit.results.values import integer, seconds

if TYPE_CHECKING:
    from ci_buildkit.paths import PathMapper
    from ci_buildkit.reader import Source
    from ci_buildkit.results.junit_lane import Columns

FORMAT = "junit"

# What an element below a test case says, the worst first. Surefire's rerun elements stand beside a failure.
RESULTS: dict[str, Outcome] = {
    "error": "error",
    "errors": "error",
    "failure": "failed",
    "warning": "failed",  # of PHPUnit before 10, whose run fails for it
    "skipped": "skipped",
    "skip": "skipped",
    "ignored": "skipped",
    "disabled": "skipped",
}
_RERUNS: dict[str, Outcome] = {"rerunError": "error", "rerunFailure": "failed"}
_FLAKY: dict[str, Outcome] = {"flakyError": "error", "flakyFailure": "failed"}
ATTEMPTS = {**_RERUNS, **_FLAKY}
_RANK: dict[Outcome, int] = {"error": 3, "failed": 2, "skipped": 1, "passed": 0}
OUTPUT = frozenset({"system-out", "system-err"})
# Statuses count only where no element says more.
_STATUSES: dict[str, Outcome] = {
    "disabled": "skipped",
    "ignored": "skipped",
    "skipped": "skipped",
    "suppressed": "skipped",
    "notrun": "skipped",
    "fail": "failed",
    "failed": "failed",
    "failure": "failed",
    "error": "error",
    "errored": "error",
    "broken": "error",
    "aborted": "error",
    "crashed": "error",
    "timeout": "error",
    "timedout": "error",
}
# CTest calls a test skipped that it could not start, and fails for it (cmCTestTestHandler.cxx).
_NOT_SKIPPED = frozenset(
    {"Unable to find executable", "Required Files Missing", "Fixture dependency failed", "Missing Configuration"}
)
PLACE = "ci-buildkit"
"""The target of the processing instruction by which the writer says where a test is: its `file` and its `line`."""
_SAID = re.compile(r'file="([^"]*)"(?: line="(\d{1,9})")?')
# Messages that say no more than the element: gotestsum, go-junit-report and pytest write them.
_EMPTY_MESSAGES = frozenset({"failed", "failed test", "test failure", "collection failure"})

# Lines that say no more than which test it is and where, as GoogleTest, bats, Rust, PHPUnit and Catch2 begin with.
_HEADING = re.compile(
    r"[\w./\\-]+\.\w+:\d+|unknown file|FAILED:|\(in test file .*, line \d+\)|thread '.*' (?:\(\d+\) )?panicked at \S+|"
    r"[\w\\]+::\w+(?: with data set .*)?"
)


class Element:
    """One failure, error, skipped or rerun element: its attributes and its text."""

    __slots__ = ("attributes", "kind", "text")

    def __init__(self, kind: str, attributes: dict[str, str]) -> None:
        """`kind` is the element's name; its text is added as it is read."""
        self.kind = kind
        self.attributes = attributes
        self.text = text.Excerpt()

    @property
    def given(self) -> str:
        """The message attribute."""
        return self.attributes.get("message", "")

    @property
    def message(self) -> str:
        """The first line that says something: of the message, the text, or at least the type."""
        given = "" if self.given.strip().lower() in _EMPTY_MESSAGES else self.given
        return (
            _said(given)
            or _said(self.text.text())
            or text.first_line(self.given)
            or text.first_line(self.text.text())
            or self._type
        )

    @property
    def _type(self) -> str:
        """The type, which is worth something where it is an exception's."""
        written = text.first_line(self.attributes.get("type", ""))
        return "" if written.lower() in RESULTS else written

    @property
    def details(self) -> str:
        """The whole text; where there is none, the message if it has more than one line."""
        body = text.block(text.clean(self.text.text()))
        if body:
            return body
        message = text.block(text.excerpt(self.attributes.get("message", "")))
        return message if "\n" in message else ""


def plain(cases: Columns, suite: str, file: str, source: Source, *, zero_based: bool) -> list[Case]:
    """Cases that passed and say no more than where they are, in the suite of this name and file."""
    names = cases.names
    joined = "".join(names)
    if text.clean(joined) is not joined:
        names = [text.name(name) for name in names]
    where = _defined(cases, file, source, zero_based=zero_based)
    first = cases.class_names[0]
    alike = cases.class_names.count(first) == len(names)
    class_names = repeat(_class_name(first)) if alike else map(_class_name, cases.class_names)
    same = (repeat(source.name), repeat(FORMAT), repeat(suite))
    return list(map(Case, *same, class_names, names, repeat("passed"), map(seconds, cases.times), where))


def _defined(cases: Columns, suite_file: str, source: Source, *, zero_based: bool) -> list[Defined]:
    """Where each of these cases is."""
    if not (suite_file or any(cases.files)):
        return [NO_EVIDENCE] * len(cases.names)
    files = [file or suite_file for file in cases.files] if suite_file else cases.files
    paths = {file: source.mapper(text.name(file)) or None for file in set(files)}
    where = map(Defined, map(paths.__getitem__, files), map(_line, cases.lines, repeat(zero_based)))
    if "" not in paths:
        return list(where)
    return [defined if file else NO_EVIDENCE for defined, file in zip(where, files, strict=True)]


class Told(NamedTuple):
    """What a `testcase` element says: its attributes, its result elements, its output, and a place that is certain."""

    attributes: dict[str, str]
    elements: list[Element]
    output: str = ""
    place: Place | None = None


def build(told: Told, suite: str, file: str, source: Source, *, zero_based: bool) -> Case:
    """The case of this element, which is in the suite of this name and file."""
    get = told.attributes.get
    class_name, name = _class_name(get("classname", "")), text.name(get("name", ""))
    outcome, decisive, failures = _outcome(told)
    if outcome == "passed" and not (failures or told.output or told.place or file or get("file")):
        # The common case, kept short: a test that passed.
        return Case(source.name, FORMAT, suite, class_name, name, outcome, seconds(get("time")))
    flaky = outcome == "passed" and failures > 0
    details = decisive.details if decisive else ""
    broke = flaky or outcome in {"failed", "error"}
    failure = _failure(told, decisive, details, class_name, source) if broke else None
    place = told.place or _place(told.attributes, decisive, file, source, zero_based=zero_based)
    if not told.place and failure:
        place = _nearer(place, failure, class_name, source)
    if outcome == "passed" and not (failures or told.output):
        where = Defined(place.path or None, place.line or None)
        return Case(source.name, FORMAT, suite, class_name, name, outcome, seconds(get("time")), where)
    return Case(
        file=source.name,
        format=FORMAT,
        suite=suite,
        class_name=class_name,
        name=name,
        outcome=outcome,
        seconds=seconds(get("time")),
        evidence=_evidence(
            message=(failure and failure.message) or (decisive.message if decisive else ""),
            path=place.path or None,
            line=place.line or None,
            attempts=failures + 1 if flaky else max(1, failures),
            flaky=flaky,
            details=details,
            output=text.block(text.clean(told.output)),
        ),
    )


class _Failure(NamedTuple):
    """A failure's text, and what `go test` said in it of its message and place."""

    text: str = ""
    message: str = ""
    place: Place | None = None


def _failure(told: Told, decisive: Element | None, details: str, class_name: str, source: Source) -> _Failure:
    if _is_go(details):
        go = go_failure.of_test(details, "", class_name, source.mapper)
        return _Failure(details, go.message, Place(go.path, go.line) if go.path and go.line else None)
    said = decisive.attributes.get("message", "") if decisive else ""
    if not (details or said.strip()):
        # CTest knows only that a program failed; what it printed last is the nearest to a reason.
        output = text.clean(told.output)
        last = next((line for line in reversed(output.split("\n")) if line.strip()), "")
        return _Failure(output, text.name(last.strip()))
    return _Failure(f"{said}\n{details}")


def _nearer(place: Place, failure: _Failure, class_name: str, source: Source) -> Place:
    """Where it failed: in the test's file if the failure names a line there, else anywhere if the test has no line."""
    if failure.place:
        return place if place.line else failure.place
    if place.path:
        found = locate(failure.text, source.mapper, class_name, place.path)
        if found or place.line:
            return found or place
    found = locate(failure.text, source.mapper, class_name)
    if found or place.path:
        return found or place
    # Vitest, bats and others call a class after the file.
    named = source.mapper.map(class_name) if class_name else None
    return Place(named.path, 0) if named and named.known else place


def said_place(said: str, mapper: PathMapper) -> Place | None:
    """The place in the text of the writer's processing instruction."""
    found = _SAID.fullmatch(said)
    return Place(mapper(text.name(unescape(found[1]))), integer(found[2])) if found else None


@lru_cache(maxsize=64)
def _evidence(**told: Any) -> Evidence:
    """Kept once where many cases say the same, as skipped ones do."""
    return Evidence(**told)


@lru_cache(maxsize=1024)
def _class_name(written: str) -> str:
    """Cleaned once and kept once: the cases of a class come one after the other, by the thousands."""
    return text.name(written)


def _outcome(told: Told) -> tuple[Outcome, Element | None, int]:
    """The outcome, the element that decides it, and how many attempts failed beside it or before it."""
    if not told.elements:
        return _by_status(told.attributes), None, 0
    elements = told.elements
    results = [element for element in elements if element.kind in RESULTS]
    reruns = [element for element in elements if element.kind in _RERUNS]
    flaky = [element for element in elements if element.kind in _FLAKY]
    if results:
        # What Node's test runner calls a todo may fail, and its run passes.
        todo = [
            element for element in results if element.kind == "skipped" and element.attributes.get("type") == "todo"
        ]
        decisive = max(todo or results, key=lambda element: _RANK[RESULTS[element.kind]])
        outcome = RESULTS[decisive.kind]
        if outcome == "skipped" and told.attributes.get("status") == "notrun" and decisive.given in _NOT_SKIPPED:
            outcome = "error"
        return outcome, decisive, 1 + len(reruns) + len(flaky) if outcome != "skipped" else 1
    if reruns:  # an attempt that failed, and none that passed
        decisive = max(reruns, key=lambda element: _RANK[_RERUNS[element.kind]])
        return _RERUNS[decisive.kind], decisive, len(reruns) + len(flaky)
    return "passed", flaky[0], len(flaky)


def _by_status(attributes: dict[str, str]) -> Outcome:
    for attribute in ("status", "result"):
        outcome = _STATUSES.get(attributes.get(attribute, "").strip().lower(), "passed")
        if outcome != "passed":
            return outcome
    return "passed"


def _place(
    attributes: dict[str, str], decisive: Element | None, suite_file: str, source: Source, *, zero_based: bool
) -> Place:
    """Where the attributes say that the test is; an empty path or a line 0 where they do not."""
    for where in (attributes, decisive.attributes if decisive else {}):
        file = where.get("file")
        if file:
            return Place(source.mapper(text.name(file)), _line(where.get("line", ""), zero_based) or 0)
    if suite_file:
        return Place(source.mapper(text.name(suite_file)), _line(attributes.get("line", ""), zero_based) or 0)
    return Place("", 0)


@lru_cache(maxsize=16_384)
def _line(written: str, zero_based: bool) -> int | None:  # noqa: FBT001 - mapped over a column, which has no keywords
    """The line, 1-based; None where there is none. Equal texts give the same object, as for `seconds`."""
    return integer(written) + (zero_based and written.strip().isdigit()) or None


def _said(body: str) -> str:
    """The first line that says more than which test it is and where; "" where there is none."""
    lines = (line.strip() for line in go_failure.unframed(text.clean(body)))
    return next((text.name(line) for line in lines if line and not _HEADING.fullmatch(line)), "")


def _is_go(details: str) -> bool:
    """Whether a failure's text is what `go test` printed, as gotestsum passes it on."""
    return "--- FAIL: " in details or details.startswith("=== RUN ")
