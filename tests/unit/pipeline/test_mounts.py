"""Cache mounts between runs: what one run keeps the next one has, and nothing of it turns a run red."""

from __future__ import annotations

import base64
import json
import threading

import pytest
from msgspec.structs import replace
from tests.unit.pipeline.conftest import Ground

from ci_buildkit.engine.fleet import Fleet
from ci_buildkit.pipeline.judge import PASSED
from ci_buildkit.pipeline.mounts import Keeper
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.record import StageRecord, StepRecord

DOCKERFILE = "FROM alpine AS test\nRUN --mount=type=cache,target=/c,id=go x\n"
STEP = "[test 2/2] RUN --mount=type=cache,target=/c,id=go x"


def script(ground: Ground, take: str, *, put: str = "put 0") -> str:
    """A docker that takes mounts so, and puts them in."""
    vertex = {"digest": "sha256:a", "name": "[ci-buildkit-mounts 2/2] RUN x", "started": "2026-11-25T02:37:42.3Z"}
    logs = [
        {
            "vertex": "sha256:a",
            "stream": 1,
            "data": base64.b64encode(f"{put}\n".encode()).decode(),
            "timestamp": vertex["started"],
        }
    ]
    said = ground.folder / "said"
    said.write_text(f"{json.dumps({'vertexes': [vertex]})}\n{json.dumps({'logs': logs})}\n", encoding="utf-8")
    return f"""for word; do case $word in type=local,dest=*) out=${{word#*dest=}};; esac; done
case "$*" in
  *type=cacheonly*) cat '{said}' >&2;;
  *" build "*) mkdir -p "$out"; {take};;
  *" du "*) printf 'ID: x\\nDescription: cached mount /c from exec x with id "/go"\\n';;
esac"""


def taken(state: str, content: str = "one") -> str:
    written = f"printf '{content}' >\"$out/0.tar\"; " if state == "taken" else ""
    return f"{written}echo '0 {state} 2 {content} 755 0 0' >\"$out/list\""


def run(ground: Ground, *, seconds: float = 2.0, cached: bool = False, made: bool = True, **options: object) -> Keeper:
    """A run whose one step uses the mount."""
    folder = ground.folder.with_name(f"{ground.folder.name}-kept")  # out of the context
    plan, chosen = ground.plan(DOCKERFILE, persist_cache_mounts=folder, **options)
    session = ground.session(plan, chosen)
    if not made:
        builder = replace(session.builder, created=False, kept=True)
        session = replace(session, fleet=Fleet(session.buildx, builder))
    ground.view.messages.clear()
    keeper = Keeper(session, plan, folder)
    keeper.wait(plan.stages[0])
    for thread in threading.enumerate():  # which says what it restored after a stage may begin
        if thread.name == "cache mounts":
            thread.join()
    timeline = (StepRecord(name=STEP, started=0, seconds=seconds, cached=cached, parents=(), transferred=0),)
    record = StageRecord(name="test", kind="test", target="test", platforms=(), outcome="passed", timeline=timeline)
    with keeper.saving([StageRun(plan.stages[0], record, PASSED)]):
        pass
    return keeper


def told(ground: Ground) -> list[str]:
    """What people were told, each up to its first ` in `."""
    return [text.removeprefix("cache mounts: ").partition(" in ")[0] for _, text in ground.view.messages]


def test_what_one_run_keeps_the_next_one_has(ground: Ground) -> None:
    ground.docker(script(ground, taken("taken")))
    first = run(ground, seconds=9.0)
    assert (first.record.restored, first.record.saved, first.record.saved_bytes) == (0, 1, 3)
    assert told(ground) == ["saved 1, 0.0 MB"]
    ground.docker(script(ground, taken("same")))
    second = run(ground)
    assert (second.record.restored, second.record.restored_bytes, second.record.saved) == (1, 3, 0)
    assert told(ground) == [
        "restored 1, 0.0 MB",
        "nothing changed",
        "the steps that use them took 2.0 s, 9.0 s when they were empty",
    ]


def test_a_builder_that_has_a_mount_keeps_its_own(ground: Ground) -> None:
    ground.docker(script(ground, taken("taken")))
    run(ground)
    assert run(ground, made=False).record.restored == 0
    assert any(" du " in call for call in ground.calls)


def test_a_build_without_cache_begins_with_empty_mounts(ground: Ground) -> None:
    ground.docker(script(ground, taken("taken")))
    run(ground)
    assert run(ground, no_cache=True).record.restored == 0


def test_a_step_from_the_cache_changed_no_mount(ground: Ground) -> None:
    ground.docker(script(ground, taken("taken")))
    assert run(ground, cached=True).record.saved == 0
    assert not [call for call in ground.calls if " build " in call]


@pytest.mark.parametrize("state", ["large", "empty", "changing"])
def test_a_mount_that_cannot_be_kept_is_none_the_next_time(ground: Ground, state: str) -> None:
    ground.docker(script(ground, taken(state)))
    run(ground)
    assert any("does not fit into --cache-mounts-size" in text for text in told(ground)) is (state == "large")
    assert run(ground).record.restored == 0


def test_a_builder_in_trouble_turns_no_run_red(ground: Ground) -> None:
    ground.docker(script(ground, taken("taken")))
    run(ground)
    ground.docker("echo 'ERROR: no builder b found' >&2; exit 1")
    found = run(ground)
    assert (found.record.restored, found.record.saved) == (0, 0)
    assert [text.partition(": ")[0] for text in told(ground)] == [
        "they could not be restored",
        "they could not be saved",
    ]
    ground.cancellation.cancel()
    run(ground)
    assert told(ground) == [], "after an interruption nobody is told of what that broke"
