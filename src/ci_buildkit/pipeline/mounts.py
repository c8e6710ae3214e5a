"""Cache mounts between runs: put into a fresh builder before the stages that use them, and kept at the end.

Nothing here turns a run red: mounts that cannot be restored begin empty, as they did without.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec

from ci_buildkit import stepname
from ci_buildkit.checkout import locks
from ci_buildkit.engine import mounts as engine
from ci_buildkit.errors import CiBuildkitError, said
from ci_buildkit.pipeline.session import Session
from ci_buildkit.pipeline.shelf import Entry, Index, Shelf, fitting, merged
from ci_buildkit.pipeline.stage import StageRun
from ci_buildkit.pipeline.staging import context_warning
from ci_buildkit.pipeline.view import Level
from ci_buildkit.plan import mounts
from ci_buildkit.plan.mounts import Mount
from ci_buildkit.plan.stages import Plan, Stage
from ci_buildkit.record import CacheMountsRecord, StepRecord


class Keeper:
    """Restores in a thread that begins at once; `wait` for it before a stage, `saving` after all stages."""

    def __init__(self, session: Session, plan: Plan, folder: Path) -> None:
        """`folder` is where they are kept. To be called by the thread that talks to the view."""
        self.record = CacheMountsRecord()
        self._session = session
        self._mounts = mounts.find(plan, next(iter(session.fleet.home), "linux/amd64"))
        self._contexts = _contexts(plan)
        self._shelf = Shelf(folder.absolute(), partial(self._say, "warning"))
        self._ready = threading.Event()
        for note in self._mounts.notes:
            session.view.message("notice", f"cache mounts: {note}")
        if warning := context_warning(folder, plan.context, "folder of cache mounts"):
            session.view.message("warning", f"{warning.path}: {warning.reason}")
        threading.Thread(target=self._restore, name="cache mounts", daemon=True).start()

    def wait(self, stage: Stage) -> None:
        """Return when what the stage uses is back, or cannot be had."""
        if self._mounts.of.get(stage.name):
            self._ready.wait()

    @contextlib.contextmanager
    def saving(self, runs: Sequence[StageRun]) -> Iterator[None]:
        """Keep what changed, beside the body."""
        thread = threading.Thread(target=self._save, args=(runs,), name="cache mounts")
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def _say(self, level: Level, text: str) -> None:
        self._session.emit(partial(self._session.view.message, level, f"cache mounts: {text}"))

    def _workshop(self) -> engine.Workshop:
        namespace = {mount.namespace for mount in self._mounts.all}
        flags = tuple(part for name in namespace if name for part in ("--build-arg", f"{mounts.NAMESPACE}={name}"))
        folder = self._session.staging.work / "cache-mounts"
        folder.mkdir(exist_ok=True)
        images = [(helper.text, (*helper.flags, *flags)) for helper in self._mounts.helpers]
        session = self._session
        return engine.Workshop(session.buildx, session.builder.name, images, folder, session.cancellation)

    def _restore(self) -> None:
        began, done = time.monotonic(), list[Entry]()
        try:
            done = self._put()
        except (CiBuildkitError, OSError) as error:
            self._trouble("they could not be restored", error)
        finally:
            if done:
                self._count("restored", done, time.monotonic() - began)
            self._ready.set()
        if done:
            self._tidy()
            key = locks.key(self._contexts)
            other = " (of other lock files)" if any(entry.key != key for entry in done) else ""
            size, seconds = self.record.restored_bytes, self.record.restored_seconds
            self._say("notice", f"restored {len(done)}, {megabytes(size)} in {seconds:.1f} s{other}")

    def _count(self, what: str, entries: Sequence[Entry], seconds: float) -> None:
        size = sum(entry.size for entry in entries)
        counts = {what: len(entries), f"{what}_bytes": size, f"{what}_seconds": round(seconds, 3)}
        self.record = self.record.model_copy(update=counts)

    def _trouble(self, what: str, error: CiBuildkitError | OSError) -> None:
        if not self._session.cancellation.cancelled:
            self._say("warning", f"{what}: {said(error) if isinstance(error, OSError) else error.message}")

    def _put(self) -> list[Entry]:
        """Put in what belongs to mounts that the builder does not have; what was."""
        session = self._session
        if session.options.no_cache or not self._mounts.sharing:  # BuildKit empties the mounts of a build without cache
            return []
        entries = [entry for entry in self._shelf.index().mounts if entry.mount in self._mounts.sharing]
        if entries and not session.builder.created:
            there = engine.present(session.buildx, session.builder.name)
            entries = [e for e in entries if f"{e.namespace}/{e.id}" not in there]
        with ThreadPoolExecutor() as pool:
            entries = [e for e, sound in zip(entries, pool.map(self._shelf.is_sound, entries), strict=True) if sound]
        if not entries:
            return []
        saved = [engine.Saved(self._options(e.mount), e.file, e.root) for e in entries]
        return [entries[number] for number in engine.put(self._workshop(), saved, self._shelf.folder)]

    def _tidy(self) -> None:
        """A builder that goes with the run needs none."""
        if self._session.builder.kept:
            with contextlib.suppress(CiBuildkitError):
                engine.tidy(self._session.buildx, self._session.builder.name)

    def _options(self, mount: Mount) -> str:
        how = self._mounts.sharing[mount]
        return f"{mount.options},sharing={how}" if how else mount.options

    def _save(self, runs: Sequence[StageRun]) -> None:
        used = {run.stage.name: seconds for run in runs if (seconds := _seconds(run.record.timeline))}
        changed = sorted({mount for name in used for mount in self._mounts.of.get(name, ())})
        if not changed or self._session.cancellation.cancelled:
            return
        try:
            self._take(changed, {step: took for name in used for step, took in used[name].items()})
        except (CiBuildkitError, OSError) as error:
            self._trouble("they could not be saved", error)

    def _take(self, changed: Sequence[Mount], steps: Mapping[str, float]) -> None:
        began, limit = time.monotonic(), mounts.size(self._session.options.cache_mounts_size)
        before = {entry.mount: entry for entry in self._shelf.index().mounts if self._shelf.has(entry)}
        rest = sum(e.size for m, e in before.items() if m in self._mounts.sharing and m not in changed)
        known = [(self._options(m), before[m].fingerprint if m in before else "") for m in changed]
        key, entries = locks.key(self._contexts), dict[Mount, Entry | None]()
        with self._shelf.making() as folder:
            taken = engine.take(self._workshop(), known, limit - rest, folder / "out")
            for one in taken:
                mount = changed[one.number]
                if one.state == "taken":
                    path = folder / "out" / f"{one.number}.tar"
                    entries[mount] = self._shelf.keep(path, mount, key, one.fingerprint, one.root)
                elif one.state in {"empty", "large"}:
                    entries[mount] = None
            index = self._shelf.index()
            same = {changed[one.number] for one in taken if one.state == "same"}
            present = (msgspec.structs.replace(e, key=key) if e.mount in same else e for e in index.mounts)
            kept, lost = fitting(merged(present, entries), self._mounts.all, limit)
            was_empty = self._session.builder.created and not self.record.restored
            empty = {**index.empty, **(steps if was_empty else {})}
            self._shelf.put(Index(mounts=kept, empty=empty))
        fresh = {changed[one.number] for one in taken if one.state == "taken"}
        new = [entry for entry in kept if entry.mount in fresh]
        large = {changed[one.number]: one.size for one in taken if one.state == "large"}
        large |= {entry.mount: entry.size for entry in lost if entry.mount in self._mounts.sharing}
        self._tell(new, large, time.monotonic() - began)
        self._tidy()
        self._tell_gain(steps, empty)

    def _tell(self, new: Sequence[Entry], large: Mapping[Mount, int], seconds: float) -> None:
        self._count("saved", new, seconds)
        what = (
            f"saved {len(new)}, {megabytes(self.record.saved_bytes)}" if new else "nothing changed in them, looked at"
        )
        self._say("notice", f"{what} in {seconds:.1f} s")
        limit = self._session.options.cache_mounts_size
        for mount, bytes_ in large.items():
            text = f"{mount.id} ({megabytes(bytes_)}) does not fit into --cache-mounts-size {limit} and begins empty next time"
            self._say("warning", text)

    def _tell_gain(self, steps: Mapping[str, float], empty: Mapping[str, float]) -> None:
        """Say how long the steps took, beside the last time that their mounts were empty."""
        both = [step for step in steps if step in empty]
        if self.record.restored and both:
            took, took_empty = (sum(of[step] for step in both) for of in (steps, empty))
            self._say("notice", f"the steps that use them took {took:.1f} s, {took_empty:.1f} s when they were empty")


def _contexts(plan: Plan) -> list[Path]:
    """The local main contexts of all stages, each once."""
    given = [str(stage.definition.get("context", plan.context)) for stage in plan.stages]
    return [Path(text) for text in dict.fromkeys(given) if "://" not in text and Path(text).is_dir()]


def _seconds(timeline: Sequence[StepRecord]) -> dict[str, float]:
    """How long each RUN with a cache mount ran, by its place in the Dockerfile; those from the cache are left out."""
    found = {}
    for step in timeline:
        name = stepname.parse(step.name)
        if name and name.keyword == "RUN" and "type=cache" in name.text.lower() and not step.cached:
            found[step.name.partition("]")[0].lstrip("[")] = step.seconds
    return found


def megabytes(size: int) -> str:
    """A size as people read it."""
    return f"{size / 1e6:.1f} MB"
