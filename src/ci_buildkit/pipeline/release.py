"""The images of a run: kept, or released in an order in which no release is ever half tagged.

Each image is pushed by digest to all its names, what the registries hold is verified, signing and trying out follow, and
only when every image is in place and approved do tags move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from msgspec import Struct, field

from ci_buildkit.engine.patience import patiently
from ci_buildkit.engine.registry import Registry, Top
from ci_buildkit.errors import CiBuildkitError, EngineError, Interrupted, OutputError, said
from ci_buildkit.pipeline import flaws, image_record, legs, standing
from ci_buildkit.pipeline.goal import Goal, State, goals
from ci_buildkit.pipeline.judge import CANCELLED, Verdict
from ci_buildkit.pipeline.pushed import Pushed
from ci_buildkit.pipeline.session import BUILDS_AT_ONCE, Session
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.pipeline.standing import Standing, check_immutable
from ci_buildkit.plan.stages import Plan
from ci_buildkit.record import ImageRecord

T = TypeVar("T")


class Release(Struct):
    """The pushing of images; `verdicts` are those of what failed, after which nothing more is done."""

    session: Session
    plan: Plan
    states: Sequence[State]
    registry: Registry
    verdicts: list[Verdict] = field(default_factory=list)

    def run(self) -> None:
        """All steps, each for every image before the next one begins."""
        steps = [self._push, self._approve, self._write_legs]
        if not self.session.options.push_by_digest:
            steps = [self._look, self._push, self._approve, self._look_again, self._tag]
        for step in steps:
            step()
            if self.session.cancellation.cancelled and not self.verdicts:
                self.verdicts.append(CANCELLED)
            if self.verdicts:
                return

    def _look(self) -> None:
        """What is there already is not pushed again; immutable tags that would move end the release."""
        immutable = self.session.options.immutable_tags

        def look(state: State, found: Standing) -> None:
            goal = state.goal
            if immutable:
                check_immutable(goal, found)
            state.tags = tuple(tag for tag in goal.tags if tag not in found.same)
            state.unchanged = not state.tags
            if found.held:
                state.image = Pushed(goal.stage, goal.name, found.held.digest, found.held)

        self._stand(look)

    def _stand(self, look: Callable[[State, Standing], None], *, strict: bool = False) -> None:
        """Tell `look` of each image where its tags stand; what an image is, is asked only where there is a tag."""
        from ci_buildkit.pipeline import push

        cancellation = self.session.cancellation
        found: dict[int, tuple[Top | None, ...]] = {}

        def ask(state: State) -> None:
            goal = state.goal
            self.session.emit(
                partial(self.session.view.phase, f"looking for {', '.join(map(goal.reference, goal.tags))}")
            )
            found[id(state)] = standing.tops(self.registry, goal, cancellation, strict=strict)

        self._each(ask, self.states)
        if self.verdicts:
            return
        there = {state.goal.stage: state.goal.run for state in self.states if any(found[id(state)])}
        self._each(partial(push.learn, self.session), [run for run in there.values() if not run.manifests])
        if not self.verdicts:
            self._each(
                lambda state: look(state, standing.of(self.registry, state.goal, found[id(state)], cancellation)),
                self.states,
            )

    def _push(self) -> None:
        from ci_buildkit.pipeline.push import push

        waiting: dict[str, list[State]] = {}
        for state in self.states:
            if state.image is None:
                waiting.setdefault(state.goal.stage, []).append(state)

        def to_all(states: list[State]) -> None:
            digest = push(self.session, states[0].goal.run, [state.goal.name for state in states])
            for state in states:
                state.image = self._verified(state.goal, digest)

        self._each(to_all, waiting.values())

    def _verified(self, goal: Goal, digest: str) -> Pushed:
        """The image as the registry really holds it. Raises OutputError where that is not what was asked for."""
        reference = f"{goal.name}@{digest}"
        held = patiently(lambda: self.registry.held(reference), self.session.cancellation)
        if held is None:
            raise OutputError(f"{reference} was pushed, and the registry does not hold it")
        if wrong := flaws.of(held, goal.run.stage.platforms, goal.attest):
            raise OutputError(f"{reference} was pushed and {wrong}")
        return Pushed(goal.stage, goal.name, digest, held)

    def _approve(self) -> None:
        if not (self.session.options.sign or self.session.options.smoke):
            return
        from ci_buildkit.pipeline import approve

        images = [state.image for state in self.states if state.image]
        for state, approval in zip(self.states, approve.verdicts(self.session, self.plan, images), strict=True):
            state.approval = approval
            if approval.verdict.exit_code:
                self.verdicts.append(approval.verdict)

    def _look_again(self) -> None:
        """Signing and trying out take time, in which somebody else may have given a tag to another image."""
        if self.session.options.immutable_tags:
            self._stand(lambda state, found: check_immutable(state.goal, found), strict=True)

    def _tag(self) -> None:
        from ci_buildkit.pipeline import tagging

        def tag(state: State) -> None:
            assert state.image is not None
            tagging.move(self.session, self.registry, state.image, state.tags)
            state.done = True

        self._each(tag, self.states)

    def _write_legs(self) -> None:
        folder = self.session.staging.report / "digests"
        version = self.plan.version

        def write(state: State) -> None:
            assert state.image is not None
            leg = legs.Leg(
                stage=state.goal.stage,
                name=state.goal.name,
                digest=state.image.digest,
                platforms=state.image.held.platforms,
                tags=state.goal.tags,
                annotations=state.goal.annotations,
                attestations=flaws.kinds(state.image.held),
                version=version.value,
                revision=version.revision,
            )
            legs.write(folder, leg)
            state.done = True

        self._each(write, self.states)

    def _each(self, step: Callable[[T], None], items: Iterable[T]) -> None:
        """A step for all items at once; failures become verdicts, and none keeps the others from their end."""

        def attempt(item: T) -> Verdict | None:
            try:
                step(item)
            except Interrupted as error:
                return Verdict("cancelled", error.message, error.exit_code)
            except (CiBuildkitError, OSError) as error:
                if self.session.cancellation.cancelled:
                    return CANCELLED
                if isinstance(error, CiBuildkitError):
                    return Verdict("error", error.message, error.exit_code)
                return Verdict("error", said(error), EngineError.exit_code)
            return None

        waiting = list(items)
        with ThreadPoolExecutor(max_workers=BUILDS_AT_ONCE) as pool:
            self.verdicts += [verdict for verdict in pool.map(attempt, waiting) if verdict]


def images(
    session: Session, plan: Plan, runs: Sequence[StageRun], *, open_gates: bool
) -> tuple[list[ImageRecord], list[Verdict]]:
    """Release the images where the plan says so and the gates are open; a record for each image that was built.

    The verdicts are those of what failed. The build itself is in the builder's cache already.
    """
    built = [run for run in runs if run.stage.kind == "image" and run.record.outcome == "passed"]
    states = [State(goal, goal.tags) for goal in goals(plan, built)]
    verdicts: list[Verdict] = []
    if plan.push and open_gates and states and not session.cancellation.cancelled:
        registry = Registry(session.buildx, session.builder.name, session.cancellation)
        release = Release(session, plan, states, registry)
        release.run()
        verdicts = release.verdicts
    return [record for run in built for record in _records(session, run, states)], verdicts


def _records(session: Session, run: StageRun, states: Sequence[State]) -> list[ImageRecord]:
    own = [image_record.released(session, state) for state in states if state.goal.run is run]
    return own or [image_record.kept(session, run, run.stage.name, ())]
