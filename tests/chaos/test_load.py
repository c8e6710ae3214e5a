"""More of everything than is usual: runs at once, log, failing tests, processes that stay. On the real engine."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import psutil
from playwright.sync_api import sync_playwright
from tests.chaos import ground as grounds
from tests.chaos.ground import Ground
from tests.e2e.support import Started

world, ground = grounds.world, grounds.ground

MIB = 1 << 20
STAGES = {"lint": "passed", "test-results": "passed", "app": "passed"}
# Each run has steps of its own, and steps that it shares with those beside it.
SHARED = """\
FROM busybox AS base
RUN echo {now}; sleep 1
FROM base AS lint
ARG NAME
RUN echo $NAME; sleep 1; echo fine
FROM base AS test
RUN mkdir /out; sleep 1; printf 'TAP version 13\\n1..2\\nok 1 - a\\nok 2 - b\\n' >/out/a.tap
FROM scratch AS test-results
COPY --from=test /out /
FROM base AS app
ARG NAME
RUN echo $NAME >/name
CMD ["cat", "/name"]
"""


def test_eight_runs_on_one_builder(ground: Ground) -> None:
    """The same commit, as when a push and a pull request come together: what they share is built once for all."""
    ground.write(SHARED)
    started = []
    for number in range(8):
        started.append(ground.start("--build-arg", f"NAME=run-{number}", report=f"report-{number}"))
        time.sleep(0.4)
    runs = [one.finish(240) for one in started]
    for number, run in enumerate(runs):
        ground.fault(run, 0, "Passed")
        assert {stage["name"]: stage["outcome"] for stage in run.record["stages"]} == STAGES
        assert run.record["tests"]["totals"]["passed"] == 2
        own, others = f"run-{number}", [f"run-{n}" for n in range(8) if n != number]
        assert own in run.log("lint")
        text = "".join(path.read_text() for path in run.folder.glob("*.json")) + run.log("lint")
        assert not [name for name in others if name in text], "the reports are apart"
    assert len({run.record["images"][0]["digest"] for run in runs}) == 8
    assert ground.world.docker("inspect", "--format", "{{.State.Running}}", ground.world.container).strip() == "true"


def test_two_runs_into_one_report(ground: Ground) -> None:
    """The last one stays, whole."""
    ground.write(SHARED)
    started = [ground.start("--build-arg", f"NAME=run-{n}") for n in range(2)]
    runs = [one.finish(240) for one in started]
    for run in runs:
        ground.fault(run, 0)
    logged = runs[0].log("lint")
    assert ("run-0" in logged) != ("run-1" in logged)
    name = "run-0" if "run-0" in logged else "run-1"
    assert name in (runs[0].folder / "run.json").read_text()
    beside = {path.name for path in ground.project.parent.iterdir()}
    assert beside == {"project", "t", "report", "report.log"}


@dataclass
class Peak:
    """The most memory that a process had, in bytes."""

    bytes: int = 0


@contextmanager
def watched(started: Started) -> Iterator[Peak]:
    """Looks at the memory of a run, without the processes that it started, while the body runs."""
    peak, over = Peak(), threading.Event()
    process = psutil.Process(started.pid)

    def look() -> None:
        with suppress(psutil.Error):
            while not over.wait(0.1):
                peak.bytes = max(peak.bytes, process.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


GIGABYTE = 1_000_000_000
LINE = "a line of a log, as long as such lines are when somebody has a lot to tell"


def test_a_gigabyte_of_log(ground: Ground) -> None:
    """All of it is in the report's log, and the page and the summary are as small as ever."""
    ground.write(f"FROM busybox AS lint\nRUN echo {{now}}; yes '{LINE}' | head -c {GIGABYTE}; echo; echo fine\n")
    started = ground.start("--progress", "github")
    with watched(started) as peak:
        run = started.finish(500)
    log = run.folder / "logs" / "lint.log"
    ground.fault(run, 0, "fine")
    ground.note("measured", f"{peak.bytes / MIB:.0f} MiB of memory")
    assert 0 < peak.bytes < 200 * MIB
    lines = 0
    with log.open("rb") as file:
        for line in file:
            lines += line.endswith(LINE.encode() + b"\n")
    assert lines == GIGABYTE // (len(LINE) + 1)
    assert (run.folder / "report.html").stat().st_size < 2 * MIB


