"""GitHub's event as a file for act, made of what Git knows. Pure.

Keys are those that workflows, actions and act itself read (nektos/act pkg/model/github_context.go); GitHub's have many more.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from ci_buildkit.act import triggers
from ci_buildkit.act.triggers import Trigger
from ci_buildkit.act.workflow import Workflow
from ci_buildkit.errors import ConfigurationError

NUMBER = 1  # of the pull request that is made up
NOTHING = "0" * 40  # the commit before the first one
_NAME = re.compile(r"[:/](?P<owner>[^/:]+)/(?P<name>[^/]+?)(?:\.git)?/?$")


class Checkout(Struct, frozen=True):
    """What Git knows: the commit and the one before it, "" where there is none; a branch, the default one, a tag here."""

    repository: str
    revision: str
    parent: str
    ref: str
    default_branch: str
    tag: str


def repository(address: str, folder: str) -> str:
    """OWNER/NAME of the remote address; `local/FOLDER` where there is none."""
    found = _NAME.search(address)
    return f"{found['owner']}/{found['name']}" if found else f"local/{folder}"


def trigger(event: str, checkout: Checkout, *, tag: bool) -> Trigger:
    """What happens: a push of the branch or, where `tag`, of the tag; a pull request against the default branch.

    Raises ConfigurationError where there is no tag.
    """
    if tag:
        if not checkout.tag:
            raise ConfigurationError("no tag points at the commit that is checked out", hint="make one with `git tag`")
        return Trigger(event, f"refs/tags/{checkout.tag}")
    if event.startswith(triggers.PULL_REQUEST):
        return Trigger(event, f"refs/pull/{NUMBER}/merge", checkout.default_branch)
    return Trigger(event, checkout.ref or f"refs/heads/{checkout.default_branch}")


def payload(happened: Trigger, checkout: Checkout, inputs: Mapping[str, str]) -> dict[str, Any]:
    """The content of the event file."""
    owner, _, name = checkout.repository.partition("/")
    document: dict[str, Any] = {
        "repository": {
            "name": name,
            "full_name": checkout.repository,
            "owner": {"login": owner},
            "default_branch": checkout.default_branch,
        },
        "sender": {"login": owner},
    }
    if happened.event.startswith(triggers.PULL_REQUEST):
        document |= _pull_request(checkout, document["repository"])
    elif happened.event == "release":
        tag = checkout.tag or happened.ref.rpartition("/")[2]
        document |= {"action": "published", "release": {"tag_name": tag, "draft": False, "prerelease": False}}
    else:
        document["ref"] = happened.ref
    if happened.event == triggers.PUSH:
        document |= {
            "before": checkout.parent or NOTHING,
            "after": checkout.revision,
            "deleted": False,  # act takes `after` only where this is said
            "created": False,
            "forced": False,
            "head_commit": {"id": checkout.revision},
            "commits": [{"id": checkout.revision}],
        }
    if inputs:
        document["inputs"] = dict(inputs)
    return document


def _pull_request(checkout: Checkout, repository: Mapping[str, Any]) -> dict[str, Any]:
    branch = checkout.ref.removeprefix("refs/heads/")
    return {
        "action": "opened",
        "number": NUMBER,
        "pull_request": {
            "number": NUMBER,
            "state": "open",
            "draft": False,
            "head": {"ref": branch, "sha": checkout.revision, "repo": repository},
            "base": {"ref": checkout.default_branch, "sha": checkout.parent or NOTHING, "repo": repository},
        },
    }


def inputs(workflows: Sequence[Workflow], event: str, given: Mapping[str, str]) -> dict[str, str]:
    """The inputs of the event: those that are given, and the defaults that the workflows declare.

    Raises ConfigurationError for one that no workflow has, one that must be there and is not, and a value that does not
    fit: act checks none of it.
    """
    if event not in {triggers.DISPATCH, triggers.CALL}:
        if given:
            raise ConfigurationError(f"a {event} has no inputs", hint="--input goes with --event workflow_dispatch")
        return {}
    declared: dict[str, Any] = {}
    for workflow in workflows:
        below = workflow.events.get(event)
        found = below.get("inputs") if isinstance(below, Mapping) else None
        declared |= found if isinstance(found, Mapping) else {}
    for name in given:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(declared) or 'none'}"
            raise ConfigurationError(f"there is no input {name!r}", hint=hint)
    values = {}
    for name, about in declared.items():
        value = _input(name, about if isinstance(about, Mapping) else {}, given.get(name))
        if value is not None:
            values[name] = value
    return values


def _input(name: str, about: Mapping[str, Any], given: str | None) -> str | None:
    value = given
    if value is None and about.get("default") is not None:
        default = about["default"]
        value = str(default).lower() if isinstance(default, bool) else str(default)
    if value is None:
        if about.get("required") is True:
            raise ConfigurationError(f"the input {name!r} is missing", hint=f"give it: --input {name}=VALUE")
        return None
    options = about.get("options")
    allowed = {"boolean": ["true", "false"], "choice": [str(o) for o in options] if isinstance(options, list) else []}
    kind = str(about.get("type", "string"))
    if kind in allowed and value not in allowed[kind]:
        raise ConfigurationError(f"the input {name!r} cannot be {value!r}", hint=f"one of: {', '.join(allowed[kind])}")
    if kind == "number" and not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value):
        raise ConfigurationError(f"the input {name!r} is a number, and {value!r} is none")
    return value
