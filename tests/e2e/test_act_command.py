"""`ci-buildkit act` with the real act on the real engine: what jobs and steps are said to have ended with, and what is left."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.e2e import action_support, support

from ci_buildkit.act import program
from ci_buildkit.engine.process import Cancellation

SECONDS = 240
MIXED = """
name: Mixed
on: [push, pull_request]
jobs:
  green:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Say
        run: echo "::error file=a.txt::not a failure"
      - name: Passed over
        run: exit 3
        continue-on-error: true
      - name: Not wanted
        if: false
        run: exit 1
      - name: Parts
        uses: ./parts
  red:
    runs-on: ubuntu-latest
    steps:
      - name: Fails
        run: |
          echo the reason
          exit 4
      - name: Later
        run: echo later
      - name: Always
        if: always()
        run: echo always
  after:
    needs: red
    runs-on: ubuntu-latest
    steps: [{run: echo}]
  windows:
    runs-on: windows-latest
    steps: [{run: echo}]
  never:
    if: github.event_name == 'release'
    runs-on: ubuntu-latest
    steps: [{run: echo}]
  many:
    strategy:
      matrix:
        os: [macos-latest, ubuntu-latest]
        number: [1, 2]
    runs-on: ${{ matrix.os }}
    steps:
      - name: Compare
        run: test ${{ matrix.number }} = 2
  caller:
    uses: ./.github/workflows/called.yml
    with: {number: 5}
  unreachable:
    if: always()
    needs: caller
    runs-on: ubuntu-latest
    steps: [{run: echo}]
"""
CALLED = """
on:
  workflow_call:
    inputs: {number: {type: number}}
jobs:
  first:
    name: The first
    runs-on: ubuntu-latest
    steps: [{name: Count, run: "test ${{ inputs.number }} = 5"}]
  deeper:
    strategy: {matrix: {side: [left, right]}}
    uses: ./.github/workflows/deep.yml
    with: {side: "${{ matrix.side }}"}
  unwanted:
    if: inputs.number == 6
    runs-on: ubuntu-latest
    steps: [{run: echo}]
"""
DEEP = """
on:
  workflow_call:
    inputs: {side: {type: string}}
jobs:
  last:
    runs-on: ubuntu-latest
    steps: [{name: Side, run: "test ${{ inputs.side }} = left"}]
"""
PARTS = """
name: Parts
description: Some steps
runs:
  using: composite
  steps:
    - name: Good
      shell: bash
      run: echo good
    - name: Skipped
      if: false
      shell: bash
      run: exit 1
    - name: Last
      shell: bash
      run: echo last
"""
SLOW = """
name: A workflow with a name that is longer than what Docker leaves act of names of containers
on: push
jobs:
  slow:
    runs-on: ubuntu-latest
    services:
      daemon:
        image: moby/buildkit:buildx-stable-1
        options: --privileged
    steps:
      - uses: actions/checkout@v4
      - run: |
          docker buildx create --name ci-buildkit-TOKEN --driver docker-container --bootstrap \\
            $(echo ",$CI_BUILDKIT_BUILDER_DRIVER_OPTS" | sed 's/,/ --driver-opt /g') --driver-opt image=$CI_BUILDKIT_BUILDER_IMAGE
      - run: echo asleep; sleep 200
      - if: always()
        run: sleep 100
"""


@dataclass(frozen=True)
class Done:
    """A finished command: its exit code, what it said, and the document that it printed."""

    code: int
    said: str
    document: dict[str, Any]

    @property
    def conclusions(self) -> dict[str, str]:
        """How each job ended, by its name."""
        return {job["name"]: job["conclusion"] for job in self.document["jobs"]}

    def job(self, name: str) -> dict[str, Any]:
        """The job of that name."""
        return next(job for job in self.document["jobs"] if job["name"] == name)

    def steps(self, name: str) -> dict[str, str]:
        """How each step of a job ended."""
        return {step["name"]: step["conclusion"] for step in self.job(name)["steps"]}

    @property
    def log(self) -> str:
        """All that act and the jobs said."""
        return Path(self.said.rpartition("log: ")[2].split("\n")[0]).read_text()


@pytest.fixture(scope="module")
def user(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a user who never ran act."""
    home = tmp_path_factory.mktemp("home")
    own = {"XDG_CACHE_HOME": str(home / "cache"), "XDG_CONFIG_HOME": str(home / "config"), "HOME": str(home)}
    return {**environment, **own}


