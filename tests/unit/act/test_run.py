"""`ci-buildkit act` around its programs: `act` says what act 0.2.89 writes, and `docker` what an engine says."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.repositories import git
from tests.unit.act.samples import one_step

from ci_buildkit.act import docker, leftovers, runs
from ci_buildkit.act.docker import Docker
from ci_buildkit.act.leftovers import Container
from ci_buildkit.act.runs import Run
from ci_buildkit.cli.main import main
from ci_buildkit.engine.builder import CONTAINER_PREFIX, PREFIX
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.owner import Owner
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import EngineError

CI = "name: CI\non: push\njobs:\n  a: {runs-on: ubuntu-latest, steps: [{run: x}]}\n"
# The token of the run stands in the workflows that act is given, and behind the name of each job.
ACT = """#!/bin/sh
case "$1" in
  --version) echo "act version 0.2.89"; exit;;
  --validate) ! grep -q broken "$3" || { echo "Error: workflow is not valid" >&2; exit 1; }; exit;;
esac
for word; do
  case "$before" in --workflows) folder=$word;; --artifact-server-path) server=$word;; esac
  before=$word
done
token=$(grep -rhoE 'act[0-9a-f]{8}' "$folder" | head -n 1)
"""
ENGINE = """case "$1 $2" in
  "version "*) echo "amd64 Docker Engine - Community";;
  "context "*) echo "unix:///var/run/docker.sock";;
  "network inspect") echo "127.0.0.1 ";;
  "image inspect") echo "sha256:0";;
esac"""


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Put a shell script on PATH by a name; returns the file of docker's calls."""
    folder = tmp_path / "bin"
    folder.mkdir()
    calls = tmp_path / "calls"
    calls.touch()

    def put(name: str, body: str) -> Path:
        head = f"#!/bin/sh\nprintf '%s\\n' \"$*\" >>'{calls}'\n" if name == "docker" else ""
        (folder / name).write_text(head + body + "\n", encoding="utf-8")
        (folder / name).chmod(0o755)
        return calls

    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return put


@pytest.fixture
def repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scripts: Callable[[str, str], Path]
) -> Callable[..., Path]:
    """A repository with one workflow, and an act whose one job ends so; returns the file of docker's calls."""

    def make(result: str = "success", *, then: str = "", workflow: str = CI) -> Path:
        top = tmp_path / "repository"
        (top / ".github" / "workflows").mkdir(parents=True)
        (top / ".github" / "workflows" / "ci.yml").write_text(workflow, encoding="utf-8")
        for words in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "-m", "one"]):
            git(top, *words, date="2026-01-01T00:00:00Z")
        monkeypatch.chdir(top)
        said = tmp_path / "said"
        said.write_bytes(b"".join(text + b"\n" for text in one_step("CI/a act0.0", result)) if result else b"")
        end = "0" if result == "success" else "1"
        scripts("act", f"{ACT}{then}\nsed \"s/act0/$token/\" '{said}'\nexit {end}")
        return scripts("docker", ENGINE)

    return make


