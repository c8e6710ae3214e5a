"""What one `testcase` element of JUnit XML says: its outcome, its attempts, and where it failed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ci_buildkit import text
from ci_buildkit.results import go_failure
from ci_buildkit.results.locate import locate
from ci_buildkit.results.model import Case, Evidence, Outcome
from ci_buildkit.results.values import integer, seconds

if TYPE_CHECKING:
    from ci_buildkit.reader import Source

FORMAT = "junit"

# What an element below a test case says, the worst first. Surefire's rerun elements stand beside a failure.
RESULTS: dict[str, Outcome] = {
    "error": "error",
    "errors": "error",
    "failure": "failed",
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
}
# Messages that say no more than the element: gotestsum, go-junit-report and pytest write them.
_EMPTY_MESSAGES = frozenset({"failed", "failed test", "test failure", "collection failure"})


class Element:
    """One failure, error, skipped or rerun element: its attributes and its text."""

    __slots__ = ("attributes", "kind", "text")

    def __init__(self, kind: str, attributes: dict[str, str]) -> None:
        """`kind` is the element's name; its text is added as it is read."""
        self.kind = kind
        self.attributes = attributes
        self.text = text.Excerpt()

    @property
    def message(self) -> str:
        """The first line that says something: of the message, the text, or at least the type."""
        given = self.attributes.get("message", "")
        if given.strip().lower() in _EMPTY_MESSAGES:
            given = ""
        return (
            _said(given)
            or _said(self.text.text())
            or text.first_line(self.attributes.get("message") or self.attributes.get("type", ""))
        )

    @property
    def details(self) -> str:
        """The whole text; where there is none, the message if it has more than one line."""
        body = text.block(text.clean(self.text.text()))
        if body:
            return body
        message = text.block(text.excerpt(self.attributes.get("message", "")))
        return message if "\n" in message else ""


def build(
    attributes: dict[str, str], elements: list[Element], suite: str, file: str, source: Source, *, zero_based: bool
) -> Case:
    """The case that a `testcase` element with these attributes and result elements stands for."""
    get = attributes.get
    class_name, name = _class_name(get("classname", "")), text.name(get("name", ""))
    if not elements and not (file or get("file") or get("status") or get("result")):
        # The common case, kept short: a test that passed.
        return Case(source.name, FORMAT, suite, class_name, name, "passed", seconds(get("time")))
    outcome, decisive, failures = _outcome(attributes, elements)
    flaky = outcome == "passed" and failures > 0
    attempts = failures + 1 if flaky else max(1, failures)
    details = decisive.details if decisive else ""
    message = decisive.message if decisive else ""
    path, line = _place(attributes, decisive, file, source, zero_based=zero_based)
    if line is None and (flaky or outcome in {"failed", "error"}) and decisive is not None:
        go = go_failure.of_test(details, "", class_name, source.mapper) if _is_go(details) else go_failure.NOTHING
        message = go.message or message
        found = (
            (go.path, go.line)
            if go.line
            else locate(f"{decisive.attributes.get('message', '')}\n{details}", source.mapper, class_name)
        )
        path, line = found or (path, line)
    return Case(
        file=source.name,
        format=FORMAT,
        suite=suite,
        class_name=class_name,
        name=name,
        outcome=outcome,
        seconds=seconds(get("time")),
        evidence=Evidence(message=message, path=path, line=line, attempts=attempts, flaky=flaky, details=details),
    )


@lru_cache(maxsize=1024)
def _class_name(written: str) -> str:
    """Cleaned once and kept once: the cases of a class come one after the other, by the thousands."""
    return text.name(written)


def _outcome(attributes: dict[str, str], elements: list[Element]) -> tuple[Outcome, Element | None, int]:
    """The outcome, the element that decides it, and how many attempts failed beside it or before it."""
    results = [element for element in elements if element.kind in RESULTS]
    reruns = [element for element in elements if element.kind in _RERUNS]
    flaky = [element for element in elements if element.kind in _FLAKY]
    if results:
        decisive = max(results, key=lambda element: _RANK[RESULTS[element.kind]])
        outcome = RESULTS[decisive.kind]
        return outcome, decisive, 1 + len(reruns) + len(flaky) if outcome != "skipped" else 1
    if reruns:  # an attempt that failed, and none that passed
        decisive = max(reruns, key=lambda element: _RANK[_RERUNS[element.kind]])
        return _RERUNS[decisive.kind], decisive, len(reruns) + len(flaky)
    if flaky:
        return "passed", flaky[0], len(flaky)
    for attribute in ("status", "result"):
        outcome = _STATUSES.get(attributes.get(attribute, "").strip().lower(), "passed")
        if outcome != "passed":
            return outcome, None, 1
    return "passed", None, 0


def _place(
    attributes: dict[str, str], decisive: Element | None, suite_file: str, source: Source, *, zero_based: bool
) -> tuple[str | None, int | None]:
    for where in (attributes, decisive.attributes if decisive else {}):
        file = where.get("file")
        if file:
            line = where.get("line", "")
            number = integer(line) + (1 if zero_based and line.strip().isdigit() else 0)
            return source.mapper(text.name(file)), number or None
    line_only = integer(attributes.get("line")) or None
    return (source.mapper(text.name(suite_file)), line_only) if suite_file else (None, None)


def _said(body: str) -> str:
    """The first line that is not one of the frames that `go test` puts around a test."""
    return next((text.name(line.strip()) for line in go_failure.unframed(text.clean(body)) if line.strip()), "")


def _is_go(details: str) -> bool:
    """Whether a failure's text is what `go test` printed, as gotestsum passes it on."""
    return "--- FAIL: " in details or details.startswith("=== RUN ")