def repository(folder: Path, files: Mapping[str, str], *, tag: str = "") -> Path:
    """A repository with these files, workflows by their names alone."""
    for name, text in files.items():
        path = folder / (name if "/" in name or not name.endswith(".yml") else f".github/workflows/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    action_support.git(folder, "init", "--quiet", "--initial-branch=main")
    action_support.git(folder, "remote", "add", "origin", "git@github.com:acme/thing.git")
    action_support.git(folder, "add", "--all")
    action_support.git(folder, "commit", "--quiet", "--message=Say something")
    if tag:
        action_support.git(folder, "tag", tag)
    return folder


def act(folder: Path, environment: Mapping[str, str], *words: str) -> Done:
    """Run the command in a repository."""
    done = support.command(["act", "--format=json", *words], environment, cwd=folder, seconds=SECONDS)
    return Done(done.returncode, done.stderr, json.loads(done.stdout) if done.stdout else {})


def left(environment: Mapping[str, str], *names: str) -> list[str]:
    """Containers, volumes and networks of act's jobs whose names have one of these parts."""
    found = []
    for kind in (
        ["ps", "--all", "--format", "{{.Names}}"],
        *([k, "ls", "--format", "{{.Name}}"] for k in ("volume", "network")),
    ):
        done = subprocess.run(["docker", *kind], env=dict(environment), capture_output=True, text=True, check=True)
        found += done.stdout.split()
    return [name for name in found if any(part in name for part in names)]


@pytest.fixture(scope="module")
def mixed(user: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Done:
    files = {"mixed.yml": MIXED, "called.yml": CALLED, "deep.yml": DEEP, "parts/action.yml": PARTS}
    done = act(repository(tmp_path_factory.mktemp("mixed"), files), user)
    assert left(user, "act-Mixed", "act-caller", "act-deeper") == []
    return done


def test_every_job_has_its_conclusion(mixed: Done) -> None:
    assert mixed.code == 1, mixed.said
    assert mixed.document["outcome"] == "failed"
    assert mixed.conclusions == {
        "green": "success",
        "red": "failure",
        "after": "skipped",
        "windows": "not-run",
        "never": "skipped",
        "many (ubuntu-latest, 1)": "failure",
        "many (ubuntu-latest, 2)": "success",
        "many (macos-latest, 1)": "not-run",
        "many (macos-latest, 2)": "not-run",
        "caller": "failure",
        "caller / The first": "success",
        "caller / deeper": "failure",
        "caller / deeper (left) / last": "success",
        "caller / deeper (right) / last": "failure",
        "caller / unwanted": "skipped",
        "unreachable": "not-run",
    }
    assert mixed.job("caller / deeper (left) / last")["id"] == "caller/deeper/last"
    assert {job["id"] for job in mixed.document["jobs"] if job["name"].startswith("many")} == {"many"}


def test_every_step_has_its_conclusion(mixed: Done) -> None:
    assert mixed.steps("green") == {
        "actions/checkout@v4": "success",
        "Say": "success",
        "Passed over": "success",
        "Not wanted": "skipped",
        "Parts": "success",
    }
    [parts] = [step for step in mixed.job("green")["steps"] if step["name"] == "Parts"]
    assert [(s["name"], s["conclusion"]) for s in parts["steps"]] == [
        ("Good", "success"),
        ("Skipped", "skipped"),
        ("Last", "success"),
    ]
    assert mixed.steps("red") == {"Fails": "failure", "Later": "skipped", "Always": "success"}
    assert 0 < mixed.job("red")["seconds"] < 120


def test_what_is_missing_and_what_failed_is_told(mixed: Done) -> None:
    assert "windows runs on windows-latest, for which there is no image" in mixed.said
    assert "many runs on macos-latest, for which there is no image" in mixed.said
    assert "failure  red: Fails" in mixed.said
    assert "\n  the reason\n" in mixed.said
    assert "[red] the reason" in mixed.log
    assert mixed.job("unreachable")["reason"] == "act never came to it"


def test_green(user: dict[str, str], tmp_path: Path) -> None:
    workflow = "on: push\njobs:\n  only:\n    runs-on: [ubuntu-latest]\n    steps: [{name: Do, run: pwd}]\n"
    folder = repository(tmp_path / "green", {"ci.yml": workflow})
    (folder / "below").mkdir()
    (folder / ".actrc").write_text("--dryrun\n--reuse\n--job other\n")
    done = act(folder / "below", user)
    assert done.code == 0, done.said
    assert done.document["outcome"] == "passed"
    assert done.conclusions == {"only": "success"}
    assert done.steps("only") == {"Do": "success"}
    assert done.document["artifacts"] == []
    shown = support.command(["act", "ci"], user, cwd=folder, seconds=SECONDS)
    assert re.search(
        r"^success +\S+ m?s +only\nsuccess +\S+ m?s +Do\n\npassed: 1 job, 1 succeeded$", shown.stdout, re.MULTILINE
    )


def test_on_a_terminal(user: dict[str, str], tmp_path: Path) -> None:
    workflow = (
        "on: push\njobs:\n  only:\n    runs-on: ubuntu-latest\n    steps: [{name: Wait, run: echo so far; sleep 2}]\n"
    )
    folder = repository(tmp_path / "r", {"ci.yml": workflow})
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    with subprocess.Popen(
        [sys.executable, "-m", "ci_buildkit", "act"], cwd=folder, env={**user, "TERM": "xterm"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while part := os.read(ours, 1 << 16):
                seen += part
        assert process.wait(SECONDS) == 0, seen
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode())
    assert re.search(r"only +Wait  so far +\d\.\d s", text), text
    assert re.search(r"only: Wait \(\d\.\d s\)", text), text


def test_nothing_that_ran_is_no_success(user: dict[str, str], tmp_path: Path) -> None:
    workflow = "on: push\njobs:\n  a:\n    if: false\n    runs-on: ubuntu-latest\n    steps: [{run: echo}]\n"
    done = act(repository(tmp_path, {"ci.yml": workflow}), user)
    assert (done.code, done.conclusions) == (1, {"a": "skipped"})
    assert "no job ran" in done.said


def test_a_workflow_that_is_wrong_is_told_in_acts_words(user: dict[str, str], tmp_path: Path) -> None:
    workflow = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    stps: []\n"
    folder = repository(tmp_path, {"ci.yml": workflow, "good.yml": "on: push\njobs: {}\n"})
    done = act(folder, user)
    assert done.code == 2, done.said
    assert "'ci.yml'" in done.said
    assert "Unknown Property stps" in done.said
    done = act(folder, user, "god")
    assert (done.code, "did you mean 'good'" in done.said) == (2, True), done.said


TELLING = """
name: Telling
on:
  push:
  pull_request:
  workflow_dispatch:
    inputs:
      where: {type: choice, options: [here, there], default: here}
      loud: {type: boolean, required: true}
jobs:
  tell:
    runs-on: ubuntu-latest
    steps:
      - run: |
          echo "told ref=$GITHUB_REF sha=$GITHUB_SHA repository=$GITHUB_REPOSITORY event=$GITHUB_EVENT_NAME"
          echo "told base=$GITHUB_BASE_REF head=$GITHUB_HEAD_REF workflow=$GITHUB_WORKFLOW job=$GITHUB_JOB"
          echo "told inputs=${{ toJSON(inputs.where) }},${{ toJSON(inputs.loud) }}"
          echo "told secret=$(printf %s "${{ secrets.KEY }}" | wc -c) variable=${{ vars.NAME }} token=${{ github.token }}."
          echo "told before=${{ github.event.before }} default=${{ github.event.repository.default_branch }}"
"""


def told(done: Done) -> dict[str, str]:
    assert done.code == 0, done.said
    words = [word for line in re.findall(r"\] told (.*)", done.log) for word in line.split()]
    return dict(word.split("=", 1) for word in words)


@pytest.fixture(scope="module")
def telling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return repository(tmp_path_factory.mktemp("telling"), {"telling.yml": TELLING}, tag="v1.2.3")


def revision(folder: Path) -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_push_and_a_pull_request(telling: Path, user: dict[str, str]) -> None:
    push = told(act(telling, {**user, "KEY": "canary-2718"}, "--secret", "KEY", "--var", "NAME=value"))
    assert push["ref"] == "refs/heads/main"
    assert push["sha"] == revision(telling)
    assert (push["repository"], push["event"]) == ("acme/thing", "push")
    assert (push["workflow"], push["job"]) == ("Telling", "tell")
    assert (push["secret"], push["variable"], push["token"]) == ("11", "value", ".")
    assert (push["before"], push["default"]) == ("0" * 40, "main")
    request = told(act(telling, user, "telling.yml", "--event", "pull_request"))
    assert (request["ref"], request["event"]) == ("refs/pull/1/merge", "pull_request")
    assert (request["base"], request["head"]) == ("main", "main")


def test_a_tag_and_a_dispatch(telling: Path, user: dict[str, str]) -> None:
    tag = told(act(telling, user, "Telling", "--event", "tag"))
    assert (tag["ref"], tag["event"]) == ("refs/tags/v1.2.3", "push")
    dispatch = told(act(telling, user, "--event", "workflow_dispatch", "--input", "loud=true"))
    assert dispatch["inputs"] == "here,true"
    refused = act(telling, user, "--event", "workflow_dispatch", "--input", "lod=true")
    assert (refused.code, "did you mean 'loud'" in refused.said) == (2, True)


def test_a_worktree_is_a_repository_in_jobs_too(telling: Path, user: dict[str, str], tmp_path: Path) -> None:
    action_support.git(telling, "worktree", "add", "--quiet", "-b", "beside", str(tmp_path / "beside"))
    workflow = """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: echo "told sha=$(git -c safe.directory='*' describe --tags) ref=$GITHUB_REF"
"""
    (tmp_path / "beside" / "one.yml").write_text(workflow)
    here = told(act(tmp_path / "beside", user, "one.yml"))
    assert here == {"sha": "v1.2.3", "ref": "refs/heads/beside"}
    (tmp_path / "nowhere").mkdir()
    assert act(tmp_path / "nowhere", user).code == 2


def test_secrets_stand_in_no_log(telling: Path, user: dict[str, str]) -> None:
    workflow = (
        'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo "it is ${{ secrets.KEY }}"\n'
    )
    folder = repository(telling.parent / "secret", {"ci.yml": workflow})
    done = act(folder, {**user, "KEY": "canary-2718"}, "--secret", "KEY", "--verbose")
    assert "it is ***" in done.log
    assert "canary-2718" not in done.log + done.said + json.dumps(done.document)
    assert act(folder, user, "--secret", "KEY").code == 2


UPLOADING = f"""
on: push
jobs:
  first:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir out; printf 12345 >out/five.txt
      - uses: {action_support.UPLOAD}
        with: {{name: numbers, path: out}}
  second:
    runs-on: ubuntu-latest
    steps:
      - uses: acme/unknown/part@v3
"""


def test_offline_with_an_action_that_is_not_there(user: dict[str, str], tmp_path: Path) -> None:
    done = act(repository(tmp_path, {"ci.yml": UPLOADING}), user, "--offline")
    assert done.code == 2, done.said
    assert "acme/unknown@v3" in done.said
    assert action_support.UPLOAD in done.said
    assert done.document == {}


def test_artifacts_are_listed_and_unpacked(user: dict[str, str], tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"ci.yml": UPLOADING})
    words = ["--offline", "--job", "first", "--use", f"{action_support.UPLOAD}={action_support.stand_in()}"]
    done = act(folder, user, *words, "--artifacts", str(tmp_path / "out"))
    assert done.code == 0, done.said + done.log
    [artifact] = done.document["artifacts"]
    assert artifact["name"] == "numbers"
    assert artifact["size"] == Path(artifact["path"]).stat().st_size > 0
    assert (tmp_path / "out" / "numbers" / "five.txt").read_text() == "12345"


def test_options_of_act_that_say_what_runs(user: dict[str, str], tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"ci.yml": UPLOADING.replace("ubuntu-latest", "special")})
    own = [
        f"--local-repository={action_support.UPLOAD}={action_support.stand_in()}",
        "--artifact-server-path",
        str(tmp_path / "s"),
    ]
    image = user["CI_BUILDKIT_RUNNER_IMAGE"]
    done = act(
        folder,
        user,
        "--",
        *own,
        "-j",
        "first",
        "-P",
        f"special={image}",
        "--action-offline-mode",
        "--pull=false",
        "--rm",
    )
    assert (done.code, done.conclusions) == (0, {"first": "success"}), done.said
    [artifact] = done.document["artifacts"]
    assert artifact["path"].startswith(str(tmp_path / "s"))


def test_two_at_once(user: dict[str, str], tmp_path: Path) -> None:
    workflow = (
        "name: Twins\non: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - run: sleep 5; echo ok\n"
    )
    folder = repository(tmp_path, {"ci.yml": workflow})
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: act(folder, user), range(2)))
    for done in both:
        assert (done.code, done.conclusions) == (0, {"one": "success"}), done.said + done.log
    assert left(user, "act-Twins") == []


