"""What a run lets pass and what it demands, on the real engine; and findings straight from a stage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.e2e import support
from tests.e2e.support import Run

QUARANTINE = "- {test: 'a: shaky*', until: 2999-12-31, reason: the server is being replaced}\n"
LINT = "main.go:3:5: Error return value is not checked (errcheck)"


def case(name: str, failure: str = "") -> str:
    return f'<testcase classname="a" name="{name}">{failure and f"<failure message={chr(34)}{failure}{chr(34)}/>"}</testcase>'


def suite(*cases: str) -> str:
    return f'<testsuite name="s">{"".join(cases)}</testsuite>'


def write_tests(folder: Path, script: str, *, exported: bool) -> None:
    """A project whose test stage runs a shell script that leaves its report in /out, and how often it ran in $n."""
    counted = "n=$(cat /count/n 2>/dev/null || echo 0); n=$((n + 1)); echo $n >/count/n; mkdir /out"
    (folder / "test.sh").write_text(f"{counted}\n{script}\n")
    collector = "FROM scratch AS test-results\nCOPY --from=test /out /\n" if exported else ""
    (folder / "Dockerfile").write_text(
        f"FROM alpine AS test\nRUN --mount=type=bind,target=/src --mount=type=cache,target=/count,id={folder.parent.name} "
        f"sh /src/test.sh\n{collector}"
    )


def outcomes(run: Run) -> tuple[int, str, int]:
    """The exit code, the first stage's outcome and its attempts."""
    stage = run.record["stages"][0]
    return run.code, stage["outcome"], stage["attempts"]


@pytest.mark.parametrize("exported", [True, False], ids=["exported", "recovered"])
def test_a_retry_turns_a_failure_into_a_flaky_test(
    exported: bool, project: Path, environment: dict[str, str], builder: str
) -> None:
    red, green = suite(case("shaky", "no"), case("works")), suite(case("shaky"), case("works"))
    ending = "" if exported else "; [ $n -ge 3 ]"
    write_tests(
        project,
        f"if [ $n -ge 3 ]; then echo '{green}'; else echo '{red}'; fi >/out/junit.xml{ending}",
        exported=exported,
    )
    run = support.run(project, environment, "--builder", builder, "--test-retries", "3")
    assert outcomes(run) == (0, "passed", 3), run.output
    totals = run.record["tests"]["totals"]
    assert (totals["tests"], totals["passed"], totals["flaky"]) == (2, 2, 1)
    assert "flaky" in run.output
    junit = (run.folder / "junit.xml").read_text()
    assert junit.count("<flakyFailure") == 2
    assert "flaky" in (run.folder / "summary.md").read_text()
    name = run.record["stages"][0]["name"]
    kept = sorted(path.name for path in (run.folder / "results").iterdir())
    assert kept == [name, f"{name}.attempt-1", f"{name}.attempt-2"]


def test_a_test_that_fails_each_time_stays_failed(project: Path, environment: dict[str, str], builder: str) -> None:
    script = f"echo '{suite(case('breaks', 'no'))}' >/out/junit.xml; echo $n >/out/ran.txt; exit 1"
    write_tests(project, script, exported=False)
    run = support.run(project, environment, "--builder", builder, "--test-retries", "1", "--results-path", "/out")
    assert outcomes(run) == (1, "failed", 2), run.output
    [failed] = run.record["tests"]["failed"]
    assert (failed["name"], failed["attempts"]) == ("breaks", 2)
    assert (run.folder / "results" / "test" / "out" / "ran.txt").read_text() == "2\n"


def test_what_is_no_failed_test_is_not_tried_again(project: Path, environment: dict[str, str], builder: str) -> None:
    write_tests(project, "echo broken; exit 2", exported=False)
    run = support.run(project, environment, "--builder", builder, "--test-retries", "3")
    assert outcomes(run) == (1, "failed", 1), run.output
    assert "no test report was found, but" in run.record["stages"][0]["reason"]


def test_tests_that_hang_are_ended_and_heard(project: Path, environment: dict[str, str], builder: str) -> None:
    """Inside the builder, so that their report so far is taken out of the step. Nobody tries them again."""
    report = "printf 'TAP version 13\\n1..2\\nok 1 - a\\nnot ok 2 - b\\n' >/out/a.tap"
    write_tests(project, f"{report}; echo $n; sleep 500", exported=False)
    run = support.run(project, environment, "--builder", builder, "--stage-timeout", "test=5s", "--test-retries", "2")
    assert outcomes(run) == (1, "failed", 1), run.output
    reason = (
        "took longer than 5s (--stage-timeout); until then 2 tests ran, 1 of which failed; it was at [test 2/2] RUN "
    )
    assert run.stage("test")["reason"].startswith(reason)
    assert run.stage("test")["results_from"] == "recovered"
    assert run.stage("test")["seconds"] < 60


