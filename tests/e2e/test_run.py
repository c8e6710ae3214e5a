"""What a run promises beyond building: judged results, stages that stay apart, gates, versions, repeatable archives."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
from tests.e2e import support
from tests.e2e.support import Run

GREEN = '<testsuite name="s" tests="1"><testcase classname="a" name="works"/></testsuite>'
RED = '<testsuite name="s" tests="1" failures="1"><testcase classname="a" name="breaks"><failure message="no"/></testcase></testsuite>'
LINT = "main.go:3:5: Error return value is not checked (errcheck)"


def results_project(folder: Path, script: str) -> None:
    """A project whose test stage runs a shell script that leaves its reports in /out."""
    (folder / "test.sh").write_text(f"mkdir -p /out\n{script}\n")
    (folder / "Dockerfile").write_text(
        "FROM alpine AS test\n"
        "RUN --mount=type=bind,target=/src --mount=type=cache,target=/count sh /src/test.sh\n"
        "FROM scratch AS test-results\nCOPY --from=test /out /\n"
    )


@pytest.mark.parametrize(
    ("script", "kind", "code"),
    [
        pytest.param(
            f"echo '{GREEN}' >/out/junit.xml; touch -d '2020-01-02 03:04' /out/junit.xml", "stale", 5, id="stale"
        ),
        pytest.param(": >/out/junit.xml; echo 0 >/out/exit-code", "empty", 5, id="no content"),
        pytest.param("echo '<testsuites/>' >/out/junit.xml", "empty", 5, id="no case"),
        pytest.param(f"echo '{GREEN[:60]}' >/out/junit.xml", "unreadable", 5, id="cut off"),
        pytest.param(f"echo '{GREEN}' >/out/junit.xml; echo many >/out/exit-code", "unreadable", 5, id="no exit code"),
        pytest.param("echo hello >/out/notes.txt", None, 5, id="no report"),
        pytest.param(f"echo '{GREEN}' >/out/junit.xml; echo 3 >/out/exit-code", None, 1, id="green but exit code 3"),
    ],
)
def test_never_falsely_green(
    script: str, kind: str | None, code: int, project: Path, environment: dict[str, str], builder: str
) -> None:
    results_project(project, script)
    run = support.run(project, environment, "--builder", builder)
    assert run.code == code, run.output
    assert run.record["exit_code"] == code
    stage = run.stage("test-results")
    assert stage["outcome"] == "failed"
    assert stage["reason"]
    assert stage["reason"] in run.output
    problems = {problem["kind"] for problem in run.record["problems"]}
    assert kind in problems if kind else not problems
    if code == 1:
        assert "exit code 3" in stage["reason"]
        assert run.record["tests"]["totals"]["passed"] == 1


def test_a_runner_without_job_summaries_changes_no_exit_code(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    results_project(project, f"echo '{RED}' >/out/junit.xml # no summary")
    run = support.run(project, {**environment, "GITHUB_ACTIONS": "true"}, "--builder", builder)
    assert run.code == 1, run.output
    assert "Failed: 1 of 1 test failed" in run.output


def test_a_cached_report_is_not_stale(project: Path, environment: dict[str, str], builder: str) -> None:
    results_project(project, f"echo '{GREEN}' >/out/junit.xml; echo 0 >/out/exit-code")
    for replayed in (False, True):
        run = support.run(project, environment, "--builder", builder)
        assert run.code == 0, run.output
        assert run.stage("test-results")["replayed"] == replayed
        assert run.stage("test-results")["attempts"] == 1
        time.sleep(1.1)  # so that the second run began after the report was written


@pytest.mark.parametrize(("then", "code"), [("true", 0), ("exit 1", 1)], ids=["green", "red"])
def test_a_report_of_a_cached_step_beside_one_that_runs_is_not_stale(
    then: str, code: int, project: Path, environment: dict[str, str], builder: str
) -> None:
    """Nobody can tell it from one that is left over, so that both steps run anew."""
    first = (
        f"FROM busybox AS test\nRUN : {code}; mkdir /out; printf 'TAP version 13\\n1..1\\nok 1 - a\\n' >/out/a.tap\n"
    )
    result = "not ok" if code else "ok"
    (project / "Dockerfile").write_text(
        f"{first}RUN --mount=type=bind,target=/src cat /src/input; "
        f"printf 'TAP version 13\\n1..1\\n{result} 1 - b\\n' >/out/b.tap; {then}\n"
        "FROM scratch AS test-results\nCOPY --from=test /out /\n"
    )
    for attempts in (1, 2):
        (project / "input").write_text(str(time.time_ns()))
        run = support.run(project, environment, "--builder", builder)
        assert run.code == code, run.output
        assert run.stage("test-results")["attempts"] == attempts
        assert run.record["tests"]["totals"]["tests"] == 2
        time.sleep(2)


def test_a_fixed_time_of_files_does_not_make_reports_stale(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    results_project(project, f"echo '{GREEN}' >/out/junit.xml; echo 0 >/out/exit-code # epoch")
    run = support.run(project, {**environment, "SOURCE_DATE_EPOCH": "1700000000"}, "--builder", builder)
    assert run.code == 0, run.output
    assert run.record["version"]["source_date_epoch"] == 1700000000


def test_a_cached_failure_is_not_replayed(project: Path, environment: dict[str, str], builder: str) -> None:
    # The third time that the script really runs it passes, though nothing that BuildKit looks at has changed.
    counted = "n=$(cat /count/flaky 2>/dev/null || echo 0); n=$((n + 1)); echo $n >/count/flaky; echo ran $n times"
    choice = (
        f"if [ $n -ge 3 ]; then echo '{GREEN}'; else echo '{RED}'; fi >/out/junit.xml; cp /count/flaky /out/ran.txt"
    )
    results_project(project, f"{counted}; {choice}")
    expected = [(1, 1, 1, "1"), (1, 2, 1, "2"), (0, 2, 0, "3")]
    for code, attempts, failed, ran in expected:
        run = support.run(project, environment, "--builder", builder)
        assert run.code == code, run.output
        assert run.stage("test-results")["attempts"] == attempts
        assert run.record["tests"]["totals"]["failed"] == failed
        assert (run.folder / "results" / "test-results" / "ran.txt").read_text().strip() == ran
        assert ('name="breaks"' in (run.folder / "junit.xml").read_text()) == bool(failed)


def test_a_stale_report_stays_stale_from_the_cache(project: Path, environment: dict[str, str], builder: str) -> None:
    results_project(project, f"echo '{GREEN}' >/out/junit.xml; touch -d '2020-01-02 03:04' /out/junit.xml # again")
    for attempts in (1, 2, 2):
        run = support.run(project, environment, "--builder", builder)
        assert run.code == 5, run.output
        assert [problem["kind"] for problem in run.record["problems"]] == ["stale"]
        assert run.stage("test-results")["attempts"] == attempts


def test_a_report_with_the_bytes_of_an_older_one_is_not_stale(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    for time_of_day in ("morning", "noon"):
        results_project(project, f"echo '{GREEN}' >/out/junit.xml # {time_of_day}")
        run = support.run(project, environment, "--builder", builder)
        assert run.code == 0, run.output
        assert not run.stage("test-results")["replayed"]
        time.sleep(1.1)


SHAPES = {
    "two collectors": "FROM scratch AS collect\nCOPY --from=test /out /\nFROM scratch AS test-results\nCOPY --from=collect / /\n",
    "another name of the test stage": "FROM test AS test-results\n",
    "no collector": "",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_results_are_judged_alike_however_they_are_gathered(
    shape: str, project: Path, environment: dict[str, str], builder: str
) -> None:
    (project / "Dockerfile").write_text(
        f"FROM alpine AS test\nRUN mkdir /out; echo '{GREEN}' >/out/junit.xml # {shape}\n{SHAPES[shape]}"
    )
    for replayed in (False, True):
        run = support.run(project, environment, "--builder", builder)
        assert run.code == 0, run.output
        [stage] = run.record["stages"]
        assert (stage["replayed"], stage["attempts"]) == (replayed, 1)
        time.sleep(1.1)
    (project / "Dockerfile").write_text(
        f"FROM alpine AS test\nRUN mkdir /out; echo '{GREEN}' >/out/junit.xml; exit 4 # {shape}\n{SHAPES[shape]}"
    )
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 1, run.output
    [stage] = run.record["stages"]
    assert stage["outcome"] == "failed"
    assert "its reports show no failure" in stage["reason"]
    assert "exit code 4" in stage["reason"]
    assert run.record["tests"]["totals"]["passed"] == 1


def test_a_build_that_breaks_before_the_tests_is_no_failed_test(
    project: Path, environment: dict[str, str], builder: str
) -> None:
    (project / "Dockerfile").write_text(
        "FROM alpine AS build\nRUN echo no compiler; exit 9\n"
        "FROM alpine AS test\nCOPY --from=build /bin/sh /tool\nRUN /tool -c true\n"
    )
    run = support.run(project, environment, "test", "--builder", builder)
    assert run.code == 3, run.output
    assert run.stage("test")["outcome"] == "error"
    assert "exit code 9" in run.stage("test")["reason"]


def test_mended_tests_are_green(project: Path, environment: dict[str, str], builder: str) -> None:
    results_project(project, f"echo '{RED}' >/out/junit.xml; echo 1 >/out/exit-code # to mend")
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 1, run.output
    results_project(project, f"echo '{GREEN}' >/out/junit.xml; echo 0 >/out/exit-code # mended")
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 0, run.output
    assert run.stage("test-results")["attempts"] == 1
    assert run.record["outcome"] == "passed"
    assert "breaks" not in (run.folder / "junit.xml").read_text()


def four_stages(folder: Path, *, lint: str = "true", binaries: str = "echo made >/out/tool", test: str = GREEN) -> None:
    """A project with every kind of stage; the commands of some can be chosen."""
    (folder / "Dockerfile").write_text(
        f"FROM alpine AS lint\nRUN {lint}\n"
        f"FROM alpine AS test\nRUN sleep 2; mkdir /out; echo '{test}' >/out/junit.xml\n"
        "FROM scratch AS test-results\nCOPY --from=test /out /\n"
        f"FROM alpine AS build\nRUN sleep 2; mkdir /out; {binaries}\n"
        "FROM scratch AS binaries\nCOPY --from=build /out /\n"
        'FROM alpine AS app\nCOPY Dockerfile /app/\nCMD ["cat", "/app/Dockerfile"]\n'
    )


def test_a_failure_never_stops_another_stage(project: Path, environment: dict[str, str], builder: str) -> None:
    four_stages(project, lint=f"echo '{LINT}'; exit 1")
    (project / "Dockerfile").write_text((project / "Dockerfile").read_text() + "RUN echo broken; exit 7\n")
    run = support.run(project, environment, "--builder", builder)
    assert run.code == 3, run.output  # a failed build is more fundamental than a finding
    outcomes = {stage["name"]: stage["outcome"] for stage in run.record["stages"]}
    assert outcomes == {"lint": "failed", "test-results": "passed", "binaries": "passed", "app": "error"}
    assert [finding["rule"] for finding in run.record["findings"]] == ["errcheck"]
    assert run.record["tests"]["totals"]["passed"] == 1
    assert (run.folder / "dist" / "checksums.txt").read_text()
    broken_at = max(run.stage(name)["started"] + run.stage(name)["seconds"] for name in ("lint", "app"))
    for name in ("test-results", "binaries"):
        assert run.stage(name)["started"] + run.stage(name)["seconds"] > broken_at
    assert "exit code 7" in run.stage("app")["reason"]
    assert "broken" in run.log("app")


def repository(lab: dict[str, str], name: str) -> tuple[str, str]:
    """A repository of the lab's registry that nothing was pushed to: its name and the image's."""
    fresh = f"e2e-{os.getpid()}/{name}"
    return fresh, f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{fresh}"


@pytest.mark.parametrize("broken", ["lint", "test"])
def test_push_waits_for_the_gates(
    broken: str, project: Path, environment: dict[str, str], builder: str, lab: dict[str, str]
) -> None:
    failing = {"lint": f"sleep 3; echo '{LINT}'; exit 1"} if broken == "lint" else {"test": RED}
    four_stages(project, **failing)
    name, image = repository(lab, f"gate-{broken}")
    words = ("--builder", builder, "--image", image, "--push")
    run = support.run(project, environment, *words)
    assert run.code == 1, run.output
    assert run.stage("app")["outcome"] == "passed"
    assert [pushed["pushed"] for pushed in run.record["images"]] == [False]
    assert support.tags(lab, name) == []
    four_stages(project)
    run = support.run(project, environment, *words)
    assert run.code == 0, run.output
    [pushed] = run.record["images"]
    assert pushed["pushed"]
    assert support.tags(lab, name) == pushed["tags"]
    assert support.manifest(lab, name, pushed["tags"][0])[1] == pushed["digest"]


def test_a_binary_for_another_machine_closes_the_gates(
    project: Path, environment: dict[str, str], builder: str, lab: dict[str, str]
) -> None:
    header = (
        r"\177ELF\002\001\001\000\000\000\000\000\000\000\000\000\002\000\267\000" + 44 * r"\000"
    )  # e_machine EM_AARCH64
    (project / "Dockerfile").write_text(
        f"FROM alpine AS build\nRUN mkdir /out && printf '{header}' >/out/tool\n"
        "FROM scratch AS binaries\nCOPY --from=build /out /\nFROM alpine AS app\nCMD true\n"
    )
    name, image = repository(lab, "wrong-binary")
    words = ("--builder", builder, "--image", image, "--push", "--platform", "linux/amd64")
    run = support.run(project, environment, *words)
    assert run.code == 5, run.output
    assert "dist/linux_amd64/tool: is built for arm64, not for amd64" in run.output
    assert support.tags(lab, name) == []


def test_nothing_is_pushed_unasked(
    project: Path, environment: dict[str, str], builder: str, lab: dict[str, str]
) -> None:
    four_stages(project)
    name, image = repository(lab, "unasked")
    run = support.run(project, environment, "app", "--builder", builder, "--image", image)
    assert run.code == 0, run.output
    assert [pushed["pushed"] for pushed in run.record["images"]] == [False]
    assert support.tags(lab, name) == []


def test_an_image_for_several_platforms(
    project: Path, environment: dict[str, str], builder: str, lab: dict[str, str]
) -> None:
    (project / "Dockerfile").write_text(
        "FROM alpine AS app\nRUN uname -m >/machine\nFROM app AS final\nARG VERSION\nRUN echo $VERSION >/version\n"
    )
    support.commit(project, "v4.5.6")
    name, image = repository(lab, "platforms")
    platforms = ("linux/amd64", "linux/arm64")
    words = ("--builder", builder, "--image", image, "--push", "--platform", ",".join(platforms))
    run = support.run(project, environment, *words)
    assert run.code == 0, run.output
    [record] = run.record["images"]
    assert (record["tags"], tuple(record["platforms"])) == (["v4.5.6"], platforms)
    index, digest = support.manifest(lab, name, "v4.5.6")
    assert record["digest"] == digest
    entries = {support.platform_of(entry): entry["digest"] for entry in index["manifests"]}
    assert set(platforms) <= set(entries)
    for platform, machine in zip(platforms, ("x86_64", "aarch64"), strict=True):
        files = support.image_files(lab, name, entries[platform])
        assert files["machine"] == f"{machine}\n".encode()
        assert files["version"] == b"v4.5.6\n"


def archives(run: Run) -> dict[str, bytes]:
    """The archives and what goes with them, byte by byte."""
    assert run.code == 0, run.output
    found = {path.name: path.read_bytes() for path in (run.folder / "dist").iterdir() if path.is_file()}
    assert any(name.endswith((".tar.gz", ".zip")) for name in found)
    return found


def test_two_runs_of_one_commit_give_the_same_archives(
    project: Path, environment: dict[str, str], builder: str, tmp_path: Path
) -> None:
    (project / "Dockerfile").write_text(
        "FROM --platform=$BUILDPLATFORM alpine AS build\nARG TARGETPLATFORM\nARG VERSION\n"
        "RUN mkdir -p /out/share && echo $VERSION $TARGETPLATFORM >/out/tool && chmod 755 /out/tool && echo >/out/share/x\n"
        "FROM scratch AS binaries\nCOPY --from=build /out /\n"
    )
    support.commit(project, "v1.0.0")
    words = ("--builder", builder, "--platform", "linux/amd64,linux/arm64,windows/amd64")
    first = support.run(project, environment, *words, report="first")
    own = {**environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}  # no archive of the first run
    second = support.run(project, own, *words, "--no-cache", report="second")
    assert not any(step["cached"] for step in second.steps("binaries") if "] RUN" in step["name"])
    assert archives(first) == archives(second)
    assert len([name for name in archives(first) if name.endswith((".tar.gz", ".zip"))]) == 3
    manifest = json.loads(archives(first)["manifest.json"])
    assert "v1.0.0" in json.dumps(manifest)


def test_two_builds_of_one_commit_of_a_go_program_give_the_same_archives(
    project: Path, environment: dict[str, str], builder: str, tmp_path: Path
) -> None:
    (project / "go.mod").write_text("module example.com/tool\n\ngo 1.25\n")
    (project / "main.go").write_text("package main\n\nvar version string\n\nfunc main() { println(version) }\n")
    (project / "Dockerfile").write_text(
        "FROM golang:1.26-alpine AS build\nWORKDIR /src\nARG VERSION\n"
        "RUN --mount=type=bind,target=. go build -trimpath -ldflags '-s -w -X main.version='$VERSION -o /out/tool .\n"
        "FROM scratch AS binaries\nCOPY --from=build /out /\n"
    )
    support.commit(project, "v1.2.3")
    first = support.run(project, environment, "--builder", builder, report="first")
    own = {**environment, "XDG_CACHE_HOME": str(tmp_path / "cache")}  # no archive of the first run
    second = support.run(project, own, "--builder", builder, "--no-cache", report="second")
    [built] = [step for step in second.steps("binaries") if "go build" in step["name"]]
    assert not built["cached"]
    assert archives(first) == archives(second)
    [binary] = second.record["binaries"]
    assert binary["format"] == "ELF"
    done = subprocess.run([second.folder / binary["path"]], capture_output=True, text=True, check=True, timeout=10)
    assert done.stderr == "v1.2.3\n"


def test_a_report_in_the_context_is_warned_of(project: Path, environment: dict[str, str], builder: str) -> None:
    four_stages(project)
    words = ("lint", "--builder", builder)
    inside = f"{project.name}/ci-report"
    run = support.run(project, environment, *words, report=inside)
    assert run.code == 0, run.output
    assert re.search(r"warning: \S*\.dockerignore: .*add the line ci-report/", run.output)
    (project / ".dockerignore").write_text("ci-report/\n")
    run = support.run(project, environment, *words, report=inside)
    assert run.code == 0, run.output
    assert "add the line" not in run.output


def test_a_stage_is_repeated_by_hand(project: Path, environment: dict[str, str], builder: str) -> None:
    four_stages(project, lint=f"echo '{LINT}'; exit 1")
    support.commit(project, "v7.7.7")
    run = support.run(project, environment, "--builder", builder, report=f"{project.name}/ci-report")
    assert run.code == 1, run.output

    def repeat(stage: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", "buildx", "bake", "--builder", builder, "--progress=plain", "-f", "ci-report/bake.json"]
        return subprocess.run(
            [*command, stage], cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    lint = repeat("lint")
    assert lint.returncode == 1
    assert LINT in lint.stderr
    for stage in ("test-results", "binaries", "app"):
        done = repeat(stage)
        assert done.returncode == 0, done.stderr
    assert (project / "bake-out" / "test-results" / "junit.xml").read_text().strip() == GREEN
    assert list((project / "bake-out" / "binaries").rglob("tool"))
