"""The lab's registry: started on a free local port, filled from the images' OCI layouts."""

from __future__ import annotations

import errno
import http.client
import json
import os
import shutil
import socket
import time
from typing import TYPE_CHECKING

from . import processes
from .console import LabError, run

if TYPE_CHECKING:
    from pathlib import Path

    from .layers import Image
    from .places import Places, Store

HOST = "127.0.0.1"
PORT_VARIABLE = "CI_BUILDKIT_LAB_PORT"
CONFIG = """version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: {storage}
  delete:
    enabled: true
http:
  addr: {host}:{port}
"""


class Registry:
    """The registry of one lab; its storage can be thrown away, the images come from the cache."""

    def __init__(self, places: Places) -> None:
        """Describe the registry of ``places``; nothing is started."""
        self.places = places
        self.folder = places.run / "registry"
        self.note = processes.PidFile(places.run / "registry.pid")

    @property
    def port(self) -> int:
        """Return the port that the registry was last given, 0 when it never was."""
        try:
            return int((self.folder / "port").read_text())
        except (OSError, ValueError):
            return 0

    def healthy(self) -> bool:
        """Tell whether our registry runs, is the program that PATH has now, and answers."""
        pid = self.note.living()
        current = str((self.places.bin / "registry").resolve())
        return pid is not None and processes.executable(pid) == current and _answers(self.port)

    def up(self) -> None:
        """Start the registry unless it runs; what an earlier one left is thrown away, it may be half-written."""
        forced = os.environ.get(PORT_VARIABLE, "")
        if self.healthy() and forced in {"", str(self.port)}:
            return
        # The same port again where possible: dockerd and other checkouts' .lab/env know it.
        before = self.port
        self.down()
        port = choose_port(forced, before)
        (self.folder / "storage").mkdir(parents=True)
        (self.folder / "port").write_text(str(port))
        config = self.folder / "config.yml"
        config.write_text(CONFIG.format(storage=self.folder / "storage", host=HOST, port=port))
        # The registry takes settings from REGISTRY_* variables too; it must see none of the user's.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
        clean["OTEL_TRACES_EXPORTER"] = "none"
        log = self.places.run / "logs" / "registry.log"
        pid = processes.start([self.places.bin / "registry", "serve", config], self.note, log, clean)
        deadline = time.monotonic() + 20
        while not _answers(port):
            if processes.ended(pid) or time.monotonic() > deadline:
                raise LabError(what="the registry did not start", why=tail(log), then=f"read {log}, then try again")
            time.sleep(0.05)

    def down(self) -> None:
        """End the registry and remove its storage."""
        processes.stop(self.note, 5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def fill(self, store: Store, image: Image) -> bool:
        """Push the image under all its tags unless that is done already; tell whether anything was pushed."""
        layout = image.layout(store)
        pushed = self.folder / "pushed.json"
        known: dict[str, str] = json.loads(pushed.read_text()) if pushed.exists() else {}
        wanted = {f"{image.name}:{tag}": layout.name for tag in image.tags}
        if wanted.items() <= known.items():
            return False
        run([self.places.bin / "crane", "push", layout, f"{HOST}:{self.port}/{image.name}:{image.tags[0]}"])
        digest = json.loads((layout / "index.json").read_text())["manifests"][0]
        content = (layout / "blobs" / "sha256" / digest["digest"].partition(":")[2]).read_bytes()
        for tag in image.tags[1:]:
            self._tag(image.name, tag, content, digest["mediaType"])
        pushed.write_text(json.dumps({**known, **wanted}))
        return True

    def _tag(self, name: str, tag: str, content: bytes, media_type: str) -> None:
        # Distribution specification 1.1, "pushing manifests".
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request("PUT", f"/v2/{name}/manifests/{tag}", content, {"Content-Type": media_type})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.CREATED:
            raise LabError(
                what=f"the registry refused {name}:{tag}", why=f"{answer.status} {text}", then="read the registry's log"
            )


def choose_port(forced: str, before: int = 0) -> int:
    """Return the port to listen on: the forced one, which must be free, or the one before, or any free one."""
    if forced and not (forced.isdigit() and 0 < int(forced) < 65536):
        raise LabError(
            what=f"{PORT_VARIABLE}={forced} is no port",
            why="a port is a number from 1 to 65535",
            then="set it to a free port",
        )
    if not forced and before and _free(before):
        return before
    with socket.socket() as probe:
        # As the registry itself binds: connections of an earlier run that are still closing are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(forced or 0)))
        except OSError as error:
            why = "another program listens there" if error.errno == errno.EADDRINUSE else str(error)
            raise LabError(
                what=f"port {forced} cannot be used for the registry",
                why=why,
                then=f"free it, or unset {PORT_VARIABLE}",
            ) from error
        port: int = probe.getsockname()[1]
        return port


def _free(port: int) -> bool:
    try:
        return choose_port(str(port)) == port
    except LabError:
        return False


def _answers(port: int) -> bool:
    if not port:
        return False
    connection = http.client.HTTPConnection(HOST, port, timeout=3)
    try:
        connection.request("GET", "/v2/")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def tail(log: Path, lines: int = 8) -> str:
    """Return the end of a log for an error message."""
    try:
        return "\n        ".join(log.read_text(errors="replace").splitlines()[-lines:]) or "its log is empty"
    except OSError as error:
        return str(error)
