"""What decides in a release, without an engine: what an image lacks, where its tags stand, how it is pushed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.plan.conftest import VERSION, Answers

from ci_buildkit.config.options import Options
from ci_buildkit.engine.builder import Builder
from ci_buildkit.engine.machines import Machine
from ci_buildkit.engine.registry import Held, Manifest, Top
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.pipeline import flaws, push, standing
from ci_buildkit.pipeline.goal import Goal, goals
from ci_buildkit.pipeline.judge import PASSED
from ci_buildkit.pipeline.prepare import fitting
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.pipeline.standing import Standing
from ci_buildkit.plan import stages, targets
from ci_buildkit.plan.images import Image
from ci_buildkit.plan.stages import Plan
from ci_buildkit.record import StageRecord

INDEX, AMD, ARM, SEAL = ("sha256:" + letter * 64 for letter in "0ab1")
PROVENANCE, SBOM = "https://slsa.dev/provenance/v1", "https://spdx.dev/Document"


def held(*predicates: tuple[str, ...], platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64")) -> Held:
    """An image of some platforms, with the predicates of each."""
    every = predicates or ((),) * len(platforms)
    return Held(INDEX, tuple(Manifest(p, AMD, 1, own) for p, own in zip(platforms, every, strict=True)))


@pytest.mark.parametrize(
    ("image", "platforms", "attest", "wrong"),
    [
        (held(), ("linux/arm64", "linux/amd64"), [], ""),
        (held(), (), [], ""),
        (held(), ("linux/arm64/v8",), [], ""),
        (held(platforms=("linux/arm/v7",)), ("linux/arm",), [], ""),
        (held(platforms=("linux/arm/v6",)), ("linux/arm/v7", "linux/s390x"), [], "lacks linux/arm/v7, linux/s390x"),
        (held((PROVENANCE,), (PROVENANCE, SBOM)), (), ["type=provenance"], ""),
        (held((PROVENANCE,), (PROVENANCE, SBOM)), (), ["type=sbom"], "has no sbom for linux/amd64"),
        (held((), ()), (), ["type=provenance,disabled=true"], ""),
        (held((PROVENANCE,), ()), (), ["type=provenance,disabled=true"], "has a provenance for linux/amd64"),
        (
            held(platforms=("linux/amd64",)),
            ("linux/arm64",),
            ["type=sbom", "type=provenance"],
            "lacks linux/arm64; has no sbom for linux/amd64; has no provenance for linux/amd64",
        ),
    ],
)
def test_what_an_image_lacks(image: Held, platforms: tuple[str, ...], attest: list[Any], wrong: str) -> None:
    assert flaws.of(image, platforms, attest) == wrong


def test_attestations_are_those_that_every_platform_has() -> None:
    assert flaws.kinds(held((PROVENANCE, SBOM), (PROVENANCE,))) == ("provenance",)
    assert flaws.kinds(held()) == ()


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan with one image."""
    monkeypatch.chdir(tmp_path)
    Path("Dockerfile").write_text("FROM alpine AS app\nCMD x\n", encoding="utf-8")
    options = Options(image=("host/app",))
    return stages.make(options, targets.discover(options, Answers()), VERSION)


def built(plan: Plan, **definition: Any) -> StageRun:
    """The image stage of a plan, built for two platforms."""
    stage = replace(plan.stages[0], definition={**plan.stages[0].definition, **definition})
    record = StageRecord(name="app", kind="image", target="app", platforms=(), outcome="passed")
    return StageRun(stage, record, PASSED, manifests=frozenset({AMD, ARM}), metadata={"containerimage.digest": INDEX})


def test_an_image_has_a_goal_for_each_of_its_names(made: Plan) -> None:
    plan = replace(
        made,
        images=(
            Image("app", "a/x", ("1", "2")), Image("app", "b/x", ("1",)), Image("app", "a/x", ("2", "3")),
            Image("other", "c/x", ("1",)),
        ),
    )  # fmt: skip
    found = goals(plan, [built(plan)])
    assert [(goal.stage, goal.name, goal.tags) for goal in found] == [
        ("app", "a/x", ("1", "2", "3")),
        ("app", "b/x", ("1",)),
    ]
    assert (found[0].reference("2"), found[0].built) == ("a/x:2", INDEX)


