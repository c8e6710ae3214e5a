"""Which steps of a run were not in the cache, and what made them run: the first causes, compared with an earlier run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from ci_buildkit.record import DockerfileStageRecord, InputsRecord, RunRecord
from ci_buildkit.report import advice, stepgraph
from ci_buildkit.report import dockerfilediff as diff
from ci_buildkit.report.dockerfilediff import Inputs, inputs_of
from ci_buildkit.report.stepgraph import Key, Node
from ci_buildkit.report.text import one_line

Cause = Literal["input", "argument", "base", "parent", "pruned", "no-cache", "first-run"]


class Reason(Struct, frozen=True):
    """Why a step ran. `files` and `arguments` are those that changed, whatever else did."""

    cause: Cause
    detail: str
    files: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()


class Explained(Struct, frozen=True):
    """A first cause. `stages` are those of the run that had the step, the first that has it first.

    `seconds` are its own, `lost_seconds` those of the steps that followed too, which may have run side by side.
    `transferred` are bytes that the client sent or a registry gave for it. `advice` is how to have less run, or "".
    """

    stages: tuple[str, ...]
    step: str
    seconds: float
    reason: Reason
    followed: int
    lost_seconds: float
    transferred: int
    advice: str


class Explanation(Struct, frozen=True):
    """All first causes of a run, the costliest first, and how many steps there were and ran."""

    steps: tuple[Explained, ...]
    total: int
    ran: int
    earlier: str | None = None


class Comparison(Struct):
    """Two runs and the graphs of their steps."""

    now: RunRecord
    before: RunRecord
    graph: Mapping[Key, Node]
    earlier: Mapping[Key, Node]
    places: Mapping[tuple[str, str, str, int, str], Node] = field(default_factory=dict)

    def inputs(self, record: InputsRecord, node: Node) -> Inputs | None:
        """What a step was built from in one of the two."""
        return inputs_of(record, node.stages[0], node.key[0])

    def twin(self, node: Node) -> Node | None:
        """The step in the earlier run: of the same name, else at the same place, since names show arguments' values."""
        return self.earlier.get(node.key) or self.places.get(node.place)


def explain(now: RunRecord, before: RunRecord | None) -> Explanation:
    """Why steps of a run ran. Without an earlier run every first cause is that there is none."""
    graph = stepgraph.nodes(now)
    comparison = None
    if before is not None:
        earlier = stepgraph.nodes(before)
        comparison = Comparison(now, before, graph, earlier, {node.place: node for node in earlier.values()})
    children = stepgraph.children(graph)
    found = [_explained(children, node, _reason(now, comparison, node), now) for node in stepgraph.first(graph)]
    found.sort(key=lambda one: -one.lost_seconds)
    ran = sum(node.ran for node in graph.values())
    return Explanation(tuple(found), len(graph), ran, before.started if before else None)


def _explained(children: Mapping[Key, list[Node]], node: Node, reason: Reason, now: RunRecord) -> Explained:
    following = stepgraph.followers(children, node)
    inputs = inputs_of(now.inputs, node.stages[0], node.key[0])
    return Explained(
        stages=tuple(node.stages),
        step=one_line(node.key[1]),
        seconds=node.seconds,
        reason=reason,
        followed=len(following),
        lost_seconds=round(sum(one.seconds for one in (node, *following)), 3),
        transferred=max(one.transferred for one in (node, *following)),
        advice=advice.of(node, reason.files, reason.arguments, following, inputs),
    )


def _reason(now: RunRecord, comparison: Comparison | None, node: Node) -> Reason:
    own = inputs_of(now.inputs, node.stages[0], node.key[0])
    if own and own.build.no_cache:
        return Reason("no-cache", "the run was told to use no cache")
    if own and node.name.stage in own.build.no_cache_stages:
        return Reason("no-cache", f"the stage {node.name.stage} is made anew in every run: it gathers what others made")
    if comparison is None:
        return _anew(now, node) or Reason("first-run", "there is no earlier run to compare with")
    return _changed(comparison, node) or _anew(now, node) or _unchanged(comparison, node)


def _anew(now: RunRecord, node: Node) -> Reason | None:
    """A stage that ran more than once did so on purpose; its timeline is that of the last time."""
    stages = [stage for stage in now.stages if stage.name in node.stages]
    if node.name.keyword == "RUN" and stages and all(stage.attempts > 1 for stage in stages):
        return Reason("no-cache", f"it was run again on purpose, {stages[0].attempts} times in all")
    return None


