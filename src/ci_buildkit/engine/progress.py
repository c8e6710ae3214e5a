"""The solve status that buildx prints with `--progress=rawjson`, folded into steps. Pure.

Each line is one `SolveStatus` of BuildKit (client/graph.go): vertexes, statuses, logs and warnings; byte fields are
base64, times RFC 3339 with nanoseconds.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from ci_buildkit import jsontext, stepname

# A status of the image exporter (moby/buildkit exporter/containerimage/writer.go).
MANIFEST = re.compile(r"exporting manifest (sha256:[0-9a-f]{64})")
MAX_LINE = 1 << 18  # bytes; a longer line goes on as a new one, so that memory stays bounded
# `[linux/arm64 internal]` in builds for several platforms; `[auth]` asks a registry for a token.
INTERNAL = re.compile(
    r"\[(?:\S+ )?internal\] |\[auth\] |resolve image config|docker-image://|exporting|sending|importing|preparing"
)

# What BuildKit says of a RUN whose command ended with another exit code than 0 (solver/llbsolver/errdefs).
FAILED = "did not complete successfully"
# Instructions that execute; of the others FROM is never cached, and the rest are no steps.
CHANGES = re.compile(r"\] (?:RUN|COPY|ADD|WORKDIR) ")


Status = Mapping[str, Any]  # one `SolveStatus`


def status_of(line: bytes) -> Status | None:
    """The status that a line of the stream holds; None for any other line."""
    if not line.startswith(b"{"):
        return None
    try:
        status: Status = jsontext.loads(line)
    except jsontext.Broken:
        return None
    return status


def seconds_of(text: str | None) -> float | None:
    """A time stamp in seconds since 1970; None for none."""
    return datetime.fromisoformat(text).timestamp() if text else None


def stage_of(name: str) -> str:
    """The Dockerfile stage in a step's name, as `stepname` has it."""
    parts = stepname.parse(name)
    return parts.stage if parts else ""


class Step(Struct):
    """One vertex. Times are seconds since 1970; `seconds` sums the intervals in which it really ran."""

    digest: str
    name: str
    started: float | None = None
    completed: float | None = None
    cached: bool = False
    error: str = ""
    seconds: float = 0.0
    first: float | None = None
    inputs: tuple[str, ...] = ()
    partial: dict[int, bytes] = field(default_factory=dict)
    transfers: dict[str, int] = field(default_factory=dict)

    @property
    def transferred(self) -> int:
        """Bytes that it took from elsewhere: what the client sent of a context, or the layers of an image."""
        return sum(self.transfers.values())

    @property
    def platform(self) -> str | None:
        """The platform that the step executes on, where BuildKit's name says one (multi-platform builds)."""
        found = stepname.PLATFORM.match(self.name)
        return found["build"] if found else None

    @property
    def stage(self) -> str:
        """The Dockerfile stage it belongs to; "" where the file has only one, or the step belongs to none."""
        return stage_of(self.name)

    @property
    def is_run(self) -> bool:
        """Whether it is a RUN instruction."""
        return "] RUN " in self.name

    @property
    def executed(self) -> bool:
        """Whether it is an instruction that changes files, and did so now instead of coming from the cache."""
        return self.first is not None and not self.cached and CHANGES.search(self.name) is not None

    @property
    def is_internal(self) -> bool:
        """Whether it is BuildKit's own business rather than an instruction of the Dockerfile."""
        return INTERNAL.match(self.name) is not None

    @property
    def is_cache(self) -> bool:
        """Whether it reads or writes a cache, whose trouble breaks no build."""
        return self.name.startswith(("importing cache", "exporting cache", "exporting to GitHub Actions Cache"))


class Line(Struct, frozen=True):
    """One line that a step printed, without its line end; invalid UTF-8 is replaced."""

    step: Step
    text: str
    stream: int = 1


class Warned(Struct, frozen=True):
    """A Dockerfile check that failed; lines are 1-based and inclusive."""

    short: str
    detail: tuple[str, ...]
    url: str
    filename: str
    start_line: int | None
    end_line: int | None


