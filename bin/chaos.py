"""`make chaos`: every fault on the real engine, one after the other, and a table of what each did."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from defusedxml import ElementTree

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ROOT = Path(__file__).resolve().parent.parent
HEAD = ("Fault", "Exit code", "Lost", "Left behind", "Time", "")
WIDEST = 90
Row = tuple[str, ...]


def rows(report: Path) -> Iterator[Row]:
    """A row for each test of pytest's JUnit report, from the properties that it recorded."""
    for case in ElementTree.parse(report).iter("testcase"):
        told: dict[str, dict[str, None]] = {}
        for one in case.iter("property"):
            told.setdefault(one.attrib["name"], {})[one.attrib["value"]] = None
        shown = ["; ".join(told.get(name, {"-": None})) for name in ("code", "lost", "left")]
        broken = case.find("failure") is not None or case.find("error") is not None
        ended = "; ".join(("FAILED" if broken else "passed", *told.get("measured", ())))
        yield (fault(case), *shown, f"{float(case.attrib['time']):.0f} s", ended)


def fault(case: "Element") -> str:
    """The fault that a test is called by: `test_the_clock_jumps` of `test_faults`, with its parameters behind it."""
    name, _, parameters = case.attrib["name"].removeprefix("test_").partition("[")
    part = case.attrib["classname"].rpartition(".")[2].removeprefix("test_")
    behind = f" ({parameters.removesuffix(']')})" if parameters else ""
    return f"{part}: {name.replace('_', ' ')}{behind}"


def table(found: list[Row]) -> str:
    """Rows below each other; what is too long for a column is cut."""
    cut = [tuple(cell if len(cell) <= WIDEST else f"{cell[: WIDEST - 1]}…" for cell in row) for row in (HEAD, *found)]
    widths = [max(len(row[place]) for row in cut) for place in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut
    )


def main() -> int:
    """Bring the engine up, run the tests and print the table; pytest's exit code, or the lab's."""
    # Shells have what they start in the background ignore it, and so do all that it starts; tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    engine = subprocess.run([sys.executable, "lab/lab.py", "up"], cwd=ROOT, check=False)
    if engine.returncode:
        return engine.returncode
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "junit.xml")
        command = [sys.executable, "-m", "pytest", "-v", "tests/chaos", f"--junitxml={report}"]
        done = subprocess.run([*command, "-o", "junit_family=xunit1", *sys.argv[1:]], cwd=ROOT, check=False)
        if report.exists():
            print(f"\n{table(list(rows(report)))}\n\n{(time.monotonic() - began) / 60:.1f} min")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
