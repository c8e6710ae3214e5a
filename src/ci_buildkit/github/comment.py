"""The one comment of a pull request that is kept up to date.

It begins with a marker that Markdown does not show: the name it is kept under, and a hash of its text. Anyone can write
a comment with such a marker, so only a bot's or the token's own user's is ever edited.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from ci_buildkit.github.retry import Refused

if TYPE_CHECKING:
    from ci_buildkit.github.api import Comment, Repository

# GitHub takes 65,536 characters, of which the marker needs some; a byte is never more than a character.
MAX_BYTES = 64_000
# A name of 100 characters (`publish --name`), each of which may take four bytes of three characters.
_MARKER = re.compile(r"<!-- ci-buildkit: (\S{1,1200}) ([0-9a-f]{16}) -->")


def marked(name: str, body: str) -> str:
    """The whole text of a comment that is kept under `name`."""
    key, digest = _key(name), hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()[:16]
    return f"<!-- ci-buildkit: {key} {digest} -->\n{body}"


def publish(repository: Repository, pull: int, name: str, body: str) -> Literal["created", "updated", "unchanged"]:
    """Brings the comment of a pull request that is kept under `name` to `body`; returns what was done.

    Raises:
        Refused: comments cannot be listed or written.
    """
    text = marked(name, body)
    for comment in repository.comments(pull):
        if not _kept_under(name, comment):
            continue
        if _same(comment, text):
            return "unchanged"
        try:
            comment.edit(text)
        except Refused as error:
            # Another bot's: not ours to edit. Or someone deleted it just now.
            if error.failure.status not in {403, 404} or error.failure.limited:
                raise
        else:
            return "updated"
    repository.create_comment(
        pull,
        text,
        made=lambda: any(_kept_under(name, one) and _same(one, text) for one in repository.comments(pull)),
    )
    return "created"


def _kept_under(name: str, comment: Comment) -> bool:
    found = _MARKER.match(comment.body)
    return found is not None and found[1] == _key(name) and comment.ours()


def _same(comment: Comment, text: str) -> bool:
    return comment.body.partition("\n")[0].rstrip("\r") == text.partition("\n")[0]


def _key(name: str) -> str:
    """The name without anything that could end an HTML comment."""
    return quote(name, safe="")
