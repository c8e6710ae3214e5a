"""`ci-buildkit run` and `builder` from words to exit codes; `docker` is a script that says what buildx says."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_buildkit.cli.main import main

DATA = Path(__file__).parents[1] / "engine" / "data"
DOCKERFILE = "FROM alpine AS base\nRUN echo cached\nFROM base AS test\nARG SALT\nRUN echo test failed; exit 3\n"
BUILDER = """Name: b
Driver: docker-container

Nodes:
Name: b0
Status: running
BuildKit version: v0.30.0
Platforms: linux/amd64*, linux/386
"""
TARGETS = '{"targets": [{"name": "base", "base": "alpine"}, {"name": "test", "base": "base", "default": true}]}'
SCRIPT = """#!/bin/sh
printf '%s\\n' "$*" >>'{calls}'
case "$*" in
  *--call=targets*) echo '{targets}';;
  "buildx version") echo "github.com/docker/buildx v0.11.0 x";;
  "buildx inspect "*) cat '{builder}';;
  "buildx ls "*) cat '{listed}';;
  "buildx bake "*) {bake};;
esac
"""
LISTED = [
    {
        "Name": "b",
        "Driver": "docker-container",
        "Nodes": [{"Status": "running", "Platforms": ["linux/amd64", "linux/386"]}],
    },
    {"Name": "\x1b[31mfarm", "Driver": "remote", "Nodes": []},
]

Engine = Callable[..., Path]


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A working directory with a Dockerfile, and a docker whose builds say and do this; returns the file of its calls."""

    def make(bake: str = "exit 1", dockerfile: str = DOCKERFILE) -> Path:
        (tmp_path / "Dockerfile").write_text(dockerfile, encoding="utf-8")
        (tmp_path / ".dockerignore").write_text("*\n", encoding="utf-8")
        (tmp_path / "builder").write_text(BUILDER, encoding="utf-8")
        (tmp_path / "listed").write_text("".join(f"{json.dumps(one)}\n" for one in LISTED), encoding="utf-8")
        command = tmp_path / "bin" / "docker"
        command.parent.mkdir(exist_ok=True)
        values = {name: tmp_path / name for name in ("calls", "builder", "listed")}
        command.write_text(SCRIPT.format(**values, targets=TARGETS, bake=bake), encoding="utf-8")
        command.chmod(0o755)
        (tmp_path / "calls").touch()
        return tmp_path / "calls"

    for name in list(os.environ):
        if name.startswith(("CI_BUILDKIT_", "GITHUB_", "SOURCE_DATE_EPOCH")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return make


def said(name: str) -> str:
    """A build that says what was recorded."""
    return f"cat '{DATA / name}.rawjson' >&2"


def test_a_run_leaves_its_report_and_no_builder(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    calls = engine(f"{said('test')}; exit 1")
    assert main(["run", "test"]) == 1
    record = json.loads(Path("ci-report/run.json").read_text())
    assert (record["exit_code"], record["stages"][0]["outcome"]) == (1, "failed")
    assert record["builder"]["created"] is True
    assert {path.name for path in Path("ci-report").iterdir()} >= {
        "junit.xml", "findings.sarif", "summary.md", "report.html", "bake.json", "logs",
    }  # fmt: skip
    told = capfd.readouterr().err
    assert "test failed" in told
    lines = calls.read_text().splitlines()
    [created] = [line for line in lines if line.startswith("buildx create ")]
    name = created.split(" --name ")[1].split()[0]
    assert f"buildx rm --force {name}" in lines


def test_a_named_builder_stays(engine: Engine) -> None:
    calls = engine(f"{said('test')}; exit 1")
    assert main(["run", "test", "--builder", "b"]) == 1
    assert not [line for line in calls.read_text().splitlines() if line.startswith(("buildx create", "buildx rm"))]


def test_on_github_failures_are_annotated_and_summed_up(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    engine(f"{said('test')}; exit 1")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    (tmp_path / "summary").touch()
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    assert main(["run", "test"]) == 1
    out = capfd.readouterr().out
    assert "::error" in out
    assert "test" in (tmp_path / "summary").read_text()


def test_a_report_folder_that_cannot_be_is_told_before_docker_is_asked(
    engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    calls = engine(said("test"))
    Path("file").touch()
    assert main(["run", "test", "--report-dir", "file/report"]) == 2
    assert "the report folder file/report is not writable" in capfd.readouterr().err
    assert calls.read_text() == ""


def test_a_report_that_can_no_more_be_put_in_place_is_kept(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    engine(f"rmdir out; touch out; {said('test')}; exit 1")
    Path("out").mkdir()
    code = main(["run", "test", "--report-dir", "out/report"])
    err = capfd.readouterr().err
    assert code == 5, err
    [kept] = {Path(word.strip(".,;:()")) for word in err.split() if "/ci-buildkit-" in word and "report" in word}
    assert json.loads((kept / "run.json").read_text())["exit_code"] == 1
    shutil.rmtree(kept.parent)


def test_a_dockerfile_that_buildkit_refuses_leaves_no_builder(
    engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    calls = engine()
    command = Path("bin/docker")
    command.write_text(
        command.read_text().replace(f"echo '{TARGETS}'", "echo 'ERROR: unknown instruction: FORM' >&2; exit 1")
    )
    assert main(["run"]) == 3
    assert "BuildKit refuses the Dockerfile: unknown instruction: FORM" in capfd.readouterr().err
    assert [line for line in calls.read_text().splitlines() if line.startswith("buildx rm ")]


def test_builders_are_listed_without_what_a_terminal_obeys(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine()
    assert main(["builder", "ls"]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0] == "b  docker-container  running  linux/amd64, linux/386"
    assert "\x1b" not in text
    assert main(["builder", "ls", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["driver"], one["status"], one["platforms"]) for one in found] == [
        ("docker-container", "running", ["linux/amd64", "linux/386"]), ("remote", "inactive", []),
    ]  # fmt: skip


def test_a_builder_is_made_and_removed_by_its_name(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    calls = engine()
    assert main(["builder", "create", "b"]) == 0
    assert main(["builder", "rm", "b", "c"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "b  docker-container  BuildKit v0.30.0  linux/amd64, linux/386", "removed b", "removed c",
    ]  # fmt: skip
    assert calls.read_text().splitlines()[-2:] == ["buildx rm --force b", "buildx rm --force c"]


def test_a_builder_whose_machine_does_not_answer_is_not_called_made(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine()
    Path("builder").write_text(BUILDER.replace("docker-container", "remote").replace("running", "inactive"))
    assert main(["builder", "create", "b"]) == 4
    assert "node b0 does not answer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "merge takes either digests or --from"),
        (["sha256:" + "0" * 64, "--from", "legs"], "merge takes either digests or --from"),
        (["sha256:" + "0" * 64], "digests belong to one image"),
        (["sha256:" + "0" * 64, "--image", "a/b,c/d"], "digests belong to one image"),
        (["--from", "nowhere"], "nowhere"),
    ],
)
def test_what_cannot_be_merged_is_told_before_docker_is_asked(
    engine: Engine, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    calls = engine()
    assert main(["merge", *words]) == (5 if "nowhere" in words else 2)
    assert told in capsys.readouterr().err
    assert calls.read_text() == ""
