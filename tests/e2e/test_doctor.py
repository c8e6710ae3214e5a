"""The doctor with the real engine: BuildKit's own checks, and bake's word on its files."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.e2e import support

EXAMPLES = sorted(path for path in (support.ROOT / "examples").iterdir() if path.is_dir())


def problems(environment: dict[str, str], *words: str, cwd: Path) -> tuple[int, list[dict[str, Any]]]:
    done = support.command(["doctor", "--format", "json", *words], environment, cwd=cwd)
    return done.returncode, [one for one in json.loads(done.stdout)["problems"] if one["path"]]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_clean(environment: dict[str, str], example: Path) -> None:
    code, found = problems(environment, str(example), cwd=support.ROOT)
    assert code == 0
    assert [one for one in found if one["severity"] != "notice"] == []
    assert "checks-not-run" not in {one["rule"] for one in found}


def test_buildkits_checks_come_on_top_and_nothing_twice(environment: dict[str, str], tmp_path: Path) -> None:
    text = "FROM busybox:latest as one\nARG TOKEN\nENV legacy value\nCMD echo hi\n"
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    code, found = problems(environment, "Dockerfile", cwd=tmp_path)
    assert code == 0
    assert [(one["line"], one["rule"]) for one in found] == [
        (1, "FromAsCasing"),
        (1, "floating-image"),
        (2, "secret-in-image"),
        (3, "LegacyKeyValueFormat"),
        (4, "JSONArgsRecommended"),
    ]


def test_an_error_of_ours_is_not_told_once_more_by_buildkit(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM busybox:1 AS one\nRUN x\nFROM One\nCOPY --form=one a b\n", encoding="utf-8"
    )
    code, found = problems(environment, "Dockerfile", cwd=tmp_path)
    assert code == 1
    assert [(one["line"], one["rule"]) for one in found] == [(3, "unknown-stage"), (4, "unknown-flag")]


def test_an_image_that_no_registry_has_is_an_error(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM nobody-has-this:1\n", encoding="utf-8")
    code, found = problems(environment, "Dockerfile", cwd=tmp_path)
    assert (code, [(one["line"], one["rule"]) for one in found]) == (1, [(1, "BuildError")])


def test_what_only_bake_can_see(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM busybox:latest\n", encoding="utf-8")
    bake = 'target "default" {\n  tags = ["x:${SOMETHING_ELSE}"]\n}\n'
    (tmp_path / "docker-bake.hcl").write_text(bake, encoding="utf-8")
    code, found = problems(environment, "docker-bake.hcl", cwd=tmp_path)
    assert (code, [(one["line"], one["rule"]) for one in found]) == (1, [(2, "bake-refused")])
    assert 'There is no variable named "SOMETHING_ELSE"' in found[0]["message"]


def test_what_is_mended_builds(environment: dict[str, str], builder: str, tmp_path: Path) -> None:
    text = (
        "# sytnax=docker/dockerfile:1\nARG APP_VERSION=v1\nFROM --plaform=$BUILDPLATFORM busybox:latest AS base\n"
        "RNU --mount=type=cahe,traget=/cache echo $APP_VERSION $TARGETARCH > /out\n"
        "FROM scratch AS binaries\nCOPY --form=bas /out /"
    )
    (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
    code, found = problems(environment, "Dockerfile", "--fix", cwd=tmp_path)
    assert (code, [one for one in found if one["severity"] == "error"]) == (0, [])
    words = ["docker", "buildx", "build", "--builder", builder, "--output", f"type=local,dest={tmp_path / 'out'}", "."]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "out").read_text(encoding="utf-8").startswith("v1 ")
