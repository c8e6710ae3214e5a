"""Workflow files: YAML as GitHub reads it, jobs, matrices, and what is written again for act."""

from __future__ import annotations

from typing import Any

import pytest

from ci_buildkit.act import matrix, workflow, yamlnodes
from ci_buildkit.errors import ConfigurationError

WORDS = """
on: push
x: &shared {yes: no, octal: 010, day: 2024-01-01, ratio: 1.10, quoted: "on", single: 'it''s', empty: , none: ~}
jobs:
  a: &job
    name: 3
    run: >
      folded
      text
    script: |
      if true; then
        echo "${{ x }}"
      fi
    also: *shared
  b: *job
"""


def test_scalars_are_what_github_makes_of_them() -> None:
    _, content = yamlnodes.read(WORDS, "ci.yml")
    assert content["on"] == "push"
    expected = {"yes": "no", "octal": "010", "day": "2024-01-01", "ratio": 1.1, "quoted": "on", "single": "it's"}
    assert content["x"] == {**expected, "empty": None, "none": None}
    assert content["jobs"]["b"] == content["jobs"]["a"]


def test_what_is_written_reads_the_same() -> None:
    node, content = yamlnodes.read(WORDS, "ci.yml")
    text = yamlnodes.write(node)
    assert yamlnodes.read(text, "again")[1] == content
    assert "yes: no" in text
    assert "octal: 010" in text
    yamlnodes.put(node, "name", yamlnodes.text("on: 1"))
    yamlnodes.put(node, "x", yamlnodes.node_of({"include": [{"a": True, "b": [1, "2"]}]}))
    assert '"2"' in yamlnodes.write(node), "a number in quotes stays a text"
    content = yamlnodes.read(yamlnodes.write(node), "again")[1]
    assert content["name"] == "on: 1"
    assert content["x"] == {"include": [{"a": True, "b": [1, "2"]}]}


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", "", "a: b: c\n", "\x00"])
def test_what_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"ci\.yml"):
        workflow.parse(text, "ci.yml")


@pytest.mark.parametrize(
    ("on", "events"),
    [("push", ["push"]), ("[push, pull_request]", ["push", "pull_request"]), ("{push: {tags: [v*]}}", ["push"])],
)
def test_events(on: str, events: list[str]) -> None:
    assert list(workflow.parse(f"on: {on}\njobs: {{}}\n", "ci.yml").events) == events


def test_a_job() -> None:
    text = """
on: push
jobs:
  build:
    needs: [lint, test]
    if: ${{ !cancelled() }}
    runs-on: {group: big, labels: [self-hosted, linux]}
    container: {image: "debian:12"}
    services: {db: {image: postgres}, cache: redis}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0}
      - run: make
  call:
    uses: ./.github/workflows/x.yml
"""
    one = workflow.parse(text, "dir/ci.yml")
    assert one.name == "ci.yml"
    job = one.jobs["build"]
    assert (job.name, job.needs, job.runs_after_failures) == ("build", ("lint", "test"), True)
    assert job.labels == ("self-hosted", "linux", "big")
    assert job.uses == (workflow.Use("actions/checkout@v4", {"fetch-depth": "0"}),)
    assert (job.services, job.images, job.has_container) == (("db", "cache"), ("debian:12", "postgres", "redis"), True)
    assert one.jobs["call"].calls == "./.github/workflows/x.yml"
    assert not one.jobs["call"].runs_after_failures


@pytest.mark.parametrize(
    ("given", "legs"),
    [
        (None, [{}]),
        ({"a": [1, 2], "b": ["x"]}, [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]),
        ({"a": [1, 2], "exclude": [{"a": 1}]}, [{"a": 2}]),
        ({"include": [{"a": 1}, {"b": 2}]}, [{"a": 1}, {"b": 2}]),
        (
            {"a": [1, 2], "include": [{"a": 2, "extra": "y"}, {"a": 3}, {"all": True}]},
            [{"a": 1, "all": True}, {"a": 2, "extra": "y", "all": True}, {"a": 3}],
        ),
        ({"a": []}, []),
        ({"a": [1], "exclude": [{"a": 1}]}, []),
        ("${{ fromJSON(needs.plan.outputs.matrix) }}", None),
        ({"a": "${{ fromJSON(x) }}"}, None),
        ({"a": [1], "include": ["${{ x }}"]}, None),
        ({"a": ["ubuntu-latest", "${{ inputs.other }}"]}, None),
    ],
)
def test_legs_of_a_matrix(given: Any, legs: list[dict[str, Any]] | None) -> None:
    found = matrix.legs(given)
    assert (None if found is None else list(found)) == legs


def test_labels_of_legs() -> None:
    text = """
on: push
jobs:
  a:
    strategy: {matrix: {where: {os: [x]}}}
    runs-on: ["${{ matrix.where.os }}", "${{ matrix['size'] }}-${{matrix.n}}"]
  b: {runs-on: "${{ inputs.runner }}"}
"""
    jobs = workflow.parse(text, "ci.yml").jobs
    assert jobs["a"].labels_of({"where": {"os": "ubuntu"}, "size": "big", "n": 2}) == ("ubuntu", "big-2")
    assert jobs["a"].labels_of({}) == ("", "-")
    assert jobs["b"].labels_of({}) is None


def test_how_legs_are_shown_and_compared() -> None:
    assert matrix.label({"b": 1, "a": True, "c": {"d": None}}, ["b", "a", "c"]) == ' (1, true, {"d":null})'
    assert matrix.label({}) == ""
    assert matrix.same({"a": 1.0, "b": "x"}, {"b": "x", "a": 1})
    assert not matrix.same({"a": 1}, {"a": 1, "b": 2})
