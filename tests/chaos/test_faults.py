"""Faults of the machine and of everything around it, on the real engine.

Each ends with its exit code and a message that says what happened, loses nothing that had been produced, and leaves nothing.
"""

from __future__ import annotations

import io
import secrets
import signal
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import cycle
from pathlib import Path

import pytest
from lab import debian
from lab.places import Places, Store
from tests.chaos import ground as grounds
from tests.chaos.ground import Ground, eventually, running
from tests.e2e import support
from tests.e2e.faulty_registry import Fault, Handler, Kind, serve
from tests.e2e.test_bad_input import small_disk

world, ground = grounds.world, grounds.ground

# A linter that is through at once, and binaries that take their time.
SLOW = """\
FROM busybox AS lint
RUN echo {now}; echo fine
FROM busybox AS build
RUN echo {now}; echo asleep; trap '' INT TERM; sleep 100; cp /bin/busybox /tool
FROM scratch AS binaries
COPY --from=build /tool /
"""
LINT = "FROM busybox AS lint\nRUN echo {now}; echo fine\n"
FOREVER = 1000
ATTEMPTS = 4  # engine/patience.py


def kept(run: support.Run) -> None:
    """What the linter did before the fault is in the report, which is whole."""
    assert run.stage("lint")["outcome"] == "passed"
    assert "fine" in run.log("lint")
    assert {"run.json", "report.html", "summary.md", "junit.xml"} <= {path.name for path in run.folder.iterdir()}


def test_interrupted_twice(ground: Ground) -> None:
    """The second time while what was made for the run is taken away."""
    ground.write(SLOW)
    started = ground.start("--driver", "docker-container")
    started.wait_for("asleep")
    started.wait_for("lint passed")
    [name] = ground.made()
    ground.builders.add(name)
    began = time.monotonic()
    started.interrupt(signal.SIGINT)
    assert eventually(lambda: running(started, "rm", name))
    started.interrupt(signal.SIGINT)
    run = started.finish(60)
    assert time.monotonic() - began < 30
    ground.fault(run, 130)
    kept(run)


def test_the_builder_is_removed_by_somebody_else(ground: Ground) -> None:
    name = f"{ground.world.builder}-other"
    ground.builders.add(name)
    ground.write(SLOW)
    started = ground.start("--builder", name)
    started.wait_for("asleep")
    started.wait_for("lint passed")
    ground.world.docker("buildx", "rm", "--force", name)
    run = started.finish(90)
    ground.fault(run, 4, "does not answer: it is gone; no machine is left", lost="the stage that was being built")
    kept(run)
    ground.write(LINT)
    assert ground.run("--builder", name).code == 0, "it is made anew"
    ground.world.docker("buildx", "rm", "--force", name)


def test_the_builder_s_container_is_removed_by_somebody_else(ground: Ground) -> None:
    """buildx makes it anew for whoever asks next; where that is this run, it goes on."""
    name = f"{ground.world.builder}-other"
    ground.builders.add(name)
    ground.write(SLOW.replace("sleep 100", "sleep 15"))
    started = ground.start("--builder", name)
    started.wait_for("asleep")
    started.wait_for("lint passed")
    ground.world.docker("rm", "--force", "--volumes", f"buildx_buildkit_{name}0")
    run = started.finish(120)
    if run.code == 0:
        ground.fault(run, 0)
        assert run.stage("binaries")["attempts"] > 1
    else:
        ground.fault(run, 4, "does not answer", lost="the stage that was being built")
    kept(run)
    ground.world.docker("buildx", "rm", "--force", name)


def closed() -> str:
    """HOST:PORT where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("host", ["refuses", "name"])
def test_a_registry_cannot_be_reached(host: str, ground: Ground) -> None:
    """That of a base image: nobody listens, or its name is unknown."""
    where = closed() if host == "refuses" else "nowhere.invalid"
    ground.write(LINT + f"FROM {where}/base:1 AS app\nCMD x\n")
    run = ground.run()
    ground.fault(run, 4, where, lost="the stage that needs it")
    kept(run)


@pytest.mark.parametrize("host", ["refuses", "name"])
def test_a_registry_cannot_be_pushed_to(host: str, ground: Ground) -> None:
    where = closed() if host == "refuses" else "nowhere.invalid"
    ground.write(LINT + "FROM busybox AS app\nCMD x\n")
    run = ground.run("--image", f"{where}/app", "--push")
    ground.fault(run, 4, where, lost="the push")
    kept(run)
    assert run.stage("app")["outcome"] == "passed"
    assert [image["pushed"] for image in run.record["images"]] == [False]


def image(ground: Ground, lab: dict[str, str]) -> str:
    """A repository of the lab's registry with an image that no builder has."""
    layer = ground.project.parent / "layer.tar"
    with tarfile.open(layer, "w") as archive:
        entry = tarfile.TarInfo("content")
        entry.size = 100_000
        archive.addfile(entry, io.BytesIO(secrets.token_bytes(entry.size)))
    name = f"{ground.world.builder}/base"
    reference = f"{lab['CI_BUILDKIT_LAB_REGISTRY']}/{name}"
    words = ["crane", "append", "--new_layer", str(layer), "--new_tag", reference]
    subprocess.run(words, env=ground.environment, check=True, capture_output=True)
    return name


