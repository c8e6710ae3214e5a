"""How every test of a run ended, in a few KiB of text that a later run is compared with.

The text is an HTML comment that Markdown does not show. It is kept where others can write, so what is read back is
untrusted: it is unpacked within bounds and of no use where anything is wrong with it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from ci_buildkit import jsontext
from ci_buildkit.report.text import one_line
from ci_buildkit.results.model import Case

State = Literal["failed", "quarantined", "flaky", "passed", "skipped"]
Detail = Literal["names", "hashes", "notable", "counts"]
# Of cases that share suite, class and name the state that stands first here is kept.
STATES: tuple[State, ...] = ("failed", "quarantined", "flaky", "passed", "skipped")
DETAILS: tuple[Detail, ...] = ("names", "hashes", "notable", "counts")
WHOLE: frozenset[Detail] = frozenset({"names", "hashes"})
"""The details that know of every test, so that a test they do not know is new."""

MAX_UNPACKED = 8 << 20
MOST_NAMES = 200_000
HASH_BYTES = 8
_FORM = re.compile(r"<!-- ci-buildkit-digest 1 ([A-Za-z0-9+/]{1,100000}={0,2}) -->")
_SLICE = 1 << 16


class _Stored(msgspec.Struct):
    detail: Detail
    counts: dict[State, int]
    tests: dict[State, list[str]]


class Digest(Struct, frozen=True):
    """How tests ended. `counts` counts all cases; `tests` has the state of a test by its key.

    A key is the test's suite, class and name, or with `detail` "hashes" a hash of them in hexadecimal digits. "names"
    and "hashes" know every test, "notable" those that failed, were flaky, skipped or quarantined, "counts" none.
    """

    detail: Detail
    counts: Mapping[State, int]
    tests: Mapping[str, State]

    @classmethod
    def of(cls, cases: Iterable[Case]) -> Digest:
        """The digest of a run's test cases, with names."""
        counts: Counter[State] = Counter()
        tests: dict[str, State] = {}
        for case in cases:
            key, state = _key(case), _state(case)
            counts[state] += 1
            known = tests.get(key)
            tests[key] = state if known is None else min(known, state, key=STATES.index)
        return cls("names", counts, tests)

    @property
    def total(self) -> int:
        """How many cases there were."""
        return sum(self.counts.values())

    def identify(self, key: str) -> str:
        """The key under which a digest of this detail has the test that a digest with names has as `key`."""
        return hashed(key) if self.detail == "hashes" else key

    def encode(self, limit: int) -> str:
        """The digest as an HTML comment of at most `limit` characters, with as much detail as fits; "" where none does."""
        # What cannot fit is not tried: hashes cannot be packed, and of names this many never could be.
        most = {"names": MOST_NAMES, "hashes": limit // HASH_BYTES}
        for detail in DETAILS:
            if len(self.tests) > most.get(detail, len(self.tests)):
                continue
            text = _packed(jsontext.dumps(self._stored(detail)), limit)
            if text:
                return text
        return ""

    def _stored(self, detail: Detail) -> _Stored:
        tests: dict[State, list[str]] = {}
        if detail != "counts":
            for key in sorted(self.tests):
                state = self.tests[key]
                if detail != "notable" or state != "passed":
                    tests.setdefault(state, []).append(hashed(key) if detail == "hashes" else key)
        return _Stored(detail, dict(self.counts), tests)


def decode(text: str) -> Digest | None:
    """The digest somewhere in `text`; None where there is none that is whole, of this version and within bounds."""
    found = _FORM.search(text[: _SLICE * 16])
    stored = _unpacked(found[1]) if found else None
    if stored is None:
        return None
    tests = {key: state for state in reversed(STATES) for key in stored.tests.get(state, ())}
    return Digest(stored.detail, {state: max(count, 0) for state, count in stored.counts.items()}, tests)


def title(key: str) -> str:
    """`class: name` of a test by its key, on one line (the suite where there is no class)."""
    suite, class_name, name = [one_line(part, 300) for part in [*key.split("\t", 2), "", ""][:3]]
    owner = class_name or suite
    return f"{owner}: {name}" if owner and name else owner or name or "(unnamed test)"


def hashed(key: str) -> str:
    """The hash of a key, in hexadecimal digits."""
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=HASH_BYTES).hexdigest()


def _key(case: Case) -> str:
    # Names hold no tab (`text.name`). Where suite and class are the same, as with Go, one is enough.
    suite = "" if case.suite == case.class_name else case.suite
    return f"{suite}\t{case.class_name}\t{case.name}"


def _state(case: Case) -> State:
    if case.outcome in {"failed", "error"}:
        return "quarantined" if case.quarantined else "failed"
    if case.flaky:
        return "flaky"
    return "skipped" if case.outcome == "skipped" else "passed"


def _packed(data: bytes, limit: int) -> str | None:
    """The comment, or None as soon as it is sure not to fit."""
    if len(data) > MAX_UNPACKED:
        return None
    room = (limit - len("<!-- ci-buildkit-digest 1  -->")) // 4 * 3
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)  # gzip, whose checksum tells a damaged copy
    packed = bytearray()
    for start in range(0, len(data), _SLICE):
        packed += packer.compress(data[start : start + _SLICE])
        if len(packed) > room:
            return None
    packed += packer.flush()
    return f"<!-- ci-buildkit-digest 1 {base64.b64encode(packed).decode()} -->" if len(packed) <= room else None


def _unpacked(text: str) -> _Stored | None:
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        data = unpacker.decompress(base64.b64decode(text, validate=True), MAX_UNPACKED)
        return msgspec.json.decode(data, type=_Stored) if unpacker.eof else None
    except (binascii.Error, zlib.error, msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