SEALED: Mapping[str, Any] = {"digest": SEAL, "annotations": {"vnd.docker.reference.type": "attestation-manifest"}}
BOTH: tuple[Mapping[str, Any], ...] = ({"digest": AMD}, {"digest": ARM}, SEALED)


@pytest.mark.parametrize(
    ("top", "annotations", "same"),
    [
        (Top(INDEX, BOTH), [], True),
        (Top(INDEX, BOTH[:2]), [], True),
        (Top(INDEX, BOTH[1:]), [], False),
        (Top(AMD), [], False),
        (Top(INDEX, BOTH), ["index:a=b"], False),
        (Top(INDEX, BOTH, {"a": "b"}), ["manifest,index:a=b", "manifest:c=d", "e=f", "index[linux/arm64]:g=h"], True),
    ],
)
def test_an_image_is_the_same_when_those_of_its_platforms_are(
    made: Plan, top: Top, annotations: list[str], same: bool
) -> None:
    assert standing.is_same(Goal(built(made, annotations=annotations), "host/app", ("1",)), top) == same


def test_a_build_whose_images_are_not_known_is_no_tag_s_image(made: Plan) -> None:
    run = built(made)
    run.manifests = frozenset()
    assert not standing.is_same(Goal(run, "host/app", ("1",)), Top(INDEX, BOTH))


def test_an_immutable_tag_that_would_move_is_told_with_both_digests(made: Plan) -> None:
    goal = Goal(built(made), "host/app", ("1", "2"))
    standing.check_immutable(goal, Standing({"1": SEAL}, {}))
    with pytest.raises(ConfigurationError, match=f"host/app:2 is {SEAL} already, {INDEX} was built"):
        standing.check_immutable(goal, Standing({"1": SEAL}, {"2": SEAL}))


def test_a_push_takes_the_build_from_the_cache_and_names_no_tag() -> None:
    given = {
        "context": ".", "tags": ["host/app:1"], "no-cache": True, "no-cache-filter": ["x"], "pull": True,
        "output": [{"type": "image", "push": "false", "source-date-epoch": "7"}],
        "cache-to": [{"type": "registry", "ref": "host/inline"}, "type=registry,ref=inline", "type=inline"],
    }  # fmt: skip
    assert push.definition(given, ("a/x", "b/x")) == {
        "context": ".",
        "cache-to": ["type=inline"],
        "output": [
            {
                "type": "image", "name": "a/x,b/x", "push": "true", "push-by-digest": "true", "name-canonical": "true",
                "rewrite-timestamp": "true", "source-date-epoch": "7",
            }
        ],
    }  # fmt: skip


def test_what_would_be_pushed_is_written_in_the_same_way() -> None:
    found = push.definition({"output": [{"type": "image", "push": "false"}]}, ())["output"]
    assert found == [{"type": "image", "push": "false", "rewrite-timestamp": "true"}]


def machine(name: str) -> Machine:
    return Machine(name, status="running", platforms=("linux/amd64",))


def builder(driver: str, *machines: str) -> Builder:
    return Builder("b", driver, tuple(map(machine, machines)), created=False, kept=True)


def test_layouts_are_kept_where_the_builder_makes_them(made: Plan) -> None:
    assert fitting(made, builder("docker-container", "one")) == (made, ())
    for other in (builder("docker", "one"), builder("remote", "one", "two")):
        plan, [(level, text)] = fitting(made, other)
        assert [stage.export for stage in plan.stages] == ["image"]
        assert (level, "no OCI layout is kept of app" in text) == ("notice", True)


def test_docker_s_own_builder_cannot_release(made: Plan) -> None:
    pushing = replace(made, push=True)
    assert fitting(pushing, builder("docker-container", "one"))[0] == pushing
    with pytest.raises(ConfigurationError, match="cannot push an image before its tags"):
        fitting(pushing, builder("docker", "one"))
