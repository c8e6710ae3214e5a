"""Which stages a file has, of what kind, and what is passed to them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan import images, platforms, stages
from ci_buildkit.plan.images import Image
from ci_buildkit.plan.stages import Plan

Make = Callable[..., Plan]

# A Go project's usual shape, as BuildKit's own guide for Go has it.
THIRD_PARTY = """\
ARG GO_VERSION=1.26
FROM golang:${GO_VERSION}-alpine AS base
WORKDIR /src
FROM base AS build-client
ARG APP_VERSION
RUN go build -o /bin/client ./cmd/client
FROM base AS build-server
ARG APP_VERSION
RUN go build -o /bin/server ./cmd/server
FROM scratch AS client
COPY --from=build-client /bin/client /bin/
ENTRYPOINT ["/bin/client"]
FROM scratch AS server
COPY --from=build-server /bin/server /bin/
ENTRYPOINT ["/bin/server"]
FROM scratch AS binaries
COPY --from=build-client /bin/client /
COPY --from=build-server /bin/server /
FROM golangci/golangci-lint AS lint
WORKDIR /test
RUN golangci-lint run
"""


def kinds(plan: Plan) -> list[tuple[str, str]]:
    """Name and kind of each stage, in order."""
    return [(stage.name, stage.kind) for stage in plan.stages]


def test_a_usual_go_project_has_lint_binaries_and_two_images(plan: Make) -> None:
    made = plan(THIRD_PARTY)
    assert kinds(made) == [("client", "image"), ("server", "image"), ("binaries", "binaries"), ("lint", "lint")]
    assert [stage.export for stage in made.stages] == ["layout", "layout", "binaries", "none"]


def test_a_plan_is_a_value(plan: Make) -> None:
    first, second = plan(THIRD_PARTY, platform=("linux/arm64",)), plan(THIRD_PARTY, platform=("linux/arm64",))
    assert first == second
    assert first != plan(THIRD_PARTY)
    with pytest.raises(AttributeError):
        first.push = True  # type: ignore[misc]


def test_several_of_a_kind_are_all_run(plan: Make) -> None:
    made = plan(
        "FROM alpine AS base\nFROM base AS lint-go\nRUN a\nFROM base AS yaml-lint\nRUN b\n"
        "FROM base AS unit-tests\nRUN c\nFROM base AS test-api\nRUN d\nFROM base AS app\nCMD x\n"
    )
    assert kinds(made) == [
        ("lint-go", "lint"),
        ("yaml-lint", "lint"),
        ("unit-tests", "test"),
        ("test-api", "test"),
        ("app", "image"),
    ]


def test_an_outer_target_stands_for_the_one_it_is_made_from(plan: Make) -> None:
    made = plan(
        "FROM alpine AS test\nWORKDIR /w\nRUN t\nFROM scratch AS test-results\nCOPY --from=test /out /\nFROM alpine\n"
    )
    assert kinds(made) == [("test-results", "test"), ("image", "image")]
    results = made.stages[0]
    assert (results.export, results.rerun, results.workdir) == ("results", ("test-results", "test"), "/w")


def test_a_lint_stage_is_exported_where_it_only_gathers_and_knows_who_lints(plan: Make) -> None:
    made = plan(
        "FROM alpine AS ruff\nWORKDIR /w\nRUN l\nFROM scratch AS lint\nCOPY --from=ruff /out /\nFROM alpine AS vet\nRUN v\n"
    )
    lint, vet = made.stages
    assert (lint.name, lint.export, lint.rerun, lint.workdir) == ("lint", "results", ("lint", "ruff"), "/w")
    assert (vet.name, vet.export, vet.rerun) == ("vet", "none", ("vet",))


def test_a_test_stage_that_is_not_scratch_exports_nothing(plan: Make) -> None:
    made = plan("FROM alpine AS test\nRUN t\n")
    assert kinds(made) == [("test", "test")]
    assert (made.stages[0].export, made.stages[0].rerun) == ("none", ("test",))


def test_a_helper_stage_that_only_sounds_like_a_kind_is_none(plan: Make) -> None:
    """`test-base` is a base of something, so an affix alone does not make it a test."""
    made = plan("FROM alpine AS test-base\nFROM test-base AS test\nRUN t\nFROM alpine AS app\nCMD x\n")
    assert kinds(made) == [("test", "test"), ("app", "image")]


def test_names_are_compared_without_case(plan: Make) -> None:
    assert kinds(plan("FROM alpine AS Lint\nRUN l\n", stages=("LINT",))) == [("lint", "lint")]


def test_the_last_stage_without_a_name_is_built_without_naming_it(plan: Make) -> None:
    made = plan("FROM alpine AS base\nRUN x\nFROM base\nCMD x\n")
    assert kinds(made) == [("image", "image")]
    assert "target" not in made.stages[0].definition
    assert kinds(plan("FROM alpine AS image\nCMD x\nFROM busybox\nCMD y\n")) == [("image", "image"), ("final", "image")]


def test_a_stage_with_a_dot_in_its_name_becomes_a_bake_target_and_answers_to_both(plan: Make) -> None:
    text = "FROM alpine AS my.app\nCMD x\nFROM alpine AS Lint.Go\nRUN l\n"
    made = plan(text, stages=("my.app",), image=("my.app=host/app",))
    assert kinds(made) == [("my_app", "image")]
    assert made.stages[0].definition["target"] == "my.app"
    assert made.images[0].stage == "my_app"
    assert kinds(plan(text, lint_target=("LINT.go",))) == [("my_app", "image"), ("lint_go", "lint")]


def test_a_development_image_is_not_built(plan: Make) -> None:
    assert kinds(plan("FROM alpine AS dev\nCMD sh\nFROM alpine AS app\nCMD x\n")) == [("app", "image")]


def test_targets_named_by_option_replace_the_usual_names(plan: Make) -> None:
    made = plan(THIRD_PARTY, test_target=("build-server",), binaries_target=("build-client",), image_target=("Server",))
    assert kinds(made) == [
        ("build-client", "binaries"),
        ("build-server", "test"),
        ("server", "image"),
        ("lint", "lint"),
    ]


def test_a_target_named_for_one_kind_is_not_found_for_another(plan: Make) -> None:
    made = plan("FROM alpine AS lint\nRUN l\nFROM alpine AS app\nCMD x\n", test_target=("lint",))
    assert kinds(made) == [("lint", "test"), ("app", "image")]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("lint",), [("lint", "lint")]),
        (("image",), [("client", "image"), ("server", "image")]),
        (("server", "lint"), [("server", "image"), ("lint", "lint")]),
        (("build-client",), [("build-client", "other")]),
    ],
)
def test_stages_are_chosen_by_name_or_kind(plan: Make, words: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    assert kinds(plan(THIRD_PARTY, stages=words)) == found


def test_none_found_lists_the_targets(plan: Make) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan("FROM alpine AS base\nFROM base AS dev\nRUN x\n")
    assert caught.value.exit_code == 2
    assert "no lint, test, binaries or image target found in Dockerfile" in caught.value.message
    assert "targets: base, dev; name one as STAGE or with --lint-target" in caught.value.hint


@pytest.mark.parametrize(
    ("options", "noun"), [({"stages": ("servr",)}, "stage"), ({"lint_target": ("servr",)}, "target")]
)
def test_an_unknown_name_gets_the_nearest_and_all(plan: Make, options: dict[str, Any], noun: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(THIRD_PARTY, **options)
    assert f"there is no {noun} 'servr'" in caught.value.message
    assert caught.value.hint.startswith("did you mean 'server'? targets: base, build-client,")


@pytest.mark.parametrize("platform", ["linux/amd46", "lunix/amd64"])
def test_an_unknown_platform_is_refused(plan: Make, platform: str) -> None:
    with pytest.raises(ConfigurationError, match=f"unknown platform '{platform}'"):
        plan(THIRD_PARTY, platform=(platform,))


def test_platforms_go_to_binaries_and_images_only(plan: Make) -> None:
    made = plan(THIRD_PARTY, platform=("linux/amd64", "darwin/arm64", "windows/amd64", "linux/arm/v7"))
    found = {stage.name: stage.platforms for stage in made.stages}
    assert found["binaries"] == ("linux/amd64", "darwin/arm64", "windows/amd64", "linux/arm/v7")
    assert found["server"] == ("linux/amd64", "linux/arm/v7"), "containers run on Linux"
    assert found["lint"] == ()
    assert platforms.runnable(("windows/amd64",)) == ("windows/amd64",)


VERSIONED = """\
ARG VERSION=3.23
FROM alpine:${VERSION} AS base
FROM base AS lint
RUN l
FROM base AS server
ARG VERSION
ARG APP_VERSION
ARG REVISION=none
ENTRYPOINT ["x"]
"""


def test_version_arguments_go_where_they_are_declared(plan: Make) -> None:
    made = {stage.name: stage.definition.get("args", {}) for stage in plan(VERSIONED).stages}
    assert made["lint"] == {}
    assert made["server"] == {"APP_VERSION": "v1.2.3", "REVISION": "a" * 40}


def test_a_version_that_chooses_a_base_image_is_left_alone(plan: Make) -> None:
    assert all("VERSION" not in stage.definition.get("args", {}) for stage in plan(VERSIONED).stages)


def test_the_commits_time_is_an_argument_only_where_it_is_declared(plan: Make) -> None:
    declared = "FROM alpine AS lint\nARG SOURCE_DATE_EPOCH\nRUN l\nFROM alpine AS test\nARG SOURCE_DATE_EPOCH\nRUN t\n"
    image = "FROM alpine AS server\nARG SOURCE_DATE_EPOCH\nCMD x\n"
    made = {stage.name: stage for stage in plan(declared + image).stages}
    assert {name: stage.definition.get("args", {}) for name, stage in made.items()} == {
        "lint": {},
        "test": {},
        "server": {"SOURCE_DATE_EPOCH": "1700000000"},
    }
    assert {name: stage.epoch for name, stage in made.items()} == {"lint": "", "test": "", "server": "1700000000"}
    assert plan(image, build_arg=("SOURCE_DATE_EPOCH=7",)).stages[-1].epoch == "7"


def test_an_argument_of_the_user_s_wins(plan: Make) -> None:
    made = plan(VERSIONED, build_arg=("APP_VERSION=mine", "SOURCE_DATE_EPOCH=7", "VERSION=3.20"))
    args = made.stages[-1].definition["args"]
    assert args == {"APP_VERSION": "mine", "REVISION": "a" * 40, "SOURCE_DATE_EPOCH": "7", "VERSION": "3.20"}


def test_an_argument_s_value_is_no_template_of_bake(plan: Make) -> None:
    made = plan(VERSIONED, build_arg=("APP_VERSION=${BAKE_CMD_CONTEXT}%{if}",))
    assert made.stages[-1].definition["args"]["APP_VERSION"] == "$${BAKE_CMD_CONTEXT}%%{if}"


def test_an_unknown_revision_is_not_passed(plan: Make) -> None:
    made = plan(VERSIONED)
    without = made.version.model_copy(update={"revision": ""})
    assert "REVISION" not in stages.version_args(made.stages[-1].target, without)


def test_secrets_and_no_cache_reach_every_stage(plan: Make) -> None:
    made = plan(THIRD_PARTY, secret=("id=token,env=TOKEN",), no_cache=True)
    assert all(s.definition["secret"] == ["id=token,env=TOKEN"] and s.definition["no-cache"] for s in made.stages)


BAKE: dict[str, Any] = {
    "lint": {"context": ".", "dockerfile": "Dockerfile", "target": "lint"},
    "app": {
        "context": ".",
        "dockerfile": "Dockerfile",
        "target": "server",
        "tags": ["localhost:5000/app", "localhost:5000/app:dev"],
        "platforms": ["linux/amd64", "linux/arm64"],
        "args": {"APP_VERSION": "dev", "GO_VERSION": "1.25"},
        "output": [{"type": "docker"}],
    },
}


def test_a_bake_file_wins_over_the_dockerfile_and_says_more(plan: Make, inside: Path) -> None:
    made = plan(THIRD_PARTY, bake=BAKE, default=frozenset({"app"}))
    assert made.source == Path("docker-bake.json")
    assert kinds(made) == [("lint", "lint"), ("app", "image")]
    app = made.stages[1]
    assert app.platforms == ("linux/amd64", "linux/arm64")
    assert app.definition["args"]["APP_VERSION"] == "v1.2.3", "Git knows better than a default in the file"
    assert app.definition["args"]["GO_VERSION"] == "1.25"
    assert app.definition["context"] == str(inside)
    assert "output" not in app.definition
    assert made.images == (
        Image("app", "localhost:5000/app", ("latest",)),
        Image("app", "localhost:5000/app", ("dev",)),
    )


def test_a_bake_target_s_own_name_says_more_than_its_stage_s(plan: Make) -> None:
    stages = {"test": "lint", "lint-all": "server", "tool": "binaries"}
    bake = {name: {"context": ".", "target": stage} for name, stage in stages.items()}
    assert kinds(plan(THIRD_PARTY, bake=bake)) == [("test", "test"), ("lint-all", "lint"), ("tool", "binaries")]


def test_naming_the_dockerfile_decides_against_the_bake_file(plan: Make) -> None:
    assert plan(THIRD_PARTY, bake=BAKE, file=Path("Dockerfile")).source == Path("Dockerfile")


def test_a_bake_target_that_is_a_context_of_a_stage_goes_with_it(plan: Make) -> None:
    bake: dict[str, Any] = {
        "deps": {"context": ".", "target": "base"},
        "tools": {"context": ".", "target": "base", "contexts": {"deps": "target:deps"}},
        "lint": {"context": ".", "target": "lint", "contexts": {"tools": "target:tools"}},
    }
    made = plan(THIRD_PARTY, bake=bake, default=frozenset(bake))
    assert kinds(made) == [("lint", "lint")], "bake counts contexts among the targets of its default group"
    assert set(made.linked) == {"deps", "tools"}
    bake["tools"]["tags"] = ["host/tools"]
    assert ("tools", "image") in kinds(plan(THIRD_PARTY, bake=bake, default=frozenset(bake)))


@pytest.mark.parametrize(
    ("image", "found"),
    [
        (("host:5000/app",), [("host:5000/app-client", "v1.2.3"), ("host:5000/app-server", "v1.2.3")]),
        (("server=host/srv",), [("host/srv", "v1.2.3")]),
        (("server=host/srv:edge", "client=host/cli"), [("host/cli", "v1.2.3"), ("host/srv", "edge")]),
    ],
)
def test_images_are_named_by_option(plan: Make, image: tuple[str, ...], found: list[tuple[str, str]]) -> None:
    assert [(i.name, *i.tags) for i in plan(THIRD_PARTY, image=image).images] == found


def test_one_image_target_takes_the_plain_name(plan: Make) -> None:
    made = plan(THIRD_PARTY, image=("ghcr.io/acme/app",), image_target=("server",), push=True)
    assert [i.references for i in made.images] == [("ghcr.io/acme/app:v1.2.3",)]
    assert made.push


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": ("lint=x",)}, "--image names the target 'lint', which is not an image of this run"),
        ({"image": ("Host/App",)}, "is not a valid image name"),
        ({"image": ("app//x",)}, "is not a valid image name"),
        ({"push": True}, "nowhere to push client, server to"),
        ({"push": True, "image": ("server=host/srv",)}, "nowhere to push client to"),
    ],
)
def test_images_that_cannot_be_are_refused(plan: Make, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(THIRD_PARTY, **options)
    assert message in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("v1.2.3", "v1.2.3"),
        ("v0.0.0+unknown", "v0.0.0-unknown"),
        ("feature/x", "feature-x"),
        ("X1.0-Beta_2", "X1.0-Beta_2"),
        ("..x", "x"),
        ("ü", "latest"),
        ("a" * 200, "a" * 128),
        ("", "latest"),
    ],
)
def test_a_version_becomes_a_tag(version: str, tag: str) -> None:
    assert images.image_tag(version) == tag


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"context": Path("nowhere")}, "the context nowhere is not a folder"),
        ({"file": Path("No.Dockerfile")}, "there is no file No.Dockerfile"),
        ({"file": Path("Dockerfile"), "bake_file": Path("x.hcl")}, "--file and --bake-file exclude each other"),
        ({}, "there is neither a Dockerfile nor a bake file in ."),
    ],
)
def test_no_build_file_is_a_clear_error(plan: Make, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        plan(**options)
    assert message in caught.value.message
    assert caught.value.hint


def timeouts(plan: Plan) -> dict[str, str | None]:
    """How long each stage may take."""
    return {stage.name: stage.timeout.text if stage.timeout else None for stage in plan.stages}


TIMED = """\
FROM a AS vet
RUN vet
FROM a AS lint
FROM a AS unit-test
RUN test
FROM scratch AS unit-test-results
COPY --from=unit-test / /
"""


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), (None, None, None)),
        (("5m",), ("5m", "5m", "5m")),
        (("lint=1m", "Vet=2m"), ("2m", "1m", None)),
        (("test=1m",), (None, None, "1m")),
        (("unit-test=2m", "test=1m"), (None, None, "2m")),
        (("unit-test=2m", "unit-test-results=3m"), (None, None, "3m")),
    ],
)
def test_how_long_a_stage_may_take(plan: Make, words: tuple[str, ...], found: tuple[str | None, ...]) -> None:
    assert timeouts(plan(TIMED, stage_timeout=words)) == dict(
        zip(("vet", "lint", "unit-test-results"), found, strict=True)
    )


def test_a_timeout_of_nothing_that_there_is_is_refused(plan: Make) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no stage or kind 'lnit' in .*\n.*did you mean 'lint'"):
        plan(TIMED, stage_timeout=("lnit=1m",))