class Progress:
    """Collects the status lines of one solve. `feed` returns what is new in the log; steps keep their order.

    `manifests` are the digests of the platforms' images that were exported. `origin` is what the builder's clock showed
    when what is waited for began, in seconds since 1970: the machines' clocks differ, and one that is set back during the
    build shows less at once.
    """

    def __init__(self, elapsed: Callable[[], float] = lambda: 0.0) -> None:
        """An empty solve. `elapsed` tells the seconds since that beginning, by a clock that nobody sets."""
        self.origin = math.inf
        self._elapsed = elapsed
        self.steps: dict[str, Step] = {}
        self.warnings: dict[Warned, None] = {}  # each once: builds that share a Dockerfile hear those of all
        self.current = ""
        self.manifests: set[str] = set()
        self._ended: list[Step] = []

    def feed(self, line: bytes) -> Iterator[Line] | None:
        """Take one line of the stream; None when it is no status (an error message of buildx, say)."""
        status = status_of(line)
        return None if status is None else self.take(status)

    def take(self, status: Status) -> Iterator[Line]:
        """Take one status; the lines of the log that it brings."""
        for vertex in status.get("vertexes") or ():
            self._vertex(vertex)
        for entry in status.get("statuses") or ():
            if exported := MANIFEST.fullmatch(entry.get("id", "")):
                self.manifests.add(exported[1])
        for transfer in status.get("statuses") or ():
            self._transfer(transfer)
        for warning in status.get("warnings") or ():
            self.warnings[_warned(warning)] = None
        return self._lines(status.get("logs") or ())

    def finish(self) -> Iterator[Line]:
        """The last lines of steps whose output did not end in a line end."""
        for step in self.steps.values():
            for stream, rest in step.partial.items():
                if rest:
                    yield Line(step, _text(rest), stream)
            step.partial.clear()

    def ended(self) -> list[Step]:
        """The steps that ended since the last call; one that ran on and ended again comes again."""
        ended, self._ended = self._ended, []
        return ended

    @property
    def now(self) -> float:
        """What the builder's clock shows, in seconds since 1970."""
        return self.origin + self._elapsed()

    @property
    def done(self) -> int:
        """Steps that ended."""
        return sum(step.completed is not None for step in self.steps.values())

    @property
    def failed(self) -> Step | None:
        """The step that broke the build; a cancelled one, or a cache, only where there is no other."""
        broken = [step for step in self.steps.values() if step.error]
        real = [step for step in broken if "context canceled" not in step.error and not step.is_cache]
        return (real or broken or [None])[0]  # type: ignore[list-item]

    @property
    def cache_troubles(self) -> list[Step]:
        """Caches that could not be read or written; one that is not there yet is no trouble."""
        broken = (step for step in self.steps.values() if step.is_cache and step.error)
        return [step for step in broken if not step.error.rstrip().endswith("not found")]

    def _vertex(self, vertex: Mapping[str, Any]) -> None:
        digest = vertex["digest"]
        step = self.steps.get(digest)
        if step is None:
            step = self.steps[digest] = Step(digest, vertex.get("name", ""), inputs=tuple(vertex.get("inputs") or ()))
        started, completed = seconds_of(vertex.get("started")), seconds_of(vertex.get("completed"))
        stamps = ((started, step.started), (completed, step.completed))
        if new := [stamp for stamp, known in stamps if stamp is not None and stamp != known]:
            self.origin = min(self.origin, max(new) - self._elapsed())
        if started is not None:
            if step.first is None:
                step.first = started
            step.started = started
            if not step.completed or completed is None:
                self.current = step.name
        if started is not None and completed is not None and completed != step.completed:
            step.seconds += max(0.0, completed - started)
            self._ended.append(step)
        step.completed = completed
        step.cached = step.cached or bool(vertex.get("cached"))
        step.error = vertex.get("error") or step.error

    def _transfer(self, status: Mapping[str, Any]) -> None:
        """Note bytes: layers go by their digests (util/pull/pullprogress), local folders as `transferring NAME:`."""
        identity = str(status.get("id", ""))
        step = self.steps.get(status.get("vertex", ""))
        if step is not None and identity.startswith(("sha256:", "transferring ")):
            step.transfers[identity] = int(status.get("current") or 0)

    def _lines(self, logs: Any) -> Iterator[Line]:
        for log in logs:
            step = self.steps.get(log["vertex"])
            if step is None:
                step = self.steps[log["vertex"]] = Step(log["vertex"], "")
            stream = log.get("stream", 1)
            data = step.partial.pop(stream, b"") + _bytes(log.get("data"))
            *lines, rest = data.split(b"\n")
            if len(rest) > MAX_LINE:
                lines, rest = [*lines, rest], b""
            if rest:
                step.partial[stream] = rest
            for line in lines:
                yield Line(step, _text(line), stream)


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode(errors="replace")


def _bytes(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "")
    except binascii.Error:
        return b""


def _warned(warning: Mapping[str, Any]) -> Warned:
    ranges = warning.get("range") or [{}]
    start = (ranges[0].get("start") or {}).get("line")
    end = (ranges[-1].get("end") or {}).get("line")
    return Warned(
        short=_text(_bytes(warning.get("short"))),
        detail=tuple(_text(_bytes(line)) for line in warning.get("detail") or ()),
        url=warning.get("url", ""),
        filename=(warning.get("sourceInfo") or {}).get("filename", ""),
        start_line=start,
        end_line=end,
    )
