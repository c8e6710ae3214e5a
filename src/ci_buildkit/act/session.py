"""One run of act, from a request to its outcome: started, watched, and cleaned up after."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from ci_buildkit.act import command, docker, prepare, program, runs
from ci_buildkit.act.leftovers import Container
from ci_buildkit.act.leftovers import Docker as Engine
from ci_buildkit.act.log import Log
from ci_buildkit.act.names import Names
from ci_buildkit.act.outcome import Artifact, Outcome, conclude
from ci_buildkit.act.prepare import Ready, Request, Tools
from ci_buildkit.act.record import SETUP, Record, parse
from ci_buildkit.act.runs import Run
from ci_buildkit.act.view import View
from ci_buildkit.engine import scratch
from ci_buildkit.engine.buildx import Buildx
from ci_buildkit.engine.process import Cancellation, Ended, run
from ci_buildkit.errors import ConfigurationError, EngineError, Interrupted
from ci_buildkit.report.text import plain

TOKEN = "GITHUB_TOKEN"  # noqa: S105 - the name of one
SECRETS_FILE = ".secrets"
_HAS_TOKEN = re.compile(rf"^\s*(export\s+)?{TOKEN}\s*[=:]", re.MULTILINE | re.IGNORECASE)
# With these act would use the artifact server of the CI that it runs in.
_FOREIGN = ("ACTIONS_RUNTIME_URL", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL", "ACTIONS_CACHE_URL")
_USAGE = re.compile(
    r"unknown (shorthand )?flag|invalid argument|flag needs an argument|accepts at most|bad flag syntax"
)


class Finished(Struct, frozen=True):
    """A run that came to its end, or was interrupted once act had begun. `log` is the file with all that was said."""

    outcome: Outcome
    log: Path
    interrupted: bool


def execute(
    request: Request,
    environ: Mapping[str, str],
    cancellation: Cancellation,
    view: View,
    on_record: Callable[[Record], object] = lambda _: None,
) -> Finished:
    """Run the workflows; `on_record` gets each line of act's log. Afterwards nothing of the run is left in Docker.

    Raises:
        ConfigurationError: the request or a workflow is wrong.
        EngineError: act, Docker or an image is not to be had, or act broke before any job.
        Interrupted: before act began.
    """
    secrets = _values(request.secrets, environ, "secret")
    variables = _values(request.variables, environ, "var")
    buildx = Buildx(environ)
    scratch.sweep()
    folder = scratch.folder("act-")
    try:
        ready = prepare.prepare(request, Tools(environ, buildx, cancellation, folder, view))
        if cancellation.cancelled:
            raise Interrupted("interrupted before act began")
        home = program.cache(environ) / "runs"
        engine = Engine(buildx)
        runs.sweep(home, engine)
        made = Run.make(home, ready.plan.token)
        watch = _Watch(ready, made, view, on_record, cancellation)
        call = _call(request, ready, made, folder, environ, (tuple(secrets), tuple(variables)), view)
        env = _environment(environ, ready) | secrets | variables
        ended = _run(call, env, ready, cancellation, watch, engine)
        uploads = runs.artifacts(request.artifact_folder or made.artifacts)
        return _finished(ready, made, watch.log, ended, uploads, interrupted=cancellation.cancelled)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _call(
    request: Request, ready: Ready, made: Run, folder: Path, environ: Mapping[str, str],
    names: tuple[Sequence[str], Sequence[str]], view: View,
) -> list[str]:  # fmt: skip
    """Write what act reads, and the command that reads it."""
    for name, text in ready.plan.files.items():
        path = folder / "stage" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    event_file = folder / "event.json"
    event_file.write_bytes(ready.payload)
    environment, notes = command.environment(environ, ready.repository, ready.plan.token)
    for note in notes:
        view.note("warning", note)
    secrets, variables = names
    return command.words(
        command.Call(
            act=ready.act.path,
            event=ready.event,
            workflows=folder / "stage" / "workflows",
            event_file=event_file,
            platforms=tuple(ready.images.flags(ready.texts)),
            repositories=ready.repositories,
            docker=ready.docker,
            port=docker.free_port(ready.docker.address),
            artifacts=request.artifact_folder or made.artifacts,
            cache=program.cache(environ) / "cache",
            environment=environment,
            secrets=[*secrets, *_no_token(secrets, ready.top)],
            variables=variables,
            mounts=[*command.mounts(environ), *command.repository(ready.top)],
            matrix=request.selection.matrix,
            passed=request.passed,
        )
    )


def _no_token(secrets: Sequence[str], top: Path) -> list[str]:
    """Without a token of its own act asks `gh` for the user's, with all that it may do: jobs get none, then."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if _HAS_TOKEN.search((top / SECRETS_FILE).read_text(encoding="utf-8")):
            return []
    return [] if TOKEN in secrets else [f"{TOKEN}="]


