"""Several targets built by one `docker buildx bake`, each of which is heard as if it were built alone.

A process for each costs a connection to the builder and sends the context again: with 400 MB of it, five builds took 15
seconds and one bake of all five 5. Rules: buildx docs/reference/buildx_bake.md (`--jobs`), commands/bake.go
(writeBakeTargetSummary) and util/progress/multiwriter.go (addPrefix).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation, Ended, run
from ci_buildkit.engine.progress import Progress, Status, status_of
from ci_buildkit.engine.solve import Hearing, Solved, bake_command, noted, noting

SINCE = (0, 38)  # the first buildx that has `--jobs`
# The step of buildx' own that says at the end of a bake that failed how each target went.
RESULTS = "[internal] target results"
REASON = re.compile(r"^ERROR: target (\S+): ", re.MULTILINE)


class Parts:
    """Tells the status of a bake of several targets apart. Pure.

    `results` are how targets went, where the bake has failed: succeeded, failed, aborted or not started.
    """

    def __init__(self, targets: Iterable[str]) -> None:
        """Their names; what belongs to none of them is passed over."""
        self.results: dict[str, str] = {}
        self._targets = frozenset(targets)
        self._only = next(iter(self._targets)) if len(self._targets) == 1 else ""
        self._sharing: dict[str, list[str]] = {}  # the targets that have a step, by its digest
        # How far what a step works at had come when it was told last, and to how many of those who have the step.
        self._told: dict[tuple[str, str], tuple[object, int]] = {}
        self._summary = ""  # the digest of the step of results

    def split(self, status: Status) -> Mapping[str, Status]:
        """What a status says, by target.

        Steps that targets share belong to each of them, and so does what they print, of which buildx passes on one copy: a
        target that comes to a step late hears the rest.
        """
        parts: dict[str, dict[str, list[Any]]] = {}
        for vertex in status.get("vertexes") or ():
            digest, name = vertex["digest"], vertex.get("name", "")
            if name == RESULTS:
                self._summary = digest
            target, own = self._owner(name)
            if not target:
                continue
            sharing = self._sharing.setdefault(digest, [])
            if target not in sharing:
                sharing.append(target)
            parts.setdefault(target, {}).setdefault("vertexes", []).append({**vertex, "name": own})
        for kind in ("statuses", "logs", "warnings"):
            for entry in status.get(kind) or ():
                digest = entry.get("vertex", "")
                if digest == self._summary and kind == "statuses":
                    result = entry.get("name", "")
                    self.results[entry.get("id", "").removesuffix(f": {result}")] = result
                for target in self._new_to(digest, entry) if kind == "statuses" else self._sharing.get(digest, ()):
                    parts.setdefault(target, {}).setdefault(kind, []).append(entry)
        return parts

    def _new_to(self, digest: str, entry: Mapping[str, Any]) -> Sequence[str]:
        """The targets that have not heard this of a step, of which buildx says it once for each target: n times n calls
        for n targets, of which n are enough.
        """
        sharing = self._sharing.get(digest, [])
        key, state = (digest, entry.get("id", "")), (entry.get("current"), entry.get("completed") is not None)
        last, told = self._told.get(key, (None, 0))
        self._told[key] = state, len(sharing)
        return sharing[told:] if state == last else sharing

    def _owner(self, name: str) -> tuple[str, str]:
        """The target that a step belongs to, and the name that the step has in a build of that target alone."""
        if self._only:  # whose steps buildx leaves as they are
            return self._only, name
        prefix, space, rest = name.partition(" ")
        target = prefix.removeprefix("[").removesuffix("]")
        if not (name.startswith("[") and space and target in self._targets):
            return "", name
        return target, rest if prefix.endswith("]") else f"[{rest}"


class Member(Struct):
    """A target of a batch and how it went, None where it was not begun.

    `trouble` is what broke the hearing, a full disk mostly.
    """

    written: Mapping[str, Any]
    hearing: Hearing
    trouble: OSError | None = None
    solved: Solved | None = None

    def hear(self, status: Status) -> None:
        """Take a status of this target, unless something is wrong already."""
        if self.trouble is None:
            try:
                self.hearing.status(status)
            except OSError as error:
                self.trouble = error

    def end(self, ended: Ended, metadata: Mapping[str, Any]) -> None:
        """The build of this target is over."""
        begun = bool(self.hearing.progress.steps) or ended.returncode <= 0
        if begun and self.trouble is None:
            try:
                self.solved = self.hearing.solved(ended, metadata)
                self.solved.seconds = _seconds(self.hearing.progress)
            except OSError as error:
                self.trouble = error


class Batch:
    """Builds targets together, once each of them has come or has been taken back."""

    def __init__(self, targets: Iterable[str], buildx: Buildx, cancellation: Cancellation, folder: Path) -> None:
        """`folder` is where the bake file and the metadata go."""
        self.targets = tuple(targets)
        self._buildx, self._cancellation, self._folder = buildx, cancellation, folder
        self._missing = set(self.targets)
        self._members: dict[str, Member] = {}
        self._changed = threading.Condition()
        self._trouble: OSError | None = None
        self._begun = self._over = False

    def awaits(self, target: str) -> bool:
        """Whether a target is to be built with the others, and has not been."""
        with self._changed:
            return target in self._missing

    def leave(self, target: str) -> None:
        """A target does not come any more. To be called for each of them at its end; it does no harm then."""
        with self._changed:
            self._missing.discard(target)
            self._changed.notify_all()

    def solve(self, builder: str, target: str, written: Mapping[str, Any], hearing: Hearing) -> Solved | None:
        """Build a target with the others on `builder`, `written` as it stands in a bake file.

        None where the bake failed before any step of this target: what is wrong with one, such as a secret's file that is
        not there, keeps all from being built. Nothing was heard then.

        Raises OSError where docker cannot be started, or what is heard of this target cannot be written.
        """
        member = Member(written, hearing)
        with self._changed:
            self._members[target] = member
            self._missing.discard(target)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._over or not (self._missing or self._begun))
            mine, self._begun = not self._begun, True
            if not mine:
                self._changed.wait_for(lambda: self._over)
        if mine:
            try:
                self._build(builder)
            except OSError as error:
                self._trouble = error
            finally:
                with self._changed:
                    self._over = True
                    self._changed.notify_all()
        if trouble := member.trouble or self._trouble:
            raise trouble
        return member.solved

    def _build(self, builder: str) -> None:
        members = {name: self._members[name] for name in self.targets if name in self._members}
        # No target's own files are called so.
        file, metadata = self._folder / "+batch.bake.json", self._folder / "+batch.json"
        file.write_text(json.dumps({"target": {n: m.written for n, m in members.items()}}), encoding="utf-8")
        parts = Parts(members)

        def on_line(line: bytes) -> bool:
            status = status_of(line)
            if status is None:
                return False
            for name, part in parts.split(status).items():
                members[name].hear(part)
            return True

        def on_start(kill: Callable[[], None]) -> None:
            for member in members.values():
                member.hearing.began(kill)

        ended = run(
            noting(bake_command(self._buildx, builder, file, *members, jobs="defer-error"), metadata),
            env=self._buildx.build_environment,
            cancellation=self._cancellation,
            on_line=on_line,
            on_start=on_start,
        )
        noted_down = noted(metadata)
        for name, member in members.items():
            own = _own(name, ended, parts.results.get(name), step_failed=member.hearing.progress.failed is not None)
            member.end(own, {name: noted_down[name]} if name in noted_down else {})


def _own(name: str, ended: Ended, result: str | None, *, step_failed: bool) -> Ended:
    """How one target of a bake went that went as `ended` says; `result` is what buildx said of it, where it did.

    Of the reasons why targets failed buildx tells one. Another target has its own from the step that failed; where none
    did, it was what broke all, a lost connection mostly.
    """
    if result == "succeeded":
        return Ended(0, "")
    told = REASON.findall(ended.text)
    if not told or name in told:
        return ended
    errors = [line for line in ended.text.splitlines() if line.startswith("ERROR: ")]
    return Ended(ended.returncode, "" if step_failed else REASON.sub("ERROR: ", "\n".join(errors)))


def _seconds(progress: Progress) -> float | None:
    """Seconds from what the build belongs to, up to the end of its last step; None where none has ended."""
    ends = [step.completed for step in progress.steps.values() if step.completed]
    return max(0.0, max(ends) - progress.origin) if ends else None
