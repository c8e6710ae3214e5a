"""The action's publish step: its input as flags, and a word that it does not know."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def publish(tmp_path: Path, wished: str, ref: str = "refs/heads/main") -> subprocess.CompletedProcess[str]:
    """Run the step where there is no report, without a token."""
    environ = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "CI_BUILDKIT_PUBLISH": wished, "CI_BUILDKIT_NAME": "x",
        "CI_BUILDKIT_REPORT_DIR": str(tmp_path / "nothing"), "GITHUB_REPOSITORY": "octo/hello", "GITHUB_SHA": "a" * 40,
        "GITHUB_EVENT_NAME": "push", "GITHUB_REF": ref,
    }  # fmt: skip
    command = [sys.executable, "-P", "-s", str(ROOT / "action" / "publish.py")]
    return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("wished", ["check", "comment", "check, comment", "check\ncomment", "check, release"])
def test_the_words_that_it_takes(tmp_path: Path, wished: str) -> None:
    done = publish(tmp_path, wished)
    assert done.returncode == 5, done.stderr  # it came as far as the report, which is not there
    assert "there is no report that can be read" in done.stderr


def test_a_word_that_it_does_not_know_is_an_error_with_what_there_is(tmp_path: Path) -> None:
    done = publish(tmp_path, "check, coment")
    assert done.returncode == 2
    assert done.stdout.startswith("::error title=ci-buildkit::the input publish holds 'coment'")
    assert "check, comment and release" in done.stdout


def test_a_release_is_made_where_a_tag_is_pushed(tmp_path: Path) -> None:
    done = publish(tmp_path, "release")
    assert (done.returncode, done.stdout) == (0, "nothing to publish: a release is made where a tag is pushed\n")
    done = publish(tmp_path, "release", "refs/tags/v1.2.3")
    assert done.returncode == 5
    assert "there is no report that can be read" in done.stderr
    environ = {"CI_BUILDKIT_PUBLISH": "check, release", "CI_BUILDKIT_NAME": "x", "CI_BUILDKIT_REPORT_DIR": "r"}
    script = f"import sys; sys.path[:0] = [{str(ROOT)!r}]; from action import publish; print(publish.arguments({{**{environ!r}, 'GITHUB_REF': 'refs/tags/v1'}}))"
    words = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "'--no-comment', '--release-assets'" in words
