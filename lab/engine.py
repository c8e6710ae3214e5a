"""dockerd with its containerd: start, health, a clean end, and recovery after it was killed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from typing import TYPE_CHECKING, Any

from . import network, processes
from .console import LabError
from .debian import search_path
from .mounts import unmount_below
from .registry import tail

if TYPE_CHECKING:
    from pathlib import Path

    from .places import Places

DAEMONS = frozenset({"dockerd", "containerd", "containerd-shim-runc-v2", "docker-proxy"})


class Engine:
    """The Docker daemon of one lab. Its data can be thrown away: images come from the registry."""

    def __init__(self, places: Places) -> None:
        """Describe the daemon of ``places``; nothing is started."""
        self.places = places
        self.data = places.run / "data"
        self.socket = places.sockets / "docker.sock"
        self.note = processes.PidFile(places.run / "dockerd.pid")
        self._own_note = places.run / "dockerd-own.pid"
        self.bridge = network.bridge_name(places.identity)
        self._settings = places.run / "daemon.json"
        self._pool = places.run / "pool"

    @property
    def log(self) -> Path:
        """Return the daemon's log."""
        return self.places.run / "logs" / "dockerd.log"

    def settings(self, pool: str, registry_port: int) -> dict[str, Any]:
        """Return daemon.json: nothing of the machine's own /etc/docker is read or shared."""
        return {
            "data-root": str(self.data),
            "exec-root": str(self.places.sockets),
            "hosts": [f"unix://{self.socket}"],
            "pidfile": str(self._own_note),
            "bridge": self.bridge,
            "iptables": False,
            "ip6tables": False,
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "registry-mirrors": [f"http://127.0.0.1:{registry_port}"],
            "insecure-registries": ["127.0.0.0/8", "::1/128"],
            "features": {"containerd-snapshotter": True},
            "shutdown-timeout": 3,
            **network.daemon_settings(pool),
        }

    def healthy(self) -> bool:
        """Tell whether our daemon runs and answers."""
        return self.note.living() is not None and ping(self.socket)

    def up(self, registry_port: int, key: str) -> bool:
        """Start the daemon unless it runs as wanted; tell whether it was started.

        ``key`` is the hash of its programs: a daemon of other programs or settings is replaced.
        """
        wanted = self.settings(self._remembered_pool(), registry_port) if self._pool.exists() else None
        mark = self.places.run / "engine.key"
        same = mark.exists() and mark.read_text() == key and self._settings_on_disk() == wanted
        if same and self.healthy():
            return False
        self.down()
        pool = network.free_pool(self.places.identity, network.used_networks())
        self._pool.write_text(pool)
        network.up(self.bridge, pool)
        self.places.sockets.mkdir(parents=True, exist_ok=True, mode=0o711)
        self._settings.write_text(json.dumps(self.settings(pool, registry_port), indent=1))
        self._start()
        mark.write_text(key)
        return True

    def _start(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")}
        environment["PATH"] = f"{self.places.bin}:{search_path()}"
        pid = processes.start(
            [self.places.bin / "dockerd", "--config-file", self._settings], self.note, self.log, environment
        )
        deadline = time.monotonic() + 60
        while not ping(self.socket):
            if processes.ended(pid) or time.monotonic() > deadline:
                raise LabError(
                    what="dockerd did not start",
                    why=tail(self.log),
                    then=f"read {self.log}, mend what it names, try again",
                )
            time.sleep(0.05)

    def down(self) -> None:
        """End the daemon, its containers, mounts and network, whether it runs, was killed or never ran."""
        pid = self.note.living()
        if pid is not None:
            # Once dockerd is ending it restarts nothing; what its containers hold is thrown away, so they get no grace.
            processes.signal_to_end(pid)
            processes.end(processes.inside_containers(self.data), 0.5)
        processes.stop(self.note, 20)
        processes.end(processes.daemons_in(self.places.cache / "tools", DAEMONS), 0.5)
        processes.end(processes.inside_containers(self.data), 0.5)
        for folder in (self.data, self.places.sockets):
            unmount_below(folder)
        if self._pool.exists():
            network.down(self.bridge, self._remembered_pool())
        for leftover in (self.data, self.places.sockets):
            shutil.rmtree(leftover, ignore_errors=True)
        self._pool.unlink(missing_ok=True)
        # A killed daemon that nobody has reaped yet passes for one that runs, and the next would not start beside it.
        self._own_note.unlink(missing_ok=True)

    def _remembered_pool(self) -> str:
        return self._pool.read_text().strip()

    def _settings_on_disk(self) -> Any:
        try:
            return json.loads(self._settings.read_text())
        except (OSError, ValueError):
            return None


def ping(address: Path) -> bool:
    """Tell whether a Docker daemon answers on the socket."""
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(3)
            client.connect(str(address))
            client.sendall(b"GET /_ping HTTP/1.0\r\nHost: lab\r\n\r\n")
            return b" 200 " in client.recv(64)
    except OSError:
        return False