MANY = 200_000
# One file a hundred suites, as a large project has them.
FAILING = r"""
FROM busybox AS test
RUN echo {now}; mkdir /out; awk 'BEGIN { \
    print "<testsuites>"; \
    for (s = 0; s < 200; s++) { \
        print "<testsuite name=\"suite " s "\">"; \
        for (t = 0; t < 1000; t++) \
            print "<testcase classname=\"pkg.Class" s "\" name=\"test_" t "\" time=\"0.01\"><failure message=\"expected " t " but was " t + 1 "\">at pkg/Class" s ".java:" t "</failure></testcase>"; \
        print "</testsuite>" } \
    print "</testsuites>" }' >/out/junit.xml; exit 1
"""


def test_two_hundred_thousand_failing_tests(ground: Ground) -> None:
    ground.write(FAILING)
    summary = ground.project.parent / "summary.md"
    summary.touch()
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_REPOSITORY": "a/b"}
    started = ground.start(environment=github)
    with watched(started) as peak:
        run = started.finish(500)
    ground.fault(run, 1, f"{MANY:,} of {MANY:,} tests failed")
    ground.note("measured", f"{peak.bytes / MIB:.0f} MiB of memory")
    assert 0 < peak.bytes < 500 * MIB
    totals = run.record["tests"]["totals"]
    assert (totals["tests"], totals["failed"]) == (MANY, MANY)
    classes = Counter(case.attrib["classname"] for case in cases(run.folder / "junit.xml"))
    assert classes == {f"pkg.Class{number}": 1000 for number in range(200)}
    # GitHub shows ten of a kind for each step, and drops a summary of more than 1 MiB as a whole.
    assert 0 < len([line for line in run.output.splitlines() if line.startswith("::error")]) <= 10
    assert 0 < summary.stat().st_size <= MIB
    assert f"{MANY:,} of {MANY:,} tests failed" in summary.read_text()
    assert f"{MANY:,} of {MANY:,} tests failed" in shown(run.folder / "report.html")


def cases(junit: Path) -> Iterator[ElementTree.Element]:
    """The cases of a report, each to be looked at at once."""
    for _, element in ElementTree.iterparse(junit):
        if element.tag == "testcase":
            yield element
            element.clear()


def shown(page: Path) -> str:
    """What a browser shows of a page that makes no error."""
    flags = ["--no-sandbox", "--headless=new", "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        opened = browser.new_page()
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        opened.goto(page.as_uri(), timeout=120_000)
        text = opened.locator("body").inner_text(timeout=120_000)
        browser.close()
    assert errors == []
    return text


LEAVING = """\
FROM busybox AS lint
RUN echo {now}; (trap '' INT TERM HUP; exec sleep 1000) & \\
    setsid sh -c "trap '' TERM; sleep 1000" >/dev/null 2>&1 </dev/null & \\
    for n in 1 2 3 4 5 6 7 8; do (sleep 0.1 & exec sleep 1000) & done; sleep 1; echo fine
FROM busybox AS test
RUN echo {now}; trap '' INT TERM; (sleep 0.1 & exec sleep 1000) & sleep 0.5; \\
    echo TAP version 13; echo 1..1; echo 'not ok 1 - a'; exit 1
"""


def test_a_step_leaves_processes_behind(ground: Ground) -> None:
    """Those that hold the step's output open, ignore signals, or are nobody's any more: they end with their step."""
    ground.write(LEAVING)
    run = ground.run(seconds=60)
    ground.fault(run, 1, "1 of 1 test failed")
    assert run.stage("lint")["outcome"] == "passed"
    assert run.record["seconds"] < 30
    assert not [
        line
        for line in ground.world.docker("top", ground.world.container, "-eo", "pid,args").splitlines()
        if "sleep 1000" in line
    ]


STUBBORN = """\
FROM busybox AS test
RUN echo {now}; echo TAP version 13; echo 1..2; echo 'ok 1 - a'; trap '' INT TERM HUP QUIT; echo asleep; \\
    (trap '' INT TERM HUP QUIT; while :; do sleep 1; done) & while :; do sleep 1; done
"""


def test_a_step_ignores_every_signal(ground: Ground) -> None:
    """A run that is interrupted ends all the same, and so does the step."""
    ground.write(STUBBORN)
    started = ground.start()
    started.wait_for("asleep")
    began = time.monotonic()
    started.interrupt(signal.SIGINT)
    run = started.finish(60)
    assert time.monotonic() - began < 30
    ground.fault(run, 130)
    assert run.record["tests"]["totals"]["passed"] == 1, "what was tested until then is in the report"
