"""Every workflow template as GitHub would hand it out, with the example of its kind, under `ci-buildkit act`: really run."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import github_server
from tests.e2e import action_support, support, workflow_support
from tests.workflow_templates import EXAMPLES, NAMES, instance

ATTEST = next(name for name in workflow_support.UNUSED if name.startswith("actions/attest@"))
OWN = ({"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()],)
# Only GitHub can sign with a job's identity. What would be signed is checked here instead.
SUBJECTS = """
name: Check the subjects
description: Every file that the list of subjects names is there with its checksum
inputs:
  subject-checksums: {required: true}
runs:
  using: composite
  steps:
    - shell: bash
      env: {LIST: "${{ inputs.subject-checksums }}"}
      run: test -s "$LIST" && cd "$(dirname "$LIST")" && sha256sum --check --strict "$(basename "$LIST")"
"""


@dataclass(frozen=True)
class Done:
    """What `ci-buildkit act` told of a template's run, the folder of its artifacts, and the registry that it pushed to."""

    code: int
    said: str
    document: dict[str, Any]
    artifacts: Path
    images: str

    @property
    def conclusions(self) -> dict[str, str]:
        """How each job ended."""
        return {job["name"]: job["conclusion"] for job in self.document["jobs"]}

    def record(self, name: str = "ci-buildkit") -> dict[str, Any]:
        """The record in the report of a pipeline."""
        return dict(json.loads((self.artifacts / f"{name}-report" / "run.json").read_text(encoding="utf-8")))

    def dist(self, name: str = "ci-buildkit") -> set[str]:
        """The archives and lists that a pipeline uploaded."""
        return {path.name for path in (self.artifacts / f"{name}-binaries").iterdir() if path.is_file()}


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What stands for each action that templates use."""
    made = tmp_path_factory.mktemp("actions")
    for name, text in {"unused": workflow_support.REFUSAL, "subjects": SUBJECTS}.items():
        (made / name).mkdir()
        (made / name / "action.yml").write_text(text, encoding="utf-8")
    exported = action_support.export_checkout(made / "ci-buildkit")
    return {
        **dict.fromkeys(workflow_support.UNUSED, made / "unused"),
        ATTEST: made / "subjects",
        action_support.ACTION: exported,
        action_support.SCRIPT: exported / "lab" / "github-script",
        action_support.UPLOAD: action_support.stand_in(),
        workflow_support.DOWNLOAD: workflow_support.stand_in("download-artifact"),
    }


@pytest.fixture
def run(
    folders: Mapping[str, Path], environment: dict[str, str], builder: str, lab: dict[str, str], tmp_path: Path
) -> Run:
    """Runs a template on its example, tagged v1.2.3. Images go to the lab's registry, the one line that is changed."""
    registry = lab["CI_BUILDKIT_LAB_REGISTRY"]
    home = tmp_path / "home"
    user = {**environment, "XDG_CACHE_HOME": str(home / "cache"), "XDG_CONFIG_HOME": str(home / "config")}

    def go(name: str, *words: str, github: github_server.GitHub | None = None) -> Done:
        # GitHub's names: the API that stands for it knows this repository.
        project, image = tmp_path / "hello", f"{registry}/templates-{name}"
        shutil.copytree(support.ROOT / "examples" / EXAMPLES[name], project)
        workflow = project / ".github" / "workflows" / f"{name}.yml"
        workflow.parent.mkdir(parents=True)
        text = instance(name).replace("ghcr.io/${{ github.repository }}", image).replace("ghcr.io", registry)
        workflow.write_text(text, encoding="utf-8")
        support.commit(project, "v1.2.3")
        support.git(project, "remote", "add", "origin", "https://github.com/octo/hello.git")
        command = ["act", "--format", "json", "--artifacts", str(tmp_path / "artifacts"), *words]
        command += [f"--use={used}={folder}" for used, folder in folders.items()]
        command += ["--", f"--env=CI_BUILDKIT_BUILDER={builder}"]
        if github:
            github.releases.tags["v1.2.3"] = support.git(project, "rev-parse", "HEAD")
            command.append(f"--env=GITHUB_API_URL={github.url}")
        done = support.command(command, user, cwd=project)
        assert done.stdout, done.stderr
        return Done(done.returncode, done.stderr, json.loads(done.stdout), tmp_path / "artifacts", image)

    return go


