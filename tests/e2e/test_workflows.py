"""The reusable workflows under act: green on a project, and red for the right reason, with nothing pushed or released.

act ends its whole plan when a job of a called workflow fails, so a verdict after a red job does not run there. Then its
step is run on the artifacts that the jobs left.
"""

from __future__ import annotations

import http.server
import io
import json
import os
import secrets
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import github_server
from tests.e2e import action_support, small_project, support
from tests.e2e import workflow_support as workflows

TOKEN = "github-token-of-a-test"
HEAD = "c" * 40
PLATFORMS = "linux/amd64,linux/arm64"


@dataclass(frozen=True)
class Bench:
    """act with the workflows, a warm builder, and the lab's registry."""

    act: workflows.Workflows
    builder: str
    lab: Mapping[str, str]
    work: Path

    def image(self) -> tuple[str, str]:
        """The name of an image that nobody has pushed, without and with its registry."""
        name = f"e2e-{os.getpid()}/workflows-{secrets.token_hex(4)}"
        return name, f"{self.lab['CI_BUILDKIT_LAB_REGISTRY']}/{name}"

    def arm(self) -> list[str]:
        """An image for the runner that GitHub has for arm64."""
        image = self.lab.get("CI_BUILDKIT_RUNNER_IMAGE", "catthehacker/ubuntu:act-latest")
        return ["--platform", f"ubuntu-24.04-arm={image}"]


@pytest.fixture(scope="module")
def bench(lab: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    work = tmp_path_factory.mktemp("workflows")
    act = action_support.Act(lab, action_support.export_checkout(work / "action"), action_support.stand_in(), work)
    builder = f"workflows-{os.getpid()}-{secrets.token_hex(3)}"
    yield Bench(workflows.Workflows(act, workflows.stand_in("download-artifact")), builder, lab, work)
    action_support.remove_builder(builder, lab)


def unpacked(run: action_support.ActRun, folder: Path) -> Path:
    """A run's artifacts as actions/download-artifact puts them: each in a folder of its own name."""
    for name, archive in run.artifacts().items():
        archive.extractall(folder / name)
    return folder


def step(script: str, folder: Path, **environ: str) -> tuple[int, dict[str, Any], str]:
    """Run a script of an action; its exit code, outputs and what it printed."""
    output = folder / "output"
    output.write_text("")
    own = {
        "PYTHONPATH": f"{support.ROOT / 'src'}:{support.ROOT}", "GITHUB_OUTPUT": str(output), "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "octo/hello", "GITHUB_STEP_SUMMARY": "",
    }  # fmt: skip
    command = [sys.executable, "-P", "-s", str(support.ROOT / "action" / f"{script}.py")]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **own, **environ}, capture_output=True, text=True, check=False
    )
    found, lines = {}, iter(output.read_text().splitlines())
    for line in lines:
        name, mark = line.split("<<")
        found[name] = "\n".join(iter(lines.__next__, mark))
    return done.returncode, found, done.stdout + done.stderr


class TestPipeline:
    def test_green_with_secrets_and_typed_inputs(self, bench: Bench) -> None:
        wants = "RUN --mount=type=secret,id=name --mount=type=bind,target=. [ $(cat /run/secrets/name) = Ada ] && "
        files = {
            **small_project.FILES,
            "Dockerfile": small_project.DOCKERFILE.replace("RUN --mount=type=bind,target=. sh", f"{wants} sh"),
            "ci-buildkit.yml": "oci-layout: false\n",  # which the input, at its default, leaves as it is
        }
        inputs = {"builder": bench.builder, "platform": "linux/amd64", "secret": "id=name,env=NAME", "min-tests": 2}
        caller = workflows.called("pipeline", inputs, {"secret-env": "OTHER<<X\n1\n2\nX\nNAME=Ada"})
        run = bench.act.run(workflows.repository(bench.work / "green", caller, files, tag="v1.2.3"))
        assert (run.code, run.job_results) == (0, {"pipeline": "success", "tell": "success"}), run.text + run.stderr
        told = run.outputs
        assert (told["outcome"], told["exit-code"], told["version"]) == ("passed", "0", "v1.2.3")
        assert told["verdict"] == "The pipeline passed: lint, test, binaries, app."
        assert (told["projects"], told["jobs"]) == ("", "")
        assert json.loads(told["images"])[0]["layout"] is None
        assert set(run.artifacts()) == {"ci-buildkit-report", "ci-buildkit-binaries", "ci-buildkit-junit"}

    def test_a_finding_makes_it_red_and_leaves_the_report(self, bench: Bench) -> None:
        caller = workflows.called("pipeline", {"builder": bench.builder, "platform": "linux/amd64"})
        run = bench.act.run(workflows.repository(bench.work / "untidy", caller, small_project.UNTIDY))
        assert (run.code, run.job_results) == (1, {"pipeline": "failure"}), run.text + run.stderr
        assert "a TODO is left" in [one["arg"] for one in run.commands("error")]
        record = json.loads(run.artifacts()["ci-buildkit-report"].read("run.json"))
        assert (record["exit_code"], record["findings"][0]["path"]) == (1, "greet.sh")


