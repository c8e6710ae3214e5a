"""The plan as a bake definition, and one bake target as flags of `docker buildx build`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ci_buildkit.config import row
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan.annotations import without_index
from ci_buildkit.plan.stages import Plan, Stage
from ci_buildkit.plan.targets import contexts
from ci_buildkit.tags.labels import bake_text, plain_text

# Attestations would stand as files among exported results and binaries.
NO_ATTESTATIONS = [{"type": "provenance", "disabled": "true"}, {"type": "sbom", "disabled": "true"}]
# Files in layers get the time `source-date-epoch` at most, so that a second clean build gives the same image (BuildKit
# docs/build-repro.md). Every layer is written anew for that, each time: only what leaves the builder is.
REPRODUCIBLE = {"rewrite-timestamp": "true"}


def definition(plan: Plan, destination: Callable[[Stage], str]) -> dict[str, Any]:
    """A bake file with one target a stage and all of them in the group `default`.

    `destination` says where a stage's files are exported to.
    """
    targets: dict[str, Any] = {name: dict(linked) for name, linked in plan.linked.items()}
    targets |= {stage.name: target(stage, destination(stage)) for stage in plan.stages}
    for image in plan.images:
        targets[image.stage]["tags"] = [*targets[image.stage].get("tags", ()), *image.references]
    return {"group": {"default": {"targets": [stage.name for stage in plan.stages]}}, "target": targets}


def alone(definitions: Mapping[str, Mapping[str, Any]], name: str, written: Mapping[str, Any]) -> dict[str, Any]:
    """A bake file of one target, which is `written`, with those that it has as contexts, and that they have.

    buildx reads the whole of a file for each build: with all of them in it 200 targets would be 40,000.
    """
    found, waiting = {name: written}, [written]
    while waiting:
        for linked in contexts(waiting.pop()):
            if linked not in found:
                found[linked] = definitions[linked]
                waiting.append(found[linked])
    return {"target": {name: located(each) for name, each in found.items()}}


def located(written: Mapping[str, Any]) -> dict[str, Any]:
    """A target as it stands in a bake file, where a path must not be a template: only its paths are none yet."""
    paths = {key: bake_text(plain_text(str(written[key]))) for key in ("context", "dockerfile") if key in written}
    return {**written, **paths}


def target(stage: Stage, destination: str) -> dict[str, Any]:
    """The bake target of one stage, exporter included."""
    written = without_index(stage.definition, stage.platforms)
    written.pop("tags", None)  # the plan's images have them
    if stage.kind != "image":
        written["attest"] = NO_ATTESTATIONS
    written["output"] = [exporter(stage, destination)]
    return written


def exporter(stage: Stage, destination: str) -> dict[str, str]:
    """What leaves BuildKit: nothing, a folder, or an image that stays in the builder or goes into an OCI layout."""
    epoch = {"source-date-epoch": stage.epoch} if stage.epoch else {}
    if stage.export == "image":
        return {"type": "image", "push": "false", **epoch}
    if stage.export == "layout":
        return {"type": "oci", "tar": "false", "dest": destination, **REPRODUCIBLE, **epoch}
    if stage.export == "none":
        return {"type": "cacheonly"}
    split = {"platform-split": "true"} if stage.export == "binaries" else {}
    return {"type": "local", "dest": destination, **split, **epoch}


def relative_context(path: str) -> str:
    """A context as it stands in the report's bake file: relative where it lies in the working directory."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return path


def relative_file(path: str, context: str) -> str:
    """A Dockerfile as it stands in a bake file: relative to its context, as bake reads it."""
    return os.path.relpath(path, Path(context).resolve())


# How each key of a bake target is written as a flag of `docker buildx build` (buildx docs/bake-reference.md).
_LISTS = {
    "platforms": "--platform",
    "tags": "--tag",
    "secret": "--secret",
    "ssh": "--ssh",
    "cache-from": "--cache-from",
    "cache-to": "--cache-to",
    "no-cache-filter": "--no-cache-filter",
    "attest": "--attest",
    "annotations": "--annotation",
    "entitlements": "--allow",
    "ulimits": "--ulimit",
    "output": "--output",
}
_MAPS = {"args": "--build-arg", "labels": "--label", "contexts": "--build-context", "extra-hosts": "--add-host"}
_VALUES = {"dockerfile": "--file", "target": "--target", "network": "--network", "shm-size": "--shm-size"}
_SWITCHES = {"no-cache": "--no-cache", "pull": "--pull"}
_UNSAID = frozenset({"context", "description", "inherits", "call"})


def build_flags(name: str, written: Mapping[str, Any]) -> list[str]:
    """A bake target as arguments of `docker buildx build`, the context last; there `$${` is no template's `${`.

    Raises ConfigurationError for a key that a plain build cannot say (`dockerfile-inline`, `target:` contexts).
    """
    flags: list[str] = []
    for key, value in written.items():
        if key in _UNSAID or value in (None, False, [], {}):
            continue
        if key in _LISTS:
            flags += [part for item in value for part in (_LISTS[key], plain_text(_csv(item)))]
        elif key in _MAPS:
            flags += [part for k, v in value.items() for part in (_MAPS[key], plain_text(f"{k}={v}"))]
        elif key in _VALUES:
            flags += [_VALUES[key], str(value)]
        elif key in _SWITCHES:
            flags.append(_SWITCHES[key])
        else:
            raise ConfigurationError(f"target {name}: `{key}` has no form in `docker buildx build`")
    return [*flags, str(written.get("context", "."))]


def is_plain(written: Mapping[str, Any]) -> bool:
    """Whether `build_flags` can say a target: no inline Dockerfile, no context that is another bake target."""
    contexts = written.get("contexts", {}).values()
    return "dockerfile-inline" not in written and not any(str(c).startswith("target:") for c in contexts)


def _csv(item: Any) -> str:
    """A list entry in the comma form; `bake --print` writes maps where users wrote strings."""
    if isinstance(item, str):
        return item
    return row.written(f"{key}={value}" for key, value in item.items())