def test_a_run_that_passed(repository: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    repository()
    assert main(["act", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["outcome"], [job["conclusion"] for job in found["jobs"]]) == ("passed", ["success"])
    log = Path(err.splitlines()[-1].removeprefix("log: "))
    assert "hello" in log.read_text()


def test_a_failed_job_is_exit_code_1_and_its_lines_are_shown(
    repository: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    repository("failure")
    assert main(["act"]) == 1
    out, err = capsys.readouterr()
    assert "failed: 1 job, 1 failed" in out
    assert "exitcode '1': failure" in err


def test_what_jobs_upload_is_unpacked(repository: Callable[..., Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as archive:
        archive.writestr("junit.xml", "<testsuite/>")
    repository(then=f'mkdir -p "$server/1/report"; cp "{tmp_path}/made.zip" "$server/1/report/report.zip"')
    assert main(["act", "--artifacts", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "report" / "junit.xml").read_text() == "<testsuite/>"


def test_an_upload_that_is_no_archive_is_told(
    repository: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository(then='mkdir -p "$server/1/report"; echo no >"$server/1/report/report.zip"')
    assert main(["act", "--artifacts", str(tmp_path / "out")]) == 5
    assert "the artifact report cannot be unpacked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "code", "told"),
    [
        ("echo 'Error: unknown flag: --jsn' >&2; exit 1", 2, "act does not take its options"),
        ("echo 'Error: no such file' >&2; exit 1", 4, "act broke before any job began"),
    ],
)
def test_an_act_that_breaks_before_any_job_is_no_failed_job(
    repository: Callable[..., Path], capsys: pytest.CaptureFixture[str], said: str, code: int, told: str
) -> None:
    repository("", then=said)
    assert main(["act"]) == code
    assert told in capsys.readouterr().err


def test_a_workflow_that_act_refuses_is_told_in_its_words(
    repository: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    repository(workflow=f"# broken\n{CI}")
    assert main(["act"]) == 2
    assert "workflow is not valid" in capsys.readouterr().err


def test_a_folder_without_a_repository_is_told(
    scripts: Callable[[str, str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scripts("act", ACT)
    scripts("docker", ENGINE)
    monkeypatch.chdir(tmp_path)
    assert main(["act"]) == 2
    assert "is in no Git repository" in capsys.readouterr().err


def test_offline_an_image_that_is_missing_is_named_and_not_pulled(
    repository: Callable[..., Path], scripts: Callable[[str, str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    repository()
    calls = scripts("docker", ENGINE.replace('echo "sha256:0"', "echo 'No such image' >&2; exit 1"))
    assert main(["act", "--offline", "--image", "runner:1"]) == 4
    assert "the image runner:1 is not there" in capsys.readouterr().err
    assert main(["act", "--image", "runner:1"]) == 0
    assert [call for call in calls.read_text().splitlines() if call.startswith("pull ")] == ["pull runner:1"]


def test_an_image_that_cannot_be_pulled_is_told_with_the_next_step(scripts: Callable[[str, str], Path]) -> None:
    scripts("docker", "echo 'manifest unknown' >&2; exit 1")
    said: list[str] = []
    with pytest.raises(EngineError, match="the image x:1 cannot be pulled: manifest unknown") as raised:
        docker.pull(Buildx(os.environ), "x:1", Cancellation(), said.append)
    assert "--image" in raised.value.hint
    assert said == ["manifest unknown"]


@pytest.mark.parametrize(
    ("product", "host", "found"),
    [
        ("Docker Engine", "unix:///run/docker.sock", Docker("unix:///run/docker.sock", "unix:///run/docker.sock", "127.0.0.1", "arm64")),
        ("Docker Desktop 4", "unix:///home/runner/d.sock", Docker("unix:///home/runner/d.sock", docker.DESKTOP_SOCKET, "", "arm64")),
        ("Docker Engine", "ssh://build@farm", Docker("ssh://build@farm", "", "", "arm64")),
    ],
)  # fmt: skip
def test_where_docker_listens_and_which_address_its_containers_reach(
    scripts: Callable[[str, str], Path], product: str, host: str, found: Docker
) -> None:
    body = ENGINE.replace("amd64 Docker Engine - Community", f"arm64 {product}").replace(
        "unix:///var/run/docker.sock", host
    )
    scripts("docker", body)
    assert docker.look(Buildx(os.environ)) == found


def test_without_docker_act_cannot_run(scripts: Callable[[str, str], Path]) -> None:
    scripts("docker", "echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1")
    with pytest.raises(EngineError, match="act needs Docker"):
        docker.look(Buildx(os.environ))


JOB = Container("CI/a act0.0", "a", ("db",))


def test_all_that_a_job_left_is_removed_and_nothing_else(scripts: Callable[[str, str], Path]) -> None:
    mine = [JOB.name, *JOB.service_names, "theirs"]
    builder = f"{CONTAINER_PREFIX}{PREFIX}1"
    calls = scripts(
        "docker",
        f"""case "$*" in
  *"volume={JOB.volumes[1]}") echo step;;
  "ps --all --quiet"*) echo id1 id2;;
  "inspect "*id1) echo "/{builder} A=b CI_BUILDKIT_ACT=act0";;
  "inspect "*id2) echo "/other CI_BUILDKIT_ACT=act9";;
  "ps "*) echo {" ".join(mine)} step;;
  "volume ls"*) echo {" ".join(JOB.volumes)} other;;
  "network ls"*) echo {JOB.network} bridge;;
esac""",
    )
    removed = leftovers.remove(leftovers.Docker(Buildx(os.environ)), [JOB], "act0")
    assert set(removed) == {*mine[:-1], "step", *JOB.volumes, JOB.network, builder}
    words = [call for call in calls.read_text().splitlines() if " rm " in f" {call}"]
    assert not any("theirs" in call or "bridge" in call or call.endswith("other") for call in words)
    assert f"volume rm --force {builder}_state" in words


def test_where_docker_is_gone_cleaning_up_ends_all_the_same(scripts: Callable[[str, str], Path]) -> None:
    scripts("docker", "exit 1")
    assert leftovers.remove(leftovers.Docker(Buildx(os.environ)), [JOB], "act0") == []


def test_what_killed_runs_left_is_removed_and_old_folders_go(
    scripts: Callable[[str, str], Path], tmp_path: Path
) -> None:
    calls = scripts("docker", f'case "$*" in "ps --all --format"*) echo {JOB.name};; esac')
    home = tmp_path / "runs"
    for number in range(runs.KEPT + 3):
        folder = home / f"2026010{number // 10}-00000{number % 10}-act{number}"
        folder.mkdir(parents=True)
        dead = str(Owner.here()) if number == 1 else str(Owner.here()).replace(str(os.getpid()), "999999999")
        (folder / runs.OWNER).write_text(dead)
        if number in {0, 1}:
            Run(folder, "act").note(JOB)
    runs.sweep(home, leftovers.Docker(Buildx(os.environ)))
    assert min(path.name for path in home.iterdir()).endswith("-act1"), "one that lives stays"
    assert len(list(home.iterdir())) == runs.KEPT + 1
    assert sum(call.startswith("rm ") for call in calls.read_text().splitlines()) == 1


def test_uploads_are_archives_or_the_files_of_an_old_upload(tmp_path: Path) -> None:
    (tmp_path / "1" / "new").mkdir(parents=True)
    (tmp_path / "1" / "new" / "new.zip").write_bytes(b"12345")
    (tmp_path / "1" / "old" / "deep").mkdir(parents=True)
    (tmp_path / "1" / "old" / "deep" / "x").write_bytes(b"123")
    found = runs.artifacts(tmp_path)
    assert [(one.name, one.size) for one in found] == [("new", 5), ("old", 3)]
    runs.unpack(found[1], tmp_path / "out")
    assert (tmp_path / "out" / "deep" / "x").read_bytes() == b"123"
    assert runs.artifacts(tmp_path / "nowhere") == ()
