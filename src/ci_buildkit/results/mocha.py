"""Mocha's JSON reporter: `stats`, and the tests in arrays by outcome (lib/reporters/json.js of mocha).

A hook that fails is among the failures and not among the tests; the tests that it kept from running are nowhere.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from ci_buildkit import jsoncut, jsontext
from ci_buildkit.fields import mapping, string
from ci_buildkit.problem import Problem
from ci_buildkit.reader import Source, by_document
from ci_buildkit.results.maker import MILLISECONDS, CaseMaker, duration, whole, with_suites
from ci_buildkit.results.reader import Item, Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.results.model import Case, Outcome
    from ci_buildkit.scan import Head

FORMAT = "mocha"
_KEYS = {"stats", "tests"}
_STATS = {"passes", "failures", "pending"}
_HOOK = re.compile(r'^"(?:before|after) (?:all|each)" hook')


class Test(msgspec.Struct, gc=False, rename="camel"):
    """A test or a hook."""

    title: str = ""
    full_title: str = ""
    file: str | None = None
    duration: float | None = None
    current_retry: int | None = None
    err: Any = None


class Document(msgspec.Struct, gc=False):
    """The whole of it."""

    stats: dict[str, Any] | None = None
    tests: list[Test] | None = None
    passes: list[Test] | None = None
    failures: list[Test] | None = None
    pending: list[Test] | None = None


def sniff(head: Head) -> bool:
    """Whether the document has Mocha's stats. Those of mochawesome have more, and its tests are somewhere else."""
    top = mapping(jsoncut.beginning(head.text))
    stats = mapping(top.get("stats")).keys()
    return top.keys() >= _KEYS and stats >= _STATS and "results" not in top and "testsRegistered" not in stats


def parse(document: Document, source: Source) -> Iterator[Item]:
    """Every suite, test and hook, and a problem where the stats contradict them."""
    return with_suites(_parse(document, source))


def _parse(document: Document, source: Source) -> Iterator[Case | Problem]:
    """What the arrays by outcome hold, then those tests that are in none of them."""
    maker = CaseMaker(source, FORMAT)
    stats = document.stats or {}
    reasons: list[str] = []
    ended: set[str] = set()
    arrays: tuple[tuple[str, Outcome, list[Test]], ...] = (
        ("passes", "passed", document.passes or []),
        ("failures", "failed", document.failures or []),
        ("pending", "skipped", document.pending or []),
    )
    for key, outcome, tests in arrays:
        for test in tests:
            ended.add(f"{test.file}\n{test.full_title}")
            yield _case(test, outcome, source, maker)
        claimed = whole(stats.get(key))
        if claimed != len(tests):
            reasons.append(f"stats.{key} is {claimed}, but there are {len(tests)}")
    for test in document.tests or ():
        if f"{test.file}\n{test.full_title}" not in ended:
            yield _case(test, "error", source, maker)
    if reasons:
        yield Problem(source.name, "inconsistent", "; ".join(reasons))


def _case(test: Test, outcome: Outcome, source: Source, maker: CaseMaker) -> Case:
    title, full, path = test.title, test.full_title, test.file or ""
    suite = full[: -len(title)].strip() if title and full.endswith(title) else ""
    seconds = duration(test.duration, MILLISECONDS)
    retries = whole(test.current_retry)
    shown = source.mapper(path) if path else ""
    if outcome == "passed" and not retries:
        return maker.passed(suite, shown, title or full, seconds, path)
    error = mapping(test.err)
    message, stack = string(error.get("message")), string(error.get("stack"))
    if outcome == "error" and not (message or stack):
        message = "ended without an outcome"
    if outcome == "failed" and _HOOK.match(title):
        outcome = "error"
    return maker.case(
        suite, shown, title or full, outcome, seconds, message=message,
        details=stack if message in stack else f"{message}\n{stack}", path=path,
        attempts=retries + 1, flaky=outcome == "passed",
    )  # fmt: skip


READER = Reader(FORMAT, "Mocha JSON", sniff, by_document(parse, "Mocha", jsontext.typed(Document)))
