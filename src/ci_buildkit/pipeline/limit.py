"""The time of one stage: when it began, and its end where it takes longer than it may.

The RUN that tests or lints is killed inside the builder: then it has failed, and its reports are taken out like those of any
other that failed. Where that is impossible the build is ended, and what the log has is all there is.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

from ci_buildkit.engine import runc
from ci_buildkit.engine.builder import Builder
from ci_buildkit.engine.progress import Progress, Step
from ci_buildkit.pipeline import judge
from ci_buildkit.pipeline.clock import Clock
from ci_buildkit.pipeline.session import Session
from ci_buildkit.plan.stages import Stage

Kill = Callable[[], None]
# Seconds that a build has to end by itself once its RUN was killed or has ended: its reports are being taken out.
ENDING = 120.0


class Limit:
    """Ends the builds of a stage when its time, which begins with this, is over.

    `over` says that it is. Then `step` is what the stage was at, None where nothing executed, and `lost` says that reports
    were lost with the build. `mark` is that of its steps, where it may be that they are to be ended.
    """

    def __init__(self, session: Session, stage: Stage) -> None:
        """The clock starts."""
        self.clock = Clock()
        self.over = False
        self.step: Step | None = None
        self.lost = False
        self.mark = runc.Mark() if stage.timeout else None
        self._session, self._stage = session, stage
        self._lock = threading.Lock()
        self._build: tuple[Builder, Kill] | None = None
        self._progress = Progress()
        self._ended = threading.Event()

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """What the body builds is ended in time."""
        if not self._stage.timeout:
            yield
            return
        timer = threading.Timer(min(self._stage.timeout.seconds, threading.TIMEOUT_MAX), self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self.ended()

    def began(self, builder: Builder, kill: Kill) -> None:
        """A build on `builder` has begun, which `kill` ends."""
        with self._lock:
            self._build, self._progress = (builder, kill), Progress()
            self._ended.clear()
            late = self.over
        if late:
            kill()

    def moved(self, progress: Progress) -> None:
        """The build is so far."""
        self._progress = progress

    def ended(self) -> None:
        """The build is over."""
        with self._lock:
            self._build = None
            self._ended.set()

    def _expire(self) -> None:
        with self._lock:
            self.over, build, progress = True, self._build, self._progress
        if build and not (self._leaves(progress, build[0]) and self._ended.wait(ENDING)):
            with self._lock:
                if self._build is build:
                    build[1]()

    def _leaves(self, progress: Progress, builder: Builder) -> bool:
        """Whether a build is about to end by itself, after its RUN was killed where that is what it is at."""
        running = judge.running(progress)
        if not running:  # its reports are being taken out, or it has not begun
            return bool(progress.steps)
        runs = [step for step in running if step.is_run]
        stages = self._stage.rerun
        own = [step for step in runs if stages and judge.runs_in(step, stages)]
        self.step = [*own, *runs, *running][0]
        # Another RUN may be another stage's too.
        if self.mark and own and len(own) == len(runs) and runc.kill(self._session.buildx, builder, self.mark):
            return True
        self.lost = bool(own)
        return False
