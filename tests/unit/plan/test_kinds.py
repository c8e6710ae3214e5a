"""Which targets are found without being named, and what a word of `stages` chooses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.stages import Plan

Make = Callable[..., Plan]


def kinds(plan: Plan) -> dict[str, str]:
    """The kind of each stage by name."""
    return {stage.name: stage.kind for stage in plan.stages}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("lint", "lint"), ("golangci-lint", "lint"), ("vet", "lint"), ("validate", "lint"), ("lint-sql", "lint"),
        ("sql-lint", "lint"), ("test", "test"), ("test-output", "test"), ("integration-tests", "test"),
        ("test-sql", "test"), ("sql-test", "test"), ("binaries", "binaries"), ("bin", "binaries"),
        ("artifacts", "binaries"), ("runtime", "image"), ("prod", "image"), ("release", "image"),
        ("linting", None), ("contest", None), ("tester", None), ("bin-x", None), ("x-image", None), ("deps", None),
    ],
)  # fmt: skip
def test_usual_names(plan: Make, name: str, kind: str | None) -> None:
    made = plan(f"FROM alpine AS {name}\nRUN x\nFROM alpine AS last\n")
    assert kinds(made) == {**({name: kind} if kind else {}), "last": "image"}


def test_what_others_use_is_a_kind_by_its_whole_name_only(plan: Make) -> None:
    text = "FROM alpine AS {name}\nRUN x\nFROM alpine AS app\nCOPY --from={name} /x /\n"
    assert kinds(plan(text.format(name="lint-tools"))) == {"app": "image"}
    assert kinds(plan(text.format(name="lint"))) == {"lint": "lint", "app": "image"}


def test_an_image_is_what_starts_something_or_is_built_by_default(plan: Make) -> None:
    made = plan("FROM alpine AS a\nCMD x\nFROM alpine AS b\nENTRYPOINT x\nFROM alpine AS c\nRUN x\nFROM alpine AS d\n")
    assert kinds(made) == {"a": "image", "b": "image", "d": "image"}


@pytest.mark.parametrize("name", ["dev", "Development", "devcontainer", "debug"])
def test_a_stage_to_develop_in_is_no_image_even_by_default(plan: Make, name: str) -> None:
    assert kinds(plan(f"FROM alpine AS app\nCMD x\nFROM app AS {name}\n")) == {"app": "image"}
    bake = {"app": {"context": ".", "target": "app"}, name: {"context": ".", "target": name.lower()}}
    assert kinds(plan(bake=bake, default=frozenset({name}))) == {"app": "image"}


def test_the_base_of_images_is_none_itself(plan: Make) -> None:
    text = "FROM alpine AS common\nENTRYPOINT x\nFROM common AS middle\nCMD m\nFROM middle AS a\nCMD a\n"
    assert kinds(plan(f"{text}FROM common AS b\nCMD b\n")) == {"a": "image", "b": "image"}


def test_the_base_of_images_is_one_where_it_is_built_by_default(plan: Make) -> None:
    text = "FROM alpine AS app\nCMD x\nFROM app AS app-debian\nCMD y\n"
    bake = {name: {"context": ".", "target": name} for name in ("app", "app-debian")}
    assert kinds(plan(text, bake=bake, default=frozenset({"app"}))) == {"app": "image", "app-debian": "image"}


def test_a_stage_that_is_copied_from_stays_an_image(plan: Make) -> None:
    made = plan("FROM alpine AS server\nCMD x\nFROM alpine AS bundle\nCOPY --from=server /x /\nCMD y\n")
    assert kinds(made) == {"server": "image", "bundle": "image"}


def test_a_stage_with_the_name_of_the_image_that_it_is_made_from_is_an_image(plan: Make) -> None:
    made = plan("FROM nginx AS nginx\nCMD x\nFROM alpine AS app\nCMD y\n")
    assert kinds(made) == {"nginx": "image", "app": "image"}


def test_stages_that_name_each_other_end(plan: Make) -> None:
    """A base that comes later is an image of that name to BuildKit; the graph does not follow it for ever."""
    assert kinds(plan("FROM b AS a\nCMD x\nFROM a AS b\nCMD y\n")) == {"b": "image"}


def test_what_an_outer_target_is_made_from_is_nothing_of_its_own(plan: Make) -> None:
    made = plan(
        "FROM alpine AS test\nRUN t\nCMD t\nFROM scratch AS test-results\nCOPY --from=test /out /\nFROM alpine AS app\n"
    )
    assert kinds(made) == {"test-results": "test", "app": "image"}


def test_targets_of_one_stage_or_of_different_files_do_not_stand_for_each_other(plan: Make, inside: Path) -> None:
    text = "FROM alpine AS test\nRUN t\nFROM scratch AS test-results\nCOPY --from=test /out /\n"
    (inside / "Other").write_text(text, encoding="utf-8")
    bake: dict[str, Any] = {
        "test-old": {"context": ".", "target": "test", "args": {"GO": "1.25"}},
        "test-new": {"context": ".", "target": "test"},
        "test-results": {"context": ".", "dockerfile": "Other", "target": "test-results"},
    }
    found = kinds(plan(text, bake=bake))
    assert found == {"test-old": "test", "test-new": "test", "test-results": "test"}
    bake["test-results"]["dockerfile"] = "Dockerfile"
    assert kinds(plan(bake=bake)) == {"test-results": "test"}


def test_the_name_of_a_bake_target_comes_before_its_stage_s_and_is_read_without_case(plan: Make) -> None:
    text = "FROM alpine AS check\nRUN x\nFROM alpine AS odd\nRUN y\nFROM alpine AS work\nRUN z\n"
    bake = {
        "Tests": {"context": ".", "target": "check"},
        "style": {"context": ".", "target": "check"},
        "Runtime": {"context": ".", "target": "odd"},
        "Binaries": {"context": ".", "target": "work"},
        "none": {"context": ".", "target": "work"},
    }
    assert kinds(plan(text, bake=bake)) == {
        "Tests": "test", "style": "lint", "Runtime": "image", "Binaries": "binaries",
    }  # fmt: skip


def test_an_option_for_one_kind_leaves_the_others_to_their_names(plan: Make) -> None:
    text = "FROM a AS lint\nRUN l\nFROM a AS vet\nRUN v\nFROM a AS test\nRUN t\nFROM a AS app\nCMD x\nFROM a AS web\nCMD y\n"
    usual = {"lint": "lint", "vet": "lint", "test": "test", "app": "image", "web": "image"}
    assert kinds(plan(text)) == usual
    assert kinds(plan(text, lint_target=("vet",))) == {name: kind for name, kind in usual.items() if name != "lint"}
    assert kinds(plan(text, image_target=("WEB",))) == {name: kind for name, kind in usual.items() if name != "app"}
    assert kinds(plan(text, binaries_target=("app", "vet"))) == {**usual, "app": "binaries", "vet": "binaries"}
    assert kinds(plan(text, test_target=("web",))) == {"lint": "lint", "vet": "lint", "app": "image", "web": "test"}


INNER = (
    "FROM alpine AS unit-test\nRUN t\nFROM scratch AS unit-test-results\nCOPY --from=unit-test /o /\nFROM a AS app\n"
)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("unit-test",), {"unit-test": "test"}),
        (("test",), {"unit-test-results": "test"}),
        (("APP", "unit-test"), {"unit-test": "test", "app": "image"}),
        (("app", "test", "image"), {"unit-test-results": "test", "app": "image"}),
    ],
)
def test_a_word_is_a_kind_first_and_a_target_s_name_else(
    plan: Make, words: tuple[str, ...], found: dict[str, str]
) -> None:
    made = plan(INNER, stages=words)
    assert kinds(made) == found
    assert list(kinds(made)) == list(found), "in the order of the file"


def test_a_kind_that_no_target_has_is_no_stage(plan: Make) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(INNER, stages=("app", "binaries"))
    assert caught.value.message == "there is no stage 'binaries' in Dockerfile"
    assert caught.value.hint == "targets: unit-test, unit-test-results, app"


def test_a_bake_file_without_targets(plan: Make) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(bake={})
    assert caught.value.message == "no lint, test, binaries or image target found in docker-bake.json"
    assert caught.value.hint == (
        "targets: none; name one as STAGE or with --lint-target, --test-target, --binaries-target, --image-target"
    )
