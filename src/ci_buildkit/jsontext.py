"""JSON in and out, by msgspec: the one place that knows how its errors look."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_SURROGATE = re.compile("[\ud800-\udfff]")
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


def typed(kind: type[T]) -> Callable[[bytes | str], T]:
    """A function like `loads` that gives a msgspec struct, and passes over the fields that it does not have.

    It raises Broken for a field of another type, too. For streams: this takes a third of the time of `loads`.
    """
    decode = msgspec.json.Decoder(kind).decode

    def load(data: bytes | str) -> T:
        try:
            return decode(data)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            raise Broken(str(error)) from error

    return load


def dumps(value: object, *, indent: bool = False) -> bytes:
    """`value` as JSON in UTF-8: dataclasses and structs as objects; with `indent` laid out and ending in a newline.

    Lone surrogates, which stand for bytes of names and variables that are no UTF-8, become U+FFFD.
    """
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:
        import json  # hardly ever needed

        data = _SURROGATE.sub("\ufffd", json.dumps(msgspec.to_builtins(value), ensure_ascii=False)).encode()
    return msgspec.json.format(data, indent=2) + b"\n" if indent else data
