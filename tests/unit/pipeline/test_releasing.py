"""The order of a release: pushed by digest, looked at, approved, and only then tagged; nothing is ever half tagged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.pipeline.conftest import METADATA, Ground, Memory

from ci_buildkit.engine.machines import Machine
from ci_buildkit.engine.progress import Progress
from ci_buildkit.engine.registry import Held, Manifest
from ci_buildkit.engine.solve import Solved
from ci_buildkit.errors import EngineError, Interrupted
from ci_buildkit.pipeline import approve, image_record, survivors, tagging
from ci_buildkit.pipeline.goal import State, goals
from ci_buildkit.pipeline.judge import CANCELLED, PASSED
from ci_buildkit.pipeline.pushed import Pushed
from ci_buildkit.pipeline.release import Release
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.plan.images import Image
from ci_buildkit.record import StageRecord

INDEX, OTHER = ("sha256:" + letter * 64 for letter in "0a")
HELD = Held(INDEX, (Manifest("linux/amd64", INDEX, 1),))
PUSHES = METADATA.replace("DIGEST", INDEX)
NAMES = (Image("app", "host/app", ("1", "latest")), Image("app", "other/app", ("1",)))


def release(ground: Ground, registry: Memory, images: Sequence[Image] = NAMES, **options: Any) -> Release:
    """The release of an image that was built for linux/amd64."""
    named = {"image": ("host/app",), "stages": ("app",), "platform": ("linux/amd64",)}
    plan, chosen = ground.plan("FROM alpine AS app\nCMD x\n", **{**named, "push": True, **options})
    plan = replace(plan, images=tuple(images))
    record = StageRecord(name="app", kind="image", target="app", platforms=("linux/amd64",), outcome="passed")
    run = StageRun(plan.stages[0], record, PASSED, manifests=frozenset({INDEX}))
    return Release(
        ground.session(plan, chosen), plan, [State(goal, goal.tags) for goal in goals(plan, [run])], registry
    )


def test_an_image_goes_to_all_its_names_before_any_tag_moves(ground: Ground, registry: Memory) -> None:
    ground.docker(PUSHES)
    registry.images[INDEX] = HELD
    made = release(ground, registry)
    made.run()
    assert made.verdicts == []
    assert sorted(registry.calls) == ["tag host/app:1", "tag host/app:latest", "tag other/app:1"]
    assert sum(" bake " in call for call in ground.calls) == 1
    records = [image_record.released(made.session, state) for state in made.states]
    assert [(one.name, one.pushed, one.unchanged, one.digest) for one in records] == [
        ("host/app", True, False, INDEX), ("other/app", True, False, INDEX),
    ]  # fmt: skip


def test_an_image_whose_tags_stand_at_it_already_is_not_pushed_again(ground: Ground, registry: Memory) -> None:
    registry.images[INDEX] = HELD
    registry.tags = {"host/app:1": INDEX, "host/app:latest": INDEX}
    made = release(ground, registry, NAMES[:1])
    made.run()
    assert (made.verdicts, ground.calls, registry.calls) == ([], [], [])
    assert (made.states[0].unchanged, made.states[0].done) == (True, True)


def test_an_immutable_tag_ends_a_release_before_anything_is_pushed(ground: Ground, registry: Memory) -> None:
    registry.images = {INDEX: HELD, OTHER: Held(OTHER, (Manifest("linux/amd64", OTHER, 1),))}
    registry.tags = {"other/app:1": OTHER}
    made = release(ground, registry, immutable_tags=True)
    made.run()
    assert [(one.outcome, one.exit_code) for one in made.verdicts] == [("error", 2)]
    assert (ground.calls, registry.calls) == ([], [])
    assert not image_record.released(made.session, made.states[0]).pushed


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (None, "was pushed, and the registry does not hold it"),
        (Held(INDEX, (Manifest("linux/s390x", INDEX, 1),)), "was pushed and lacks linux/amd64"),
    ],
)
def test_what_the_registry_does_not_hold_gets_no_tag(
    ground: Ground, registry: Memory, held: Held | None, reason: str
) -> None:
    ground.docker(PUSHES)
    if held:
        registry.images[INDEX] = held
    made = release(ground, registry)
    made.run()
    assert {one.exit_code for one in made.verdicts} == {5}
    assert reason in (made.verdicts[0].reason or "")
    assert registry.calls == []


def test_a_refused_push_is_the_registry_s_word_and_moves_no_tag(ground: Ground, registry: Memory) -> None:
    ground.docker("echo 'ERROR: failed to push host/app: denied: requested access' >&2; exit 1")
    made = release(ground, registry)
    made.run()
    assert [one.exit_code for one in made.verdicts] == [4]
    assert "denied" in (made.verdicts[0].reason or "")
    assert registry.calls == []


def test_an_interruption_between_two_steps_ends_a_release(ground: Ground, registry: Memory) -> None:
    ground.docker(PUSHES)
    registry.images[INDEX] = HELD
    made = release(ground, registry)
    ground.cancellation.cancel()
    made.run()
    assert made.verdicts
    assert set(made.verdicts) == {CANCELLED}
    assert registry.calls == []


def test_one_machine_of_several_leaves_a_leg_and_moves_no_tag(ground: Ground, registry: Memory) -> None:
    ground.docker(PUSHES)
    registry.images[INDEX] = HELD
    made = release(ground, registry, push=False, push_by_digest=True)
    made.run()
    assert (made.verdicts, registry.calls) == ([], [])
    legs = [json.loads(file.read_text()) for file in (ground.staging.report / "digests").rglob("*.json")]
    assert {(leg["name"], leg["digest"]) for leg in legs} == {("host/app", INDEX), ("other/app", INDEX)}
    assert image_record.released(made.session, made.states[0]).tags == ()


def test_where_tags_stand_after_a_failure_is_told(ground: Ground, registry: Memory) -> None:
    image = Pushed("app", "host/app", INDEX, HELD)
    registry.images = {INDEX: HELD, OTHER: HELD}
    registry.tags = {"host/app:1": INDEX, "host/app:2": OTHER}
    registry.broken = {image.reference: EngineError("denied"), "host/app:3": EngineError("denied")}
    session = release(ground, registry).session
    tagging.move(session, registry, image, ())
    where = r"moved: 1; not moved: 2; nobody knows of: 3"
    with pytest.raises(EngineError, match=where):
        tagging.move(session, registry, image, ("1", "2", "3"))
    ground.cancellation.cancel()
    with pytest.raises(Interrupted, match=where):
        tagging.move(session, registry, image, ("1", "2", "3"))


TRIED = """case "$1" in
  version) echo linux/amd64;;
  run) echo "listening on ::"; echo "panic: $last"; exit $CODE;;
  buildx) PUSHES;;