def check_green(done: Done, jobs: Mapping[str, str]) -> None:
    """The run is green because its jobs really ran. `jobs` are all there are; one that calls a workflow has no steps."""
    assert done.code == 0, done.said
    assert done.document["outcome"] == "passed"
    assert done.conclusions == jobs, done.said
    callers = {name.rpartition(" / ")[0] for name in jobs}
    for job in done.document["jobs"]:
        if job["conclusion"] == "success" and job["name"] not in callers:
            assert "success" in {step["conclusion"] for step in job["steps"]}, job


@pytest.mark.parametrize("name", NAMES)
def test_actionlint(name: str, environment: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / f"{name}.yml"
    file.write_text(instance(name), encoding="utf-8")
    done = subprocess.run(["actionlint", str(file)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "architectures"), [("go", ("amd64", "arm64")), ("node", OWN), ("python", OWN), ("rust", OWN)]
)
def test_a_language(name: str, architectures: tuple[str, ...], run: Run, request: pytest.FixtureRequest) -> None:
    if name == "rust":
        request.getfixturevalue("rust")
    done = run(name)
    check_green(done, {"pipeline": "success"})
    record = done.record()
    assert (record["outcome"], record["version"]["value"]) == ("passed", "v1.2.3")
    assert {"lint", "test", "binaries", "image"} <= {stage["kind"] for stage in record["stages"]}
    assert record["tests"]["totals"]["passed"] > 0
    assert not any(image["pushed"] for image in record["images"])
    archives = {f"hello_1.2.3_linux_{architecture}.tar.gz" for architecture in architectures}
    assert done.dist() == {*archives, "checksums.txt", "manifest.json"}


def test_container_only(run: Run, lab: dict[str, str]) -> None:
    done = run("container-only", "--secret=GITHUB_TOKEN=of-nobody")
    check_green(done, {"image": "success"})
    (image,) = done.record()["images"]
    assert (image["name"], image["pushed"]) == (done.images, True)
    assert image["platforms"] == ["linux/amd64", "linux/arm64"]
    assert image["smoked"]
    tags = set(support.tags(lab, done.images.partition("/")[2]))
    assert {"latest", "main", f"sha-{done.record()['version']['revision'][:7]}"} <= tags


def test_monorepo(run: Run) -> None:
    done = run("monorepo")
    jobs = ("plan", "api", "report", "web", "verdict")
    check_green(done, {"projects": "success", **{f"projects / {job}": "success" for job in jobs}})
    for project, cases in {"api": 6, "report": 4, "web": 3}.items():
        record = done.record(f"ci-buildkit-{project}")
        assert record["outcome"] == "passed"
        assert record["tests"]["totals"]["passed"] == cases


def test_release(run: Run, lab: dict[str, str]) -> None:
    with github_server.serving() as github:
        github.token = "of-nobody"
        done = run("release", "--event=tag", f"--secret=GITHUB_TOKEN={github.token}", github=github)
        (release,) = github.releases.all
    inner = ("pipeline", "pipeline / pipeline", "attest", "release")
    of_projects = ("release / pipeline / plan", "release / pipeline / verdict")  # which a single project has none of
    jobs = {"release": "success", **{f"release / {job}": "success" for job in inner}}
    check_green(done, {**jobs, **dict.fromkeys(of_projects, "skipped")})
    assert "v1.2.3" in support.tags(lab, done.images.partition("/")[2])
    assert (release["tag_name"], release["draft"], release["prerelease"]) == ("v1.2.3", False, False)
    assert {one["name"] for one in release["assets"]} == done.dist()
    assert "hello_1.2.3_linux_arm64.tar.gz" in done.dist()
