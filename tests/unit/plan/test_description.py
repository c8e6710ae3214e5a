"""Tags, labels and annotations of a run's images."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan import bake
from ci_buildkit.plan.annotations import annotations_of
from ci_buildkit.plan.description import Description, describe, wanted
from ci_buildkit.plan.stages import Plan
from ci_buildkit.record import VersionRecord
from ci_buildkit.tags.context import Context, Repository

VERSION = VersionRecord(value="v1.2.3", revision="a" * 40, dirty=False, source="tag", source_date_epoch=1700000000)
NOW = datetime(2030, 1, 1, tzinfo=UTC)
ABOUT = Context(NOW, "refs/tags/v1.2.3", "a" * 40, repository=Repository("app", url="https://github.com/org/app"))
TWO = "FROM alpine AS a\nCMD x\nFROM alpine AS b\nCMD y\n"
ONE = "FROM alpine AS image\nCMD x\n"
LABELS = "org.opencontainers.image."


def described(**options: Any) -> Description:
    return describe(Options(**options), ABOUT, VERSION, NOW, {})


def references(made: Plan) -> list[str]:
    return [reference for image in made.images for reference in image.references]


def test_nothing_is_said_without_options(plan: Callable[..., Plan]) -> None:
    assert not wanted(Options(image=("host/a",), push=True))
    assert "labels" not in plan(ONE, image=("host/a",)).stages[0].definition


def test_every_image_and_name_gets_all_tags(plan: Callable[..., Plan]) -> None:
    options: dict[str, Any] = {
        "tag": ("type=semver,pattern={{version}}\ntype=semver,pattern={{major}}",),
        "flavor": ("latest=true",),
        "image": ("host/x", "other:5000/y"),
    }
    found = references(plan(TWO, description=described(**options), **options))
    names = [f"{name}-{stage}" for stage in ("a", "b") for name in options["image"]]
    assert found == [f"{name}:{tag}" for name in names for tag in ("1.2.3", "1", "latest")]


def test_a_tag_that_is_made_twice_is_one(plan: Callable[..., Plan]) -> None:
    assert described(tag=("latest",), flavor=("latest=true",)).tags == ("latest",)


def test_the_version_is_the_tag_where_no_line_is_given(plan: Callable[..., Plan]) -> None:
    options: dict[str, Any] = {"flavor": ("suffix=-alpine", "latest=true"), "image": ("host/x",)}
    assert references(plan(ONE, description=described(**options), **options)) == [
        "host/x:v1.2.3-alpine",
        "host/x:latest",
    ]


def test_a_tag_in_a_name_wins(plan: Callable[..., Plan]) -> None:
    options: dict[str, Any] = {"tag": ("x",), "image": ("host:1/x:edge",)}
    assert references(plan(ONE, description=described(**options), **options)) == ["host:1/x:edge"]
    with pytest.raises(ConfigurationError, match="not a valid tag"):
        plan(ONE, image=("host/x:-",))


def test_names_of_a_bake_file_get_the_tags(plan: Callable[..., Plan]) -> None:
    target = {"dockerfile": "Dockerfile", "context": ".", "tags": ["host/x:a", "host/x:b", "host/y"]}
    made = plan(ONE, bake={"image": target}, default=frozenset({"image"}), description=described(tag=("new",)))
    assert references(made) == ["host/x:new", "host/y:new"]
    assert references(plan(ONE, bake={"image": target}, default=frozenset({"image"}))) == [
        *("host/x:a", "host/x:b", "host/y:latest")
    ]


def test_without_a_tag_nothing_is_pushed(plan: Callable[..., Plan]) -> None:
    options: dict[str, Any] = {"tag": ("type=ref,event=branch",), "image": ("host/x",)}
    with pytest.raises(ConfigurationError, match="no line of --tag made a tag"):
        plan(ONE, description=described(**options), push=True, **options)
    assert references(plan(ONE, description=described(**options), **options)) == []


def test_labels_in_their_order(plan: Callable[..., Plan]) -> None:
    target = {
        "dockerfile": "Dockerfile",
        "labels": {f"{LABELS}title": "from the bake file", f"{LABELS}url": "bake", "own": "bake"},
    }
    options: dict[str, Any] = {"label": (f"{LABELS}url=option", "own=${x}", "left out")}
    made = plan(ONE, bake={"image": target}, default=frozenset({"image"}), description=described(**options), **options)
    assert made.stages[0].definition["labels"] == {
        f"{LABELS}created": "2023-11-14T22:13:20.000Z",
        f"{LABELS}revision": "a" * 40,
        f"{LABELS}source": "https://github.com/org/app",
        f"{LABELS}title": "from the bake file",
        f"{LABELS}url": "option",
        f"{LABELS}version": "v1.2.3",
        "own": "$${x}",
    }
    assert "annotations" not in made.stages[0].definition


def test_only_images_are_described(plan: Callable[..., Plan]) -> None:
    made = plan("FROM alpine AS lint\nRUN x\n" + ONE, description=described(label=("a=b",)))
    written = bake.definition(made, lambda stage: f"out/{stage.name}")["target"]
    assert {name: "labels" in target for name, target in written.items()} == {"lint": False, "image": True}


def test_annotations_have_a_level(plan: Callable[..., Plan]) -> None:
    options: dict[str, Any] = {"annotation": ("a=1", "index:b=2"), "platform": ("linux/amd64", "linux/arm64")}
    found = plan(ONE, description=described(**options), **options).stages[0].definition["annotations"]
    assert found[0] == "manifest:a=1"
    assert found[-1] == "index:b=2"
    assert f"manifest:{LABELS}version=v1.2.3" in found
    assert not any(entry.endswith("=") for entry in found)


@pytest.mark.parametrize(
    ("options", "refused"),
    [
        ({"platform": ("linux/amd64",)}, False),  # provenance makes an index, and is there where nothing is said
        ({"platform": ("linux/amd64",), "provenance": "false"}, True),
        ({"provenance": "false"}, True),
        ({"platform": ("linux/amd64",), "provenance": "false", "sbom": "true"}, False),
        ({"platform": ("linux/amd64", "linux/arm64"), "provenance": "false"}, False),
    ],
)
def test_an_annotation_of_an_index_needs_one(plan: Callable[..., Plan], options: dict[str, Any], refused: bool) -> None:
    options["annotation"] = ("index-descriptor[linux/amd64]:b=${2}",)
    reason = re.escape("'index-descriptor[linux/amd64]:b=${2}' is for an index, which")
    with pytest.raises(ConfigurationError, match=reason) if refused else contextlib.nullcontext():
        plan(ONE, description=described(**options), **options)


def test_a_part_of_an_image_is_built_without_annotations_of_the_index_that_it_is_joined_in(
    plan: Callable[..., Plan],
) -> None:
    bake_file = {
        "image": {"dockerfile": "Dockerfile", "annotations": ["index:a=$${x}", "manifest,index[linux/s390x]:b=1"]}
    }
    options: dict[str, Any] = {"push_by_digest": True, "image": ("host/x",), "provenance": "false"}
    made = plan(ONE, bake=bake_file, default=frozenset({"image"}), **options)
    assert annotations_of(made.stages[0].definition) == ("index:a=${x}", "manifest,index[linux/s390x]:b=1")
    assert bake.target(made.stages[0], "out")["annotations"] == ["manifest[linux/s390x]:b=1"]


def test_warnings_reach_the_run() -> None:
    assert described(tag=("type=semver,pattern={{version}},value=x",)).warnings == ("'x' is not a semantic version",)
