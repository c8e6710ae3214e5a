from __future__ import annotations

import pytest

from ci_buildkit.engine.patience import ATTEMPTS, patiently
from ci_buildkit.engine.process import Cancellation
from ci_buildkit.errors import EngineError


class Registry:
    """Fails a number of times with a message, then answers."""

    def __init__(self, failures: int, said: str) -> None:
        self.calls = 0
        self._failures = failures
        self._said = said

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self._failures:
            raise EngineError(self._said)
        return self.calls


def test_trouble_that_passes_is_waited_for() -> None:
    assert patiently(Registry(ATTEMPTS - 1, "500 Internal Server Error"), Cancellation(), pause=0) == ATTEMPTS


def test_trouble_that_stays_is_raised() -> None:
    registry = Registry(99, "429 Too Many Requests")
    with pytest.raises(EngineError, match="429"):
        patiently(registry, Cancellation(), pause=0)
    assert registry.calls == ATTEMPTS


@pytest.mark.parametrize("said", ["401 Unauthorized", "denied: requested access", "403 Forbidden"])
def test_a_refusal_is_final(said: str) -> None:
    registry = Registry(99, said)
    with pytest.raises(EngineError):
        patiently(registry, Cancellation(), pause=0)
    assert registry.calls == 1


def test_nothing_is_tried_again_after_an_interrupt() -> None:
    registry, cancellation = Registry(99, "500"), Cancellation()
    cancellation.cancel()
    with pytest.raises(EngineError):
        patiently(registry, cancellation, pause=0)
    assert registry.calls == 1
