"""Whole repositories as people have them: every problem is found, and nothing else. `expected.txt` says which."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ci_buildkit.doctor.diagnosis import Diagnosis
from ci_buildkit.doctor.examine import Report, examine
from ci_buildkit.doctor.mend import mend

DATA = Path(__file__).parents[2] / "data" / "dockerfiles"
CASES = sorted(path.name for path in DATA.iterdir())


def brief(one: Diagnosis) -> str:
    """A diagnosis as `expected.txt` has it."""
    return f"{one.path}:{one.line or ''} {one.severity} {one.rule}{' safe' if one.safe else ''}"


@pytest.fixture
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a case."""
    return Path(shutil.copytree(DATA / request.param, tmp_path / "repository"))


@pytest.mark.parametrize("repository", CASES, indirect=True)
def test_every_problem_is_found_and_nothing_else(repository: Path) -> None:
    expected = (repository / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert [brief(one) for one in examine(repository, {}, environment=False).problems] == expected


def test_what_is_clean_is_expected_to_be() -> None:
    clean = [name for name in CASES if name.startswith("clean-")]
    assert len(clean) >= 5
    assert not any((DATA / name / "expected.txt").read_text(encoding="utf-8") for name in clean)


@pytest.mark.parametrize("repository", CASES, indirect=True)
def test_after_fixing_nothing_safe_is_left_and_what_was_not_safe_still_is(repository: Path) -> None:
    def look(*, asks: bool) -> Report:
        return examine(repository, {}, environment=False)

    before = {one.rule for one in look(asks=False).problems if not one.safe}
    report, changed = mend(look)
    assert not any(one.safe for one in report.problems)
    assert {one.rule for one in report.problems} <= before | {"no-version", "missing-cache-mount"}
    assert all(Path(repository, path).read_bytes().decode() == after for path, (_, after) in changed.items())


def test_all_slips_of_the_hand_are_mended(tmp_path: Path) -> None:
    repository = Path(shutil.copytree(DATA / "slips", tmp_path / "repository"))

    def look(*, asks: bool) -> Report:
        return examine(repository, {}, environment=False)

    report, _ = mend(look)
    # Only what nobody but the author can decide.
    assert {one.rule for one in report.problems if one.severity == "error"} == {"unknown-stage", "false-green"}
    text = (repository / "Dockerfile").read_text(encoding="utf-8")
    assert "FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-alpine AS base" in text
    assert "ARG APP_VERSION\nRUN" in text
