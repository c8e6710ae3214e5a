"""TRX, the XML of Visual Studio's test tools and `dotnet test --logger trx`.

The words are those of vstst.xsd and of vstest's TrxLogger (TestOutcome.cs). Results stand before the definitions that
tell their classes, so cases are handed out at the end. A data-driven test is its rows; what is told of the whole run
(a test host that crashed, a run that was aborted) is a case of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from ci_buildkit import text, xmlstream
from ci_buildkit.problem import Problem
from ci_buildkit.results.dotnet import Names, Told, case, time_span
from ci_buildkit.results.model import Case, Outcome, changed
from ci_buildkit.results.reader import Item, Reader, Suite
from ci_buildkit.results.values import integer
from ci_buildkit.results.xmlnodes import Node, Start, walk

if TYPE_CHECKING:
    from ci_buildkit.reader import Source
    from ci_buildkit.scan import Head

FORMAT = "trx"
_RESULT_TAGS = frozenset(
    {"UnitTestResult", "TestResult", "GenericTestResult", "ManualTestResult", "TestResultAggregation", "WebTestResult"}
)
_TREES = _RESULT_TAGS | {"UnitTest", "RunInfo", "Counters"}
_OUTCOMES: dict[str, Outcome] = {
    "passed": "passed",
    "completed": "passed",
    "warning": "passed",
    "failed": "failed",
    "error": "error",
    "timeout": "error",
    "aborted": "error",
    "passedbutrunaborted": "error",
    "notrunnable": "error",
    "disconnected": "error",
    "inprogress": "error",
    "inconclusive": "skipped",
    "notexecuted": "skipped",
    "pending": "skipped",
}
_BAD_RUNS = frozenset({"failed", "error", "aborted", "timeout"})
_BAD_COUNTERS = ("failed", "error", "timeout", "aborted")


class _Definition(NamedTuple):
    """Where a test is: its assembly and its class."""

    assembly: str
    class_name: str


class _Run:
    """What a document gives, collected until its end."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._results: list[tuple[str, Case]] = []
        self._infos: list[Case] = []
        self._definitions: dict[str, _Definition] = {}
        self._outcome = ""
        self._counters: dict[str, int] = {}

    def take(self, event: Start | Node) -> None:
        if isinstance(event, Start):
            if event.tag == "ResultSummary":
                self._outcome = event.attributes.get("outcome", "")
        elif event.tag in _RESULT_TAGS:
            self._results += [(leaf.get("testId"), self._case(leaf)) for leaf in _leaves(event)]
        elif event.tag == "UnitTest":
            self._definitions[event.get("id")] = _definition(event)
        elif event.tag == "RunInfo" and event.get("outcome").lower() in _BAD_RUNS:
            told = Told(event.said("Text") or f"the run ended as {text.name(event.get('outcome'))}")
            self._infos.append(case(self._source, FORMAT, "", "", "run", "error", 0.0, told))
        elif event.tag == "Counters":
            self._counters = {name: integer(value) for name, value in event.attributes.items()}

    def _case(self, node: Node) -> Case:
        outcome = _OUTCOMES.get(node.get("outcome").strip().lower(), "error")
        output = "\n".join(part for part in (node.said("Output", "StdOut"), node.said("Output", "StdErr")) if part)
        message = node.said("Output", "ErrorInfo", "Message")
        if not message and outcome in {"failed", "error"}:
            message = f"its outcome is {text.name(node.get('outcome')) or 'missing'}"
        told = Told(message, node.said("Output", "ErrorInfo", "StackTrace"), output)
        return case(self._source, FORMAT, "", "", node.get("testName"), outcome, time_span(node.get("duration")), told)

    def finish(self) -> Iterator[Item]:
        """Suites and cases, then what is told of the whole run."""
        names = Names()
        suites: dict[_Definition, None] = {}
        cases = broken = 0
        for test, result in self._results:
            where = self._definitions.get(test, _Definition("", ""))
            if where not in suites:
                suites[where] = None
                yield Suite(where.class_name)
            name = result.name.removeprefix(f"{where.class_name}.") if where.class_name else result.name
            made = names.apart(changed(result, suite=where.assembly, class_name=where.class_name, name=name))
            cases += 1
            broken += made.broken
            yield made
        yield from (names.apart(info) for info in self._infos)
        if not broken and not self._infos:
            yield from self._contradiction(cases)

    def _contradiction(self, cases: int) -> Iterator[Item]:
        bad = sum(self._counters.get(name, 0) for name in _BAD_COUNTERS)
        if bad or self._outcome.lower() in _BAD_RUNS:
            said = f"{bad} tests failed" if bad else f"the outcome is {text.name(self._outcome)}"
            reason = f"the run says that {said}, but none of its {cases} results is of one that failed"
            yield Problem(self._source.name, "inconsistent", reason)
        elif not cases and self._counters.get("total", 0):
            reason = f'the run says total="{self._counters["total"]}", but holds no result'
            yield Problem(self._source.name, "inconsistent", reason)


def _leaves(result: Node) -> Iterator[Node]:
    """The results that hold no others, and those that broke though none of the others did."""
    todo = [result]
    while todo:
        node = todo.pop()
        inner = node.find("InnerResults")
        within = [child for child in inner.children if child.tag in _RESULT_TAGS] if inner else []
        todo += reversed(within)
        if not within or (_is_broken(node) and not any(map(_is_broken, within))):
            yield node


def _is_broken(node: Node) -> bool:
    return _OUTCOMES.get(node.get("outcome").strip().lower(), "error") in {"failed", "error"}


def _definition(node: Node) -> _Definition:
    method = node.find("TestMethod")
    # MSTest once wrote the assembly's full name behind the class.
    class_name = method.get("className").partition(",")[0] if method else ""
    path = node.get("storage") or (method.get("codeBase") if method else "")
    return _Definition(text.name(path).replace("\\", "/").rpartition("/")[2], text.name(class_name))


def sniff(head: Head) -> bool:
    """Whether the root element is TRX's."""
    return "<" in head.text and xmlstream.root_tag(head.data) == "TestRun"


def read(stream: BinaryIO, source: Source) -> Iterator[Item]:
    """Every result, then a problem where the file is cut off, wrong or contradicts itself."""
    run = _Run(source)
    problems = []
    for event in walk(stream, source, _TREES):
        if isinstance(event, Problem):
            problems.append(event)
        elif isinstance(event, Start | Node):
            run.take(event)
    for item in run.finish():
        # A file that is cut off contradicts itself anyway.
        if not (problems and isinstance(item, Problem)):
            yield item
    yield from problems


READER = Reader(FORMAT, "TRX", sniff, read)
