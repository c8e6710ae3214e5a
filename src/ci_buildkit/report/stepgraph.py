"""The steps of a run's stages as one graph. Pure.

Stages of a run share steps: what several of them build runs once, and the others see it as cached or as running too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field

from ci_buildkit import stepname
from ci_buildkit.record import RunRecord, StageRecord, StepRecord
from ci_buildkit.stepname import StepName

STEPS = frozenset(["ADD", "COPY", "RUN", "WORKDIR"])
_FROM = re.compile(r"^(?:\[[^]]*\] )?FROM (?P<name>\S+?)(?:@(?P<digest>sha256:[0-9a-f]+))?$")

Key = tuple[str, str]  # the Dockerfile and the step's name: two files may have steps of one name


class Node(Struct):
    """One step of the Dockerfile. `stages` are those of the run that have it; `seconds` is the longest time in any.

    `bases` are the digests of the images that it is made from, by reference without digest; `transferred` are the bytes
    that were sent or pulled for it.
    """

    key: Key
    name: StepName
    stages: list[str] = field(default_factory=list)
    ran: bool = False
    seconds: float = 0.0
    error: str | None = None
    parents: dict[Key, None] = field(default_factory=dict)
    bases: dict[str, str] = field(default_factory=dict)
    transferred: int = 0

    @property
    def place(self) -> tuple[str, str, str, int, str]:
        """Where it stands, whatever it says: Dockerfile, platform, stage, number, instruction."""
        name = self.name
        return (self.key[0], name.platform, name.stage, name.number, name.keyword)


def nodes(record: RunRecord) -> dict[Key, Node]:
    """The steps of all stages of a run."""
    files = {build.stage: build.dockerfile for build in record.inputs.builds}
    found: dict[Key, Node] = {}
    for stage in record.stages:
        _add(stage, files.get(stage.name, ""), found)
    return found


def _add(stage: StageRecord, file: str, found: dict[Key, Node]) -> None:
    keys = [_key(step, file) for step in stage.timeline]
    for step, key in zip(stage.timeline, keys, strict=True):
        name = stepname.parse(step.name)
        if key is None or name is None:
            continue
        node = found.setdefault(key, Node(key, name))
        if stage.name not in node.stages:
            node.stages.append(stage.name)
        node.ran |= not step.cached
        node.seconds = max(node.seconds, step.seconds)
        node.error = node.error or step.error
        for place in _parents(step, name, stage.timeline):
            _connect(node, stage.timeline[place], keys[place])


def _key(step: StepRecord, file: str) -> Key | None:
    """None for what is no step of the Dockerfile: BuildKit's own business, an image, what an ADD fetches.

    `COPY --link` is two steps: the copy, and laying it over what was there, `LINK COPY --link`.
    """
    name = stepname.parse(step.name)
    if name is None or name.keyword not in STEPS:
        return None
    if name.keyword == "ADD" and "://" in name.text and step.parents == ():
        return None
    return file, step.name.replace("] LINK COPY ", "] COPY ", 1)


def _parents(step: StepRecord, name: StepName, timeline: Sequence[StepRecord]) -> Iterator[int]:
    """Where the record does not tell, the step before in the same stage."""
    if step.parents is not None:
        yield from (place for place in step.parents if 0 <= place < len(timeline))
        return
    for place, other in enumerate(timeline):
        before = stepname.parse(other.name)
        if before and (before.platform, before.stage, before.number) == (name.platform, name.stage, name.number - 1):
            yield place


def _connect(node: Node, parent: StepRecord, key: Key | None) -> None:
    if key is not None:
        if key != node.key:
            node.parents[key] = None
        return
    node.transferred = max(node.transferred, parent.transferred)
    if image := _FROM.match(parent.name):
        node.bases[image["name"]] = image["digest"] or ""


def first(graph: Mapping[Key, Node]) -> list[Node]:
    """The steps that ran though no step that they are made from did."""
    return [node for node in graph.values() if node.ran and not any(graph[parent].ran for parent in node.parents)]


def children(graph: Mapping[Key, Node]) -> dict[Key, list[Node]]:
    """The steps that are made from each step."""
    found: dict[Key, list[Node]] = {}
    for node in graph.values():
        for parent in node.parents:
            found.setdefault(parent, []).append(node)
    return found


def followers(children: Mapping[Key, list[Node]], node: Node) -> list[Node]:
    """The steps that ran after a step because they are made from it."""
    found: dict[Key, Node] = {}
    waiting = [node.key]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child.ran and child.key not in found:
                found[child.key] = child
                waiting.append(child.key)
    found.pop(node.key, None)
    return list(found.values())


def ancestors(graph: Mapping[Key, Node], node: Node) -> Iterator[Node]:
    """The steps that a step is made from, the nearest first."""
    seen: set[Key] = {node.key}
    waiting = list(node.parents)
    while waiting:
        key = waiting.pop(0)
        if key not in seen:
            seen.add(key)
            yield graph[key]
            waiting += graph[key].parents
