"""The fast way through plain cases reads what the parser reads: nothing more, nothing less, nothing else."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml

from ci_buildkit import xmlstream
from ci_buildkit.paths import PathMapper
from ci_buildkit.reader import Limits, Source
from ci_buildkit.results import junit
from ci_buildkit.results.collect import Collector
from ci_buildkit.results.junit_lane import Columns, PlainCases
from ci_buildkit.results.model import NO_EVIDENCE, TestReport

SOURCE = Source("x.xml", PathMapper(None, Path("/nonexistent")))


def parsed(data: bytes, source: Source = SOURCE) -> TestReport:
    collector = Collector(source.limits)
    collector.file("x.xml", junit.read(io.BytesIO(data), source))
    return collector.report()


def both_ways(document: str, chunk: int, *, depth: int = 1000) -> TestReport:
    """What is read with the parser alone; reading in small chunks, with the lane, must give the same."""
    source = Source("x.xml", SOURCE.mapper, Limits(depth=depth))
    data = document.encode()
    plain = parsed(data, source)
    taken: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xmlstream, "CHUNK", chunk)
        take = junit._Handler.take

        def counted(self: junit._Handler, cases: Columns) -> None:
            taken.append(len(cases.names))
            take(self, cases)

        patch.setattr(junit._Handler, "take", counted)
        fast = parsed(data, source)
    assert fast.cases == plain.cases
    assert fast.totals == plain.totals
    # A column is not told where cases went past the parser.
    assert [(problem.kind, problem.reason.partition(", column")[0].partition(":")[0]) for problem in fast.problems] == [
        (problem.kind, problem.reason.partition(", column")[0].partition(":")[0]) for problem in plain.problems
    ]
    both_ways.taken = sum(taken)  # type: ignore[attr-defined]
    return fast


def taken() -> int:
    return int(both_ways.taken)  # type: ignore[attr-defined]


PLAIN = "".join(f'<testcase classname="k" name="n{number}" time="0.5"/>\n' for number in range(20))
PLACED = "".join(
    f'<testcase classname="k" name="n{number}" file="{"ab"[number % 2]}.py" line="{number % 5}" time="0.5"/>\n'
    for number in range(20)
)


@pytest.mark.parametrize(
    "cases",
    [
        PLAIN,
        PLACED,
        PLAIN.replace("/>", "></testcase>"),
        PLAIN.replace("/>", ">\r\n  </testcase>"),
        # GoogleTest's, CTest's.
        PLACED.replace(" time", ' status="run" result="completed" time'),
        PLAIN.replace(" time", ' status="run" time'),
    ],
)
@pytest.mark.parametrize("suite", ['name="s"', 'name="pytest"', 'name="s" file="suite.py"'])
def test_plain_cases_go_past_the_parser(cases: str, suite: str) -> None:
    found = both_ways(f"<testsuite {suite}>\n{cases}{cases}{cases}</testsuite>", 900)
    assert found.totals.passed == 60
    assert taken() > 20


def test_a_place_is_mapped_and_counted_like_those_of_other_cases(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    source = Source("x.xml", PathMapper(None, tmp_path))
    cases = PLACED.replace('file="a.py"', 'file="/src/a.py"').replace('file="b.py"', 'file=""').encode()
    found = parsed(b'<testsuite name="pytest">' + cases * 400 + b"</testsuite>", source)
    assert [(case.path, case.line) for case in found.cases[-6:]] == [
        ("a.py", 5), (None, None), ("a.py", 2), (None, None), ("a.py", 4), (None, None)
    ]  # fmt: skip
    assert found.cases[-1].evidence is NO_EVIDENCE


@pytest.mark.parametrize(
    "document",
    [
        # In a comment, a CDATA section, output or a failure's text they are no cases.
        f"<testsuite>{PLAIN}<!-- {PLAIN}{PLAIN} -->{PLAIN}</testsuite>",
        f"<testsuite>{PLAIN}<![CDATA[ {PLAIN}{PLAIN} ]]>{PLAIN}</testsuite>",
        f"<testsuite>{PLAIN}<?pi {PLAIN}{PLAIN}?>{PLAIN}</testsuite>",
        f"<testsuite>{PLAIN}<system-out><![CDATA[{PLAIN}{PLAIN}]]></system-out>{PLAIN}</testsuite>",
        f"<testsuite>{PLAIN}<system-out>{PLAIN}{PLAIN}</system-out>{PLAIN}</testsuite>",
        f'<testsuite>{PLAIN}<testcase name="f"><failure><![CDATA[{PLAIN}{PLAIN}]]></failure></testcase></testsuite>',
        f'<testsuite>{PLAIN}<testcase name="f"><failure>{PLAIN}{PLAIN}</failure></testcase>{PLAIN}</testsuite>',
        f'<testsuite>{PLAIN}<testcase name="outer">{PLAIN}{PLAIN}</testcase>{PLAIN}</testsuite>',
        f'<testsuite>{PLAIN}<testcase name="o"><system-out><![CDATA[{PLAIN}]]></system-out></testcase></testsuite>',
        # Suites of their own.
        f'<testsuites><testsuite name="a">{PLAIN}</testsuite><testsuite name="b">{PLAIN}</testsuite></testsuites>',
        f'<testsuite name="a"><testsuite name="b">{PLAIN}</testsuite>{PLAIN}</testsuite>',
        f'<testsuites>{PLAIN}</testsuites><testsuite>{PLAIN}</testsuite>',
        f'<testsuite file="a.py">{PLAIN}{PLAIN}</testsuite>',
        f"<root>{PLAIN}{PLAIN}</root>",
        f"{PLAIN}{PLAIN}",
        # Where the file breaks, and on which line.
        f'<testsuite>{PLAIN}{PLAIN}\n<testcase name="a < b"/>{PLAIN}</testsuite>',
        f"<testsuite>{PLAIN}{PLAIN}\n</wrong>{PLAIN}",
        f"<testsuite>{PLAIN}{PLAIN}{PLAIN}",
        f'<testsuite>{PLAIN}{PLAIN}<testcase classname="k" na',
        # Values that are not plain.
        '<testsuite>' + PLAIN + PLAIN.replace("k", "a &amp; b").replace("n1", "&#x1b;[31m") + "</testsuite>",
        '<testsuite>' + PLAIN + PLAIN.replace('"k"', '"a\tb\nc"') + "</testsuite>",
        '<testsuite>' + PLAIN + PLAIN.replace("n1", "n\x01\x9b1m\u2028\u00e9\ufdd0") + "</testsuite>",
        '<testsuite>' + PLAIN + PLAIN.replace("n1", "n" * 5000) + "</testsuite>",
        '<testsuite>' + PLAIN + PLAIN.replace("0.5", "1,234.5") + "</testsuite>",
        "<testsuite>" + PLAIN.replace("/>", "></testcase>") * 2 + PLAIN.replace("/>", " >\n  </testcase >") + "</testsuite>",
        "<testsuite>" + PLAIN.replace(" time", ' status="disabled" time') * 2 + "</testsuite>",
        # What states an outcome.
        "<testsuite>" + PLAIN.replace(" time", ' status="run" time') * 2 + PLAIN.replace(" time", ' status="failed" time') + "</testsuite>",
        "<testsuite>" + PLAIN.replace(" time", ' status="a&amp;b" time') * 2 + PLAIN.replace(" time", ' status="a&b" time') + "</testsuite>",
        f'<testsuite>{PLAIN}<testcase classname="k" name="f" status="failed" time="1"><flakyFailure/></testcase>'
        + PLAIN.replace(" time", ' status="failed" time') + "</testsuite>",
        # Places.
        f"<testsuite>{PLACED}{PLAIN}{PLACED}</testsuite>",
        f'<testsuite name="pytest">{PLACED}{PLACED}</testsuite>',
        f'<testsuite file="suite.py">{PLACED}{PLAIN}{PLACED.replace("a.py", "")}</testsuite>',
        "<testsuite>" + PLACED + PLACED.replace("a.py", "a\tb.py").replace("b.py", "C:\\b.py").replace('"1"', '" 1"') + "</testsuite>",
        "<testsuite>" + PLACED + PLACED.replace("a.py", "&lt;a&gt;").replace('line="2"', 'line="1,234"') + "</testsuite>",
        "<testsuite>" + PLAIN.replace(' classname="k"', "") * 3 + "</testsuite>",
        "<testsuite>" + PLAIN.replace(' name="n', ' x.y-z="1" name="n') * 3 + "</testsuite>",
        "<testsuite>" + PLAIN + PLAIN.replace("testcase", "ns:testcase") + "</testsuite>",
        # Attempts.
        f'<testsuite>{PLAIN}<testcase classname="k" name="n1"><failure/></testcase>{PLAIN}{PLAIN}</testsuite>',
    ],
)  # fmt: skip
@pytest.mark.parametrize("chunk", [64, 300, 900])
def test_both_ways_read_the_same(document: str, chunk: int) -> None:
    both_ways(document, chunk)


def test_the_limit_of_depth_holds() -> None:
    found = both_ways("<testsuite>" * 5 + PLAIN * 3 + "</testsuite>" * 5, 100, depth=5)
    assert [problem.kind for problem in found.problems] == ["limit"]
    assert found.cases == ()


PIECES = st.sampled_from(
    [
        PLAIN[:55], PLAIN, '<testcase classname="k" name="x" time="1"/>', "<testcase name='q'/>", "<!--", "-->",
        "<![CDATA[", "]]>", "<system-out>", "</system-out>", "<testsuite name='in'>", "</testsuite>", "</testcase>",
        '<testcase classname="k" name="f" time="2"><failure message="no">a.py:3</failure></testcase>', "<failure>",
        "</failure>", "\n", "text", "&amp;", "]", "\r", '<testcase classname="k" name="open" time="1">',
        PLACED, PLACED[:75], '<testcase name="p" file="" line="7"/>', "<testsuite name='pytest'>", '<testsuite file="s.py">',
        '<testcase name="p" file="c.py" line="x" status="run"/>', '<testcase name="p" file="c.py" line="" status="fail"/>',
        '<testcase classname="k" name="a<b" time="1"/>', '<testcase classname="k" name="x" name="y" time="1"/>',
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=14), st.integers(20, 400))
def test_any_document_reads_the_same_both_ways(pieces: list[str], chunk: int) -> None:
    both_ways(f'<testsuites><testsuite name="s">{"".join(pieces)}</testsuite></testsuites>', chunk)


def test_lines_are_counted_without_cases_that_were_taken() -> None:
    lane = PlainCases(junit._Handler(SOURCE))
    assert lane.lines() == 0
    assert list(lane.pieces(["<testsuite>\n", "<testcase name='a'/>"], lambda: True)) == [
        "<testsuite>\n",
        "<testcase name='a'/>",
        "",
    ]


CASE = '<testcase classname="pkg.module{0}.TestClass" name="test_case_{1}_{0}" time="0.{2:03}"'
FAILURE = '<failure message="assert {0} == 2" type="AssertionError">Traceback\n  File "/src/a.py", line {0}\nAssertionError: boom</failure>'


def generate(path: Path, cases: int) -> None:
    """A report like pytest's: suites of a thousand cases, of which ten failed."""
    lines = [
        f"{case}>{FAILURE.format(number)}</testcase>\n" if number % 100 == 7 else f"{case} />\n"
        for number in range(1000)
        for case in [CASE.format("SUITE", number, number)]
    ]
    body = "".join(lines)
    with path.open("w") as file:
        file.write("<testsuites>\n")
        for suite in range(cases // 1000):
            file.write(f'<testsuite name="suite{suite}" tests="1000" failures="10" errors="0" time="1.0">\n')
            file.write(body.replace("SUITE", str(suite)))
            file.write("</testsuite>\n")
        file.write("</testsuites>\n")


def peer(path: Path) -> tuple[int, int, float]:
    """junitparser, asked for what a report needs: outcome, names, time and message of each case."""
    failed = tests = 0
    seconds = 0.0
    kept = []
    for suite in JUnitXml.fromfile(str(path)):
        for case in suite:
            tests += 1
            seconds += case.time or 0
            results = [(type(result).__name__, result.message, result.text) for result in case.result]
            failed += bool(results)
            kept.append((suite.name, case.classname, case.name, case.time, results))
    return tests, failed, seconds


def cpu(what: Callable[[], object]) -> float:
    """The least CPU time of three runs, in seconds."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        what()
        times.append(time.process_time() - begun)
    return min(times)


def test_reading_is_much_faster_than_junitparser(tmp_path: Path) -> None:
    # The benchmarks measure four to five times; a busy machine must not fail this.
    path = tmp_path / "large.xml"
    generate(path, 60_000)
    totals = parsed(path.read_bytes()).totals
    assert (totals.tests, totals.failed) == peer(path)[:2] == (60_000, 600)
    assert cpu(lambda: peer(path)) > 2 * cpu(lambda: parsed(path.read_bytes()))


def test_a_million_cases_need_less_than_250_mb(tmp_path: Path) -> None:
    path, out = tmp_path / "million.xml", tmp_path / "out.xml"
    generate(path, 1_000_000)
    with (tmp_path / "out.json").open("wb") as file:
        command = [sys.executable, "-c", MEASURED, "results", str(path), "--format", "json", "--junit", str(out)]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
        ran = subprocess.run(command, env=environ, check=False, stdout=file, stderr=subprocess.PIPE, text=True)
    code, megabytes = ran.stderr.split()
    assert code == "1"
    assert int(megabytes) < 250
    assert out.stat().st_size > 80_000_000
    with (tmp_path / "out.json").open("rb") as file:
        start = file.read(400)
    assert b'"tests": 1000000,\n    "passed": 990000,\n    "failed": 10000,' in start


# Not getrusage: what a process used before exec, the pytest that it was forked from, counts there.
MEASURED = """
import re, sys
from pathlib import Path
from ci_buildkit.cli.main import main
code = main(sys.argv[1:])
most = re.search(r"VmHWM:\\s*([0-9]+) kB", Path("/proc/self/status").read_text())
print(code, int(most[1]) // 1000, file=sys.stderr)
"""