esac"""
BOTH = Held(INDEX, (Manifest("linux/amd64", INDEX, 1), Manifest("linux/arm64", OTHER, 1)))


@pytest.mark.parametrize("code", [0, 3])
def test_an_image_is_tried_out_before_its_tags_move(ground: Ground, registry: Memory, code: int) -> None:
    ground.docker(TRIED.replace("$CODE", str(code)).replace("PUSHES", PUSHES))
    registry.images[INDEX] = BOTH
    made = release(ground, registry, smoke=("app --self-test",))
    made.run()
    state = made.states[0]
    assert bool(registry.calls) is not bool(code)
    assert state.approval is not None
    assert state.approval.smoked == (() if code else ("linux/amd64",))
    told = [text for _, text in ground.view.messages if "tried out" in text]
    assert told == ["app was not tried out on linux/arm64: docker's machine does not execute that itself"]
    assert "panic: --self-test" in (ground.staging.report / "logs" / "app.smoke.log").read_text()
    assert sum(call.startswith("run ") for call in ground.calls) == 1, "once for both of its names"
    if code:
        assert {one.exit_code for one in made.verdicts} == {5}
        said = "listening on :: / panic: --self-test (logs/app.smoke.log)"
        assert made.verdicts[0].reason == f"app: `app --self-test` on linux/amd64 ended with exit code 3: {said}"


COSIGN = """#!/bin/sh
echo "$*" >>cosign-calls
case $1 in
  public-key) for word; do [ "$before" = --outfile ] && echo KEY >"$word"; before=$word; done; exit 0;;
  verify) [ -f signed ] || { echo "Error: no signatures found" >&2; exit 1; };;
  sign) [ ! -f refused ] || { echo "Error: 401 Unauthorized" >&2; exit 1; }; touch signed;;
