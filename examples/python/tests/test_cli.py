from __future__ import annotations

from click.testing import CliRunner

from durations.cli import main


def test_both_ways() -> None:
    result = CliRunner().invoke(main, ["1h30m", "5400"])
    assert (result.exit_code, result.output) == (0, "5400\n1h30m\n")


def test_a_mistake_is_told() -> None:
    result = CliRunner().invoke(main, ["soon"])
    assert result.exit_code == 1
    assert "Error: 'soon' is no duration" in result.output
