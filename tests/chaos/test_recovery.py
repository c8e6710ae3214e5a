"""Tests that hang, and everything that can go wrong while reports are taken out of a step, on the real engine.

Whatever breaks there: the tests have failed, the run says so with the exit code of that, and what broke is told beside it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.chaos import ground as grounds
from tests.chaos.ground import Ground, eventually, running
from tests.e2e.support import Run, Started

world, ground = grounds.world, grounds.ground

LINT = "FROM busybox AS lint\nRUN echo {now}; echo fine\n"
# Two tests of which one fails: in a file, and of one of them in the log.
TESTS = "printf 'TAP version 13\\n1..2\\nok 1 - a\\nnot ok 2 - b\\n' >/out/a.tap"
FAILS = LINT + f"FROM busybox AS test\nRUN mkdir /out; {TESTS}; echo {{now}}; exit 1\n"
LOGGED = "echo TAP version 13; echo 1..1; echo 'not ok 1 - logged'"


def failed(ground: Ground, run: Run, *, tests: int, source: str | None, told: str = "") -> None:
    """The tests failed, with so many in the report, and what went wrong with their reports is told and nothing more."""
    ground.fault(
        run, 1, *([told] if told else []), lost="nothing" if not told else "report files" if tests else "reports"
    )
    stage = run.stage("test")
    assert (stage["outcome"], stage["results_from"]) == ("failed", source)
    assert run.record["tests"]["totals"]["tests"] == tests
    assert run.stage("lint")["outcome"] == "passed"
    told_of = [problem["reason"] for problem in run.record["problems"]]
    assert len(told_of) == bool(told), told_of
    assert all(told in reason for reason in told_of)


def test_a_failed_run_gives_its_reports(ground: Ground) -> None:
    """What all the others are compared with."""
    ground.write(FAILS)
    failed(ground, ground.run(), tests=2, source="recovered")


def dash(ground: Ground) -> None:
    """This machine's dash with its libraries, for images: busybox' own shell has all its tools inside."""
    linked = subprocess.run(["ldd", "/bin/dash"], capture_output=True, text=True, check=True).stdout
    for file in ("/bin/dash", *re.findall(r"(/\S+) \(0x", linked)):
        copy = ground.project / "root" / ("bin/sh" if file == "/bin/dash" else file.strip("/"))
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)


DASH = LINT + "FROM busybox AS test\nCOPY root /\nRUN mkdir /out && echo {now}\n"


@pytest.mark.parametrize("tool", ["tar", "base64", "find"])
def test_the_image_lacks_a_tool(tool: str, ground: Ground) -> None:
    dash(ground)
    ground.write(DASH + f"RUN {TESTS}; {LOGGED}; rm $(command -v {tool}); exit 1\n")
    failed(ground, ground.run(), tests=1, source="log", told=f"the stage's image has no `{tool}`")


GO = """\
package a

import "testing"

func TestGood(t *testing.T) {}

