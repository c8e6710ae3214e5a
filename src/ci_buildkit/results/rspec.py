"""RSpec's JSON formatter (lib/rspec/core/formatters/json_formatter.rb).

Errors outside of examples (a file that could not be loaded, an `after(:context)` hook) are counted in the summary and
told in `messages`, among remarks that are no errors.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from ci_buildkit import jsoncut, jsontext
from ci_buildkit.fields import mapping, positive, sequence, string
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_document
from ci_buildkit.results.maker import CaseMaker, duration, whole, with_suites
from ci_buildkit.results.reader import Item, Reader
from ci_buildkit.text import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.results.model import Case, Outcome
    from ci_buildkit.scan import Head

FORMAT = "rspec"
_OUTCOMES: dict[str, Outcome] = {"passed": "passed", "failed": "failed", "pending": "skipped"}
_OUTSIDE = re.compile(r"^\s*An error occurred (while loading|in an?) ([^\n]*?)\.?(?: - Did you mean\?[^\n]*)?\n(.*)", re.DOTALL)  # fmt: skip
_RAISED = re.compile(r"^([A-Z][\w:]*):\n +(\S.*)$", re.MULTILINE)


class Example(msgspec.Struct, gc=False):
    """An example; `line_number` is where it is defined."""

    id: str | None = None
    description: str | None = None
    full_description: str | None = None
    status: str | None = None
    file_path: str | None = None
    line_number: int | None = None
    run_time: float | None = None
    pending_message: str | None = None
    exception: Any = None


class Document(msgspec.Struct, gc=False):
    """The whole of it."""

    examples: list[Example] | None = None
    messages: list[str] | None = None
    summary: dict[str, Any] | None = None


def sniff(head: Head) -> bool:
    """Whether the document has RSpec's examples, or none and its summary."""
    top = mapping(jsoncut.beginning(head.text))
    first = mapping(next(iter(sequence(top.get("examples"))), top.get("summary")))
    return top.keys() >= {"version", "examples"} and ("full_description" in first or "example_count" in first)


def parse(document: Document, source: Source) -> Iterator[Item]:
    """Every group, every example, every error outside of them, and a problem where the summary contradicts them."""
    return with_suites(_parse(document, source))


def _parse(document: Document, source: Source) -> Iterator[Case | Problem]:
    maker = CaseMaker(source, FORMAT)
    for example in document.examples or ():
        yield _case(example, source, maker)
    examples, failed = maker.count, maker.broken
    for message in document.messages or ():
        found = _OUTSIDE.match(message)
        if found:
            yield _outside(found, maker)
    summary = document.summary or {}
    outside = whole(summary.get("errors_outside_of_examples_count"))
    if outside > maker.count - examples:
        yield maker.case("", "", "outside of examples", "error", message=f"{outside} errors occurred outside of examples")  # fmt: skip
    reason = _contradiction(summary, examples, failed)
    if reason:
        yield Problem(source.name, "inconsistent", reason)


def _case(example: Example, source: Source, maker: CaseMaker) -> Case:
    status = example.status or ""
    outcome = _OUTCOMES.get(status, "error")
    name, full = example.description or "", example.full_description or ""
    suite = full[: -len(name)].strip() if name and full.endswith(name) else ""
    path, line = example.file_path or "", positive(example.line_number)
    shown = source.mapper(path) if path else ""
    seconds = duration(example.run_time)
    name = name or full or example.id or ""
    if outcome == "passed":
        return maker.passed(suite, shown, name, seconds, path, line)
    error = mapping(example.exception)
    pending = example.pending_message or ""
    if outcome == "error":
        pending = f"ended with the unknown status {status!r}"
    message, trace = string(error.get("message")), sequence(error.get("backtrace"))
    lines = [string(error.get("class")), *message.strip("\n").split("\n"), *(f"# {string(one)}" for one in trace)]
    return maker.case(
        suite, shown, name, outcome, seconds, message=pending or _said(message) or message,
        details="\n".join(lines) if error else "", path=path, line=line,
    )  # fmt: skip


def _said(message: str) -> str:
    """`expected: 12` and `got: 10` stand on lines of their own."""
    expected = re.search(r"^ *expected: ?(.*)\n *got: ?(.*)$", message, re.MULTILINE)
    return f"expected {expected[1]}, got {expected[2]}" if expected else ""


def _outside(found: re.Match[str], maker: CaseMaker) -> Case:
    """The error case of what broke outside of examples; its text names the class and the message of the exception."""
    raised = _RAISED.search(found[3])
    message = f"{raised[1]}: {raised[2]}" if raised else first_line(found[3])
    loading = found[1] == "while loading"
    path = found[2] if loading else ""
    return maker.case("", "", found[2].replace("`", ""), "error", message=message, details=found[3], path=path)


def _contradiction(summary: dict[str, Any], examples: int, failed: int) -> str:
    """What the summary says against the examples; "" where nothing."""
    if not summary:
        return "has no summary"
    for key, there in (("example_count", examples), ("failure_count", failed)):
        if whole(summary.get(key)) != there:
            return f"summary.{key} is {whole(summary.get(key))}, but there are {there}"
    return ""


READER = Reader(FORMAT, "RSpec JSON", sniff, by_document(parse, "RSpec", jsontext.typed(Document)))
