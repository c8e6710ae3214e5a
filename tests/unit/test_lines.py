"""Blocks of whole lines out of a file that may be anything."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from ci_buildkit import lines


def taken(data: bytes, limit: int) -> tuple[bytes, bool]:
    """What the blocks gave, and whether a line was too long."""
    kept = b""
    try:
        for block in lines.blocks(io.BytesIO(data), limit):
            kept += block
    except lines.TooLong:
        return kept, True
    return kept, False


@given(st.binary(max_size=200), st.integers(1, 40))
def test_blocks_give_everything_before_the_first_line_that_is_too_long(data: bytes, limit: int) -> None:
    every = io.BytesIO(data).readlines()
    good = next((number for number, line in enumerate(every) if len(line) > limit), len(every))
    assert taken(data, limit) == (b"".join(every[:good]), good < len(every))


def test_blocks_end_with_a_line() -> None:
    data = b"".join(b"%d\n" % number for number in range(400_000))
    blocks = list(lines.blocks(io.BytesIO(data)))
    assert len(blocks) > 1
    assert all(block.endswith(b"\n") for block in blocks)
    assert b"".join(blocks) == data


def test_a_line_longer_than_a_block_is_whole() -> None:
    data = b"x" * 3_000_000 + b"\ny"
    assert next(lines.blocks(io.BytesIO(data))).startswith(b"x" * 3_000_000 + b"\n")
