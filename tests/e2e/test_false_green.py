"""Ways in which a broken build could look green. Each ends red, for its own reason, on the real engine.

Those that need none are in tests/unit/test_false_green.py; docs/explanation/never-false-green.md lists all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.e2e import support

GREEN = "<testsuites><testsuite name='s'><testcase classname='c' name='t'/></testsuite></testsuites>"
SKIPPED = (
    "<testsuites><testsuite name='s'><testcase classname='c' name='t'><skipped/></testcase></testsuite></testsuites>"
)
FAILED = "<testsuites><testsuite name='s'><testcase classname='c' name='t'><failure message='boom'/></testcase></testsuite></testsuites>"
BASE = "FROM --platform=$BUILDPLATFORM busybox AS base\nWORKDIR /src\n"
QUARANTINE = "- {test: t, until: 2001-01-01, reason: later}\n"
SARIF = '{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": []'


@dataclass(frozen=True)
class Way:
    """A Dockerfile behind the base stage, what else the repository holds, and how a run must end."""

    dockerfile: str
    code: int
    said: str
    words: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    runs: int = 1


def stage_of(line: str) -> str:
    """A test stage of one RUN line, with the results in a stage of their own."""
    return (
        f"FROM base AS test\nCOPY . .\nRUN mkdir /out\nRUN {line}\n"
        "FROM scratch AS test-results\nCOPY --from=test /out/ /\n"
    )


WAYS: dict[str, Way] = {
    "tests that leave no results": Way(stage_of("true"), 5, "no test results were found"),
    "a failed RUN that left nothing": Way("FROM base AS test\nRUN false\n", 1, "no test report was found"),
    "a failed RUN beside a green report": Way(
        "FROM base AS test\nCOPY . .\nRUN mkdir /reports; cat a.xml > /reports/a.xml; exit 3\n", 1, "exit code 3", files={"a.xml": GREEN},
    ),
    "tests that were killed beside a green report": Way(
        "FROM base AS test\nCOPY . .\nRUN mkdir /out; cat a.xml > /out/a.xml; exit 137\n", 1, "exit code 137", files={"a.xml": GREEN},
    ),
    "an exit code that no failure explains": Way(
        stage_of("cp a.xml /out/ && echo 2 > /out/exit-code"), 1, "ended with exit code 2", files={"a.xml": GREEN},
    ),
    "an exit code that is no number": Way(
        stage_of("cp a.xml /out/ && echo fine > /out/exit-code"), 5, "exit-code", files={"a.xml": GREEN},
    ),
    "an exit code that was swallowed": Way(
        stage_of("cp a.xml /out/; false || true"), 1, "boom", files={"a.xml": FAILED},
    ),
    "a failure that comes from the cache": Way(
        stage_of("cp a.xml /out/ && echo 1 > /out/exit-code"), 1, "2 attempts", files={"a.xml": FAILED}, runs=2,
    ),
    "a report from before the run": Way(
        stage_of("cp a.xml /out/ && touch -d '2001-01-01 00:00' /out/a.xml"), 5, "before this run began", files={"a.xml": GREEN},
    ),
    "an empty report": Way(stage_of("touch /out/a.xml"), 5, "no test results were found"),
    "tests that are all skipped": Way(stage_of("cp a.xml /out/"), 5, "no test ran", files={"a.xml": SKIPPED}),
    "fewer tests than there were": Way(
        stage_of("cp a.xml /out/"), 5, "expected at least 2 tests", files={"a.xml": GREEN}, words=("--min-tests", "2"),
    ),
    "a second test stage that fails": Way(
        "FROM base AS unit-test\nRUN echo 'TAP version 13'; echo 1..1; echo 'ok 1 - a'\n"
        "FROM base AS integration-test\nRUN echo 'TAP version 13'; echo 1..1; echo 'not ok 1 - b'; exit 1\n", 1, "b",
    ),
    "a quarantine that is over": Way(
        stage_of("cp a.xml /out/"), 1, "boom", files={"a.xml": FAILED, "q.yml": QUARANTINE}, words=("--quarantine", "q.yml"),
    ),
    "a linter that failed without a finding": Way("FROM base AS lint\nRUN echo oops; exit 1\n", 1, "no finding could be read"),
    "a lint report that is cut off": Way(
        "FROM base AS checked\nCOPY a.sarif /out/\nFROM scratch AS lint\nCOPY --from=checked /out/ /\n", 5, "a.sarif", files={"a.sarif": SARIF},
    ),
    "a linter whose recorded exit code is red": Way(
        "FROM base AS checked\nCOPY a.sarif /out/\nRUN echo 3 > /out/exit-code\nFROM scratch AS lint\nCOPY --from=checked /out/ /\n",
        1, "exit code 3", files={"a.sarif": SARIF + "}]}"},
    ),
    "binaries that are none": Way(
        "FROM base AS build\nRUN mkdir /out\nFROM scratch AS binaries\nCOPY --from=build /out/ /\n", 5, "nothing was exported",
    ),
    "a binary for another platform": Way(
        "FROM base AS build\nRUN cp /bin/busybox /tool\nFROM scratch AS binaries\nCOPY --from=build /tool /\n", 5, "darwin/arm64 needs Mach-O",
        words=("--platform", "darwin/arm64"),
    ),
    "a stage that is misspelt": Way("FROM base AS test\nRUN false\n", 2, "did you mean", words=("tset",)),
    "a target of an option that is not there": Way("FROM base AS lint\nRUN true\n", 2, "unit", words=("--test-target", "unit")),
    "a kind of stage that there is none of": Way("FROM base AS lint\nRUN true\n", 2, "test", words=("test",)),
    "a secret that is not there": Way(
        "FROM base AS lint\nRUN --mount=type=secret,id=s true\n", 2, "NOT_THERE", words=("--secret", "id=s,env=NOT_THERE"),
    ),
    "a push that is refused": Way(
        'FROM base AS app\nENTRYPOINT ["/bin/true"]\n', 4, "127.0.0.1:9", words=("--push", "--image", "127.0.0.1:9/app"),
    ),
    "an image whose program fails": Way(
        'FROM base AS app\nENTRYPOINT ["/bin/sh"]\n', 5, "exit code 7", words=("--push", "--image", "{registry}/false-green/app", "--smoke", "-c 'exit 7'"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_red(name: str, project: Path, environment: dict[str, str], builder: str, lab: dict[str, str]) -> None:
    way = WAYS[name]
    (project / "Dockerfile").write_text(BASE + way.dockerfile)
    for file, text in way.files.items():
        (project / file).parent.mkdir(exist_ok=True)
        (project / file).write_text(text)
    words = [word.format(registry=lab["CI_BUILDKIT_LAB_REGISTRY"]) for word in way.words]
    for _ in range(way.runs):
        run = support.run(project, environment, "--builder", builder, *words)
        assert run.code == way.code, run.output
    assert way.said in run.output, run.output