class TestProjects:
    @pytest.fixture
    def monorepo(self, bench: Bench, tmp_path: Path) -> tuple[Path, str, str]:
        """Three projects in one commit; the repository, that commit and the calling workflow."""
        inputs = {
            "builder": bench.builder, "platform": "linux/amd64", "projects": "services/*", "ignored-paths": "**/*.md",
        }  # fmt: skip
        caller = workflows.called("pipeline", inputs)
        files: dict[str, str] = {}
        for name in ("a", "b", "c"):
            files |= small_project.below(f"services/{name}", small_project.FILES)
        repository = workflows.repository(bench.work / f"monorepo-{secrets.token_hex(3)}", caller, files)
        return repository, support.git(repository, "rev-parse", "HEAD"), caller

    def test_those_that_changed_run_and_one_red_one_makes_all_red(
        self, bench: Bench, monorepo: tuple[Path, str, str], tmp_path: Path
    ) -> None:
        repository, before, caller = monorepo
        changes = {"services/a/greet.sh": small_project.BROKEN["greet.sh"], "services/b/x": "1"}
        workflows.repository(repository, caller, changes)
        run = bench.act.run(repository, payload={"before": before, "ref": "refs/heads/main"})
        assert run.code == 1, run.text + run.stderr
        assert run.job_results["plan"] == "success"
        assert {name.removesuffix("-report") for name in run.artifacts() if name.endswith("report")} == {
            "ci-buildkit-services-a", "ci-buildkit-services-b",
        }  # fmt: skip
        # act knows one result for all jobs of a matrix, the last one's; and here it is the green one's.
        code, told, _ = step(
            "verdict", tmp_path, STEP_ARTIFACT_NAME="ci-buildkit", STEP_REPORTS=str(unpacked(run, tmp_path / "reports")),
            STEP_NEEDS=json.dumps({"plan": {"result": "success"}, "pipeline": {"result": "success"}}),
            STEP_JOBS=json.dumps({"include": [{"name": "services-a"}, {"name": "services-b"}]}),
        )  # fmt: skip
        assert (code, told["outcome"]) == (1, "failed")
        assert "services-a failed (2 of 2 tests failed)" in told["verdict"]
        assert {one["name"]: one["outcome"] for one in json.loads(told["jobs"])} == {
            "services-a": "failed", "services-b": "passed",
        }  # fmt: skip

    def test_one_that_changed_is_green(self, bench: Bench, monorepo: tuple[Path, str, str]) -> None:
        repository, before, caller = monorepo
        workflows.repository(repository, caller, {"services/c/x": "1", "README.md": "# Read me"})
        run = bench.act.run(repository, payload={"before": before, "ref": "refs/heads/main"})
        assert run.job_results == dict.fromkeys(("plan", "pipeline", "verdict", "tell"), "success"), (
            run.text + run.stderr
        )
        told = run.outputs
        assert (told["outcome"], told["exit-code"]) == ("passed", "0")
        assert told["verdict"] == "The pipeline passed: services-c."
        assert [one["changed"] for one in json.loads(told["projects"])] == [False, False, True]
        assert told["digest"] == ""

    def test_none_that_changed_is_green_and_says_so(self, bench: Bench, monorepo: tuple[Path, str, str]) -> None:
        repository, before, caller = monorepo
        workflows.repository(repository, caller, {"README.md": "# Read me"})
        run = bench.act.run(repository, payload={"before": before, "ref": "refs/heads/main"})
        assert run.job_results == dict.fromkeys(("plan", "verdict", "tell"), "success"), run.text + run.stderr
        assert run.outputs["verdict"].startswith("No project changed, so nothing is built: compared with")
        assert run.artifacts() == {}


