"""A job matrix of a plan: each stage and platform on a runner that executes the platform itself where there is one. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.platforms import OPERATING_SYSTEMS
from ci_buildkit.plan.stages import Plan

Label = str | list[str] | dict[str, Any]

DEFAULT = "default"
# GitHub's hosted runners; platforms without a native one are cross-compiled or emulated on amd64.
DEFAULT_LABEL = "ubuntu-latest"
HOSTED: Mapping[str, Label] = {"linux/arm64": "ubuntu-24.04-arm"}
NATIVE = "native"  # what the entry is called that has no platform
# Jobs of one matrix (docs.github.com, "Usage limits for GitHub Actions").
LARGEST = 256


class Runners(Struct, frozen=True):
    """What goes into `runs-on`: of the platforms that begin with a key, and of all others."""

    default: Label
    prefixes: Mapping[str, Label]

    def of(self, platform: str) -> Label:
        """The runner of a platform; the longest key that it begins with wins."""
        longest = max((prefix for prefix in self.prefixes if platform.startswith(prefix)), key=len, default=None)
        return self.default if longest is None else self.prefixes[longest]


def runners(texts: Iterable[str]) -> Runners:
    """The runners that `--runner` names: `default=LABEL` or just LABEL, and `PREFIX=LABEL`.

    A label can be what else `runs-on` takes, as JSON: a list of labels, or an object with a group. Who names a default
    has runners of their own, and GitHub's hosted ones count no more. Raises ConfigurationError.
    """
    given: dict[str, Label] = {}
    for text in (part for whole in texts for part in _parts(whole)):
        prefix, equals, label = text.partition("=")
        if not equals or prefix.lstrip().startswith(("[", "{")):  # JSON may hold a `=` itself
            prefix, label = DEFAULT, text
        prefix = prefix.strip()
        _check(prefix, text)
        if prefix in given:
            raise ConfigurationError(f"--runner {text!r}: {prefix} has a runner already, {given[prefix]!r}")
        given[prefix] = _label(label.strip(), text)
    own = DEFAULT in given
    default = given.pop(DEFAULT, DEFAULT_LABEL)
    return Runners(default, given if own else {**HOSTED, **given})


def _parts(text: str) -> list[str]:
    """The values of one `--runner`: divided at commas, unless it holds JSON."""
    return [text] if "[" in text or "{" in text else [part for part in text.split(",") if part.strip()]


def _check(prefix: str, text: str) -> None:
    system, _, _ = prefix.partition("/")
    if prefix == DEFAULT or system in OPERATING_SYSTEMS:
        return
    near = difflib.get_close_matches(system, (*OPERATING_SYSTEMS, DEFAULT), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "write default=LABEL, or a platform's beginning: linux/arm64=LABEL"
    raise ConfigurationError(f"--runner {text!r}: no platform begins with {prefix!r}", hint=hint)


def _label(label: str, text: str) -> Label:
    if not label:
        raise ConfigurationError(f"--runner {text!r} names no runner", hint="write PLATFORM=LABEL")
    if not label.startswith(("[", "{")):
        return label
    try:
        value = json.loads(label)
    except ValueError as error:
        raise ConfigurationError(f"--runner {text!r} is not JSON: {error}") from error
    if isinstance(value, list) and not (value and all(isinstance(item, str) and item for item in value)):
        raise ConfigurationError(f"--runner {text!r} must be a list of labels", hint='write ["self-hosted","arm64"]')
    if isinstance(value, dict) and not value.keys() <= {"group", "labels"}:
        raise ConfigurationError(f"--runner {text!r}: runs-on knows the keys group and labels only")
    found: Label = value
    return found


def matrix(plan: Plan, found: Runners) -> list[dict[str, Label]]:
    """One entry for each stage and platform: `stage`, `platform` ("" for the builder's own) and `runner`."""
    return [
        {"stage": stage.name, "platform": platform, "runner": found.of(platform)}
        for stage in plan.stages
        for platform in stage.platforms or ("",)
    ]


def by_platform(plan: Plan, found: Runners) -> list[dict[str, Label]]:
    """One entry for each platform with all its stages, which one machine then builds side by side: `stage` has commas.

    Stages without a platform, such as lint and tests, are one entry. `name` is the platform, fit for a file's name.
    """
    stages: dict[str, list[str]] = {}
    for stage in plan.stages:
        for platform in stage.platforms or ("",):
            stages.setdefault(platform, []).append(stage.name)
    return [
        {
            "name": platform.replace("/", "-") or NATIVE,
            "stage": ",".join(names),
            "platform": platform,
            "runner": found.of(platform),
        }
        for platform, names in stages.items()
    ]


def too_large(entries: int) -> str:
    """What to say of a matrix that GitHub would refuse, "" of any other."""
    if entries <= LARGEST:
        return ""
    return f"the matrix has {entries:,} jobs, and GitHub takes {LARGEST} at most"
