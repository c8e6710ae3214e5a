"""Jest's `--json`, which Vitest's JSON reporter writes too.

Fields are those of `formatTestResults` in packages/jest-test-result and of `JsonTestResults` in Vitest's json reporter.
A test file that could not be loaded has no tests, only a status and a message (jest-junit adds a result without a title
to the report of others); a hook that failed after the tests shows in the message alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ci_buildkit import jsoncut, jsontext
from ci_buildkit.fields import mapping, positive, string
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_document
from ci_buildkit.results.maker import MILLISECONDS, CaseMaker, duration, label, path_of, whole
from ci_buildkit.results.reader import Item, Reader, Suite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.results.model import Case, Outcome
    from ci_buildkit.scan import Head

FORMAT = "jest"
_OUTCOMES: dict[str, Outcome] = {
    "passed": "passed",
    "failed": "failed",
    "pending": "skipped",
    "skipped": "skipped",
    "todo": "skipped",
    "disabled": "skipped",
    "focused": "passed",
}
_KEYS = {"numTotalTestSuites", "numTotalTests", "numFailedTests"}
_NOT_RUN = "● Test suite failed to run"


class Result(msgspec.Struct, gc=False, rename="camel"):
    """A test."""

    ancestor_titles: list[str] | None = None
    title: str | None = None
    full_name: str | None = None
    status: str | None = None
    duration: float | None = None
    failure_messages: list[str | None] | None = None
    retry_reasons: list[str | None] | None = None
    invocations: int | None = None
    location: Any = None


class File(msgspec.Struct, gc=False, rename="camel"):
    """A test file, as `--json` writes it or, with the names in the second half, as Jest hands it to its reporters."""

    name: str | None = None
    message: str | None = None
    status: str | None = None
    assertion_results: list[Result] | None = None
    test_file_path: str | None = None
    failure_message: str | None = None
    test_results: list[Result] | None = None
    test_exec_error: Any = None


class Document(msgspec.Struct, gc=False, rename="camel"):
    """The whole of it."""

    test_results: list[File] | None = None
    num_total_tests: int | None = None
    num_failed_tests: int | None = None
    was_interrupted: bool | None = None
    success: bool | None = None


def sniff(head: Head) -> bool:
    """Whether the document has Jest's totals."""
    return mapping(jsoncut.beginning(head.text)).keys() >= _KEYS


def parse(document: Document, source: Source) -> Iterator[Item]:
    """Every assertion result, every file that broke outside of its tests, and a problem where totals contradict them."""
    maker = CaseMaker(source, FORMAT)
    tests = failed = 0
    for file in document.test_results or ():
        path = file.name or file.test_file_path or ""
        shown = source.mapper(path) if path else ""
        yield Suite(label(shown))
        broken = maker.broken
        results = file.assertion_results if file.assertion_results is not None else file.test_results
        for result in results or ():
            if result.status != "error" or result.title is not None:
                tests += 1
                yield _case(result, path, shown, maker)
        failed += maker.broken - broken
        around = _around(file, path, shown, maker, silent=maker.broken == broken)
        if around:
            yield around
    reason = _contradiction(document, tests, failed, maker.broken)
    if reason:
        yield Problem(source.name, "inconsistent", reason)


def _case(result: Result, path: str, shown: str, maker: CaseMaker) -> Case:
    status = result.status or ""
    outcome = _OUTCOMES.get(status, "error")
    suite = path_of(result.ancestor_titles) if result.ancestor_titles else ""
    name = result.title or result.full_name or ""
    seconds = duration(result.duration, MILLISECONDS)
    line = positive(mapping(result.location).get("line")) if result.location else None
    attempts = whole(result.invocations) or 1
    if outcome == "passed" and not result.failure_messages and not result.retry_reasons and attempts == 1:
        return maker.passed(suite, shown, name, seconds, path, line)
    told = [one or "" for one in (*(result.retry_reasons or ()), *(result.failure_messages or ()))]
    if outcome == "passed":  # Vitest tells the attempts that failed by their messages alone
        attempts = max(attempts, len(told) + 1)
    details = "\n\n".join(told)
    message = "to do" if status == "todo" else ""
    if outcome == "error" and not details:
        message = f"ended with the unknown status {status!r}"
    return maker.case(
        suite, shown, name, outcome, seconds, message=message, details=details, path=path, line=line,
        attempts=attempts, flaky=outcome == "passed",
    )  # fmt: skip


def _around(file: File, path: str, shown: str, maker: CaseMaker, *, silent: bool) -> Case | None:
    """The error case of a file that broke outside of its tests, where `silent` says that none of them failed."""
    error = mapping(file.test_exec_error)
    message = file.message or file.failure_message or string(error.get("message"))
    if not (_NOT_RUN in message or error or (file.status == "failed" and silent)):
        return None
    details = message[message.find(_NOT_RUN) :].removeprefix(_NOT_RUN) if _NOT_RUN in message else message
    details = details or string(error.get("stack")) or "failed outside of its tests, without a message"
    return maker.case("", shown, shown or "test file", "error", details=details, path=path)


def _contradiction(document: Document, tests: int, failed: int, broken: int) -> str:
    """What the totals say against the cases; "" where nothing."""
    claimed, total = whole(document.num_failed_tests), whole(document.num_total_tests)
    if claimed > failed:
        return f"numFailedTests is {claimed}, but {failed} tests failed"
    if total != tests:
        return f"numTotalTests is {total}, but there are {tests} tests"
    if document.was_interrupted:
        return "the run was interrupted, so results are missing"
    if document.success is False and not broken:
        return "says that the run failed, but no test did"
    return ""


READER = Reader(FORMAT, "Jest and Vitest JSON", sniff, by_document(parse, "Jest", jsontext.typed(Document)))
