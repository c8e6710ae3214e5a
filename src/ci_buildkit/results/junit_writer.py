"""JUnit XML out of a report, by junit-xml, mended where it falls short.

junit-xml writes no element for a failure without text (the test would turn green), writes times like `1e-07`, dies of
lone surrogates and noncharacters, needs the whole document in memory and knows no attempts. Here every failure has its
element, texts were cleaned when they were read and are cleaned again, suites are written in batches, and attempts become
Surefire's `flakyFailure` and `rerunFailure` elements, which Jenkins and others count.

The document keeps to both published schemas as far as they agree, so that readers that refuse everything else take it:

- junit-10.xsd of the Jenkins xunit plugin: always. It knows no `file` and `line` of a test case; a processing
  instruction carries them, which no schema and no reader minds and ours reads.
- JUnit.xsd of Ant: unless a case has output or attempts, or a suite has no name. Ant has no place for the first two,
  and wants every suite to have a name. For its sake every suite has the elements and attributes that it demands
  (`properties`, `system-out`, `system-err`, `id`, `package`, `hostname`, `timestamp`), and the root has no attribute.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from itertools import islice
from math import fsum
from typing import TYPE_CHECKING, Any

from junit_xml import TestCase, TestSuite

from ci_buildkit import atomic
from ci_buildkit.results.junit_case import PLACE
from ci_buildkit.results.model import NO_EVIDENCE
from ci_buildkit.text import clean, name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from ci_buildkit.results.model import Case, TestReport

_NO_MESSAGE = "without a message"
_TYPES = {"failed": "failure", "error": "error"}
_ELEMENTS = {"failed": "Failure", "error": "Error"}
_BATCH = 1000
"""Cases that are XML in memory at the same time, so that the largest suite needs no more than a small one."""


def write(report: TestReport, path: Path) -> None:
    """Writes every case of `report` to `path`, which is replaced as a whole.

    A case that passed at each of several attempts is written once; JUnit has no words for the rest.

    Raises:
        OutputError: the file cannot be written.
    """
    atomic.write_parts(path, _parts(report))


def dumps(report: TestReport) -> str:
    """The XML document of `report`, with its declaration, ending in a newline."""
    return b"".join(_parts(report)).decode("utf-8")


def _parts(report: TestReport) -> Iterator[bytes]:
    written = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
    for number, (title, cases) in enumerate(_grouped(report.cases)):
        yield _opening(number, title, cases, written)
        rest = iter(cases)
        while batch := list(islice(rest, _BATCH)):
            yield b"".join(_elements(batch))
        yield b"<system-out/>\n<system-err/>\n</testsuite>\n"
    yield b"</testsuites>\n"


def _opening(number: int, title: str, cases: Sequence[Case], written: str) -> bytes:
    """The start tag of a suite; Ant calls a host that is not known `localhost` and allows no time zone."""
    outcomes = Counter(case.outcome for case in cases)
    attributes = {
        "name": name(title),
        "id": str(number),
        "package": "",
        "hostname": "localhost",
        "timestamp": written,
        "tests": str(len(cases)),
        "failures": str(outcomes["failed"]),
        "errors": str(outcomes["error"]),
        "skipped": str(outcomes["skipped"]),
        "time": f"{fsum(case.seconds for case in cases):.3f}",
    }
    element = ET.tostring(ET.Element("testsuite", attributes), encoding="utf-8", short_empty_elements=False)
    return _undeclared(element).removesuffix(b"</testsuite>") + b"\n<properties/>\n"


def _elements(cases: list[Case]) -> Iterator[bytes]:
    telling = [case for case in cases if not _is_plain(case)]
    made = iter(TestSuite("", [_case(case) for case in telling]).build_xml_doc().iter("testcase"))
    for case in cases:
        yield _plain(case) if _is_plain(case) else _telling(case, next(made))


def _is_plain(case: Case) -> bool:
    return case.outcome == "passed" and case.told is NO_EVIDENCE


def _plain(case: Case) -> bytes:
    """The element of a case that passed and says no more than where it is; junit-xml takes ten times as long."""
    title, class_name = escape(name(case.name)), _escaped(case.class_name)
    content = f"><?{PLACE} {_said(case.path, case.line)}?></testcase>" if case.path else " />"
    return f'<testcase name="{title}" classname="{class_name}" time="{_seconds(case.seconds)}"{content}\n'.encode()


@lru_cache(maxsize=4096)
def _escaped(text: str) -> str:
    """Kept, since many cases share a class and a file."""
    return escape(name(text))


def _telling(case: Case, element: ET.Element) -> bytes:
    element.set("classname", name(case.class_name))
    element.set("time", _seconds(case.seconds))
    if not case.message:
        for told in element:
            told.attrib.pop("message", None)
    if case.path:
        element.insert(0, ET.ProcessingInstruction(PLACE, _said(case.path, case.line)))
    element.extend(_attempts(case))
    element.tail = "\n"
    return _undeclared(ET.tostring(element, encoding="utf-8"))


@lru_cache(maxsize=4096)
def _seconds(value: float) -> str:
    """Without an exponent, which neither schema allows, and to the nanosecond, which is as exact as any tool is."""
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _undeclared(element: bytes) -> bytes:
    return element.removeprefix(b"<?xml version='1.0' encoding='utf-8'?>\n")


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
        again = bool(broken) and any((suite, case.class_name, case.name) in broken for case in group)
        yield (f"{suite} / {file}" if suite else file) if again else suite, group
        broken |= {(suite, case.class_name, case.name) for case in group if case.outcome in _TYPES}


def _case(case: Case) -> Any:
    made = TestCase(name(case.name), stdout=clean(case.output) or None)
    message, details = name(case.message), clean(case.details)
    if case.outcome == "failed":
        made.add_failure_info(message or _NO_MESSAGE, details, _TYPES["failed"])
    elif case.outcome == "error":
        made.add_error_info(message or _NO_MESSAGE, details, _TYPES["error"])
    elif case.outcome == "skipped":
        made.add_skipped_info(message, details)
    return made


def _said(path: str, line: int | None) -> str:
    """The text of the instruction, quoted as in an attribute, so that nothing in it ends the instruction."""
    return f'file="{_escaped(path)}"' + (f' line="{line}"' if line else "")


def _attempts(case: Case) -> Iterator[ET.Element]:
    """The attempts but the one that counts: those that failed before it passed, or before it failed for good."""
    if case.flaky:
        tag = "flakyFailure"
    elif case.outcome in _ELEMENTS and case.attempts > 1:
        tag = f"rerun{_ELEMENTS[case.outcome]}"
    else:
        return
    message = name(case.message) or _NO_MESSAGE
    for number in range(case.attempts - 1):
        element = ET.Element(tag, {"message": message, "type": "failure"})
        if number == 0 and case.flaky:
            element.text = clean(case.details)
        yield element
