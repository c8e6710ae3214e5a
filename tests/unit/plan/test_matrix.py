"""Runners by platform, and how long planning takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.matrix import Label, Runners, by_platform, matrix, runners, too_large
from ci_buildkit.plan.platforms import ARCHITECTURES, OPERATING_SYSTEMS
from ci_buildkit.plan.stages import Plan


@pytest.mark.parametrize(
    ("given", "platform", "label"),
    [
        ((), "linux/amd64", "ubuntu-latest"),
        ((), "linux/arm64", "ubuntu-24.04-arm"),
        ((), "", "ubuntu-latest"),
        (("linux/s390x=big",), "linux/s390x", "big"),
        (("linux/s390x=big",), "linux/arm64", "ubuntu-24.04-arm"),
        (("mine",), "linux/arm64", "mine"),
        (("default=mine,linux/arm=arm",), "linux/arm64", "arm"),
        (("default=mine", "linux/arm=arm", "linux/arm64=own"), "linux/arm64/v8", "own"),
        (("default=mine", "linux/arm64=own", "linux/arm=arm"), "linux/arm/v7", "arm"),
        (("windows=win",), "windows/amd64", "win"),
        (("linux/arm/v7=pi",), "linux/arm/v7", "pi"),
        (("linux/arm64=ubuntu=24",), "linux/arm64", "ubuntu=24"),
        (('["self-hosted","a=b"]',), "linux/amd64", ["self-hosted", "a=b"]),
        (('linux/arm64=["self-hosted", "arm64"]',), "linux/arm64", ["self-hosted", "arm64"]),
        (('{"group":"a=b"}',), "linux/arm64", {"group": "a=b"}),
        (('default={"group":"big","labels":"x"}',), "linux/arm64", {"group": "big", "labels": "x"}),
    ],
)
def test_the_longest_beginning_wins(given: tuple[str, ...], platform: str, label: Label) -> None:
    assert runners(given).of(platform) == label


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        (("lniux/arm64=x",), "no platform begins with 'lniux/arm64'", "did you mean 'linux'?"),
        (("xyz=x",), "no platform begins with", "write default=LABEL, or a platform's beginning: linux/arm64=LABEL"),
        (("arm64=x",), "no platform begins with 'arm64'", "default=LABEL"),
        (("defualt=x",), "no platform begins with", "did you mean 'default'?"),
        (("linux/arm64=",), "names no runner", "PLATFORM=LABEL"),
        (("a", "b"), "default has a runner already, 'a'", ""),
        (('linux/arm64=["a"',), "is not JSON", ""),
        (("linux/arm64=[]",), "must be a list of labels", "self-hosted"),
        (("linux/arm64=[1]",), "must be a list of labels", ""),
        (('linux/arm64={"lables":1}',), "the keys group and labels only", ""),
    ],
)
def test_mistakes(given: tuple[str, ...], said: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        runners(given)
    assert said in caught.value.message
    assert hint in caught.value.hint


def test_a_label_may_stand_among_spaces_and_no_label_is_none() -> None:
    found = runners((" linux/arm64 = own , , default= mine ,", "windows=win"))
    assert found == Runners("mine", {"linux/arm64": "own", "windows": "win"})
    assert runners(()) == Runners("ubuntu-latest", {"linux/arm64": "ubuntu-24.04-arm"})
    assert runners(("linux/arm64=own",)) == Runners("ubuntu-latest", {"linux/arm64": "own"})
    assert runners((' ["a=1", "b"] ',)) == Runners(["a=1", "b"], {})


def test_a_mistake_is_told_with_what_was_written() -> None:
    told = {}
    for given in ("arm64=x", "linux=a,linux=b", "linux= ", "linux=[", 'linux={"labels":[],"x":1}', 'linux=["a",""]'):
        with pytest.raises(ConfigurationError) as caught:
            runners((given,))
        told[given] = caught.value.message
    assert told.pop("linux=[").startswith("--runner 'linux=[' is not JSON: Expecting value")
    assert told == {
        "arm64=x": "--runner 'arm64=x': no platform begins with 'arm64'",
        "linux=a,linux=b": "--runner 'linux=b': linux has a runner already, 'a'",
        "linux= ": "--runner 'linux= ' names no runner",
        'linux={"labels":[],"x":1}': (
            '--runner \'linux={"labels":[],"x":1}\': runs-on knows the keys group and labels only'
        ),
        'linux=["a",""]': '--runner \'linux=["a",""]\' must be a list of labels',
    }


TWO = "FROM a AS lint\nRUN x\nFROM a AS test\nRUN x\nFROM a AS app\nCMD x\nFROM scratch AS binaries\nCOPY --from=app /x /\n"


def test_each_stage_and_platform_is_a_job(plan: Callable[..., Plan]) -> None:
    made = plan(TWO, platform=("linux/arm64", "darwin/arm64"))
    usual, arm = "ubuntu-latest", "ubuntu-24.04-arm"
    assert matrix(made, runners(())) == [
        {"stage": "lint", "platform": "", "runner": usual},
        {"stage": "test", "platform": "", "runner": usual},
        {"stage": "app", "platform": "linux/arm64", "runner": arm},
        {"stage": "binaries", "platform": "linux/arm64", "runner": arm},
        {"stage": "binaries", "platform": "darwin/arm64", "runner": usual},
    ]


def test_each_platform_is_a_job_with_all_its_stages(plan: Callable[..., Plan]) -> None:
    made = plan(TWO, platform=("linux/arm/v7", "darwin/arm64"))
    assert by_platform(made, runners(("x", "linux/arm=arm"))) == [
        {"name": "native", "stage": "lint,test", "platform": "", "runner": "x"},
        {"name": "linux-arm-v7", "stage": "app,binaries", "platform": "linux/arm/v7", "runner": "arm"},
        {"name": "darwin-arm64", "stage": "binaries", "platform": "darwin/arm64", "runner": "x"},
    ]


def test_githubs_limit() -> None:
    assert too_large(256) == ""
    assert too_large(257)
    assert too_large(1200) == "the matrix has 1,200 jobs, and GitHub takes 256 at most"


def test_thirty_targets_for_forty_platforms_are_planned_in_a_second(
    plan: Callable[..., Plan], record_property: Callable[[str, Any], None]
) -> None:
    text = "ARG GO=1\nFROM golang:$GO AS base\nARG APP_VERSION\nRUN go build\n" + "".join(
        f"FROM base AS make-{n}\nRUN go build ./{n}\nFROM scratch AS bin-{n}\nCOPY --from=make-{n} /out /\n"
        for n in range(30)
    )
    platforms = [f"{system}/{arch}" for system in sorted(OPERATING_SYSTEMS) for arch in sorted(ARCHITECTURES)][:40]
    names = tuple(f"bin-{n}" for n in range(30))
    began = time.process_time()
    made = plan(text, platform=tuple(platforms), binaries_target=names, stages=names)
    entries = matrix(made, runners(()))
    seconds = time.process_time() - began
    assert len(entries) == 30 * 40
    record_property("planning_seconds", round(seconds, 3))
    print(f"{len(entries)} builds planned in {seconds:.3f} s")
    assert seconds < 1
