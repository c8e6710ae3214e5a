"""Events that are made of what Git knows."""

from __future__ import annotations

import pytest

from ci_buildkit.act import event, workflow
from ci_buildkit.act.event import Checkout
from ci_buildkit.act.triggers import Trigger
from ci_buildkit.errors import ConfigurationError

HERE = Checkout("acme/thing", "a" * 40, "b" * 40, "refs/heads/feature/x", "trunk", "v1.2.3")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://github.com/acme/thing.git", "acme/thing"),
        ("git@github.com:acme/thing.git", "acme/thing"),
        ("ssh://git@host:22/group/sub/thing/", "sub/thing"),
        ("https://user:pass@host/acme/thing", "acme/thing"),
        ("", "local/folder"),
        ("thing", "local/folder"),
    ],
)
def test_the_repositorys_name(address: str, name: str) -> None:
    assert event.repository(address, "folder") == name


def test_what_happens() -> None:
    assert event.trigger("push", HERE, tag=False) == Trigger("push", "refs/heads/feature/x")
    assert event.trigger("push", HERE, tag=True) == Trigger("push", "refs/tags/v1.2.3")
    assert event.trigger("pull_request", HERE, tag=False) == Trigger("pull_request", "refs/pull/1/merge", "trunk")
    nowhere = Checkout("a/b", "", "", "", "main", "")
    assert event.trigger("push", nowhere, tag=False).ref == "refs/heads/main"
    with pytest.raises(ConfigurationError, match="no tag"):
        event.trigger("push", nowhere, tag=True)


def test_payloads() -> None:
    push = event.payload(event.trigger("push", HERE, tag=False), HERE, {})
    assert (push["ref"], push["after"], push["before"], push["deleted"]) == (
        "refs/heads/feature/x",
        "a" * 40,
        "b" * 40,
        False,
    )
    assert push["repository"]["full_name"] == "acme/thing"
    pull = event.payload(event.trigger("pull_request", HERE, tag=False), HERE, {})["pull_request"]
    assert (pull["head"]["ref"], pull["base"]["ref"], pull["head"]["sha"]) == ("feature/x", "trunk", "a" * 40)
    release = event.payload(Trigger("release", "refs/heads/x"), HERE, {})
    assert release["release"]["tag_name"] == "v1.2.3"
    dispatch = event.payload(Trigger("workflow_dispatch", "refs/heads/x"), HERE, {"a": "b"})
    assert (dispatch["ref"], dispatch["inputs"]) == ("refs/heads/x", {"a": "b"})


DISPATCH = workflow.parse(
    """
on:
  workflow_dispatch:
    inputs:
      where: {type: choice, options: [here, there], default: here}
      loud: {type: boolean, default: false}
      count: {type: number}
      name: {required: true}
      free:
jobs: {}
""",
    "ci.yml",
)


def test_inputs() -> None:
    found = event.inputs([DISPATCH], "workflow_dispatch", {"name": "x", "count": "-1.5"})
    assert found == {"where": "here", "loud": "false", "count": "-1.5", "name": "x"}
    assert event.inputs([DISPATCH], "push", {}) == {}


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ({}, "the input 'name' is missing", "give it: --input name=VALUE"),
        ({"nam": "x"}, "there is no input 'nam'", "did you mean 'name'?"),
        ({"name": "x", "where": "nowhere"}, "cannot be 'nowhere'", "one of: here, there"),
        ({"name": "x", "loud": "yes"}, "cannot be 'yes'", "one of: true, false"),
        ({"name": "x", "count": "many"}, "'count' is a number", ""),
    ],
)
def test_wrong_inputs(given: dict[str, str], message: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as told:
        event.inputs([DISPATCH], "workflow_dispatch", given)
    assert told.value.hint == hint


def test_inputs_of_an_event_that_has_none() -> None:
    with pytest.raises(ConfigurationError, match="a push has no inputs"):
        event.inputs([DISPATCH], "push", {"name": "x"})
