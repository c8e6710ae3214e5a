"""JUnit XML out of a report, by junit-xml, mended where it falls short.

junit-xml writes no element for a failure without text (the test would turn green), writes times like `1e-07`, dies of
lone surrogates and noncharacters, and knows no attempts. Here every failure has a message, texts were cleaned when they
were read and are cleaned again, and attempts become Surefire's `flakyFailure` and `rerunFailure` elements, which
Jenkins and others count.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

from junit_xml import TestCase, TestSuite, to_xml_report_string

from ci_buildkit import atomic
from ci_buildkit.text import clean, name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ci_buildkit.results.model import Case, TestReport

_ROOT_TIME = re.compile(r'^(<testsuites [^>]*?time=")[^"]*')
_NO_MESSAGE = {"failed": "failed without a message", "error": "broke without a message"}
_TYPES = {"failed": "failure", "error": "error"}
_ELEMENTS = {"failed": "Failure", "error": "Error"}


class _Suite(TestSuite):  # type: ignore[misc]
    """A suite that also writes the attempts of its cases, and plain times."""

    def __init__(self, title: str, cases: list[Case]) -> None:
        super().__init__(title, [_case(case) for case in cases])
        self._cases = cases

    def build_xml_doc(self, encoding: str | None = None) -> ET.Element:
        """The `testsuite` element."""
        element: ET.Element = super().build_xml_doc(encoding)
        element.set("time", f"{sum(case.seconds for case in self._cases):.6f}")
        for node, case in zip(element.iter("testcase"), self._cases, strict=True):
            node.set("time", f"{case.seconds:.6f}")
            for attempt in _attempts(case):
                node.append(attempt)
        return element


def write(report: TestReport, path: Path) -> None:
    """Writes every case of `report` to `path`, which is replaced as a whole.

    A case that passed at each of several attempts is written once; JUnit has no words for the rest.

    Raises:
        OutputError: the file cannot be written.
    """
    atomic.write(path, dumps(report).encode("utf-8"))


def dumps(report: TestReport) -> str:
    """The XML document of `report`, with its declaration, ending in a newline."""
    suites = [_Suite(title, cases) for title, cases in _grouped(report.cases)]
    body: str = to_xml_report_string(suites, prettyprint=False, encoding="utf-8")
    # junit-xml hands out text but keeps the declaration of the bytes it came from, with or without one.
    body = body.removeprefix("<?xml version='1.0' encoding='utf-8'?>\n")
    body = _ROOT_TIME.sub(rf"\g<1>{report.totals.seconds:.6f}", body, count=1)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _grouped(cases: Iterable[Case]) -> Iterator[tuple[str, list[Case]]]:
    """Cases by file and suite, in order of appearance.

    Readers take a case that comes again after a failure for another attempt. Cases of two files that share suite, class
    and name are none, so the later file's suite is told apart by the file's name.
    """
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.file, case.suite), []).append(case)
    broken: set[tuple[str, str, str]] = set()
    for (file, suite), group in groups.items():
        keys = {(suite, case.class_name, case.name) for case in group}
        yield (f"{suite} / {file}" if suite else file) if keys & broken else suite, group
        broken |= {(suite, case.class_name, case.name) for case in group if case.broken}


def _case(case: Case) -> Any:
    made = TestCase(
        name(case.name),
        classname=name(case.class_name) or None,
        file=name(case.path) if case.path else None,
        line=case.line,
    )
    message, details = name(case.message), clean(case.details)
    if case.outcome == "failed":
        made.add_failure_info(message or _NO_MESSAGE["failed"], details, _TYPES["failed"])
    elif case.outcome == "error":
        made.add_error_info(message or _NO_MESSAGE["error"], details, _TYPES["error"])
    elif case.outcome == "skipped":
        made.add_skipped_info(message, details)
    return made


def _attempts(case: Case) -> Iterator[ET.Element]:
    """The attempts but the one that counts: those that failed before it passed, or before it failed for good."""
    if case.flaky:
        tag = "flakyFailure"
    elif case.broken and case.attempts > 1:
        tag = f"rerun{_ELEMENTS[case.outcome]}"
    else:
        return
    message = name(case.message) or _NO_MESSAGE["failed"]
    for number in range(case.attempts - 1):
        element = ET.Element(tag, {"message": message, "type": "failure"})
        if number == 0 and case.flaky:
            element.text = clean(case.details)
        yield element
