"""How fast reports are read and shown, beside the peers, in processes of their own.

Whole commands are timed with their start-up, except where a row says that it is reading alone: there the process says
itself how long it took from the file to the use of every case, and what it imports comes before.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench import child, samples
from bench.rows import ROOT, Median, Row, turns
from ci_buildkit.report import html, summary

TURNS = 5
MB = 1_000_000
# Both take of each case what a report shows of it.
OURS = """
import sys, time
from ci_buildkit.results import junit, read
began = time.perf_counter()
for case in read.read_paths(sys.argv[1:]).cases:
    used = case.name, case.class_name, case.seconds
    if case.outcome != "passed":
        used = case.outcome, case.message, case.details
print(time.perf_counter() - began)
"""
JUNITPARSER = """
import sys, time, junitparser
began = time.perf_counter()
for suite in junitparser.JUnitXml.fromfile(sys.argv[1]):
    for case in suite:
        used = case.name, case.classname, case.time
        for result in case.result:
            used = result.type, result.message, result.text
print(time.perf_counter() - began)
"""


class Readers:
    """A folder of samples and everything that is timed on it."""

    def __init__(self, folder: Path) -> None:
        """`folder` is empty; what a command printed last is in `output`."""
        self.folder = folder
        self.output = folder / "output"

    def sample(self, name: str) -> Path:
        """Where a sample is or will be."""
        return self.folder / name

    def spent(self, command: Sequence[object]) -> child.Spent:
        """What a command took."""
        return child.spent(command, self.output, self.folder)

    def ours(self, *words: object) -> float:
        """Seconds of a `ci-buildkit` command."""
        return self.spent([sys.executable, "-m", "ci_buildkit", *words]).seconds

    def reading(self, code: str, sample: Path) -> float:
        """Seconds that a Python process says it took to read the sample."""
        self.spent([sys.executable, "-c", code, sample])
        return float(self.output.read_text("utf-8"))

    def junit(self, what: str, sample: Path) -> list[Row]:
        """200,000 JUnit cases: reading alone, and whole processes, which a peer without reports starts faster."""
        peer = [sys.executable, "-c", JUNITPARSER, sample]
        ours, theirs = turns(TURNS, lambda: self.reading(OURS, sample), lambda: self.reading(JUNITPARSER, sample))
        whole, others = turns(TURNS, lambda: self.ours("results", sample), lambda: self.spent(peer).seconds)
        name = f"JUnit, 200,000 {what} / junitparser"
        return [
            Row(f"{name}, reading alone", ours, theirs, "ratio at most 0.33", ours * 3 <= theirs),
            Row(f"{name}, whole processes", whole, others, "printed", reached=True),
        ]

    def go(self, name: str, sample: Path, peer: Path) -> Row:
        """500,000 lines of `go test -json`, written as JUnit."""
        command = [peer, "--raw-command", "--ignore-non-json-output-lines", "--junitfile", self.sample("peer.xml"), "--", "cat", sample]  # fmt: skip
        ours, theirs = turns(
            TURNS,
            lambda: self.ours("results", sample, "--junit", self.sample("ours.xml")),
            lambda: self.spent(command).seconds,
        )
        return Row(f"go test -json, {name} / gotestsum", ours, theirs, "ratio at most 1.0", ours <= theirs)

    def memory(self) -> Row:
        """The most memory that reading a million JUnit cases takes."""
        sample = self.sample("million.xml")
        samples.junit(sample, 1_000_000)
        (most,) = turns(
            TURNS, lambda: float(self.spent([sys.executable, "-m", "ci_buildkit", "results", sample]).memory)
        )
        sample.unlink()
        megabytes = Median(one / MB for one in most.samples)
        return Row("JUnit, 1,000,000 cases, memory", megabytes, 0, "at most 250 MB", most <= 250 * MB, unit="MB")

    def sarif(self) -> Row:
        """100,000 SARIF results."""
        sample = self.sample("big.sarif")
        samples.sarif(sample, 100_000)
        (ours,) = turns(TURNS, lambda: self.ours("findings", sample))
        return Row("SARIF, 100,000 results", ours, 0, "at most 5 s", ours <= 5)


def shown() -> Row:
    """The summary and the HTML report of 50,000 cases."""
    record, tests = samples.run_of(50_000)

    def once() -> float:
        began = time.perf_counter()
        summary.render(record, tests)
        html.render(record, tests, logs={})
        return time.perf_counter() - began

    (ours,) = turns(TURNS, once)
    return Row("summary and HTML, 50,000 cases", ours, 0, "at most 3 s", ours <= 3)


def gotestsum() -> Path:
    """The peer, built from its pinned module on the first call."""
    done = subprocess.run(
        [sys.executable, "-m", "lab.tools", "gotestsum"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return Path(done.stdout.strip(), "gotestsum")


def rows() -> list[Row]:
    """Every comparison, measured now."""
    peer = gotestsum()
    with tempfile.TemporaryDirectory(prefix="ci-buildkit-bench-") as folder:
        readers = Readers(Path(folder))
        plain, rich = readers.sample("plain.json"), readers.sample("rich.json")
        cases, placed = readers.sample("junit.xml"), readers.sample("placed.xml")
        samples.junit(cases, 200_000)
        samples.junit(placed, 200_000, placed=True)
        samples.go_plain(plain, 500_000)
        samples.go_rich(rich, 500_000)
        found = [
            readers.memory(),
            *readers.junit("cases", cases),
            *readers.junit("cases with file and line", placed),
            readers.go("500,000 lines", plain, peer),
            readers.go("500,000 lines with output", rich, peer),
            readers.sarif(),
        ]
    return [*found, shown()]
