"""Lists whose members are imported when somebody comes to them: a command that reads one format starts without the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """What the functions of `parts` give, one after the other; a function is called when its turn comes, every time."""

    def __init__(self, *parts: Callable[[], Iterable[T]]) -> None:
        """Calls nothing yet."""
        self._parts = parts

    def __iter__(self) -> Iterator[T]:
        """All members."""
        for part in self._parts:
            yield from part()
