"""The releases of a GitHub of our own, with GitHub's rules for drafts, names, digests and half-sent files."""

from __future__ import annotations

import hashlib
import itertools
import re
import threading
from typing import Any

Answer = tuple[int, Any]
TAKEN = {
    "message": "Validation Failed",
    "errors": [{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}],
}
FROZEN = {"message": "Cannot upload assets to an immutable release."}


class Releases:
    """Releases and tags of one repository. `order` is what was sent, in order; files are by release and name."""

    def __init__(self) -> None:
        self.url = ""
        self.tags: dict[str, str] = {}
        self.all: list[dict[str, Any]] = []
        self.order: list[str] = []
        self.digests = True
        self.immutable = False
        # The upload of this number gets no answer before `go_on`, and its file stays half there.
        self.hold = 0
        self.held, self.go_on = threading.Event(), threading.Event()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def routes(self) -> tuple[tuple[str, str, Any], ...]:
        root = "/repos/octo/hello/releases"
        return (
            ("GET", r"/repos/octo/hello/commits/tags/(.+)", self._commit),
            ("GET", rf"{root}/tags/(.+)", self._published),
            ("GET", root, self._list),
            ("POST", root, self._create),
            ("PATCH", rf"{root}/(\d+)", self._edit),
            ("DELETE", rf"{root}/(\d+)", self._remove),
            ("GET", rf"{root}/(\d+)/assets", self._assets),
            ("POST", rf"{root}/(\d+)/assets", self._upload),
            ("DELETE", rf"{root}/assets/(\d+)", self._delete),
        )

    def add(self, tag: str, **more: Any) -> dict[str, Any]:
        number = next(self._numbers)
        made = {
            "id": number, "tag_name": tag, "name": tag, "body": "", "draft": False, "prerelease": False, "immutable": False,
            "url": f"{self.url}/repos/octo/hello/releases/{number}", "html_url": f"https://github.com/octo/hello/releases/tag/{tag}",
            "upload_url": f"{self.url}/repos/octo/hello/releases/{number}/assets{{?name,label}}", "assets": [], **more,
        }  # fmt: skip
        self.all.append(made)
        return made

    def asset(
        self, release: dict[str, Any], name: str, content: bytes = b"", state: str = "uploaded"
    ) -> dict[str, Any]:
        made = {"id": next(self._numbers), "name": name, "state": state, "size": 0, "digest": None}
        release["assets"].append(made)
        return self._fill(made, content) if state == "uploaded" else made

    def _fill(self, asset: dict[str, Any], content: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}" if self.digests else None
        asset.update(state="uploaded", size=len(content), digest=digest)
        return asset

    def _of(self, number: str) -> dict[str, Any] | None:
        return next((one for one in self.all if one["id"] == int(number)), None)

    def _commit(self, query: dict[str, str], body: dict[str, Any], tag: str) -> Answer:
        if tag not in self.tags:
            return 422, {"message": f"No commit found for SHA: tags/{tag}"}
        return 200, {"sha": self.tags[tag]}

    def _published(self, query: dict[str, str], body: dict[str, Any], tag: str) -> Answer:
        found = next((one for one in self.all if one["tag_name"] == tag and not one["draft"]), None)
        return (200, found) if found else (404, {"message": "Not Found"})

    def _list(self, query: dict[str, str], body: dict[str, Any]) -> Answer:
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        return 200, self.all[::-1][(page - 1) * size : page * size]

    def _create(self, query: dict[str, str], body: dict[str, Any]) -> Answer:
        notes = "\n\n## What's Changed" if body.pop("generate_release_notes") else ""
        body["body"] = body.get("body", "") + notes
        return 201, self.add(body.pop("tag_name"), **body)

    def _edit(self, query: dict[str, str], body: dict[str, Any], number: str) -> Answer:
        found = self._of(number)
        if found is None:
            return 404, {"message": "Not Found"}
        found.update(body, immutable=self.immutable and not body["draft"])
        return 200, found

    def _remove(self, query: dict[str, str], body: dict[str, Any], number: str) -> Answer:
        found = self._of(number)
        if found is None:
            return 404, {"message": "Not Found"}
        self.all.remove(found)
        return 204, b""

    def _assets(self, query: dict[str, str], body: dict[str, Any], number: str) -> Answer:
        found = self._of(number)
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        return (200, found["assets"][(page - 1) * size : page * size]) if found else (404, {"message": "Not Found"})

    def _upload(self, query: dict[str, str], body: dict[str, Any], number: str) -> Answer:
        release, name = self._of(number), re.sub(r"[^\w@+-]+", ".", query["name"], flags=re.ASCII)
        if release is None:
            return 404, {"message": "Not Found"}
        if release["immutable"]:
            return 422, FROZEN
        with self._lock:
            if any(one["name"] == name for one in release["assets"]):
                return 422, TAKEN
            self.order.append(name)
            asset = self.asset(release, name, state="starter")
        if self.hold == len(self.order):
            self.held.set()
            self.go_on.wait(30)
            return 502, {"message": "Server Error"}
        if asset not in release["assets"]:  # deleted while it was sent
            return 404, {"message": "Not Found"}
        return 201, self._fill(asset, body["content"])

    def _delete(self, query: dict[str, str], body: dict[str, Any], number: str) -> Answer:
        for release in self.all:
            for asset in release["assets"]:
                if asset["id"] == int(number) and not release["immutable"]:
                    release["assets"].remove(asset)
                    return 204, b""
        return 404, {"message": "Not Found"}