DOCKERFILE = """
FROM alpine AS lint
RUN echo linted
FROM alpine AS test
RUN mkdir /out && echo '<testsuite name="s" tests="1"><testcase name="works"/></testsuite>' >/out/junit.xml
"""
TOOLKIT = f"""
name: Toolkit
on: push
jobs:
  pipeline:
    runs-on: ubuntu-latest
    steps:
      - uses: {action_support.CHECKOUT}
      - uses: org/ci-buildkit@v1
"""


def test_the_toolkit_itself_comes_from_its_own_checkout(user: dict[str, str], tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"ci.yml": TOOLKIT, "Dockerfile": DOCKERFILE})
    places = {
        action_support.UPLOAD: action_support.stand_in(),
        action_support.SCRIPT: support.ROOT / "lab" / "github-script",
    }
    uses = [word for name, place in places.items() for word in ("--use", f"{name}={place}")]
    done = act(folder, user, "--offline", *uses)
    assert done.code == 0, done.said + done.log
    assert f"org/ci-buildkit@v1 is this installation's own checkout, {support.ROOT}" in done.said
    [step] = [step for step in done.job("pipeline")["steps"] if step["name"] == "org/ci-buildkit@v1"]
    assert {inner["name"]: inner["conclusion"] for inner in step["steps"]}["Run the pipeline"] == "success"
    assert {one["name"] for one in done.document["artifacts"]} == {"ci-buildkit-report", "ci-buildkit-junit"}
    assert left(user, "act-Toolkit") == []


