"""Manifests asked of a registry itself: what is believed, how it lets itself be asked, and what is left to docker."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ci_buildkit.engine import direct
from ci_buildkit.engine.direct import HUB_HOST, Direct, Place, local, parse

INDEX = "application/vnd.oci.image.index.v1+json"
BODY = b'{"schemaVersion": 2}\n'
DIGEST = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
USER = base64.b64encode(b"jane:secret").decode()


@dataclass
class Registry:
    """A server on this machine that answers as it is told; `asked` has each path with its `Authorization`."""

    host: str = ""
    status: int = 200
    kind: str = INDEX
    body: bytes = BODY
    challenge: str = ""
    needs: str = ""
    token: bytes = b'{"token": "t"}'
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, path: str, authorization: str) -> tuple[int, str, bytes]:
        """What a request gets."""
        self.asked.append((path, authorization))
        if path.startswith("/token"):
            return 200, "application/json", self.token
        if self.needs and authorization != self.needs:
            return 401, "application/json", b"{}"
        return self.status, self.kind, self.body


@pytest.fixture
def registry() -> Iterator[Registry]:
    """The server."""
    told = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = told.answer(self.path, self.headers.get("Authorization", ""))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if status == 401:
                self.send_header("WWW-Authenticate", told.challenge)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    told.host = f"127.0.0.1:{server.server_address[1]}"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


Reader = Callable[..., Direct]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Makes a reader with docker settings of its own."""

    def make(settings: object = None, **environ: str) -> Direct:
        if settings is not None:
            (tmp_path / "config.json").write_text(json.dumps(settings), encoding="utf-8")
        return Direct({"DOCKER_CONFIG": str(tmp_path), **environ})

    return make


def test_a_manifest_is_read_by_its_tag_and_its_digest(registry: Registry, reader: Reader) -> None:
    assert reader().manifest(f"{registry.host}/org/app:1") == BODY.decode()
    assert reader().manifest(f"{registry.host}/org/app@{DIGEST}") == BODY.decode()
    assert [path.rstrip("?") for path, _ in registry.asked] == [
        "/v2/org/app/manifests/1",
        f"/v2/org/app/manifests/{DIGEST}",
    ]


@pytest.mark.parametrize(
    "told",
    [
        {"body": b'{"schemaVersion": 3}'},
        {"status": 404},
        {"status": 500},
        {"status": 307},
        {"kind": "text/html"},
        {"body": b" " * (direct.LARGEST + 1)},
        {"body": b"\xff"},
    ],
    ids=["other content", "missing", "broken", "elsewhere", "a page", "too large", "no text"],
)
def test_nothing_else_is_believed(registry: Registry, reader: Reader, told: dict[str, object]) -> None:
    for name, value in told.items():
        setattr(registry, name, value)
    assert reader().manifest(f"{registry.host}/app@{DIGEST}") is None
    assert len(registry.asked) == 1


@pytest.mark.parametrize("password", ["", USER])
def test_a_token_is_asked_for_once(registry: Registry, reader: Reader, password: str) -> None:
    registry.challenge = f'Bearer realm="http://{registry.host}/token?a=b",service="s,t",scope="repository:x:pull"'
    registry.needs = "Bearer t"
    asking = reader({"auths": {registry.host: {"auth": password}}})
    for _ in range(2):
        assert asking.manifest(f"{registry.host}/org/app:1") == BODY.decode()
    [_, (token, authorization), _, _] = registry.asked
    assert parse_qs(urlsplit(token).query) == {"a": ["b"], "service": ["s,t"], "scope": ["repository:org/app:pull"]}
    assert authorization == (f"Basic {password}" if password else "")


@pytest.mark.parametrize("token", [b"", b"[]", b"{}", b'{"token": 1}'])
def test_without_a_token_docker_is_asked(registry: Registry, reader: Reader, token: bytes) -> None:
    registry.challenge, registry.needs, registry.token = (
        f'Bearer realm="http://{registry.host}/token"',
        "Bearer t",
        token,
    )
    assert reader().manifest(f"{registry.host}/app:1") is None


