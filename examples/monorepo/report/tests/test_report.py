from __future__ import annotations

import io

import pytest

from report import main, to_order


def test_most_urgent_first() -> None:
    found = to_order({"apples": 12, "pears": 0, "plums": 3, "figs": 3})
    assert list(found.items()) == [("pears", 5), ("figs", 2), ("plums", 2)]


def test_nothing_to_order() -> None:
    assert to_order({"apples": 5}) == {}


@pytest.mark.parametrize(
    ("stock", "code", "printed"),
    [('{"apples": 5}', 0, ""), ('{"pears": 1}', 1, "pears: order 4\n")],
)
def test_main(
    stock: str,
    code: int,
    printed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(stock))
    assert main() == code
    assert capsys.readouterr().out == printed
