"""The shell text of action.yml's own steps, run as the runner does: `sh -e FILE`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
STEPS: list[dict[str, Any]] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
SHELL = str(shutil.which("sh"))
WAITING = """
import pathlib, signal, sys, time

def main():
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    pathlib.Path("ready").touch()
    time.sleep(30)
    return 0
"""


def start(step: str, folder: Path, environ: dict[str, str]) -> subprocess.Popen[str]:
    script = folder / f"{step}.sh"
    script.write_text(next(one["run"] for one in STEPS if one["id"] == step), encoding="utf-8")
    return subprocess.Popen(
        [SHELL, "-e", str(script)], cwd=folder, env={"PATH": os.environ["PATH"], **environ}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def test_cancelling_reaches_the_pipeline_and_its_exit_code_the_next_steps(tmp_path: Path) -> None:
    # The runner signals the step's first process only. The shell must have become the pipeline by then.
    action = tmp_path / "action-checkout"
    for name in ("src", "action"):
        shutil.copytree(ROOT / name, action / name, ignore=shutil.ignore_patterns("__pycache__"))
    (action / "src" / "ci_buildkit" / "__main__.py").write_text(WAITING, encoding="utf-8")
    (tmp_path / "output").touch()
    environ = {
        "CI_BUILDKIT_PYTHON": sys.executable,
        "GITHUB_ACTION_PATH": str(action),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }
    with start("run", tmp_path, environ) as process:
        deadline = time.monotonic() + 20
        while not (tmp_path / "ready").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "\n130\n" in (tmp_path / "output").read_text(encoding="utf-8")


def test_files_of_the_repository_do_not_replace_modules(tmp_path: Path) -> None:
    for name in ("json", "pydantic", "ci_buildkit"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('from the checked-out repository')", encoding="utf-8")
    (tmp_path / "output").touch()
    environ = {
        "CI_BUILDKIT_PYTHON": sys.executable,
        "GITHUB_ACTION_PATH": str(ROOT),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "CI_BUILDKIT_INPUT_PLATFORM": "nonsense",
    }
    with start("run", tmp_path, environ) as process:
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "from the checked-out repository" not in said
    assert "is not a platform" in said


@pytest.mark.parametrize(("code", "expected"), [("1", 1), ("5", 5), ("130", 130), ("", 4)])
def test_the_verdict_ends_with_the_pipelines_exit_code(tmp_path: Path, code: str, expected: int) -> None:
    with start(
        "verdict", tmp_path, {"EXIT_CODE": code, "VERDICT": "It failed: 100%0A::warning::$(id) `id`"}
    ) as process:
        said, _ = process.communicate(timeout=20)
    assert process.returncode == expected
    assert said == "::error title=ci-buildkit::It failed: 100%250A::warning::$(id) `id`\n"


def test_no_exit_code_is_never_green(tmp_path: Path) -> None:
    with start("verdict", tmp_path, {"EXIT_CODE": "", "VERDICT": ""}) as process:
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 4
    assert "cannot be said to have passed" in said