@pytest.fixture
def slow(user: dict[str, str], tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """A run in the middle of a step, with a service and a builder that the job made; the builder's name, and what it says."""
    builder = f"ci-buildkit-{uuid.uuid4().hex[:8]}"
    folder = repository(tmp_path / "slow", {"slow.yml": SLOW.replace("ci-buildkit-TOKEN", builder)})
    said = tmp_path / "said"
    with said.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "ci_buildkit", "act", "--verbose"], cwd=folder, env=user, stdout=out, stderr=out,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    end = time.monotonic() + 120
    while "] asleep" not in said.read_text():
        assert process.poll() is None, said.read_text()
        assert time.monotonic() < end, said.read_text()
        time.sleep(0.2)
    assert len(left(user, "act-A-workflow-with-a-name")) == 5  # two containers, two volumes, a network
    assert left(user, builder)
    yield process, builder, said
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGINT]])
def test_interrupted(
    numbers: list[signal.Signals], slow: tuple[subprocess.Popen[bytes], str, Path], user: dict[str, str]
) -> None:
    process, builder, said = slow
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    began = time.monotonic()
    for number in numbers:
        os.killpg(process.pid, number)
        time.sleep(0.5)
    assert process.wait(60) == 130, said.read_text()
    assert time.monotonic() - began < 40
    assert left(user, "act-A-workflow-with-a-name", builder) == []
    assert not any(child.is_running() for child in children)
    assert "error: interrupted" in said.read_text()


