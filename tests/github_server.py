"""A GitHub of our own on this machine: the part of its API that publishing uses, which fails as it is told to."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.github_releases import Releases

Answer = tuple[int, Any]


@dataclass
class Fault:
    """What happens to the next `times` requests that fit: `after` the request had its effect, or instead of it.

    The status 0 drops the connection without an answer.
    """

    method: str
    path: str
    status: int
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    times: int = 1


class GitHub:
    """The part of GitHub's API that publishing uses, its state in lists of dictionaries."""

    def __init__(self) -> None:
        self.url = ""
        self.token = "t"
        self.requests: list[tuple[str, str]] = []
        self.bodies: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self.checks: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.labels: set[str] = set()
        self.pulls: list[dict[str, Any]] = []
        self.branches: dict[str, str] = {}
        self.artifacts: list[dict[str, Any]] = []
        self.login = ""
        self.releases = Releases()

    def fault(self, method: str, path: str, status: int, **more: Any) -> None:
        self.faults.append(Fault(method, path, status, **more))

    def comment(self, body: str, login: str = "github-actions[bot]", kind: str = "Bot") -> dict[str, Any]:
        number = len(self.comments) + 1
        made = {
            "id": number, "body": body, "user": {"login": login, "type": kind},
            "url": f"{self.url}/repos/octo/hello/issues/comments/{number}",
        }  # fmt: skip
        self.comments.append(made)
        return made

    def count(self, method: str = "") -> int:
        return sum(request[0] == method or not method for request in self.requests)

    def answer(self, method: str, target: str, body: dict[str, Any]) -> Answer:
        path = unquote(urlsplit(target).path)
        query = {key: values[0] for key, values in parse_qs(urlsplit(target).query).items()}
        routes: tuple[tuple[str, str, Callable[..., Answer]], ...] = (
            ("GET", r"/repos/octo/hello/commits/(.+)/check-runs", self._list_checks),
            ("POST", r"/repos/octo/hello/check-runs", self._create_check),
            ("PATCH", r"/repos/octo/hello/check-runs/(\d+)", self._edit_check),
            ("GET", r"/repos/octo/hello/issues/7/comments", self._list_comments),
            ("POST", r"/repos/octo/hello/issues/7/comments", self._create_comment),
            ("PATCH", r"/repos/octo/hello/issues/comments/(\d+)", self._edit_comment),
            ("POST", r"/repos/octo/hello/issues/7/labels", self._label),
            ("DELETE", r"/repos/octo/hello/issues/7/labels/(.+)", self._unlabel),
            ("GET", r"/repos/octo/hello/pulls", self._list_pulls),
            ("GET", r"/repos/octo/hello/actions/runs/9/artifacts", self._list_artifacts),
            ("GET", r"/user", self._user),
            *self.releases.routes(),
        )
        for verb, pattern, route in routes:
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                return route(query, body, *found.groups())
        return 404, {"message": "Not Found"}

    def _list_checks(self, query: dict[str, str], body: dict[str, Any], ref: str) -> Answer:
        sha = self.branches.get(ref, ref)
        found = [one for one in self.checks if one["head_sha"] == sha and one["name"] == query["check_name"]]
        return 200, {"total_count": len(found), "check_runs": found}

    def _create_check(self, query: dict[str, str], body: dict[str, Any]) -> Answer:
        number = len(self.checks) + 1
        output = body["output"]
        made = {
            **body, "id": number, "all": [], "url": f"{self.url}/repos/octo/hello/check-runs/{number}",
            "output": {"text": None, **output, "annotations_count": 0},
        }  # fmt: skip
        refused = self._annotate(made, output)
        if refused:
            return refused
        self.checks.append(made)
        return 201, made

    def _edit_check(self, query: dict[str, str], body: dict[str, Any], number: str) -> Answer:
        made = self.checks[int(number) - 1]
        return self._annotate(made, body["output"]) or (200, made)

    def _annotate(self, made: dict[str, Any], output: dict[str, Any]) -> Answer | None:
        annotations = output.pop("annotations", [])
        too_long = [key for key, value in output.items() if isinstance(value, str) and len(value.encode()) > 65_535]
        if len(annotations) > 50 or too_long:
            return 422, {"message": "Invalid request.", "errors": [f"too much: {too_long or 'annotations'}"]}
        made["all"] += annotations
        made["output"]["annotations_count"] = len(made["all"])
        return None

    def _list_comments(self, query: dict[str, str], body: dict[str, Any]) -> Answer:
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        return 200, self.comments[(page - 1) * size : page * size]

    def _create_comment(self, query: dict[str, str], body: dict[str, Any]) -> Answer:
        return 201, self.comment(body["body"])

    def _list_pulls(self, query: dict[str, str], body: dict[str, Any]) -> Answer:
        return 200, self.pulls

    def _list_artifacts(self, query: dict[str, str], body: dict[str, Any]) -> Answer:
        return 200, {"total_count": len(self.artifacts), "artifacts": self.artifacts}

    def _edit_comment(self, query: dict[str, str], body: dict[str, Any], number: str) -> Answer:
        found = self.comments[int(number) - 1]
        found["body"] = body["body"]
        return 200, found

    def _label(self, query: dict[str, str], body: dict[str, Any]) -> Answer:
        self.labels |= set(body["labels"])
        return 200, [{"name": name} for name in self.labels]

    def _unlabel(self, query: dict[str, str], body: dict[str, Any], name: str) -> Answer:
        if name not in self.labels:
            return 404, {"message": "Label does not exist"}
        self.labels.remove(name)
        return 200, []

    def _user(self, query: dict[str, str], body: dict[str, Any]) -> Answer:
        if not self.login:
            return 403, {"message": "Resource not accessible by integration"}
        return 200, {"login": self.login, "type": "User"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer in one piece: else the kernel waits 40 ms for more
    github: GitHub

    def log_message(self, *_: object) -> None:
        """Nothing: tests print only what fails."""

    def _handle(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = self.headers.get("Content-Type") == "application/octet-stream"
        body = {"content": data} if sent else json.loads(data) if data else {}
        github = self.github
        github.requests.append((self.command, self.path))
        github.bodies.append(body)
        assert self.headers["Authorization"] == f"token {github.token}"
        fault = next((one for one in github.faults if self._fits(one)), None)
        if fault:
            fault.times -= 1
        if fault is None or fault.after:
            answer = github.answer(self.command, self.path, body)
        if fault is None:
            self._send(*answer, {})
        elif fault.status == 0:
            self.close_connection = True
        else:
            self._send(fault.status, fault.body, fault.headers)

    def _fits(self, fault: Fault) -> bool:
        return fault.times > 0 and fault.method == self.command and fault.path in self.path

    def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json; charset=utf-8"
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 - the names that http.server calls


@contextmanager
def serving() -> Iterator[GitHub]:
    """GitHub on a free port."""
    github = GitHub()
    handler = type("Handler", (_Handler,), {"github": github})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    http.daemon_threads = True
    github.url = github.releases.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield github
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
