"""JSON in and out, by msgspec: the one place that knows how its errors look."""

from __future__ import annotations

from typing import Any

import msgspec

_decoder = msgspec.json.Decoder()


class Broken(ValueError):
    """The text is not JSON; the message says where and why."""


def loads(data: bytes | str) -> Any:
    """The value of a JSON document.

    Raises:
        Broken: it is no JSON, is cut off, is not UTF-8 or is nested too deep.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Broken(str(error)) from error


def dumps(value: object, *, indent: bool = False) -> bytes:
    """`value` as JSON in UTF-8: dataclasses and structs as objects; with `indent` laid out and ending in a newline."""
    data = msgspec.json.encode(value)
    return msgspec.json.format(data, indent=2) + b"\n" if indent else data
