"""What `ci-buildkit explain` says of a run is what its logs show, and names what was really changed."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import support
from tests.e2e.support import Run

from ci_buildkit.cli import recordfile
from ci_buildkit.cli.explain import as_json
from ci_buildkit.pipeline.staging import PREVIOUS
from ci_buildkit.report.explain import explain

DOCKERFILE = """
FROM {image} AS base
ARG COLOR=red
WORKDIR /src
COPY go.mod go.sum ./
RUN echo mod {mark}
COPY . .
RUN echo build $COLOR
FROM base AS lint
RUN echo linted-{mark}
FROM {image} AS tool
RUN --mount=type=bind,source=data,target=/d cat /d/x >/x
FROM scratch AS binaries
COPY --from=tool /x /tool
"""
# Instructions by the instruction that each is made from; none for those that stand on an image.
PARENTS = {
    "WORKDIR /src": None,
    "COPY go.mod": "WORKDIR /src",
    "RUN echo mod": "COPY go.mod",
    "COPY . .": "RUN echo mod",
    "RUN echo build": "COPY . .",
    "RUN echo linted": "RUN echo build",
    "RUN --mount": None,
    "COPY --from=tool": "RUN --mount",
}


@dataclass
class Lab:
    """A project with its own base image, and how its runs are explained."""

    project: Path
    environment: Mapping[str, str]
    builder: str
    image: str
    mark: str

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.project / name.replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    def dockerfile(self, old: str = "", new: str = "") -> None:
        text = DOCKERFILE.format(image=self.image, mark=self.mark)
        assert old in text
        (self.project / "Dockerfile").write_text(text.replace(old, new))

    def docker(self, *words: str, **more: Any) -> None:
        subprocess.run(
            ["docker", "buildx", *words], env=dict(self.environment), check=True, capture_output=True, **more
        )

    def push_image(self, content: str) -> None:
        """Move the image's tag to another image."""
        text = f"FROM alpine\nRUN echo {self.mark}{content} >/content\n".encode()
        self.docker(
            "build", "--builder", self.builder, "--tag", self.image, "--push", "--provenance=false", "-", input=text
        )

    def prune(self) -> None:
        """Drop the result of the last step of lint, and no test's but this one's, from the builder's cache."""
        self.docker(
            "prune", "--builder", self.builder, "--force", "--all", "--filter", f"description~=linted-{self.mark}"
        )

    def run(self, *words: str) -> Run:
        run = support.run(self.project, self.environment, "--builder", self.builder, *words)
        assert run.code in {0, 3}, run.output
        return run

    def explain(self, *words: Path) -> list[dict[str, Any]]:
        done = support.command(["explain", *map(str, words), "--format", "json"], self.environment, check=True)
        return list(json.loads(done.stdout)["steps"])