@pytest.mark.parametrize(
    ("method", "path", "kind", "said"),
    [
        pytest.param("HEAD", "/manifests/", "500", "500 Internal Server Error", id="server error"),
        pytest.param("HEAD", "/manifests/", "429", "429 Too Many Requests", id="too many requests"),
        pytest.param("GET", "/blobs/", "truncate", "short read", id="truncated layer"),
    ],
)
def test_a_registry_never_gets_well(
    method: str, path: str, kind: Kind, said: str, ground: Ground, lab: dict[str, str]
) -> None:
    """Tried again some times, with pauses, and then given up."""
    with serve(lab["CI_BUILDKIT_LAB_REGISTRY"]) as proxy:
        proxy.play(Fault(method, path, kind, FOREVER))
        ground.write(LINT + f"FROM {proxy.address}/{image(ground, lab)} AS app\nCOPY Dockerfile /\n")
        run = ground.run()
    ground.fault(run, 4, said, lost="the stage that needs it")
    kept(run)
    assert run.stage("app")["attempts"] == ATTEMPTS


class Slow(Handler):
    """A registry that sends layers at one byte a second, for as long as anybody listens."""

    def _forward(self, body: bytes, kind: str) -> None:
        if self.command != "GET" or "/blobs/" not in self.path:
            super()._forward(body, kind)
            return
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b"x")
                time.sleep(1)


def test_a_registry_is_slow(ground: Ground, lab: dict[str, str]) -> None:
    """Nothing tells that from a large image, so that it takes a limit of the user's."""
    with serve(lab["CI_BUILDKIT_LAB_REGISTRY"]) as proxy:
        proxy.RequestHandlerClass = Slow
        ground.write(LINT + f"FROM {proxy.address}/{image(ground, lab)} AS app\nCOPY Dockerfile /\n")
        run = ground.run("--stage-timeout", "app=6s")
    ground.fault(
        run, 4, "app error in", "took longer than 6s (--stage-timeout); it was at", lost="the stage that needs it"
    )
    kept(run)
    assert run.stage("app")["seconds"] < 20


# Tests that fail, and leave a report and something large, of which nothing is in the log.
LARGE = """\
FROM busybox AS lint
RUN echo {now}; echo fine
FROM busybox AS test
RUN mkdir /out; printf 'TAP version 13\\n1..2\\nok 1 - a\\nnot ok 2 - b\\n' >/out/a.tap; \\
    echo {now}; sleep 3; head -c 12000000 /dev/urandom >/out/b.json; exit 1
"""


def test_the_disk_is_full_while_reports_are_taken_out(ground: Ground) -> None:
    ground.write(LARGE)
    with small_disk(ground.temporary, "size=8m"):
        run = ground.run()
    ground.fault(run, 1, "no space left on device", lost="the reports that did not fit")
    kept(run)
    assert run.stage("test")["outcome"] == "failed"


def test_the_disk_of_a_local_cache_is_full(ground: Ground) -> None:
    """A cache breaks nothing: it costs time once."""
    ground.write(SLOW.replace("sleep 100; ", "head -c 12000000 /dev/urandom >/large;"))
    (small := ground.project.parent / "small").mkdir()
    with small_disk(small, "size=4m"):
        run = ground.run("--cache-to", f"type=local,dest={small}/cache,mode=max")
    ground.fault(run, 0, "no space left on device", lost="the cache")
    kept(run)
    assert run.record["binaries"]


