"""Why a node does not answer, as far as it shows without certificates; tests/e2e/test_nodes.py has those."""

from __future__ import annotations

import socket
import threading

import pytest

from ci_buildkit.engine.machines import Machine
from ci_buildkit.engine.reach import reason


@pytest.mark.parametrize(("answer", "said"), [(b"x", "BuildKit does not answer"), (b"", "does it want TLS?")])
def test_somebody_listens(answer: bytes, said: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(100)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        assert said in reason(Machine("a", f"tcp://127.0.0.1:{server.getsockname()[1]}", "inactive"))
        thread.join()


def test_a_port_that_says_nothing_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = reason(Machine("a", f"tcp://127.0.0.1:{server.getsockname()[1]}", "inactive"), seconds=0.2)
    assert found == "nobody answered within 0.2 s"


def test_what_cannot_be_dialled() -> None:
    assert reason(Machine("a", "ssh://host", "inactive")) == "inactive"
    assert reason(Machine("a", "ssh://host", "inactive", error="no route")) == "no route"
    assert reason(Machine("a")) == "it does not answer"
    assert reason(Machine("a", "tcp://127.0.0.1:1", "inactive")) == "connection refused"
    assert reason(Machine("a", "tcp://127.0.0.1:99999", "inactive")) == "port out of range 0-65535"
