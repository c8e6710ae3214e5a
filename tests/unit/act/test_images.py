"""Which image stands for which label."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.act import images
from ci_buildkit.act.images import PUBLIC
from ci_buildkit.errors import ConfigurationError


@pytest.mark.parametrize(
    ("asked", "environ", "settings", "expected"),
    [
        ((), {}, {}, PUBLIC),
        ((), {}, {"ubuntu-latest": "mine"}, "mine"),
        ((), {"CI_BUILDKIT_RUNNER_IMAGE": "lab"}, {"ubuntu-latest": "mine"}, "lab"),
        (("asked:1",), {"CI_BUILDKIT_RUNNER_IMAGE": "lab"}, {"ubuntu-latest": "mine"}, "asked:1"),
        (("asked", "Ubuntu-Latest=special"), {}, {}, "special"),
    ],
)
def test_order(asked: tuple[str, ...], environ: dict[str, str], settings: dict[str, str], expected: str) -> None:
    assert images.images(asked, environ, settings).image("ubuntu-latest") == expected


def test_labels() -> None:
    found = images.images(["self-hosted=host:1"], {}, {"macos-latest": "-self-hosted"})
    assert found.of(["self-hosted", "linux"]) == "host:1"
    assert found.of(["linux", "ubuntu-24.04-arm"]) == PUBLIC
    assert found.of(["windows-latest"]) == ""
    assert found.of([]) == ""
    assert found.image("MacOS-latest") == "-self-hosted"
    assert found.image("my-ubuntu-runner") == ""


def test_flags_name_every_label_that_may_come() -> None:
    flags = list(images.images(["gpu=cuda:1"], {}, {}).flags(["runs-on: ubuntu-latest-8-cores", '["Ubuntu-18.04"]']))
    assert {f"--platform={label}={PUBLIC}" for label in ("ubuntu-latest-8-cores", "ubuntu-18.04", *images.USUAL)} < set(
        flags
    )
    assert "--platform=gpu=cuda:1" in flags


@pytest.mark.parametrize("text", ["", " ", "label=", "=image"])
def test_a_wrong_image_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="the image is missing"):
        images.images([text], {}, {})


def test_acts_own_settings(tmp_path: Path) -> None:
    home, top = tmp_path / "home", tmp_path / "top"
    for folder in (home / ".config" / "act", top):
        folder.mkdir(parents=True)
    (home / ".config" / "act" / "actrc").write_text(
        "-P ubuntu-latest=first\n--platform=gpu=cuda\n--env A=B\n# -P x=y\n"
    )
    (home / ".actrc").write_text("--platform  Ubuntu-Latest=second\n-P broken\n")
    assert images.actrc(top, {"HOME": str(home)}) == {"ubuntu-latest": "second", "gpu": "cuda"}
    (top / ".actrc").write_text("-P ubuntu-latest=third")
    assert images.actrc(top, {"HOME": str(home), "XDG_CONFIG_HOME": "/none"}) == {"ubuntu-latest": "third"}