@pytest.fixture
def explained(project: Path, environment: dict[str, str], lab: dict[str, str], builder: str) -> Lab:
    mark = f"{project.parent.name}-{os.getpid()}"
    made = Lab(project, environment, builder, f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/explain/{os.getpid()}:latest", mark)
    made.write(go_mod="module x\n", go_sum="", main_go="package main\n", data_x="1")
    (project / "data").mkdir()
    (project / "data.x").rename(project / "data" / "x")
    (project / ".dockerignore").write_text(".git\nDockerfile\n*.md\n")
    made.dockerfile()
    made.push_image("1")
    support.commit(project)
    return made


def ran(run: Run) -> dict[str, bool]:
    """Which instructions of the logs did not come from the cache, in any stage."""
    found: dict[str, bool] = {}
    for name in ("lint", "binaries"):
        log = run.log(name)
        for number, text in re.findall(r"^#(\d+) \[\S+ +\d/\d\] (.*)$", log, re.MULTILINE):
            known = next((known for known in PARENTS if text.startswith(known)), None)
            if known:
                cached = re.search(rf"^#{number} CACHED$", log, re.MULTILINE) is not None
                found[known] = found.get(known, False) or not cached
    return found


def first_causes(run: Run) -> set[str]:
    """What the logs say: instructions that ran though the one that they are made from did not."""
    seen = ran(run)
    return {one for one, did in seen.items() if did and not (PARENTS[one] and seen[str(PARENTS[one])])}


def compared(run: Run) -> list[dict[str, Any]]:
    """What the command prints of a run and the one before it, without the time that a process takes to start."""
    previous = run.folder / PREVIOUS
    before = recordfile.read(previous, "") if previous.exists() else None
    return [as_json(step) for step in explain(recordfile.read(run.folder / "run.json", ""), before).steps]


def test_each_cause_is_named(explained: Lab) -> None:
    lab = explained
    go_sum, mount = "COPY go.mod", "RUN --mount"
    everything = {"WORKDIR /src", mount}

    def edit(**files: str) -> Callable[[], Run]:
        def change() -> Run:
            lab.write(**files)
            return lab.run()

        return change

    def line(old: str, new: str) -> Callable[[], Run]:
        def change() -> Run:
            lab.dockerfile(old, new)
            return lab.run()

        return change

    def again(action: Callable[[], None]) -> Callable[[], Run]:
        def change() -> Run:
            action()
            return lab.run()

        return change

    def data() -> None:
        (lab.project / "data" / "x").write_text("2")

    no_cache = "the run was told to use no cache"
    steps: list[tuple[str, Callable[[], Run], set[str], str, str]] = [
        ("first", lab.run, everything, "first-run", "there is no earlier run to compare with"),
        ("warm", lab.run, set(), "", ""),
        ("ignored file", edit(README_md="hello"), set(), "", ""),
        ("dependency", edit(go_sum="x v1\n"), {go_sum}, "input", "go.sum changed"),
        ("source", edit(main_go="package main // \n"), {"COPY . ."}, "input", "main.go changed"),
        ("mounted file", again(data), {mount, "COPY . ."}, "input", "data/x changed"),
        ("mode", again(lambda: (lab.project / "go.mod").chmod(0o755)), {go_sum}, "input", "go.mod has other permissions"),
        ("argument", lambda: lab.run("--build-arg", "COLOR=blue"), {"RUN echo mod"}, "argument", "argument COLOR changed"),
        ("no argument", lab.run, set(), "", ""),
        ("line", line("echo build", "echo build twice"), {"RUN echo build"}, "input", "the RUN line changed"),
        ("back", line("", ""), set(), "", ""),
        ("env", line("COPY . .", "ENV X=1\nCOPY . ."), {"RUN echo build"}, "input", "the ENV line before it is new"),
        ("no env", line("", ""), set(), "", ""),
        ("base", again(lambda: lab.push_image("2")), everything, "base", "is another image: sha256:"),
        ("pruned", again(lab.prune), {"RUN echo linted"}, "pruned", "the cache no longer had it"),
        ("no cache", lambda: lab.run("--no-cache"), everything - {"WORKDIR /src"} | {go_sum}, "no-cache", no_cache),
    ]  # fmt: skip
    for name, change, expected, cause, detail in steps:
        run = change()
        found = compared(run)
        listed = {known for known in PARENTS for step in found if step["step"].partition("] ")[2].startswith(known)}
        assert listed == first_causes(run), (name, found, ran(run))
        assert listed == expected, (name, found)
        assert len(found) == len(listed), (name, found)
        for step in found:
            assert step["ran"] is True, name
            assert (step["cause"], detail in step["detail"]) == (cause, True), (name, step)
            assert step["seconds"] <= step["lost_seconds"], name
            assert step["stage"] == step["stages"][0], name


def test_two_records_and_what_cannot_be_read(explained: Lab, tmp_path: Path) -> None:
    lab = explained
    first = lab.run("lint").folder / "run.json"
    old = tmp_path / "old.json"
    old.write_bytes(first.read_bytes())
    lab.write(main_go="package other\n")
    lab.run("lint")
    (tmp_path / "now.json").write_bytes(first.read_bytes())
    lab.run("lint")
    assert lab.explain(first) == []
    [step] = lab.explain(tmp_path / "now.json", old)
    assert (step["cause"], step["detail"]) == ("input", "main.go changed")
    assert [step["cause"] for step in lab.explain(tmp_path / "now.json")] == ["first-run"]
    done = support.command(["explain"], lab.environment, cwd=lab.project)
    assert (done.returncode, done.stdout) == (5, "")
    assert "ci-report/run.json" in done.stderr
    text = support.command(["explain", str(first.parent)], lab.environment, check=True).stdout
    assert text.startswith("All 6 steps came from the cache, compared with the run of 20")
    (first.parent / "previous.json").write_text('{"schema": 1')
    done = support.command(["explain", str(first)], lab.environment)
    assert (done.returncode, done.stdout) == (5, "")
    assert "previous.json is no run record" in done.stderr
    for words in (["explain", "a", "b", "c"], ["explain", "--format", "yaml"]):
        assert support.command(words, lab.environment).returncode == 2


def test_no_argument_and_no_secret_is_in_the_record(explained: Lab) -> None:
    canary = "hunter2-canary-value"
    environment = {**explained.environment, "CANARY": canary}
    words = ["--secret", "id=a,env=CANARY", "--build-arg", f"DEPLOY_TOKEN={canary}", "--allow-credential-args"]
    run = support.run(explained.project, environment, "lint", "--builder", explained.builder, *words)
    assert run.code == 0, run.output
    inputs = run.record["inputs"]
    assert canary not in json.dumps(inputs)
    assert len(inputs["builds"][0]["args"]["DEPLOY_TOKEN"]) == 4


def test_a_new_builder(explained: Lab) -> None:
    explained.run("lint")
    run = support.run(explained.project, explained.environment, "lint")
    assert run.code == 0, run.output
    [step] = explained.explain(run.folder)
    assert step["cause"] == "pruned"
    assert "is not the one of the earlier run" in step["detail"]
    assert step["transferred"] > 1000
