"""A registry that fails on purpose: a proxy on this machine before the lab's, with faults that a test scripts."""

from __future__ import annotations

import http.client
import http.server
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["401", "403", "404", "429", "500", "drop", "truncate", "hang"]
HANGS = 2.0  # seconds until a request that gets no answer is dropped
# OCI distribution-spec, "Error Codes".
CODES = {401: b"UNAUTHORIZED", 403: b"DENIED", 404: b"MANIFEST_UNKNOWN", 429: b"TOOMANYREQUESTS", 500: b"UNKNOWN"}
HOPS = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"})


@dataclass
class Fault:
    """What happens to requests of a method whose path fits: to `times` of them, after `after` that go well."""

    method: str
    path: str
    kind: Kind
    times: int = 1
    after: int = 0

    def takes(self, method: str, path: str) -> bool:
        """Whether this request is one of them."""
        if method != self.method or not re.search(self.path, path) or not self.times:
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Script:
    """The faults that are still to come, and every request with what was done to it ("" for nothing)."""

    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, method: str, path: str) -> str:
        """What is to be done to a request."""
        with self.lock:
            kind = next((fault.kind for fault in self.faults if fault.takes(method, path)), "")
            self.seen.append((method, path, kind))
            return kind


class Proxy(http.server.ThreadingHTTPServer):
    """The proxy; `script` may be changed between tests."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        """`upstream` is HOST:PORT of the registry behind it."""
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = upstream
        self.script = Script()

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.server_address[1]}"

    def play(self, *faults: Fault) -> Script:
        """Begin a new script."""
        self.script = Script(list(faults))
        return self.script

    def handle_error(self, request: object, client_address: object) -> None:
        """Quiet: clients go when they like."""


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Proxy

    def answer(self) -> None:
        """Do to a request what the script says."""
        kind = self.server.script.next(self.command, self.path)
        body = self._body()
        if kind == "hang":
            time.sleep(HANGS)
            self._hang_up()
        elif kind == "drop" and self.command not in {"GET", "HEAD"}:
            self._hang_up()
        elif kind.isdigit():
            self._refuse(int(kind))
        else:
            self._forward(body, kind)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Quiet."""

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _refuse(self, status: int) -> None:
        body = b'{"errors": [{"code": "%s", "message": "on purpose"}]}' % CODES[status]
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self._send([("Content-Type", "application/json"), ("Content-Length", str(len(body)))], body)

    def _forward(self, body: bytes, kind: str) -> None:
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOPS}
        upstream.request(self.command, self.path, body or None, headers)
        found = upstream.getresponse()
        content = found.read()
        upstream.close()
        kept = [(name, value) for name, value in found.getheaders() if name.lower() not in HOPS]
        length = found.getheader("Content-Length") or str(len(content))
        half = content[: len(content) // 2]
        self.send_response(found.status)
        if kind == "truncate":
            self._send([*kept, ("Content-Length", str(len(half)))], half)
        elif kind == "drop":
            self._send([*kept, ("Content-Length", length)], half)
            self._hang_up()
        else:
            self._send([*kept, ("Content-Length", length)], content)

    def _send(self, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serve(upstream: str) -> Iterator[Proxy]:
    """A proxy that runs."""
    with Proxy(upstream) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()
