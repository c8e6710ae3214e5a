"""Runners by platform, and how long planning takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.matrix import Label, matrix, runners, too_large
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
        (("linux/arm64=ubuntu=24",), "linux/arm64", "ubuntu=24"),
        (('["self-hosted","a=b"]',), "linux/amd64", ["self-hosted", "a=b"]),
        (('linux/arm64=["self-hosted", "arm64"]',), "linux/arm64", ["self-hosted", "arm64"]),
        (('default={"group":"big","labels":"x"}',), "linux/arm64", {"group": "big", "labels": "x"}),
    ],
)
def test_the_longest_beginning_wins(given: tuple[str, ...], platform: str, label: Label) -> None:
    assert runners(given).of(platform) == label


@pytest.mark.parametrize(
    ("given", "said", "hint"),
    [
        (("lniux/arm64=x",), "no platform begins with 'lniux/arm64'", "did you mean 'linux'?"),
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


def test_githubs_limit() -> None:
    assert too_large(256) == ""
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
    began = time.perf_counter()
    made = plan(text, platform=tuple(platforms), binaries_target=names, stages=names)
    entries = matrix(made, runners(()))
    seconds = time.perf_counter() - began
    assert len(entries) == 30 * 40
    record_property("planning_seconds", round(seconds, 3))
    print(f"{len(entries)} builds planned in {seconds:.3f} s")
    assert seconds < 1
