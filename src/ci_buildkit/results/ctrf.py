"""CTRF, the Common Test Report Format (ctrf.io, schema/ctrf.schema.json), in its version 1 and as its many writers have it.

`suite` is an array; older writers join it with ` > `, and some put the test's own name at its end. Times are milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ci_buildkit import jsoncut, jsontext
from ci_buildkit.fields import mapping, positive, sequence, string
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_document
from ci_buildkit.results.maker import MILLISECONDS, CaseMaker, duration, path_of, whole, with_suites
from ci_buildkit.results.reader import Item, Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.results.model import Case, Outcome
    from ci_buildkit.scan import Head

FORMAT = "ctrf"
_OUTCOMES: dict[str, Outcome] = {"passed": "passed", "failed": "failed", "skipped": "skipped", "pending": "skipped"}
# What writers call by `other` because CTRF has no word for it; anything else that is `other` did not end as it should.
_OTHERS: dict[str, Outcome] = {
    "todo": "skipped",
    "disabled": "skipped",
    "ignored": "skipped",
    "inconclusive": "skipped",
}
# pytest's and our own word for what broke and is no failed assertion.
_ERRORS = frozenset({"error", "setup_failed", "teardown_failed", "broken", "timedOut", "interrupted"})


class Test(msgspec.Struct, gc=False, rename="camel"):
    """A test; `duration` is in milliseconds, `line` is where it is defined.

    Its many writers do not all keep to the schema, and one value of another type must not cost all the tests.
    """

    name: str = ""
    status: str = ""
    raw_status: Any = None
    duration: Any = None
    suite: Any = None
    message: Any = None
    trace: Any = None
    file_path: Any = None
    line: Any = None
    retries: Any = None
    retry_attempts: Any = None
    flaky: Any = None
    stdout: Any = None
    stderr: Any = None
    extra: Any = None


class Results(msgspec.Struct, gc=False):
    """The tests and what is said of them together."""

    tests: list[Test] | None = None
    summary: dict[str, Any] | None = None


class Document(msgspec.Struct, gc=False):
    """The whole of it."""

    results: Results


def sniff(head: Head) -> bool:
    """Whether the document has CTRF's `results`."""
    top = mapping(jsoncut.beginning(head.text))
    results = mapping(top.get("results"))
    return "tool" in results and ("summary" in results or top.get("reportFormat") == "CTRF")


def parse(document: Document, source: Source) -> Iterator[Item]:
    """Every suite and test, and a problem where the summary contradicts them."""
    return with_suites(_parse(document.results, source))


def _parse(results: Results, source: Source) -> Iterator[Case | Problem]:
    maker = CaseMaker(source, FORMAT)
    passed = 0
    for test in results.tests or ():
        case = _case(test, source, maker)
        passed += case.outcome == "passed"
        yield case
    there = {"tests": maker.count, "passed": passed, "failed": maker.broken}
    for key, count in there.items():
        claimed = whole((results.summary or {}).get(key))
        # What is `other` may be counted as an error here, and not as failed there.
        if claimed != count and not (key == "failed" and claimed < count):
            yield Problem(source.name, "inconsistent", f"summary.{key} is {claimed}, but there are {count}")
            return


def _case(test: Test, source: Source, maker: CaseMaker) -> Case:
    raw, path = string(test.raw_status), string(test.file_path)
    outcome = _OUTCOMES.get(test.status) or _OTHERS.get(raw, "error")
    suite = _suite(test.suite, test.name) if test.suite else ""
    extra = mapping(test.extra)
    shown = string(extra["className"]) if "className" in extra else source.mapper(path) if path else ""
    seconds, line = duration(test.duration, MILLISECONDS), positive(test.line)
    retries = whole(test.retries)
    if outcome == "passed" and not retries and not test.flaky:
        return maker.passed(suite, shown, test.name, seconds, path, line)
    if outcome == "failed" and raw in _ERRORS:
        outcome = "error"
    message, trace, tries = _told(test)
    if outcome == "error" and not (message or trace):
        message = f"ended with the status {raw or test.status!r}"
    flaky = outcome == "passed"
    output = "\n".join(string(one) for stream in (test.stdout, test.stderr) for one in sequence(stream))
    return maker.case(
        suite, shown, test.name, outcome, seconds, message=message, details=_details(message, trace), output=output,
        path=path, line=line, attempts=max(retries, tries, int(flaky)) + 1, flaky=flaky,
    )  # fmt: skip


def _told(test: Test) -> tuple[str, str, int]:
    """The message and the trace, those of an attempt that failed where the test has none, and how many attempts failed."""
    tries = [mapping(one) for one in sequence(test.retry_attempts)]
    message, trace = string(test.message), string(test.trace)
    if message or trace or not tries:
        return message, trace, len(tries)
    failed = next((one for one in tries if one.get("status") == "failed"), tries[0])
    return string(failed.get("message")), string(failed.get("trace")), len(tries)


def _suite(written: object, name: str) -> str:
    if isinstance(written, str):
        parts = [part.strip() for part in written.split(" > ")]
        if written == name or (len(parts) > 1 and parts[-1] == name):
            del parts[-1]
        return path_of(parts)
    return path_of(sequence(written))


def _details(message: str, trace: str) -> str:
    """Some traces begin with the message, others have only the calls."""
    first = message.strip().split("\n")[0]
    return trace if first in trace else f"{message.strip()}\n{trace}"


READER = Reader(FORMAT, "CTRF", sniff, by_document(parse, "CTRF", jsontext.typed(Document)))
