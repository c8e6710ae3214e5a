"""Manifests asked of a registry itself: `docker buildx imagetools` is a process and a connection for each.

Only what is there is told, and only where docker's settings have a password in them, or none is needed. All else, a
refusal or a credential helper, a proxy or an authority of one's own, is left to docker, which has words for what is wrong.
Rules: OCI distribution-spec, and docs/spec/auth/token.md of distribution.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

from ci_buildkit.engine.login import HUB, HUB_NAMES
from ci_buildkit.fields import mapping, string

SECONDS = 5.0  # for each step of a connection
LARGEST = 4 << 20  # bytes of a manifest that every registry takes (distribution-spec, "Pushing Manifests")
HUB_HOST = "registry-1.docker.io"
KINDS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


class Place(Struct, frozen=True):
    """A reference in parts: the host and the path of its repository there, and its tag or digest."""

    host: str
    path: str
    tag: str


class Reply(Struct, frozen=True):
    """What a server answered, of which media type; `challenge` says how it wants to be asked."""

    status: int
    kind: str
    body: bytes
    challenge: str


class Direct:
    """Reads manifests; may be used by several threads."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` is that of docker's processes. Nothing is read yet."""
        self._environ = environ
        self._authorizations: dict[str, str] = {}  # by repository, as they were granted
        self._silent: set[str] = set()  # hosts that did not answer

    def manifest(self, reference: str) -> str | None:
        """The manifest or index that a reference stands for; None where docker is to be asked."""
        place = parse(reference)
        proxy = any(self._environ.get(name) or self._environ.get(name.lower()) for name in PROXIES)
        if place.host in self._silent or (proxy and not local(place.host)):
            return None
        from http.client import HTTPException

        try:
            reply = self._read(place)
            text = reply.body.decode()
        except OSError:
            self._silent.add(place.host)
            return None
        except (HTTPException, ValueError):
            return None
        wrong = ":" in place.tag and place.tag != f"sha256:{hashlib.sha256(reply.body).hexdigest()}"
        return text if reply.status == 200 and reply.kind in KINDS and not wrong else None

    def _read(self, place: Place) -> Reply:
        address = f"{'http' if local(place.host) else 'https'}://{place.host}/v2/{place.path}/manifests/{place.tag}"
        headers = {"Accept": ", ".join(KINDS)}
        repository = f"{place.host}/{place.path}"
        known = self._authorizations.get(repository, "")
        reply = get(address, {**headers, "Authorization": known} if known else headers)
        if reply.status == 401 and (granted := _granted(reply.challenge, place, self._password(place))):
            self._authorizations[repository] = granted
            reply = get(address, {**headers, "Authorization": granted})
        return reply

    def _password(self, place: Place) -> str | None:
        """`NAME:PASSWORD` in base64, "" where docker has none for a host, None where only docker can find it."""
        if self._environ.get("DOCKER_AUTH_CONFIG"):
            return None
        folder = Path(self._environ.get("DOCKER_CONFIG") or Path(self._environ.get("HOME", ""), ".docker"))
        try:
            settings = mapping(json.loads((folder / "config.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return ""
        key = HUB if place.host == HUB_HOST else place.host
        helper = mapping(settings.get("credHelpers")).get(key, settings.get("credsStore"))
        entry = mapping(mapping(settings.get("auths")).get(key))
        return None if helper or entry.keys() - {"auth", "email"} else string(entry.get("auth"))


def parse(reference: str) -> Place:
    """A reference in parts, as docker reads it (distribution/reference, `splitDockerDomain`)."""
    name, at, digest = reference.partition("@")
    host, slash, path = name.partition("/")
    if not slash or not (host == "localhost" or set(host) & set(".:")):
        host, path = "", name
    path, _, tag = path.partition(":")
    if host in HUB_NAMES:
        host, path = HUB_HOST, path if "/" in path else f"library/{path}"
    return Place(host, path, digest if at else tag or "latest")


def local(host: str) -> bool:
    """Whether a host is this machine, to which BuildKit and buildx speak without TLS (containerd, `MatchLocalhost`)."""
    name = urlsplit(f"//{host}").hostname or ""
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def get(address: str, headers: Mapping[str, str]) -> Reply:
    """What a server answers, redirects included as what they are. Raises OSError, HTTPException or ValueError."""
    from http.client import HTTPConnection, HTTPSConnection

    parts = urlsplit(address)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=SECONDS)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers={"User-Agent": "ci-buildkit", **headers})
        answer = connection.getresponse()
        body = answer.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise ValueError(f"{address} is larger than {LARGEST} bytes")
        return Reply(answer.status, answer.headers.get_content_type(), body, answer.headers.get("WWW-Authenticate", ""))
    finally:
        connection.close()


def _granted(challenge: str, place: Place, password: str | None) -> str:
    """The `Authorization` that answers a challenge, "" where there is none to be had."""
    from urllib.request import parse_http_list, parse_keqv_list

    if password is None:
        return ""
    basic = {"Authorization": f"Basic {password}"} if password else {}
    kind, _, rest = challenge.partition(" ")
    if kind.lower() == "basic":
        return basic.get("Authorization", "")
    fields = parse_keqv_list(parse_http_list(rest))
    realm = urlsplit(fields.get("realm", ""))
    safe = realm.scheme == "https" or (realm.scheme == "http" and local(realm.netloc))
    if kind.lower() != "bearer" or not safe:
        return ""
    asked = {"scope": f"repository:{place.path}:pull"}
    if "service" in fields:
        asked["service"] = fields["service"]
    reply = get(realm._replace(query="&".join(filter(None, (realm.query, urlencode(asked))))).geturl(), basic)
    said = mapping(json.loads(reply.body)) if reply.status == 200 else {}
    token = string(said.get("token")) or string(said.get("access_token"))
    return f"Bearer {token}" if token else ""