class TestDistributed:
    def test_images_and_archives_of_all_runners_are_put_together(self, bench: Bench) -> None:
        name, image = bench.image()
        inputs = {"platform": PLATFORMS, "image": image, "push": True, "immutable-tags": True}
        caller = workflows.called("distributed", inputs)
        repository = workflows.repository(bench.work / "distributed", caller, small_project.FILES, tag="v1.2.3")
        run = bench.act.run(repository, words=bench.arm())
        assert run.job_results == dict.fromkeys(("plan", "leg", "verdict", "tell"), "success"), run.text + run.stderr
        told = run.outputs
        assert [(one["name"], one["stage"]) for one in json.loads(told["matrix"])["include"]] == [
            ("native", "lint,test"), ("linux-amd64", "binaries,app"), ("linux-arm64", "binaries,app"),
        ]  # fmt: skip
        assert (told["outcome"], json.loads(told["tests"])["tests"], told["version"]) == ("passed", 2, "v1.2.3")
        assert support.tags(bench.lab, name) == ["v1.2.3"]
        index, digest = support.manifest(bench.lab, name, "v1.2.3")
        assert told["digest"] == digest
        assert {support.platform_of(one) for one in index["manifests"]} >= set(PLATFORMS.split(","))
        binaries = run.artifacts()["ci-buildkit-binaries"]
        sums = binaries.read("checksums.txt").decode()
        assert [line.split("  ")[1] for line in sums.splitlines()] == [
            "hello_1.2.3_linux_amd64.tar.gz", "hello_1.2.3_linux_arm64.tar.gz",
        ]  # fmt: skip
        assert set(sums.split()[1::2]) < set(binaries.namelist())
        record = json.loads(run.artifacts()["ci-buildkit-report"].read("run.json"))
        assert [(one["tags"], one["pushed"]) for one in record["images"]] == [(["v1.2.3"], True)]

    def test_one_red_runner_keeps_the_tags_from_moving(self, bench: Bench, tmp_path: Path) -> None:
        name, image = bench.image()
        caller = workflows.called("distributed", {"platform": PLATFORMS, "image": image, "push": True})
        repository = workflows.repository(bench.work / "broken", caller, small_project.BROKEN, tag="v1.2.3")
        run = bench.act.run(repository, words=bench.arm())
        assert run.code == 1, run.text + run.stderr
        assert run.job_results["plan"] == "success"
        legs = ("native", "linux-amd64", "linux-arm64")
        assert {f"ci-buildkit-leg-{leg}-report" for leg in legs} <= set(run.artifacts())
        downloads = unpacked(run, tmp_path / "legs")
        common = {
            **bench.lab, "STEP_ARTIFACT_NAME": "ci-buildkit-leg", "STEP_REPORTS": str(downloads), "STEP_PUSH": "true",
            "STEP_JOBS": json.dumps({"include": [{"name": leg} for leg in legs]}),
            "STEP_OPTIONS": json.dumps({"push": True, "report-dir": str(tmp_path / "whole")}),
        }  # fmt: skip
        results = {"plan": {"result": "success"}, "leg": {"result": "failure"}}
        code, told, printed = step("join", tmp_path, **common, STEP_NEEDS=json.dumps(results))
        assert (code, told["outcome"], told["exit-code"], told["tests-failed"]) == (0, "failed", "1", "2"), printed
        assert support.tags(bench.lab, name) == []
        assert (tmp_path / "whole" / "dist" / "checksums.txt").is_file(), "nothing is lost"
        # The same without the red one: it is missing, so there are no tags either.
        (downloads / "ci-buildkit-leg-native-report" / "run.json").unlink()
        results["leg"] = {"result": "success"}
        _, told, printed = step("join", tmp_path, **common, STEP_NEEDS=json.dumps(results))
        assert (told["outcome"], told["exit-code"]) == ("error", "5"), printed
        assert support.tags(bench.lab, name) == []


