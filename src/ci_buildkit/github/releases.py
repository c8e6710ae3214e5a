"""Releases and their assets by GitHub's REST API ("REST API endpoints for releases", "for release assets")."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from msgspec import Struct

from ci_buildkit.github.api import PER_PAGE
from ci_buildkit.github.retry import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci_buildkit.artifacts.dist import File
    from ci_buildkit.github.api import Repository

NEEDS = "contents: write"
# GitHub lists 10,000 releases at most, and a release has 1,000 files at most.
MOST_PAGES = 100

T = TypeVar("T")

# What says, in its text, that a draft is published as soon as it is complete, by whichever run completes it.
MARK = "<!-- ci-buildkit: a draft until every file is here -->"


class Asset(Struct, frozen=True):
    """A file that GitHub has. `digest` is `sha256:...`, "" where GitHub does not tell (files of before June 2025)."""

    id: int
    name: str
    size: int
    digest: str
    state: str

    @classmethod
    def of(cls, answer: Any) -> Asset:
        """The asset of GitHub's answer."""
        return cls(answer["id"], answer["name"], answer["size"], answer.get("digest") or "", answer["state"])

    def holds(self, file: File, *, just_sent: bool = False) -> bool:
        """Whether it is whole and has the file's content; the size is enough only for what was `just_sent`."""
        known = self.digest == f"sha256:{file.sha256}" or (just_sent and not self.digest)
        return self.state == "uploaded" and self.size == file.size and known


class Release(Struct, frozen=True):
    """One release: `url` is its page, `upload_url` where its files go, `text` its notes."""

    id: int
    tag: str
    draft: bool
    immutable: bool
    url: str
    upload_url: str
    text: str

    @classmethod
    def of(cls, answer: Any) -> Release:
        """The release of GitHub's answer. GitHub Enterprise Server may be older than immutable releases."""
        return cls(
            answer["id"], answer["tag_name"], answer["draft"], bool(answer.get("immutable")), answer["html_url"],
            answer["upload_url"].partition("{")[0], answer["body"] or "",
        )  # fmt: skip

    @property
    def marked(self) -> bool:
        """Whether it is a draft only until it is complete."""
        return self.draft and MARK in self.text


class Releases:
    """The releases of one repository. Every method raises Refused where GitHub does not do what it is asked for."""

    def __init__(self, api: Repository) -> None:
        """Asks for nothing yet."""
        self._api = api

    def commit(self, tag: str) -> str:
        """The commit that a tag points to; "" where there is no such tag."""
        path = f"/commits/{quote(f'tags/{tag}', safe='')}"
        try:
            return self._api.ask(
                "find the tag", "contents: read", lambda: str(self._api.request("GET", path, {"per_page": "1"})["sha"])
            )
        except Refused as error:
            if error.failure.status not in {404, 422}:
                raise
            return ""

    def find(self, tag: str) -> Release | None:
        """The published release of a tag, else its oldest draft, which GitHub finds by no tag."""
        path = f"/releases/tags/{quote(tag, safe='')}"
        try:
            return self._api.ask(
                "find the release", "contents: read", lambda: Release.of(self._api.request("GET", path))
            )
        except Refused as error:
            if error.failure.status != 404:
                raise
        listed = self._all("/releases", "list releases", Release.of)
        return min((one for one in listed if one.draft and one.tag == tag), key=lambda one: one.id, default=None)

    def create(self, tag: str, *, prerelease: bool, marked: bool) -> Release:
        """Makes a draft with GitHub's own notes and name. Of two that two runs make at once the first is kept."""
        body = {
            "tag_name": tag, "body": MARK if marked else "", "draft": True, "prerelease": prerelease,
            "generate_release_notes": True,
        }  # fmt: skip
        made = self._api.ask(
            f"make the release {tag}",
            NEEDS,
            lambda: Release.of(self._api.request("POST", "/releases", body=body)),
            lambda: self.find(tag),
        )
        first = self.find(tag)
        if first is None or first.id == made.id:
            return made
        self._delete(f"delete the second draft of {tag}", f"/releases/{made.id}")
        return first

    def publish(self, release: Release) -> None:
        """Makes a draft public. It becomes the latest release only where its version is the highest."""
        body = {"draft": False, "body": release.text.replace(MARK, "").strip(), "make_latest": "legacy"}
        path = f"/releases/{release.id}"
        self._api.ask(f"publish the release {release.tag}", NEEDS, lambda: self._api.request("PATCH", path, body=body))

    def stand_aside(self, tries: int) -> None:
        """Lets another run that publishes the same release go on alone for a while, after `tries` in its way."""
        self._api.stand_aside(tries)

    def assets(self, release: Release) -> dict[str, Asset]:
        """What GitHub has, by name."""
        listed = self._all(f"/releases/{release.id}/assets", "list the release's files", Asset.of)
        return {one.name: one for one in listed}

    def delete(self, asset: Asset) -> None:
        """Takes a file away; it may be gone already."""
        self._delete(f"delete the file {asset.name}", f"/releases/assets/{asset.id}")

    def upload(self, release: Release, file: File) -> Asset:
        """Sends a file of which GitHub has none yet; returns what GitHub has then."""

        def stored() -> Asset | None:
            """What came of a request whose answer was lost. A part of a file is in the way of the next try."""
            there = self.assets(release).get(file.name)
            if there and not there.holds(file, just_sent=True):
                self.delete(there)
                return None
            return there

        return self._api.ask(
            f"take the file {file.name}",
            NEEDS,
            lambda: Asset.of(self._api.send(release.upload_url, file.path, file.size)),
            stored,
        )

    def _all(self, path: str, what: str, made: Callable[[Any], T]) -> list[T]:
        found: list[T] = []

        def page(number: int) -> list[T]:
            query = {"per_page": str(PER_PAGE), "page": str(number)}
            return [made(one) for one in self._api.request("GET", path, query)]

        for number in range(1, MOST_PAGES + 1):
            more = self._api.ask(what, "contents: read", partial(page, number))
            found += more
            if len(more) < PER_PAGE:
                break
        return found

    def _delete(self, what: str, path: str) -> None:
        try:
            self._api.ask(what, NEEDS, lambda: self._api.request("DELETE", path))
        except Refused as error:
            if error.failure.status != 404:
                raise