def test_a_quarantined_failure_is_shown_and_makes_nothing_red(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    report = suite(case("shaky_upload", "timed out"), case("works"))
    write_tests(project, f"echo '{report}' >/out/junit.xml; exit 1", exported=False)
    (project / "quarantine.yml").write_text(f"{QUARANTINE}- {{test: gone, until: 2999-12-31, reason: x}}\n")
    words = ("--builder", builder, "--quarantine", "quarantine.yml")
    run = support.run(project, environment, *words, "--test-retries", "1")
    assert outcomes(run) == (0, "passed", 1), run.output
    assert run.stage("test")["reason"] == "1 of 2 tests failed, which is quarantined"
    [failed] = run.record["tests"]["failed"]
    assert (failed["name"], failed["outcome"]) == ("shaky_upload", "failed")
    assert failed["quarantined"] == "quarantined until 2999-12-31: the server is being replaced"
    assert "timed out" in run.output
    assert '<failure type="failure" message="timed out"' in (run.folder / "junit.xml").read_text()
    [problem] = run.record["problems"]
    assert (problem["path"], problem["kind"]) == ("quarantine.yml", "quarantine")
    assert "'gone' names no test" in problem["reason"]
    (project / "quarantine.yml").write_text(QUARANTINE.replace("2999", "1999"))
    run = support.run(project, environment, *words)
    assert outcomes(run) == (1, "failed", 1), run.output
    assert "expired on 1999-12-31" in run.output
    (project / "quarantine.yml").write_text("\n- {test: a, until: soon, reason: x}\n")
    run = support.run(project, environment, *words)
    assert run.code == 2
    assert "quarantine.yml:2: 'soon' is not a day" in run.output


def test_what_is_let_pass_is_no_reason_to_skip_the_next_step(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    report = suite(case("shaky_upload", "timed out"))
    (project / "Dockerfile").write_text(
        "FROM alpine AS lint\nRUN echo 'a.c:3:5: warning: x [y]'; exit 1\nRUN echo second lint\n"
        f"FROM alpine AS test\nRUN mkdir /out; echo '{report}' >/out/junit.xml; exit 1\nRUN echo second tests\n"
    )
    (project / "quarantine.yml").write_text(QUARANTINE)
    words = ("--builder", builder, "--quarantine", "quarantine.yml", "--fail-on", "lint=errors")
    run = support.run(project, environment, *words)
    assert run.code == 1, run.output
    for stage, second in (("lint", "[lint 3/3] RUN echo second lint"), ("test", "[test 3/3] RUN echo second tests")):
        told = run.stage(stage)
        assert told["outcome"] == "failed"
        assert f"so that {second} never ended" in told["reason"]


def test_levels_and_the_number_of_tests(project: Path, environment: dict[str, str], builder: str) -> None:
    write_tests(project, f"echo '{suite(case('x', 'no'), case('y'))}' >/out/junit.xml; echo 1 >/out/exit-code", exported=True)  # fmt: skip
    words = ("--builder", builder, "--fail-on", "tests=nothing")
    run = support.run(project, environment, *words, "--min-tests", "2")
    assert outcomes(run)[:2] == (0, "passed"), run.output
    assert run.record["stages"][0]["reason"] == "1 of 2 tests failed, which --fail-on tests=nothing lets pass"
    assert run.record["tests"]["totals"]["failed"] == len(run.record["tests"]["failed"]) == 1
    run = support.run(project, environment, *words, "--min-tests", "3")
    assert run.code == 5, run.output
    assert "expected at least 3 tests, found 2" in run.output


def write_lint(folder: Path, command: str, *, exported: bool = False) -> None:
    """A project whose lint stage runs a command in /src, where main.go is."""
    (folder / "main.go").write_text("package main\n\nfunc main() { fails() }\n")
    name = "golangci" if exported else "lint"
    collector = "FROM scratch AS lint\nCOPY --from=golangci /out /\n" if exported else ""
    (folder / "Dockerfile").write_text(
        f"FROM alpine AS {name}\nWORKDIR /src\nCOPY main.go .\nRUN mkdir /out\nRUN {command} # {folder.parent.name}\n{collector}"
    )


def sarif(level: str) -> str:
    place = {"artifactLocation": {"uri": "main.go"}, "region": {"startLine": 3}}
    result = {"ruleId": "G1", "level": level, "message": {"text": "bad"}, "locations": [{"physicalLocation": place}]}
    driver = {"driver": {"name": "checker"}}
    return json.dumps({"version": "2.1.0", "runs": [{"tool": driver, "results": [result]}]})


@pytest.mark.parametrize(
    ("level", "words", "code"),
    [
        ("warning", (), 0),
        ("warning", ("--fail-on", "lint=warnings"), 1),
        ("warning", ("--max-warnings", "0"), 1),
        ("error", (), 1),
        ("error", ("--fail-on", "nothing"), 0),
    ],
)
def test_findings_of_an_export(
    level: str, words: tuple[str, ...], code: int, project: Path, environment: dict[str, str], builder: str
) -> None:
    write_lint(project, f"echo '{sarif(level)}' >/out/lint.sarif", exported=True)
    run = support.run(project, environment, "--builder", builder, *words)
    assert run.code == code, run.output
    assert run.stage("lint")["findings_from"] == "export"
    [finding] = run.record["findings"]
    assert (finding["path"], finding["line"], finding["rule"], finding["severity"]) == ("main.go", 3, "G1", level)
    assert (run.folder / "results" / "lint" / "lint.sarif").is_file()


def test_findings_out_of_a_failed_step_and_a_baseline(project: Path, environment: dict[str, str], builder: str) -> None:
    write_lint(project, f"echo '{sarif('error')}' >lint.sarif; echo something is wrong; exit 1")
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 1, run.output
    assert (run.stage("lint")["findings_from"], run.stage("lint")["reason"]) == ("recovered", "1 finding")
    assert [finding["rule"] for finding in run.record["findings"]] == ["G1"]
    baseline = str(project.parent / "baseline.json")
    report = str(run.folder / "findings.sarif")
    support.command(["findings", report, "--write-baseline", baseline], environment, cwd=project, check=True)
    run = support.run(project, environment, "--builder", builder, "--baseline", baseline)
    assert run.code == 0, run.output
    assert run.stage("lint")["reason"] == "1 known finding, which the baseline lets pass"
    assert (run.record["findings"], run.record["known_findings"]) == ([], 1)


def test_a_finding_that_is_printed_twice_is_known_once(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    write_lint(project, f"echo '{LINT}'; echo '{LINT}'; exit 1")
    run = support.run(project, environment, "--builder", builder)
    assert run.stage("lint")["reason"] == "1 finding", run.output
    words = (str(run.folder / "findings.sarif"), "--write-baseline", "baseline.json")
    support.command(["findings", *words], environment, cwd=project, check=True)
    run = support.run(project, environment, "--builder", builder, "--baseline", "baseline.json")
    assert run.code == 0, run.output
    assert run.record["known_findings"] == 1


def test_a_linter_that_only_prints_is_heard_again_where_its_findings_decide(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    write_lint(project, f"echo '{LINT}'")
    for words, code, attempts in (((), 0, 1), ((), 0, 1), (("--fail-on", "lint=errors"), 1, 2)):
        run = support.run(project, environment, "--builder", builder, *words)
        assert outcomes(run)[::2] == (code, attempts), run.output
    assert run.stage("lint")["findings_from"] == "log"


def test_a_cached_linter_before_one_that_fails_is_heard_again(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    write_lint(project, "echo 'main.go:1:1: error: bad [x]'")
    with (project / "Dockerfile").open("a") as file:
        file.write("RUN echo 'main.go:3:5: warning: odd [y]'; exit 1\n")
    for attempts in (1, 2):  # the first one is red as it is
        run = support.run(project, environment, "--builder", builder, "--fail-on", "lint=errors")
        assert outcomes(run) == (1, "failed", attempts), run.output
        assert run.stage("lint")["reason"] == "2 findings, 1 of which counts"


def test_a_pattern_finds_what_no_reader_knows(project: Path, environment: dict[str, str], builder: str) -> None:
    # Without base64 no files can be had, which is nobody's trouble where the log tells all.
    write_lint(project, "rm $(which base64); echo 'main.go at line 3 is bad'; exit 1")
    pattern = r"mine=^(?P<path>\S+) at line (?P<line>\d+) (?P<message>.+)$"
    run = support.run(project, environment, "--builder", builder, "--lint-pattern", pattern)
    assert outcomes(run) == (1, "failed", 1), run.output
    [finding] = run.record["findings"]
    assert (finding["tool"], finding["path"], finding["line"]) == ("mine", "main.go", 3)
    assert run.stage("lint")["findings_from"] == "log"
    assert run.record["problems"] == []


def test_checks_of_the_dockerfile(project: Path, environment: dict[str, str], builder: str) -> None:
    (project / "Dockerfile").write_text("FROM alpine as lint\nRUN true\n")
    words = ("--builder", builder)
    assert support.run(project, environment, *words).code == 0
    run = support.run(project, environment, *words, "--fail-on", "checks=warnings")
    assert run.code == 1, run.output
    assert "1 warning in BuildKit's checks of the Dockerfile" in run.output
    assert run.stage("lint")["outcome"] == "passed"