@contextmanager
def serving_artifact(content: bytes) -> Iterator[github_server.GitHub]:
    """A GitHub that has the artifact of run 9 and the pull request that it belongs to."""

    class Blob(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    storage = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blob)
    thread = threading.Thread(target=storage.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        with github_server.serving() as github:
            github.token = TOKEN
            entry = {"id": 1, "name": "ci-buildkit-report", "size_in_bytes": len(content), "digest": None}
            github.artifacts.append({**entry, "created_at": "2026-01-01T00:00:00Z"})
            where = f"http://127.0.0.1:{storage.server_port}/report.zip"
            github.fault("GET", "/actions/artifacts/1/zip", 302, headers={"Location": where}, times=9)
            sides = {"head": {"sha": HEAD, "ref": "topic"}, "base": {"sha": "d" * 40, "ref": "main"}}
            github.pulls.append({"number": 7, "url": f"{github.url}/repos/octo/hello/pulls/7", **sides})
            yield github
    finally:
        storage.shutdown()
        thread.join()
        storage.server_close()


def words_of(github: github_server.GitHub) -> list[str]:
    """What makes act's jobs talk to a GitHub of our own."""
    return ["--env", f"GITHUB_API_URL={github.url}", "--secret", f"GITHUB_TOKEN={TOKEN}"]


class TestRelease:
    INPUTS = {"platform": PLATFORMS, "attest": False}  # noqa: RUF012

    def release(
        self, bench: Bench, name: str, image: str, files: Mapping[str, str], payload: Mapping[str, str]
    ) -> tuple[action_support.ActRun, github_server.GitHub]:
        with github_server.serving() as github:
            github.token = TOKEN
            caller = workflows.called("release", {**self.INPUTS, "builder": bench.builder, "image": image})
            repository = workflows.repository(bench.work / name, caller, files, tag="v1.2.3")
            github.releases.tags["v1.2.3"] = support.git(repository, "rev-parse", "HEAD")
            return bench.act.run(repository, payload=payload, words=words_of(github)), github

    def test_a_tag_is_released_with_images_and_archives(self, bench: Bench) -> None:
        name, image = bench.image()
        run, github = self.release(bench, "release", image, small_project.FILES, {"ref": "refs/tags/v1.2.3"})
        assert run.job_results == dict.fromkeys(("pipeline", "release", "tell"), "success"), run.text + run.stderr
        [release] = github.releases.all
        assert (release["tag_name"], release["draft"]) == ("v1.2.3", False)
        assert "What's Changed" in release["body"]
        assert [one["name"] for one in release["assets"]] == [
            "hello_1.2.3_linux_amd64.tar.gz", "hello_1.2.3_linux_arm64.tar.gz", "manifest.json", "checksums.txt",
        ]  # fmt: skip
        assert support.tags(bench.lab, name) == ["v1.2.3"]
        assert run.outputs["version"] == "v1.2.3"

    def test_a_branch_is_a_rehearsal(self, bench: Bench) -> None:
        name, image = bench.image()
        run, github = self.release(bench, "rehearsal", image, small_project.FILES, {"ref": "refs/heads/main"})
        assert run.job_results == {"pipeline": "success", "tell": "success"}, run.text + run.stderr
        assert (github.requests, support.tags(bench.lab, name)) == ([], [])

    def test_a_red_tag_is_not_released(self, bench: Bench) -> None:
        name, image = bench.image()
        run, github = self.release(bench, "red-release", image, small_project.BROKEN, {"ref": "refs/tags/v1.2.3"})
        assert (run.code, run.job_results) == (1, {"pipeline": "failure"}), run.text + run.stderr
        assert (github.requests, support.tags(bench.lab, name)) == ([], [])


class TestPullRequestReport:
    RUN = {  # noqa: RUF012
        "id": 9, "event": "pull_request", "head_sha": HEAD, "head_branch": "topic", "conclusion": "failure",
        "head_repository": {"full_name": "eve/hello", "owner": {"login": "eve"}}, "repository": {"full_name": "octo/hello"},
        "html_url": "https://github.com/octo/hello/actions/runs/9",
    }  # fmt: skip

    def report(
        self, bench: Bench, name: str, content: bytes, **changes: Any
    ) -> tuple[action_support.ActRun, github_server.GitHub]:
        event = "\n  workflow_run: {workflows: [CI], types: [completed]}"
        caller = workflows.called("pull-request-report", {}, event=event)
        repository = workflows.repository(bench.work / name, caller, {})
        with serving_artifact(content) as github:
            payload = {"workflow_run": {**self.RUN, **changes}, "repository": {"full_name": "octo/hello"}}
            run = bench.act.run(repository, "workflow_run", payload, words_of(github))
        return run, github

    def archive(self, tmp_path: Path, environment: dict[str, str], builder: str) -> dict[str, bytes]:
        """The report of a real red run, as the action uploads it."""
        project = tmp_path / "project"
        for name, text in small_project.BROKEN.items():
            project.mkdir(exist_ok=True)
            (project / name).write_text(text)
        support.commit(project)
        run = support.run(project, environment, "test", "--builder", builder)
        assert run.code == 1, run.output
        return {
            str(path.relative_to(run.folder)): path.read_bytes() for path in run.folder.rglob("*") if path.is_file()
        }

    def test_a_forks_run_is_reported_and_a_hostile_one_is_not(
        self, bench: Bench, tmp_path: Path, environment: dict[str, str], builder: str
    ) -> None:
        files = self.archive(tmp_path, environment, builder)
        run, github = self.report(bench, "report", zipped(files))
        assert run.job_results == {"report": "success", "tell": "success"}, run.text + run.stderr
        [check] = github.checks
        assert (check["name"], check["conclusion"], check["head_sha"]) == ("ci-buildkit", "failure", HEAD)
        assert check["details_url"] == self.RUN["html_url"]
        assert "2 of 2 tests failed" in github.comments[0]["body"]

        hostile, github = self.report(bench, "hostile", zipped({**files, "payload.sh": b"exit"}))
        assert (hostile.code, hostile.job_results) == (1, {"report": "failure"}), hostile.text + hostile.stderr
        assert "payload.sh is no file of a report" in hostile.text
        assert (github.checks, github.comments) == ([], [])

    def test_the_repositorys_own_pull_requests_are_left_alone(self, bench: Bench) -> None:
        run, github = self.report(bench, "own", b"", head_repository={"full_name": "octo/hello"})
        assert run.job_results == {"tell": "success"}, run.text + run.stderr
        assert github.requests == []


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return content.getvalue()
