"""Values that arguments of commands take. Without the option model, which takes a tenth of a second to load."""

from __future__ import annotations


def number(text: str) -> int:
    """The whole number that `text` is, 0 or more.

    Raises:
        ValueError: it is none.
    """
    if not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    return int(text)