def test_what_a_killed_run_left_is_swept_by_the_next(
    slow: tuple[subprocess.Popen[bytes], str, Path], user: dict[str, str], tmp_path: Path
) -> None:
    process, builder, _ = slow
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert left(user, "act-A-workflow-with-a-name", builder)
    workflow = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: echo}]\n"
    assert act(repository(tmp_path / "next", {"ci.yml": workflow}), user).code == 0
    assert left(user, "act-A-workflow-with-a-name", builder) == []


def test_without_docker(user: dict[str, str], tmp_path: Path) -> None:
    folder = repository(tmp_path, {"ci.yml": TOOLKIT})
    done = act(folder, {**user, "DOCKER_HOST": f"unix://{tmp_path}/nothing.sock"})
    assert done.code == 4
    assert "act needs Docker: the Docker daemon does not answer" in done.said


def test_act_is_installed_where_there_is_none(user: dict[str, str], tmp_path: Path) -> None:
    environ = {**user, "XDG_CACHE_HOME": str(tmp_path)}
    made = program.install(environ, Cancellation())
    assert made == tmp_path / "ci-buildkit" / "act" / f"act-{program.VERSION}" / "bin" / "act"
    said = subprocess.run([made, "--version"], capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"act version {program.VERSION}"
    assert [path.name for path in made.parents[2].iterdir()] == [f"act-{program.VERSION}"]
