"""Ends a build whose machine has gone without a word.

buildx writes to its machines all the time, and the kernel waits up to a quarter of an hour for the answer of one that has
lost its power or network (tcp(7), tcp_retries2).
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from ci_buildkit.engine.machines import Machine

INTERVAL = 10.0  # seconds between two looks
TIMEOUT = 5.0  # seconds for a look
MISSES = 3  # looks in a row that find nobody

Kill = Callable[[], None]


@contextlib.contextmanager
def watched(machines: Iterable[Machine], interval: float = INTERVAL) -> Iterator[Callable[[Kill], object]]:
    """While the body runs, machines with a TCP endpoint are dialled; gives what a build hands over how to kill it.

    It is killed once a machine has missed `MISSES` looks. Machines without such an endpoint are not looked at.
    """
    urls = [urlsplit(machine.endpoint) for machine in machines]
    addresses = [(url.hostname, url.port) for url in urls if url.scheme == "tcp" and url.hostname and url.port]
    kills: list[Kill] = []
    over = threading.Event()
    if addresses:
        threading.Thread(target=_watch, args=(addresses, kills, over, interval), name="pulse", daemon=True).start()
    try:
        yield kills.append
    finally:
        over.set()


def _watch(addresses: list[tuple[str, int]], kills: list[Kill], over: threading.Event, interval: float) -> None:
    import socket  # most runs have no such machine

    missed: Counter[tuple[str, int]] = Counter()
    while not over.wait(interval):
        for address in addresses:
            try:
                socket.create_connection(address, TIMEOUT).close()
                missed[address] = 0
            except OSError:
                missed[address] += 1
        if max(missed.values()) >= MISSES and not over.is_set():
            for kill in kills:
                kill()
            return
