"""Builds end when their machine has gone."""

from __future__ import annotations

import socket
import threading

from ci_buildkit.engine.machines import Machine
from ci_buildkit.engine.pulse import watched


def test_a_build_is_killed_once_its_machine_has_gone() -> None:
    killed = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        machine = Machine("a", f"tcp://127.0.0.1:{server.getsockname()[1]}")
        with watched([machine], interval=0.02) as started:
            started(killed.set)
            assert not killed.wait(0.2)
            server.close()
            assert killed.wait(5)


def test_a_build_that_is_over_is_left_alone() -> None:
    killed = threading.Event()
    with watched([Machine("a", "tcp://127.0.0.1:1")], interval=0.05) as started:
        started(killed.set)
    assert not killed.wait(0.3)


def test_no_thread_for_a_machine_that_cannot_be_dialled() -> None:
    before = threading.active_count()
    with watched([Machine("a", "unix:///x"), Machine("b")], interval=0.01):
        assert threading.active_count() == before
