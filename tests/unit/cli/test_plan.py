"""The plan as text, JSON, a bake file and a job matrix."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from ci_buildkit.cli.plan import render
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.dockerfile import read
from ci_buildkit.plan.images import Image
from ci_buildkit.plan.matrix import runners
from ci_buildkit.plan.stages import Plan, Stage
from ci_buildkit.plan.targets import Target
from ci_buildkit.record import VersionRecord

VERSION = VersionRecord(value="v1.2.3", revision="a" * 40, dirty=False, source="tag", source_date_epoch=1700000000)

HOSTED = runners(())


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A lint stage and an image for three platforms."""
    monkeypatch.chdir(tmp_path)
    file = Path("Dockerfile")
    file.write_text("FROM alpine AS lint\nFROM alpine AS app\n", encoding="utf-8")
    graph = read(file)
    platforms = ("linux/amd64", "linux/arm64", "linux/arm/v7")
    definition = {"context": ".", "dockerfile": str(file.resolve())}
    lint = Target("lint", "lint", file, graph, {**definition, "target": "lint"})
    app = Target("app", "app", file, graph, {**definition, "target": "app"}, default=True)
    args = {"args": {"APP_VERSION": "v1.2.3"}}
    return Plan(
        Path(), file, VERSION,
        (
            Stage("lint", "lint", lint, (), lint.definition, "none"),
            Stage("app", "image", app, platforms, {**app.definition, **args}, "image"),
        ),
        (Image("app", "ghcr.io/acme/app", ("v1.2.3",)),),
        push=True,
    )  # fmt: skip


def test_as_text(plan: Plan) -> None:
    assert render(plan, "text", HOSTED).splitlines() == [
        "Dockerfile, version v1.2.3",
        "  lint      lint  builder platform",
        "  image     app   linux/amd64, linux/arm64, linux/arm/v7",
        "  push      ghcr.io/acme/app:v1.2.3",
    ]


def test_as_json(plan: Plan) -> None:
    shown = json.loads(render(plan, "json", HOSTED))
    assert shown["schema"] == 1
    assert shown["version"]["value"] == "v1.2.3"
    assert shown["stages"][1] == {
        "name": "app", "kind": "image", "target": "app", "platforms": ["linux/amd64", "linux/arm64", "linux/arm/v7"],
        "args": {"APP_VERSION": "v1.2.3"}, "export": "image",
    }  # fmt: skip
    assert shown["images"] == [{"stage": "app", "name": "ghcr.io/acme/app", "tags": ["v1.2.3"]}]
    assert shown["push"] is True


def test_as_a_bake_file(plan: Plan) -> None:
    shown = json.loads(render(plan, "bake", HOSTED))
    assert shown["group"]["default"]["targets"] == ["lint", "app"]
    assert shown["target"]["app"]["tags"] == ["ghcr.io/acme/app:v1.2.3"]
    assert shown["target"]["app"]["dockerfile"] == "Dockerfile"


def test_as_a_matrix_with_native_runners(plan: Plan) -> None:
    assert json.loads(render(plan, "matrix", HOSTED))["include"] == [
        {"stage": "lint", "platform": "", "runner": "ubuntu-latest"},
        {"stage": "app", "platform": "linux/amd64", "runner": "ubuntu-latest"},
        {"stage": "app", "platform": "linux/arm64", "runner": "ubuntu-24.04-arm"},
        {"stage": "app", "platform": "linux/arm/v7", "runner": "ubuntu-latest"},
    ]


def test_as_a_matrix_of_one_job_for_each_platform(plan: Plan) -> None:
    test = replace(plan.stages[0], name="test")
    made = json.loads(render(replace(plan, stages=(*plan.stages, test)), "matrix", HOSTED, by="platform"))["include"]
    assert [(one["name"], one["stage"], one["platform"], one["runner"]) for one in made] == [
        ("native", "lint,test", "", "ubuntu-latest"),
        ("linux-amd64", "app", "linux/amd64", "ubuntu-latest"),
        ("linux-arm64", "app", "linux/arm64", "ubuntu-24.04-arm"),
        ("linux-arm-v7", "app", "linux/arm/v7", "ubuntu-latest"),
    ]


def test_a_matrix_that_github_would_refuse(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    large = replace(plan, stages=plan.stages * 65)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    assert len(json.loads(render(large, "matrix", HOSTED))["include"]) == 260
    assert "260 jobs, and GitHub takes 256" in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with pytest.raises(ConfigurationError, match="260 jobs, and GitHub takes 256 at most"):
        render(large, "matrix", HOSTED)