def test_the_disk_of_kept_cache_mounts_is_full(ground: Ground) -> None:
    ground.write(
        "FROM busybox AS lint\nRUN --mount=type=cache,target=/c echo {now}; echo fine; head -c 12000000 /dev/urandom >/c/large\n"
    )
    (small := ground.project.parent / "small").mkdir()
    with small_disk(small, "size=4m"):
        run = ground.run("--persist-cache-mounts", str(small / "mounts"))
        assert list((small / "mounts").iterdir()) == []
    ground.fault(run, 0, "no space left on device", lost="what the cache mount held")
    kept(run)


@pytest.fixture(scope="module")
def faketime() -> Path:
    """libfaketime, which shows a program that is started with it another time."""
    places = Places.of_user()
    with places.locked("libfaketime"):
        found = debian.unpacked(Store(places, "libfaketime"), "libfaketime", debian.native())
    return next(found.rglob("libfaketimeMT.so.1"))


@pytest.fixture
def clock(faketime: Path, tmp_path: Path) -> Callable[[int], dict[str, str]]:
    """Sets the clock of the runs that are started with what it returns, so many seconds off the machine's."""

    def put(seconds: int) -> dict[str, str]:
        (tmp_path / "clock.new").write_text(f"{seconds:+}\n")
        (tmp_path / "clock.new").rename(tmp_path / "clock")
        return {
            "LD_PRELOAD": str(faketime),
            "FAKETIME_TIMESTAMP_FILE": str(tmp_path / "clock"),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # which no clock that is set moves
        }

    return put


TESTED = """\
FROM busybox AS lint
RUN echo {now}; echo fine
FROM busybox AS test
RUN echo {now}; sleep %s; mkdir /out; printf 'TAP version 13\\n1..2\\nok 1 - a\\nok 2 - b\\n' >/out/a.tap; %s
FROM scratch AS test-results
COPY --from=test /out /
"""
HOUR = 3600


def off(run: support.Run) -> float:
    """Seconds that the clock of a run was off when it began."""
    return datetime.fromisoformat(run.record["started"]).timestamp() - time.time()


@pytest.mark.parametrize(
    ("seconds", "then", "code", "said"),
    [
        pytest.param(HOUR, "true", 0, "Passed", id="green before the machine"),
        pytest.param(-HOUR, "true", 0, "Passed", id="green behind the machine"),
        pytest.param(HOUR, "sed -i '3s/^/not /' /out/a.tap; exit 1", 1, "1 of 2 tests failed", id="red"),
        # Ten minutes old: not of this run, whatever the clock here shows.
        pytest.param(-HOUR, f"touch -d @{int(time.time()) - 600} /out/a.tap", 5, "before this run began", id="stale"),
    ],
)
def test_the_clock_is_an_hour_off(
    seconds: int, then: str, code: int, said: str, ground: Ground, clock: Callable[[int], dict[str, str]]
) -> None:
    ground.write(TESTED % (1, then))
    run = ground.run(environment=clock(seconds))
    assert abs(off(run) - seconds) < 300
    ground.fault(run, code, said)
    kept(run)


def test_the_clock_jumps(ground: Ground, clock: Callable[[int], dict[str, str]]) -> None:
    """On and back by an hour, every second."""
    ground.write(TESTED % (4, "true"))
    began = time.monotonic()
    started = ground.start(environment=clock(0))
    for seconds in cycle((HOUR, 0, -HOUR, 0)):
        if started.process.poll() is not None:
            break
        time.sleep(1)
        clock(seconds)
    run = started.finish(60)
    took = time.monotonic() - began
    ground.fault(run, 0, "Passed")
    kept(run)
    assert run.record["tests"]["totals"]["passed"] == 2
    assert 0 < run.record["seconds"] < took
    for stage in run.record["stages"]:
        assert 0 < stage["seconds"] < took
        assert 0 <= stage["started"] < took


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder in which nothing can be written."""
    subprocess.run(["mount", "--bind", str(folder), str(folder)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_the_workspace_is_read_only(ground: Ground) -> None:
    """The report goes elsewhere, where that was asked for; else nothing is begun that nobody could hear of."""
    ground.write(TESTED % (0, "true"))
    support.commit(ground.project, "v1.2.3")
    with read_only(ground.project):
        refused = support.command(["run", *ground.shared], ground.environment, cwd=ground.project)
        run = ground.run()
    assert refused.returncode == 2, refused.stderr
    assert "the report folder ci-report is not writable: Read-only file system" in refused.stderr
    assert "name another folder with --report-dir" in refused.stderr
    ground.fault(run, 0, "Passed")
    kept(run)
    assert run.record["version"] | {"value": "v1.2.3", "dirty": False} == run.record["version"]