def test_a_password_goes_to_who_asks_for_it(registry: Registry, reader: Reader) -> None:
    registry.challenge, registry.needs = 'Basic realm="x"', f"Basic {USER}"
    assert reader().manifest(f"{registry.host}/app:1") is None
    assert reader({"auths": {registry.host: {"auth": USER}}}).manifest(f"{registry.host}/app:1") == BODY.decode()


@pytest.mark.parametrize("realm", ["http://example.com/token", "ftp://127.0.0.1/token", "", "/token"])
def test_a_password_goes_nowhere_unencrypted(registry: Registry, reader: Reader, realm: str) -> None:
    registry.challenge, registry.needs = f'Bearer realm="{realm}"', "Bearer t"
    assert reader({"auths": {registry.host: {"auth": USER}}}).manifest(f"{registry.host}/app:1") is None
    assert len(registry.asked) == 1


@pytest.mark.parametrize(
    ("settings", "environ"),
    [
        ({"credsStore": "desktop"}, {}),
        ({"credHelpers": {"HOST": "ecr-login"}}, {}),
        ({"auths": {"HOST": {"auth": USER, "identitytoken": "x"}}}, {}),
        ([], {"DOCKER_AUTH_CONFIG": "{}"}),
    ],
    ids=["a store", "a helper", "an identity token", "a variable"],
)
def test_other_ways_to_keep_passwords_are_docker_s(
    registry: Registry, reader: Reader, settings: object, environ: dict[str, str]
) -> None:
    registry.challenge, registry.needs = 'Basic realm="x"', f"Basic {USER}"
    own = json.loads(json.dumps(settings).replace("HOST", registry.host))
    assert reader(own, **environ).manifest(f"{registry.host}/app:1") is None
    assert [authorization for _, authorization in registry.asked] == [""]


def test_a_login_of_this_run_alone_passes_the_user_s_store_by(registry: Registry, reader: Reader) -> None:
    registry.challenge, registry.needs = 'Basic realm="x"', f"Basic {USER}"
    auths = {registry.host: {"auth": USER}}
    asking = reader({"credsStore": "desktop", "credHelpers": {registry.host: ""}, "auths": auths})
    assert asking.manifest(f"{registry.host}/app:1") == BODY.decode()


def test_settings_that_are_damaged_are_docker_s_to_complain_of(
    registry: Registry, reader: Reader, tmp_path: Path
) -> None:
    registry.challenge, registry.needs = 'Basic realm="x"', f"Basic {USER}"
    asking = reader()
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    assert asking.manifest(f"{registry.host}/app:1") is None


def test_who_does_not_answer_is_not_asked_again(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        host, asking = f"127.0.0.1:{deaf.getsockname()[1]}", reader()
        assert asking.manifest(f"{host}/app:1") is None
        assert asking.manifest(f"{host}/app:2") is None
        deaf.setblocking(False)
        deaf.accept()[0].close()
        with pytest.raises(BlockingIOError):
            deaf.accept()


def test_a_proxy_is_docker_s_business_but_not_on_the_way_to_this_machine(registry: Registry, reader: Reader) -> None:
    asking = reader(https_proxy="http://127.0.0.1:1")
    assert asking.manifest("registry.invalid/app:1") is None
    assert asking.manifest(f"{registry.host}/app:1") == BODY.decode()


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ("app", Place(HUB_HOST, "library/app", "latest")),
        ("org/app:1", Place(HUB_HOST, "org/app", "1")),
        ("docker.io/app:1", Place(HUB_HOST, "library/app", "1")),
        ("localhost/app", Place("localhost", "app", "latest")),
        ("host:5000/a/b/app:1", Place("host:5000", "a/b/app", "1")),
        (f"host.example/app:1@{DIGEST}", Place("host.example", "app", DIGEST)),
    ],
)
def test_a_reference_in_parts(reference: str, place: Place) -> None:
    assert parse(reference) == place


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("localhost", True), ("localhost:5000", True), ("127.0.0.9:1", True), ("[::1]:5000", True), ("", False),
        ("127.0.0.1.example.com", False), ("localhost.example.com", False), ("10.0.0.1:5000", False),
    ],
)  # fmt: skip
def test_only_this_machine_is_spoken_to_in_plain(host: str, is_local: bool) -> None:
    assert local(host) == is_local
