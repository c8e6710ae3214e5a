"""What options, the bake file and the version give to each stage of the plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.stages import Plan, without_layouts

Make = Callable[..., Plan]

# One stage of each kind, and one of none.
ALL = """\
FROM alpine AS lint
RUN l
FROM alpine AS test
RUN t
FROM scratch AS binaries
COPY --from=lint /x /
FROM alpine AS tool
RUN x
FROM alpine AS app
CMD x
"""
WORDS = ("lint", "test", "binaries", "tool", "app")


def baked(**more: Any) -> dict[str, dict[str, Any]]:
    """A bake target for each stage of `ALL`."""
    return {name: {"context": ".", "target": name, **more} for name in WORDS}


def each(plan: Plan, key: str) -> dict[str, Any]:
    """What every stage's definition has under a key; stages without it are left out."""
    return {stage.name: stage.definition[key] for stage in plan.stages if key in stage.definition}


def test_a_plan_says_what_it_is_of(plan: Make, inside: Path) -> None:
    (inside / "sub").mkdir()
    (inside / "sub" / "Dockerfile").write_text(ALL, encoding="utf-8")
    made = plan(context=Path("sub"))
    assert (made.context, made.source) == (Path("sub"), Path("sub/Dockerfile"))
    assert (made.version.value, made.images, made.push, made.linked) == ("v1.2.3", (), False, {})
    assert [stage.target.name for stage in made.stages] == ["lint", "test", "binaries", "app"]


def test_what_leaves_the_builder_of_each_kind(plan: Make) -> None:
    exports = {"lint": "none", "test": "none", "binaries": "binaries", "tool": "none", "app": "layout"}
    made = plan(ALL, stages=WORDS)
    assert {stage.name: stage.export for stage in made.stages} == exports
    assert {stage.name: stage.export for stage in without_layouts(made).stages} == {**exports, "app": "image"}
    assert without_layouts(made).source == made.source
    pushed = plan(ALL, stages=WORDS, image=("h/x",), push_by_digest=True)
    assert {stage.name: stage.export for stage in pushed.stages} == {**exports, "app": "image"}
    assert pushed.push
    scratch = plan("FROM a AS work\nRUN x\nFROM scratch AS tool\nCOPY --from=work / /\nFROM a\n", stages=("tool",))
    assert [(stage.kind, stage.export) for stage in scratch.stages] == [("other", "none")]


def test_platforms_of_an_option_are_for_what_goes_out(plan: Make) -> None:
    own = ["linux/s390x"]
    made = plan(
        ALL, bake=baked(platforms=own, output=["type=docker"]), stages=WORDS, platform=("linux/arm64", "darwin/arm64")
    )
    assert each(made, "platforms") == {
        "lint": own,
        "test": own,
        "binaries": ["linux/arm64", "darwin/arm64"],
        "tool": own,
        "app": ["linux/arm64"],
    }
    assert {stage.name: list(stage.platforms) for stage in made.stages} == each(made, "platforms")
    assert not each(made, "output")
    assert not each(plan(bake=baked(platforms=[]), stages=WORDS), "platforms"), "an empty list would be one of none"


def test_what_the_user_adds_comes_behind_what_the_bake_file_has(plan: Make) -> None:
    given = {"secret": ["id=a"], "cache-from": ["type=gha"], "cache-to": ["type=inline"], "no-cache-filter": ["lint"]}
    options: dict[str, Any] = {"secret": ("id=b,env=B",), "cache_from": ("h/c",), "cache_to": ("type=local,dest=/c",)}
    made = plan(ALL, bake=baked(**given), stages=("app", "lint"), **options)
    app = made.stages[1].definition
    assert app["secret"] == ["id=a", "id=b,env=B"]
    assert app["cache-from"] == ["type=gha", "type=registry,ref=h/c:app"]
    assert app["cache-to"][0] == "type=inline"
    assert app["cache-to"][1].startswith("type=local,dest=/c/app")
    assert each(made, "no-cache-filter") == {"lint": ["lint"], "app": ["lint"]}
    bare = plan(bake=baked(**given), stages=("app",))
    assert {key: bare.stages[0].definition[key] for key in given} == given
    assert not each(plan(bake=baked(), stages=WORDS), "no-cache")
    assert each(plan(bake=baked(), stages=WORDS, no_cache=True), "no-cache") == dict.fromkeys(WORDS, True)


def test_each_stage_has_a_cache_of_its_own(plan: Make) -> None:
    options: dict[str, Any] = {"cache_from": ("h/c:{branch}-{target}",), "cache_to": ("type=inline", "h/c")}
    made = plan(ALL, stages=("lint", "app"), branches=("x", "main"), platform=("linux/arm64",), **options)
    assert each(made, "cache-from") == {
        name: [f"type=registry,ref=h/c:{branch}-{name}" for branch in ("x", "main")] for name in ("lint", "app")
    }
    written = {
        name: [entry.partition(",mode=")[0] for entry in found] for name, found in each(made, "cache-to").items()
    }
    assert written == {
        "lint": ["type=registry,ref=h/c:lint"],
        "app": ["type=inline", "type=registry,ref=h/c:app-linux-arm64"],
    }, "only an image carries a cache inline"
    assert not each(plan(stages=("lint",), cache_to=("type=inline",)), "cache-to")