esac
"""


@pytest.mark.parametrize("state", ["", "signed", "refused"])
def test_an_image_is_signed_once_and_verified_before_its_tags_move(
    ground: Ground, registry: Memory, state: str
) -> None:
    ground.docker(PUSHES)
    cosign = ground.folder / "bin" / "cosign"
    cosign.write_text(COSIGN, encoding="utf-8")
    cosign.chmod(0o755)
    (ground.folder / (state or "nothing")).touch()
    registry.images[INDEX] = HELD
    made = release(ground, registry, NAMES[:1], sign="cosign.key")
    approve.check(made.session.options, made.plan, made.session.buildx)
    made.run()
    did = [call.split()[0] for call in (ground.folder / "cosign-calls").read_text().splitlines()]
    assert [word for word in did if word != "public-key"] == {
        "": ["verify", "sign", "verify"], "signed": ["verify"], "refused": ["verify", "sign"],
    }[state]  # fmt: skip
    assert image_record.released(made.session, made.states[0]).signed is (state != "refused")
    assert bool(registry.calls) is (state != "refused")
    if state == "refused":
        assert "could not be signed: 401 Unauthorized" in (made.verdicts[0].reason or "")


def test_what_could_not_be_approved_later_is_told_before_anything_is_built(ground: Ground, registry: Memory) -> None:
    ground.docker("echo 'Cannot connect to the Docker daemon at unix:///x' >&2; exit 1")
    made = release(ground, registry, smoke=("true",))
    with pytest.raises(EngineError, match="cannot be tried out"):
        approve.check(made.session.options, made.plan, made.session.buildx)
    approve.check(made.session.options, replace(made.plan, push=False), made.session.buildx)
    approvals = approve.verdicts(made.session, made.plan, [Pushed("app", "host/app", INDEX, HELD)])
    assert [(one.verdict.exit_code, one.signed) for one in approvals] == [(4, False)]


FARM = (
    Machine("b0", "tcp://127.0.0.1:1", "running", "v1", ("linux/amd64",)),
    Machine("b1", "tcp://127.0.0.1:2", "running", "v1", ("linux/arm64",)),
)
BROKEN = Solved(1, "ERROR: failed to do request: connection reset by peer", Progress())


def shown(*machines: Machine) -> str:
    """A docker whose buildx shows these machines."""
    nodes = "\n\n".join(
        f"Name: {m.name}\nEndpoint: {m.endpoint}\nStatus: {m.status}\nPlatforms: {', '.join(m.platforms)}"
        for m in machines
    )
    return f"case \"$2\" in inspect) cat <<'END'\nName: b\nDriver: remote\n\nNodes:\n{nodes}\nEND\n;; esac"


@pytest.mark.parametrize(
    ("alive", "platforms", "final", "told"),
    [
        (FARM[:1], ("linux/amd64",), False, "node b1"),
        (FARM[:1], ("linux/arm64",), True, "no other machine can build for linux/arm64"),
        ((), ("linux/amd64",), True, "no machine is left"),
    ],
)
def test_a_build_goes_on_where_other_machines_can_build_it(
    ground: Ground, alive: Sequence[Machine], platforms: tuple[str, ...], told: str, *, final: bool
) -> None:
    plan, options = ground.plan("FROM alpine AS app\nCMD x\n")
    ground.docker(shown(*alive))
    session = ground.session(plan, options, FARM)
    found = survivors.loss(session, "app", platforms, session.builder, BROKEN)
    assert found is not None
    assert (found.final, told in found.said) == (final, True)
    assert bool(ground.view.messages) is not final


def test_a_build_that_broke_while_all_machines_live_broke_by_itself(ground: Ground) -> None:
    plan, options = ground.plan("FROM alpine AS app\nCMD x\n")
    ground.docker(shown(*FARM))
    session = ground.session(plan, options, FARM)
    assert survivors.loss(session, "app", (), session.builder, BROKEN) is None
    assert survivors.loss(session, "app", (), session.builder, Solved(0, "", Progress())) is None
    ground.cancellation.cancel()
    assert survivors.loss(session, "app", (), session.builder, BROKEN) is None