def _values(texts: Sequence[str], environ: Mapping[str, str], what: str) -> dict[str, str]:
    """NAME or NAME=VALUE as variables for act, which would ask on the terminal for one that is not set.

    Raises ConfigurationError for one that is not set.
    """
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        key = name.upper() if what == "secret" or not equals else name  # which is how act looks for it
        given = value if equals else environ.get(key) or environ.get(name, "")
        if not key or not given:
            raise ConfigurationError(
                f"--{what} {name}: the variable {key or '?'} is not set", hint="set it, or give NAME=VALUE"
            )
        found[key] = given
    return found


def _environment(environ: Mapping[str, str], ready: Ready) -> dict[str, str]:
    own = {"ACT_DISABLE_VERSION_CHECK": "1", "DOCKER_HOST": ready.docker.host}
    return {**{name: value for name, value in environ.items() if name not in _FOREIGN}, **own}


class _Watch:
    """Takes act's lines: into the log file, to the view, and into the folded log."""

    def __init__(
        self, ready: Ready, made: Run, view: View, on_record: Callable[[Record], object], cancellation: Cancellation
    ) -> None:
        self.log = Log()
        self._cancellation = cancellation
        self.names = Names(ready.plan)
        self._plan = ready.plan
        self._run = made
        self._view = view
        self._on_record = on_record
        self._noted: set[str] = set()

    @contextlib.contextmanager
    def lines(self) -> Iterator[Callable[[bytes], bool]]:
        """What takes a line, and says whether it was one of the log."""
        with self._run.log.open("w", encoding="utf-8", errors="replace") as file:

            def take(line: bytes) -> bool:
                record = parse(line)
                if record.is_noise:
                    return True
                name = self.names.shown(record.job, record.matrix) if record.job else ""
                file.write(plain(f"[{name}] {record.message}" if name else record.message) + "\n")
                self._on_record(record)
                if record.path[:1] == (SETUP,):
                    self._note(record)
                self.log.cut = self._cancellation.cancelled
                for event in self.log.take(record, time.monotonic()):
                    self._view.event(event, name)
                return bool(record.level)

            yield take

    def clean(self, engine: Engine) -> None:
        """Remove what the run left in Docker."""
        self._run.clean(engine)

    def _note(self, record: Record) -> None:
        if record.job in self._noted:
            return
        self._noted.add(record.job)
        place = self.names.place(record.job)
        services = self._plan.jobs[place.number].job.services if place and not place.stray else ()
        self._run.note(Container(record.job, record.job_id, services))


def _run(
    call: Sequence[str], env: Mapping[str, str], ready: Ready, cancellation: Cancellation, watch: _Watch, engine: Engine
) -> Ended:
    """act to its end; what it left in Docker goes, whatever happened."""
    try:
        with watch.lines() as take:
            return run(call, env=env, cancellation=cancellation, on_line=take, cwd=ready.top, stdout=True)
    finally:
        with _uninterrupted():
            watch.clean(engine)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let no Ctrl-C end the cleaning up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _finished(
    ready: Ready, made: Run, log: Log, ended: Ended, uploads: Sequence[Artifact], *, interrupted: bool
) -> Finished:
    if not log.jobs and ended.returncode and not interrupted:
        text = "\n".join(log.errors) or ended.text or f"exit code {ended.returncode}"
        if _USAGE.search(text):
            raise ConfigurationError(f"act does not take its options: {text}", hint=f"try: {ready.act.path} --help")
        raise EngineError(f"act broke before any job began: {text}")
    outcome = conclude(ready.plan, log, ready.images, ended.returncode, uploads)
    return Finished(outcome, made.log, interrupted)