def _unchanged(comparison: Comparison, node: Node) -> Reason:
    """Why a step ran though nothing that it takes is different."""
    twin = comparison.twin(node)
    if twin is None:
        return Reason("first-run", "the earlier run had no such step")
    if twin.error:
        return Reason("first-run", "it did not pass in the earlier run, so there was no result to keep")
    if node.name.keyword == "ADD" and "://" in node.name.text:
        return Reason("input", "what it fetches may have changed")
    for ancestor in stepgraph.ancestors(comparison.graph, node):
        if reason := _changed(comparison, ancestor):
            text = f"{one_line(ancestor.key[1], 100)}: {reason.detail}; that step itself was in the cache"
            return Reason("parent", text, reason.files, reason.arguments)
    return Reason("pruned", _pruned(comparison, node))


def _pruned(comparison: Comparison, node: Node) -> str:
    now, before = comparison.now, comparison.before
    own, was = (comparison.inputs(record.inputs, node) for record in (now, before))
    if not (own and own.stages and was and was.stages):
        return "it was not in the cache; one of the records does not tell what the step was made from"
    if now.builder.created or now.builder.name != before.builder.name:
        return f"nothing it takes changed, but the builder {now.builder.name} is not the one of the earlier run"
    if now.builder.buildkit != before.builder.buildkit:
        return f"nothing it takes changed, but BuildKit did, from {before.builder.buildkit} to {now.builder.buildkit}"
    tail = "" if all(context.complete for context in own.contexts.values()) else "; not all files could be compared"
    return f"nothing it takes changed, but the cache no longer had it{tail}"


def _changed(comparison: Comparison, node: Node) -> Reason | None:
    """What is different for a step itself: image, line, arguments or files, the first as its cause and all in the detail."""
    own = comparison.inputs(comparison.now.inputs, node)
    was = comparison.inputs(comparison.before.inputs, node)
    reasons = [*_bases(comparison, node, own, was)]
    place = own.place(node.name) if own else None
    if own is None or was is None or place is None:
        if not reasons and node.key not in comparison.earlier and comparison.twin(node):
            reasons.append(Reason("input", f"the {node.name.keyword} line, or an argument in it, changed"))
    else:
        reasons += _instruction(own, was, *place)
    if not reasons:
        return None
    detail = "; ".join(dict.fromkeys(reason.detail for reason in reasons))
    files = tuple(file for reason in reasons for file in reason.files)
    return Reason(reasons[0].cause, detail, files, tuple(name for reason in reasons for name in reason.arguments))


def _instruction(own: Inputs, was: Inputs, stage: DockerfileStageRecord, place: int) -> list[Reason]:
    reasons = []
    if line := diff.changed_line(own, was, stage, place):
        reasons.append(Reason("input", line))
    if names := diff.changed_arguments(own, was, own.chain(stage, place)):
        reasons.append(_arguments(names))
    if files := diff.changed_files(own, was, stage.instructions[place]):
        reasons.append(Reason("input", diff.told(files), tuple(path for path, _ in files)))
    return reasons


def _arguments(names: list[str]) -> Reason:
    return Reason(
        "argument", f"the build argument{'s' if len(names) > 1 else ''} {', '.join(names)} changed", (), tuple(names)
    )


def _bases(comparison: Comparison, node: Node, own: Inputs | None, was: Inputs | None) -> list[Reason]:
    """Images that a step is made from and that are others now."""
    twin = comparison.twin(node)
    if twin is None:
        return []
    reasons = []
    gone = [name for name in twin.bases if name not in node.bases]
    for name, digest in node.bases.items():
        before = twin.bases.get(name)
        if before is None and gone:
            reasons.append(_other_image(node, gone.pop(0), name, own, was))
        elif before and digest and before != digest:
            reasons.append(Reason("base", f"{name} is another image: {_short(before)} before, {_short(digest)} now"))
    return reasons


def _other_image(node: Node, before: str, name: str, own: Inputs | None, was: Inputs | None) -> Reason:
    """A FROM that names another image, by its own line or by an argument in it."""
    detail = f"{name} in place of {before}"
    stage = own.stage(node.name.stage) if own else None
    if own and was and stage:
        line = stage.instructions[0]
        if names := diff.different_arguments(own, was, line.names):
            return Reason("argument", f"{_arguments(names).detail}: {detail}", (), tuple(names))
    return Reason("base", detail)


def _short(digest: str) -> str:
    return digest[:19]
