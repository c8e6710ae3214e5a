"""The plan as a bake file, and a bake target as flags of a plain build."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.pipeline.run import by_hand
from ci_buildkit.plan import bake
from ci_buildkit.plan.stages import Plan, without_layouts

Make = Callable[..., Plan]

FILE = """\
FROM alpine AS lint
RUN l
FROM alpine AS test
RUN t
FROM scratch AS test-results
COPY --from=test /out /
FROM scratch AS binaries
COPY --from=lint /x /
FROM alpine AS server
ENTRYPOINT ["x"]
"""


EPOCH = {"source-date-epoch": "1700000000"}


def test_each_stage_is_a_target_with_its_exporter(plan: Make, inside: Path) -> None:
    made = bake.definition(plan(FILE, image=("host/app",)), lambda stage: f"/out/{stage.name}")
    assert made["group"] == {"default": {"targets": ["lint", "test-results", "binaries", "server"]}}
    targets = made["target"]
    assert {name: target["output"] for name, target in targets.items()} == {
        "lint": [{"type": "cacheonly"}],
        "test-results": [{"type": "local", "dest": "/out/test-results"}],
        "binaries": [{"type": "local", "dest": "/out/binaries", "platform-split": "true", **EPOCH}],
        "server": [{"type": "oci", "tar": "false", "dest": "/out/server", "rewrite-timestamp": "true", **EPOCH}],
    }
    assert targets["server"]["tags"] == ["host/app:v1.2.3"]
    assert targets["lint"]["dockerfile"] == str(inside / "Dockerfile")


@pytest.mark.parametrize("options", [{"push": True}, {"push_by_digest": True}, {"oci_layout": False}])
def test_an_image_that_is_pushed_or_not_kept_stays_in_the_builder(plan: Make, options: dict[str, bool]) -> None:
    made = bake.definition(plan(FILE, image=("host/app",), **options), lambda _: "x")["target"]["server"]
    assert made["output"] == [{"type": "image", "push": "false", **EPOCH}]
    same = bake.definition(without_layouts(plan(FILE, image=("host/app",))), lambda _: "x")["target"]["server"]
    assert same["output"] == made["output"]


def test_only_images_carry_attestations(plan: Make) -> None:
    made = bake.definition(plan(FILE), lambda _: "x")["target"]
    assert all(("attest" in target) == (name != "server") for name, target in made.items())
    assert all(entry["disabled"] == "true" for entry in made["lint"]["attest"])


def test_the_bake_file_of_the_report_works_in_another_checkout(plan: Make, inside: Path) -> None:
    written = json.loads(by_hand(plan(FILE)))["target"]
    assert {target["context"] for target in written.values()} == {"."}
    assert {target["dockerfile"] for target in written.values()} == {"Dockerfile"}
    assert str(inside) not in json.dumps(written)
    assert written["binaries"]["output"][0]["dest"] == "bake-out/binaries"


def test_a_bake_target_becomes_flags() -> None:
    target = {
        "context": "ctx",
        "dockerfile": "Dockerfile",
        "target": "test",
        "description": "not said",
        "args": {"A": "1", "B": "x y"},
        "labels": {"l": "v"},
        "contexts": {"base": "docker-image://alpine"},
        "platforms": ["linux/amd64", "linux/arm64"],
        "secret": ["id=a,env=A", {"type": "file", "id": "b", "src": "/p,q"}],
        "no-cache": True,
        "pull": False,
        "network": "none",
        "tags": [],
        "output": [{"type": "local", "dest": "/o"}],
    }
    assert bake.build_flags("t", target) == [
        "--file", "Dockerfile", "--target", "test", "--build-arg", "A=1", "--build-arg", "B=x y", "--label", "l=v",
        "--build-context", "base=docker-image://alpine", "--platform", "linux/amd64", "--platform", "linux/arm64",
        "--secret", "id=a,env=A", "--secret", 'type=file,id=b,"src=/p,q"', "--no-cache", "--network", "none",
        "--output", "type=local,dest=/o", "ctx",
    ]  # fmt: skip


def test_a_target_of_nothing_is_the_working_directory() -> None:
    assert bake.build_flags("t", {}) == ["."]
    nothing: dict[str, Any] = {
        "tags": [],
        "args": {},
        "target": None,
        "pull": False,
        "inherits": ["x"],
        "call": "build",
    }
    assert bake.build_flags("t", {**nothing, "unknown": None, "target": "a"}) == ["--target", "a", "."]


def test_an_image_gets_all_its_references_and_nothing_else_gets_tags(plan: Make) -> None:
    names = ("host/app", "other:5000/app:edge")
    targets = {name: {"context": ".", "target": name, "tags": ["x:1"]} for name in ("lint", "server")}
    made = bake.definition(plan(FILE, bake=targets, image=names), lambda _: "x")["target"]
    assert made["server"]["tags"] == ["host/app:v1.2.3", "other:5000/app:edge"]
    assert "tags" not in made["lint"]
    assert "attest" not in made["server"]


def test_a_definition_holds_the_contexts_of_its_stages_and_does_not_build_them(plan: Make) -> None:
    targets: dict[str, dict[str, Any]] = {
        "deps": {"context": ".", "target": "server", "args": {"A": "1"}, "output": ["type=docker"]},
        "lint": {"context": ".", "target": "lint", "contexts": {"deps": "target:deps"}},
    }
    made_plan = plan(FILE, bake=targets)
    made = bake.definition(made_plan, lambda _: "x")
    assert made["group"]["default"]["targets"] == ["lint"]
    assert list(made["target"]) == ["deps", "lint"]
    assert made["target"]["deps"] == made_plan.linked["deps"]
    made["target"]["deps"]["args"] = {}
    assert made_plan.linked["deps"]["args"] == {"A": "1"}, "what is made of a plan does not change it"


def test_a_file_of_one_target_has_what_it_needs_and_no_more() -> None:
    definitions: dict[str, dict[str, Any]] = {
        "a": {"contexts": {"x": "target:b", "y": "docker-image://alpine"}},
        "b": {"contexts": {"x": "target:c", "y": "target:a"}},
        "c": {"target": "c"},
        "d": {"contexts": {"x": "target:c"}},
    }
    written = {**definitions["a"], "no-cache": True}
    assert bake.alone(definitions, "a", written) == {
        "target": {"a": written, "b": definitions["b"], "c": definitions["c"]}
    }
    assert bake.alone(definitions, "c", definitions["c"]) == {"target": {"c": {"target": "c"}}}


def test_a_path_in_a_bake_file_is_no_template() -> None:
    written: dict[str, Any] = {
        "context": "/a/${x}",
        "dockerfile": "/a/$${x}/%{y}",
        "target": "t",
        "args": {"A": "$${z}"},
    }
    assert bake.located(written) == {**written, "context": "/a/$${x}", "dockerfile": "/a/$${x}/%%{y}"}
    assert bake.located({"dockerfile": "x"}) == {"dockerfile": "x"}
    assert bake.alone({"t": written}, "t", written) == {"target": {"t": bake.located(written)}}


def test_paths_are_relative_to_where_bake_reads_them(inside: Path) -> None:
    assert bake.relative_context(str(inside)) == "."
    assert bake.relative_context("sub/../api") == "api"
    assert bake.relative_context(str(inside.parent)) == str(inside.parent)
    assert bake.relative_file(f"{inside}/docker/Dockerfile", ".") == "docker/Dockerfile"
    assert bake.relative_file(f"{inside}/Dockerfile", f"{inside}/api") == "../Dockerfile"


def test_without_a_time_of_the_commit_s_files_keep_their_own(plan: Make) -> None:
    made = {stage.name: replace(stage, epoch="") for stage in plan(FILE).stages}
    assert bake.exporter(made["binaries"], "/o") == {"type": "local", "dest": "/o", "platform-split": "true"}
    assert bake.exporter(made["server"], "/o") == {
        "type": "oci", "tar": "false", "dest": "/o", "rewrite-timestamp": "true",
    }  # fmt: skip
    assert bake.exporter(replace(made["server"], export="image"), "/o") == {"type": "image", "push": "false"}


def test_a_key_without_a_flag_is_refused_not_dropped() -> None:
    with pytest.raises(ConfigurationError) as caught:
        bake.build_flags("t", {"dockerfile-inline": "FROM x"})
    assert caught.value.message == "target t: `dockerfile-inline` has no form in `docker buildx build`"


@pytest.mark.parametrize(
    ("target", "plain"),
    [
        ({}, True),
        ({"contexts": {"a": "docker-image://x"}}, True),
        ({"contexts": {"a": "target:b"}}, False),
        ({"dockerfile-inline": "FROM x"}, False),
    ],
)
def test_what_a_plain_build_can_say(target: dict[str, Any], plain: bool) -> None:
    assert bake.is_plain(target) is plain