func TestBad(t *testing.T) { t.Error("no") }
"""


def test_the_image_is_a_static_test_program_and_nothing_else(ground: Ground) -> None:
    """Neither a shell nor anything else to take files out with."""
    ground.write(
        LINT + "FROM scratch AS test\nCOPY a.test /\n"
        'ENV NOW={now}\nRUN ["/a.test", "-test.v", "-test.testlogfile=/out.txt"]\n',
        **{"go.mod": "module a\n\ngo 1.24\n", "a_test.go": GO},
    )
    environment = {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"}
    subprocess.run(["go", "test", "-c", "-o", "a.test", "."], cwd=ground.project, env=environment, check=True)
    run = ground.run(seconds=120)
    failed(ground, run, tests=2, source="log", told="the debugger could not run a shell in the step's file system")
    assert [case["name"] for case in run.record["tests"]["failed"]] == ["TestBad"]


def own_tar(ground: Ground, tar: str) -> None:
    """A project whose tests fail, and in whose image a `tar` comes before the others."""
    dash(ground)
    own = ground.project / "root" / "usr" / "local" / "sbin" / "tar"
    own.parent.mkdir(parents=True)
    own.write_text(f"#!/bin/sh\n{tar}\n")
    own.chmod(0o755)
    ground.write(DASH + f"ENV PATH=/usr/local/sbin:$PATH\nRUN {TESTS}; {LOGGED}; exit 1\n")


@pytest.mark.parametrize(
    ("tar", "tests", "told"),
    [
        pytest.param("/bin/tar $@ | head -c 530", 1, "cannot be unpacked", id="ends half way"),
        pytest.param("/bin/tar $@; exit 1", 2, "`tar` failed in the step", id="fails at last"),
        pytest.param("exit 2", 1, "`tar` failed in the step", id="sends nothing"),
        pytest.param("echo nonsense", 1, "cannot be unpacked", id="sends nonsense"),
        pytest.param("kill -9 $PPID", 1, "cannot be unpacked: it is no archive", id="is killed"),
    ],
)
def test_tar_fails(tar: str, tests: int, told: str, ground: Ground) -> None:
    own_tar(ground, tar)
    run = ground.run()
    failed(ground, run, tests=tests, source="recovered" if tests == 2 else "log", told=told)


def test_a_report_is_too_large(ground: Ground) -> None:
    """The others are taken, and it is told."""
    ground.write(FAILS.replace("exit 1", "truncate -s 100M /out/large.json; exit 1"))
    failed(ground, ground.run(), tests=2, source="recovered", told="left out: larger than 64 MiB")


# ci-buildkit with less patience than the minute that it has.
IMPATIENT = "from ci_buildkit.engine import recover; recover.QUIET_SECONDS = recover.BEGIN_SECONDS = 3; recover.LEAVE_TRIES = 1; from ci_buildkit.cli.main import main; import sys; sys.exit(main(sys.argv[1:]))"


def impatient(ground: Ground, *words: str) -> Run:
    """A run that waits for three seconds where others wait for a minute."""
    folder = ground.project.parent / "report"
    command = [sys.executable, "-c", IMPATIENT, "run", "--report-dir", str(folder), *ground.shared, *words]
    done = subprocess.run(
        command, cwd=ground.project, env=ground.environment, capture_output=True, text=True, timeout=120, check=False
    )
    return Run(done.returncode, done.stdout + done.stderr, folder)


@pytest.mark.parametrize("silent", ["sh", "tar"])
def test_nothing_comes(silent: str, ground: Ground) -> None:
    """From a `tar` that hangs, or a shell that never begins."""
    dash(ground)
    own = ground.project / "root" / "usr" / "local" / "sbin" / silent
    own.parent.mkdir(parents=True)
    own.write_text("#!/bin/dash\nexec /bin/sleep 1000\n")
    own.chmod(0o755)
    (ground.project / "root/bin/sh").rename(ground.project / "root/bin/dash")
    shell = "/usr/local/sbin/sh" if silent == "sh" else "/bin/dash"
    ground.write(
        LINT
        + 'FROM busybox AS test\nCOPY root /\nENV PATH=/usr/local/sbin:$PATH NOW={now}\nSHELL ["/bin/dash", "-c"]\n'
        f"RUN mkdir /out; {TESTS}; {LOGGED}; ln -sf {shell} /bin/sh; exit 1\n"
    )
    failed(ground, impatient(ground), tests=1, source="log", told="nothing came from the step's shell for 3 s")


def plugin(ground: Ground, text: str) -> dict[str, str]:
    """The environment in which buildx is a script, which calls the real one as `$real`."""
    folder = ground.project.parent / "docker"
    own = folder / "cli-plugins" / "docker-buildx"
    own.parent.mkdir(parents=True)
    real = Path(ground.environment["DOCKER_CONFIG"], "cli-plugins", "docker-buildx").resolve()
    own.write_text(f'#!/bin/sh\nreal={real}\n{text}\nexec $real "$@"\n')
    own.chmod(0o755)
    return {"DOCKER_CONFIG": str(folder)}


@pytest.mark.parametrize(
    ("text", "tests", "source", "told"),
    [
        pytest.param(
            'case "$1" in debug) echo \'ERROR: unknown command: "debug"\' >&2; exit 1;; esac', 1, "log",
            'buildx could not start its debugger: unknown command: "debug"', id="there is none",
        ),
        pytest.param(
            'case "$1" in debug) exec $real "$@" </dev/null >/dev/null;; esac', 1, "log",
            "debugger", id="it has no terminal",
        ),
    ],
)  # fmt: skip
def test_the_debugger_fails(text: str, tests: int, source: str, told: str, ground: Ground) -> None:
    ground.write(FAILS.replace("echo {now}", f"echo {{now}}; {LOGGED}"))
    failed(ground, ground.run(environment=plugin(ground, text)), tests=tests, source=source, told=told)


def test_buildx_is_killed_while_reports_are_taken_out(ground: Ground) -> None:
    own_tar(ground, "sleep 30")
    started = ground.start()
    taking(ground, started)
    [buildx] = eventually(lambda: running(started, "debug", "--target", "test"))
    buildx.kill()
    failed(ground, started.finish(60), tests=1, source="log", told="ended before all of the reports had arrived")


def test_interrupted_while_reports_are_taken_out(ground: Ground) -> None:
    own_tar(ground, "sleep 30")
    started = ground.start()
    taking(ground, started)
    started.interrupt(signal.SIGINT)
    run = started.finish(60)
    ground.fault(run, 130, lost="report files")
    assert run.record["tests"]["totals"]["failed"] == 1


def taking(ground: Ground, started: Started) -> None:
    """Wait until `tar` runs in the step."""
    top = ("top", ground.world.container, "-eo", "pid,args")
    assert eventually(lambda: "/usr/local/sbin/tar" in ground.world.docker(*top)), started.output


# Two tests are through when the third hangs, together with a process that ignores every signal.
HANGS = (
    LINT
    + f"FROM busybox AS test\nRUN mkdir /out; {TESTS}; echo {{now}}; {LOGGED}; echo asleep; (trap '' INT TERM; sleep 1000) & sleep 1000\n"
    "FROM busybox AS build\nRUN echo {now}; sleep 12; cp /bin/busybox /tool\nFROM scratch AS binaries\nCOPY --from=build /tool /\n"
)
TOOK = "took longer than 8s (--stage-timeout); until then "


def test_tests_hang(ground: Ground) -> None:
    """They are ended inside the builder, and their reports are taken out; the others go on. Nobody tries them again."""
    ground.write(HANGS)
    run = ground.run("--stage-timeout", "test=8s", "--test-retries", "2")
    failed(ground, run, tests=2, source="recovered")
    stage = run.stage("test")
    assert stage["reason"].startswith(f"{TOOK}2 tests ran, 1 of which failed; it was at [test 2/2] RUN ")
    assert (stage["attempts"], stage["seconds"] < 30) == (1, True)
    assert run.stage("binaries")["outcome"] == "passed"
    assert run.record["binaries"]


def test_tests_hang_where_no_step_can_be_ended(ground: Ground) -> None:
    """On a builder that is not in a container of docker's the build is ended; what the log has is in the report."""
    name = f"{ground.world.builder}-remote"
    ground.world.docker(
        "buildx", "create", "--name", name, "--driver", "remote", f"docker-container://{ground.world.container}"
    )
    try:
        ground.write(HANGS)
        run = ground.run("--builder", name, "--stage-timeout", "test=8s")
    finally:
        ground.world.docker("buildx", "rm", "--keep-daemon", "--keep-state", name)
    failed(ground, run, tests=1, source="log", told="nobody could end it inside the builder")
    assert run.stage("test")["reason"].startswith(f"{TOOK}1 test ran, 1 of which failed; it was at [test 2/2] RUN ")
    assert run.stage("binaries")["outcome"] == "passed"


@pytest.mark.parametrize(
    ("stage", "code", "outcome"), [("lint", 1, "failed"), ("binaries", 3, "error")], ids=["a linter", "a build"]
)
def test_something_else_hangs(stage: str, code: int, outcome: str, ground: Ground) -> None:
    hanging = "echo a.sh:1:1: warning: odd; sleep 1000"
    lint, build = (hanging, "cp /bin/busybox /tool") if stage == "lint" else ("echo a.sh:1:1: warning: odd", hanging)
    ground.write(
        f"FROM busybox AS lint\nRUN echo {{now}}; {lint}\nFROM busybox AS build\nRUN echo {{now}}; {build}\n"
        "FROM scratch AS binaries\nCOPY --from=build /tool /\n"
    )
    run = ground.run("--stage-timeout", "5s")
    ground.fault(
        run,
        code,
        f"{stage} {outcome} in",
        "took longer than 5s (--stage-timeout); it was at",
        lost="nothing" if code == 1 else "the stage",
    )
    assert run.stage(stage)["outcome"] == outcome
    assert [finding["path"] for finding in run.record["findings"]] == ["a.sh"]
    others = [one["outcome"] for one in run.record["stages"] if one["name"] != stage]
    assert others == ["passed"]
