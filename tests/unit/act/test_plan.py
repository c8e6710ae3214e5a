"""The plan: jobs, their numbers and legs, and the copies of the workflows that act gets."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.act.samples import TOKEN, planned

from ci_buildkit.act import yamlnodes
from ci_buildkit.act.plan import Selection
from ci_buildkit.errors import ConfigurationError

CI = """
name: CI
on: push
jobs:
  a: &job
    runs-on: ubuntu-latest
    steps: [{run: echo}]
  b: *job
  c:
    name: Compare ${{ matrix.n }}
    needs: [a, b]
    strategy:
      fail-fast: false
      matrix: {os: [macos-latest, ubuntu-22.04], n: [1, 2]}
    runs-on: ${{ matrix.os }}
    steps: [{run: echo}]
"""


def copy(text: str) -> dict[str, Any]:
    return yamlnodes.read(text, "copy")[1]


def test_every_job_has_a_name_of_its_own() -> None:
    plan = planned(CI)
    assert [(one.number, one.id, one.needs) for one in plan.jobs] == [(0, "a", ()), (1, "b", ()), (2, "c", (0, 1))]
    jobs = copy(plan.files["workflows/ci.yml"])["jobs"]
    assert {key: job["name"] for key, job in jobs.items()} == {
        "a": f"a {TOKEN}.0",
        "b": f"b {TOKEN}.1",
        "c": f"Compare ${{{{ matrix.n }}}} {TOKEN}.2",
    }


def test_legs_that_nothing_can_run_are_left_out() -> None:
    plan = planned(CI)
    [c] = [one for one in plan.jobs if one.id == "c"]
    assert c.legs == ({"os": "ubuntu-22.04", "n": 1}, {"os": "ubuntu-22.04", "n": 2})
    assert c.left_out == ({"os": "macos-latest", "n": 1}, {"os": "macos-latest", "n": 2})
    job = copy(plan.files["workflows/ci.yml"])["jobs"]["c"]
    assert job["strategy"] == {"fail-fast": False, "matrix": {"include": [dict(leg) for leg in c.legs]}}
    assert job["runs-on"] == ["ubuntu-22.04"]
    assert plan.notes == (
        "ci.yml: c runs on macos-latest, for which there is no image here; `--image macos-latest=IMAGE` maps it",
    )


def test_legs_are_given_in_an_order_of_their_own() -> None:
    text = "on: push\njobs:\n  a:\n    strategy: {matrix: {b: [1, '010'], a: [x]}}\n    uses: ./x.yml\n"
    job = copy(planned(text).files["workflows/ci.yml"])["jobs"]["a"]
    assert job["strategy"]["matrix"] == {"include": [{"b": 1, "a": "x"}, {"b": "010", "a": "x"}]}
    assert "runs-on" not in job


def test_a_job_without_any_image_stays_as_it_is() -> None:
    plan = planned("on: push\njobs:\n  a:\n    runs-on: [self-hosted, linux]\n    steps: [{run: echo}]\n")
    assert (plan.jobs[0].legs, plan.jobs[0].left_out) == ((), ({},))
    assert copy(plan.files["workflows/ci.yml"])["jobs"]["a"]["runs-on"] == ["self-hosted", "linux"]
    assert "`--image linux=IMAGE`" in plan.notes[0]


@pytest.mark.parametrize("job", ["{runs-on: self-hosted, container: 'debian:12'}", "{runs-on: '${{ inputs.runner }}'}"])
def test_what_has_a_container_or_is_not_known_is_not_left_out(job: str) -> None:
    plan = planned(f"on: push\njobs:\n  a: {job}\n")
    assert (plan.jobs[0].legs, plan.jobs[0].left_out, plan.notes) == (({},), (), ())


def test_called_workflows_have_a_copy_for_each_call() -> None:
    caller = "on: push\njobs:\n  one: {uses: ./.github/workflows/x.yml}\n  two: {uses: ./.github/workflows/x.yml}\n"
    called = "on: workflow_call\njobs:\n  inner: {uses: acme/tools/.github/workflows/y.yml@v1}\n  beside: {needs: inner, runs-on: ubuntu-latest}\n"
    deepest = "on: workflow_call\njobs:\n  last: {runs-on: ubuntu-latest}\n"
    texts = {"./.github/workflows/x.yml": called, "acme/tools/.github/workflows/y.yml@v1": deepest}
    plan = planned(caller, texts)
    assert [(one.id, one.parent) for one in plan.jobs] == [
        ("one", None), ("two", None), ("one/inner", 0), ("one/beside", 0), ("one/inner/last", 2),
        ("two/inner", 1), ("two/beside", 1), ("two/inner/last", 5),
    ]  # fmt: skip
    assert plan.jobs[6].needs == (5,)
    top = copy(plan.files["workflows/ci.yml"])["jobs"]
    assert top["one"]["uses"] == f"ci-buildkit/{TOKEN}/.github/workflows/0/x.yml@act"
    inner = copy(plan.files[".github/workflows/1/x.yml"])
    assert inner["name"] == "x.yml", "as act names it without one"
    assert inner["jobs"]["inner"]["uses"] == f"ci-buildkit/{TOKEN}/.github/workflows/5/y.yml@act"
    assert copy(plan.files[".github/workflows/5/y.yml"])["jobs"]["last"]["name"] == f"last {TOKEN}.7"
    assert plan.repository == f"ci-buildkit/{TOKEN}@act"


def test_a_workflow_that_only_act_can_get_is_called_as_it_is() -> None:
    plan = planned("on: push\njobs:\n  a: {uses: acme/far/.github/workflows/z.yml@v1}\n")
    assert plan.jobs[0].opaque
    assert copy(plan.files["workflows/ci.yml"])["jobs"]["a"]["uses"] == "acme/far/.github/workflows/z.yml@v1"


def test_calls_without_an_end_are_refused() -> None:
    endless = "on: workflow_call\njobs:\n  a: {uses: ./x.yml}\n"
    with pytest.raises(ConfigurationError, match="call each other more than 10 deep"):
        planned("on: push\njobs:\n  a: {uses: ./x.yml}\n", {"./x.yml": endless})


def test_a_called_workflow_without_jobs_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"x\.yml has no jobs"):
        planned("on: push\njobs:\n  a: {uses: ./x.yml}\n", {"./x.yml": "on: workflow_call\njobs:\n"})


@pytest.mark.parametrize(
    ("jobs", "message", "hint"),
    [
        ("{build: {needs: tst}, test: {}}", "build needs 'tst', which is no job", "did you mean 'test'?"),
        ("{a: {needs: b}, b: {needs: a}, c: {}}", "jobs that need each other never run: a, b", ""),
    ],
)
def test_needs_that_cannot_be_are_refused(jobs: str, message: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as told:
        planned(f"on: push\njobs: {jobs}\n")
    assert told.value.hint == hint


def test_one_job_with_those_that_it_needs() -> None:
    text = "on: push\njobs: {a: {}, b: {needs: a, runs-on: ubuntu-latest}, c: {needs: b}, d: {}}\n"
    plan = planned(text, selection=Selection(job="b"))
    assert [one.id for one in plan.jobs] == ["a", "b"]
    assert list(copy(plan.files["workflows/ci.yml"])["jobs"]) == ["a", "b"]
    with pytest.raises(ConfigurationError, match="there is no job 'e'"):
        planned(text, selection=Selection(job="e"))


def test_some_legs() -> None:
    plan = planned(CI, selection=Selection(matrix=(("n", "2"),)))
    assert plan.jobs[2].legs == ({"os": "ubuntu-22.04", "n": 2},)
    assert plan.jobs[2].left_out == ({"os": "macos-latest", "n": 2},)


@pytest.mark.parametrize(
    ("asked", "message", "hint"),
    [
        (("n", "22"), "no matrix has the value n:22", "did you mean '2'?"),
        (("other", "x"), "no matrix has the key other:x", "there are: os, n"),
    ],
)
def test_a_leg_that_no_job_has_is_refused(asked: tuple[str, str], message: str, hint: str) -> None:
    """Without its legs the job would be missing, and the rest of the run green."""
    with pytest.raises(ConfigurationError, match=message) as told:
        planned(CI, selection=Selection(matrix=(asked,)))
    assert told.value.hint == hint


def test_a_value_that_only_the_run_may_know_is_not_refused() -> None:
    text = "on: push\njobs: {a: {runs-on: ubuntu-latest, strategy: {matrix: '${{ fromJSON(inputs.m) }}'}}}\n"
    assert planned(text, selection=Selection(matrix=(("n", "1"),))).jobs[0].legs is None


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ("{}", r"ci\.yml has no jobs"),
        ("{a: {strategy: {matrix: {n: []}}}}", "the matrix of a has no values"),
        ("{a: {strategy: {matrix: {n: [1], exclude: [{n: 1}]}}}}", "the matrix of a has no values"),
    ],
)
def test_nothing_to_run_is_refused(jobs: str, message: str) -> None:
    """act would run a job with such a matrix once, without values."""
    with pytest.raises(ConfigurationError, match=message):
        planned(f"on: push\njobs: {jobs}\n")