def test_a_credential_as_an_argument_is_refused_with_the_target_s_name(plan: Make) -> None:
    given = ("API_TOKEN=ghp_" + "x" * 36,)
    with pytest.raises(ConfigurationError, match="target app: the build argument API_TOKEN looks like a credential"):
        plan(ALL, stages=("app",), build_arg=given)
    made = plan(ALL, stages=("app",), build_arg=given, allow_credential_args=True)
    assert each(made, "args") == {"app": {"API_TOKEN": "ghp_" + "x" * 36}}


def test_only_a_test_s_gathering_stages_are_made_anew(plan: Make) -> None:
    text = (
        "FROM alpine AS unit\nRUN t\nFROM scratch AS part\nCOPY --from=unit /o /\nFROM alpine AS mixed\n"
        'COPY --from=part / /\nFROM scratch AS filled\nRUN ["/x"]\n'
        "FROM scratch AS test-results\nCOPY --from=mixed / /\nCOPY --from=filled / /\n"
        "FROM scratch AS lint\nCOPY --from=unit /l /\nFROM scratch AS app\nCOPY --from=unit /a /\n"
    )
    assert each(plan(text), "no-cache-filter") == {"test-results": ["test-results", "part"]}
    own = {"test": {"context": ".", "target": "test-results", "no-cache-filter": ["unit"]}}
    assert each(plan(bake=own), "no-cache-filter") == {"test": ["unit", "test-results", "part"]}
    assert not each(plan(ALL, file=Path("Dockerfile")), "no-cache-filter"), "a test that runs is its own result"


def test_who_tests_and_lints_is_known_and_where(plan: Make) -> None:
    text = (
        "FROM alpine AS base\nWORKDIR /base\nRUN x\nFROM base AS unit-test\nRUN t\nFROM alpine AS e2e\nWORKDIR /e2e\nRUN e\n"
        "FROM scratch AS test-results\nCOPY --from=unit-test /o /\nCOPY --from=e2e /o /\n"
        "FROM base AS lint\nRUN l\nFROM base AS app\nCMD x\n"
    )
    made = {stage.name: stage for stage in plan(text).stages}
    assert made["test-results"].rerun == ("test-results", "unit-test", "e2e")
    assert made["test-results"].workdir == "/base"
    assert (made["lint"].rerun, made["lint"].workdir) == (("lint",), "/base")
    assert (made["app"].rerun, made["app"].workdir) == ((), "")


DECLARED = (
    "ARG APP_VERSION VERSION BUILD_VERSION REVISION GIT_COMMIT GIT_SHA COMMIT_SHA VCS_REF COMMIT SOURCE_DATE_EPOCH\n"
)


def test_every_usual_argument_gets_what_git_knows(plan: Make) -> None:
    version = dict.fromkeys(("APP_VERSION", "VERSION", "BUILD_VERSION"), "v1.2.3")
    revision = dict.fromkeys(("REVISION", "GIT_COMMIT", "GIT_SHA", "COMMIT_SHA", "VCS_REF", "COMMIT"), "a" * 40)
    file = "".join(f"FROM alpine AS {name}\n{DECLARED}RUN x\n" for name in WORDS)
    known, epoch = {**version, **revision}, {"SOURCE_DATE_EPOCH": "1700000000"}
    made = plan(file, stages=WORDS)
    assert each(made, "args") == {
        "lint": known,
        "test": known,
        "binaries": {**known, **epoch},
        "tool": known,
        "app": {**known, **epoch},
    }
    assert [stage.epoch for stage in made.stages] == ["", "", "1700000000", "", "1700000000"]


def test_the_time_that_a_user_gives_is_kept_from_tests_only(plan: Make) -> None:
    for made in (
        plan(ALL, stages=WORDS, build_arg=("SOURCE_DATE_EPOCH=7",)),
        plan(
            ALL.replace("RUN", "ARG SOURCE_DATE_EPOCH\nRUN"), bake=baked(args={"SOURCE_DATE_EPOCH": "7"}), stages=WORDS
        ),
    ):
        assert each(made, "args") == {name: {"SOURCE_DATE_EPOCH": "7"} for name in WORDS if name != "test"}
        assert [stage.epoch for stage in made.stages] == ["", "", "7", "", "7"]


def test_a_target_that_is_a_stage_of_the_plan_is_not_linked_to_it_once_more(plan: Make) -> None:
    bake = baked()
    bake["test"]["contexts"] = {"x": "target:lint", "y": "target:tool"}
    bake["app"]["contexts"] = {"x": "target:tool", "z": "docker-image://alpine"}
    made = plan(ALL, bake=bake)
    assert list(made.linked) == ["tool"]
    assert made.linked["tool"] == bake["tool"] | {
        "context": str(Path.cwd()),
        "dockerfile": str(Path.cwd() / "Dockerfile"),
    }


def test_all_images_without_a_name_are_told_before_they_are_built(plan: Make) -> None:
    text = "FROM a AS one\nCMD x\nFROM a AS two\nCMD x\nFROM a AS three\nCMD x\n"
    for how in ("push", "push_by_digest"):
        with pytest.raises(ConfigurationError) as caught:
            plan(text, image=("two=h/x",), **{how: True})
        assert caught.value.message == "nowhere to push one, three to"
        assert caught.value.hint == "name the image with --image HOST/NAME, or leave --push out"
    assert plan("FROM a AS lint\nRUN x\n", push=True).push, "where there is no image, nothing is missing"
