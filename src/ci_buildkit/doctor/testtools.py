"""Test tools: how a step runs them, how it makes them write a report, and which print results that are read from a log."""

from __future__ import annotations

import re

from msgspec import Struct


class TestTool(Struct, frozen=True):
    """A test tool. `reports` is looked for in the stage; where it is None the tool reports by itself or in a way unseen.

    `advice` is what makes it write a report. `settings` is looked for in the files in which the tool is set up.
    """

    __test__ = False  # no test of pytest's

    name: str
    command: re.Pattern[str]
    reports: re.Pattern[str] | None = None
    advice: str = ""
    settings: re.Pattern[str] = re.compile(r"(?!)")


TOOLS: tuple[TestTool, ...] = (
    TestTool(
        "go test",
        re.compile(r"(?:xx-)?go test\b(?!.*(?: --?run[= ](?:\^\$|NONE|XXX|skip)| -c\b))|go tool test2json"),
        re.compile(r"go test\b[^\n]* -(?:test\.)?(?:json|v)\b|go-junit-report|test2json|tparse|gotestfmt"),
        "go test -json ./... > /out/go-test.json",
    ),
    TestTool(
        "gotestsum",
        re.compile(r"gotestsum\b"),
        re.compile(r"--(?:junitfile|jsonfile)|GOTESTSUM_(?:JUNITFILE|JSONFILE)|standard-verbose"),
        "gotestsum --junitfile /out/junit.xml",
    ),
    TestTool(
        "pytest",
        re.compile(r"(?:py\.?test|coverage run .*-m (?:py\.?test|unittest))\b(?!.* --(?:version|collect-only|co)\b)"),
        re.compile(r"--junit-?xml|--report-log|--ctrf|xmlrunner|PYTEST_ADDOPTS"),
        "pytest --junitxml=/out/junit.xml",
        re.compile(r"--junit-?xml|--report-log|--ctrf|junit"),
    ),
    TestTool(
        "cargo test",
        re.compile(r"(?:xx-)?cargo (?:\+\S+ )?test\b(?!.* --no-run\b)"),
        re.compile(r"--format[= ]json|cargo2junit|junit"),
        "cargo nextest run --profile ci, with junit.path in .config/nextest.toml",
    ),
    TestTool("cargo nextest", re.compile(r"(?:xx-)?cargo nextest run\b")),
    TestTool("npm test", re.compile(r"(?:npm|yarn|pnpm|bun) (?:-\S+ )*(?:run )?(?:test|t)\b")),
    TestTool("jest, vitest, mocha", re.compile(r"(?:jest|vitest|mocha|ava|tap|node --test)\b")),
    TestTool(
        "maven", re.compile(r"mvnw? .*\b(?:test|verify|integration-test)\b(?!.*-DskipTests|.*-Dmaven\.test\.skip)")
    ),
    TestTool("gradle", re.compile(r"gradlew? .*\b(?:test|check)\b(?!.*-x test)")),
    TestTool(
        "dotnet test",
        re.compile(r"dotnet (?:test|vstest)\b"),
        re.compile(r"--logger|-l[: ]|--report-(?:trx|xunit)|VSTEST|junit"),
        "dotnet test --logger trx --results-directory /out",
        re.compile(r"VSTestLogger|RunSettings"),
    ),
    TestTool(
        "phpunit",
        re.compile(r"(?:phpunit|pest)\b"),
        re.compile(r"--log-junit"),
        "phpunit --log-junit /out/junit.xml",
        re.compile(r"<junit\b|logJunit"),
    ),
    TestTool(
        "rspec",
        re.compile(r"rspec\b"),
        re.compile(r"--format|-f ?[A-Zj]|--out|-o "),
        "rspec --format json --out /out/rspec.json",
        re.compile(r"--format|RspecJunitFormatter"),
    ),
    TestTool("ctest", re.compile(r"ctest\b"), re.compile(r"--output-junit"), "ctest --output-junit /out/junit.xml"),
    TestTool("tox, nox", re.compile(r"(?:tox|nox)\b")),
    TestTool("make test", re.compile(r"(?:make|just|task) (?:\S+ )*(?:test|check|unit-?tests?)\b")),
)
# A file that is a report whatever wrote it: what comes behind `>`, `tee` or a flag.
ASKS = re.compile(r" (?:--?version|--?help|-[vVh])$")
REPORT_FILE = re.compile(r"[\w./${}-]+\.(?:xml|json|jsonl|ndjson|trx|tap)\b")
WRITES = re.compile(rf"(?:>>?|tee(?: -\S+)*|-o|--out(?:put)?(?:-file)?[= ])\s*{REPORT_FILE.pattern}")


def tool_of(line: str) -> TestTool | None:
    """The test tool that a command runs, None for any other command."""
    return None if ASKS.search(line) else next((tool for tool in TOOLS if tool.command.match(line)), None)
