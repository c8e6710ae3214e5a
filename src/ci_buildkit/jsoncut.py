"""JSON that was cut off: what stands before the cut, closed so that it can be read.

A tool that is killed, a full disk or a log's limit cuts a report anywhere. What it said until then still counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from ci_buildkit import jsontext

D = TypeVar("D")

# A lone quote is the start of a string that never ends. The quantifiers are possessive: no text takes more than one pass.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["\[\]{},]', re.DOTALL)
_CLOSERS = {b"[": b"]", b"{": b"}"}
_AT_BYTE = re.compile(r"\(byte (\d+)\)$")


def closed(data: bytes, error: jsontext.Broken | None = None) -> bytes:
    """The longest start of broken JSON that is JSON once its arrays and objects are closed; b"" where there is none.

    A member or an element that is not complete is left out. `error` is what the decoder said of `data`: what stands
    after the byte that it names is left out too.
    """
    named = _AT_BYTE.search(str(error)) if error else None
    end = int(named[1]) if named else len(data)
    stack: list[bytes] = []
    safe = 0
    for found in _TOKEN.finditer(data, 0, end):
        token = found[0]
        if token in _CLOSERS:
            stack.append(_CLOSERS[token])
            safe = found.end()
        elif token == b",":
            safe = found.start() if stack else safe
        elif token in {b"]", b"}"}:
            if not stack or stack.pop() != token:
                break
            safe = found.end()
            if not stack:
                break
        elif token == b'"':
            break
    return data[:safe] + b"".join(reversed(stack)) if safe else b""


def start(data: bytes, error: jsontext.Broken | None = None, load: Callable[[bytes], D] = jsontext.loads) -> D | None:
    """The value of `closed`; None where nothing can be read."""
    try:
        return load(closed(data, error))
    except jsontext.Broken:
        return None


@lru_cache(maxsize=1)
def beginning(text: str) -> Any:
    """What the start of a file holds, where that is JSON or its first line is: as much of the value as is there.

    None where it is no JSON. The last answer is remembered, because every reader asks the same of one file.
    """
    data = text.lstrip("\ufeff \t\r\n").encode("utf-8", "replace")
    if not data.startswith((b"{", b"[")):
        return None
    try:
        return jsontext.loads(data)
    except jsontext.Broken as error:
        return start(data, error)
