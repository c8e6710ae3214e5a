"""What `--stage-timeout` can say, and of which stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.config.sources import load
from ci_buildkit.config.timeouts import Timeout, Timeouts, seconds
from ci_buildkit.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "found"), [("90s", 90), ("10m", 600), ("1h", 3600), ("1h30m", 5400), ("0.5s", 0.5), ("1.5h1m", 5460)]
)
def test_durations(text: str, found: float) -> None:
    assert seconds(text) == found


@pytest.mark.parametrize(
    ("words", "name", "kind", "found"),
    [
        ((), "unit", "test", None),
        (("10m",), "unit", "test", "10m"),
        (("test=5m", "10m"), "unit", "test", "5m"),
        (("test=5m", "10m"), "vet", "lint", "10m"),
        (("unit=1m", "test=5m", "10m"), "unit", "test", "1m"),
        (("lint=5m",), "unit", "test", None),
        (("test=5m", "test = 6m"), "unit", "test", "6m"),
        (("1m", "2m"), "unit", "test", "2m"),
    ],
)
def test_the_nearest_word_counts(words: tuple[str, ...], name: str, kind: str, found: str | None) -> None:
    timeout = Timeouts.parse(words).of([name.__eq__], kind)
    assert (timeout and timeout.text) == found


def settings(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Timeouts:
    monkeypatch.chdir(tmp_path)
    Path("ci-buildkit.yml").write_text(text)
    return Timeouts.parse(load({}, {}).options.stage_timeout)


@pytest.mark.parametrize(
    "text", ["stage-timeout: {test: 10m, all-of-it: 90s}", "stage-timeout: [test=10m, all-of-it=90s]"]
)
def test_a_file_may_hold_a_mapping(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(text, tmp_path, monkeypatch).named == {
        "test": Timeout("10m", 600),
        "all-of-it": Timeout("90s", 90),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10", "'10' is not a duration; write 90s, 10m or 1h30m, or test=10m for one stage or kind"),
        ("1d", "is not a duration"),
        ("-1m", "is not a duration"),
        ("=10m", "is not a duration"),
        ("test=", "is not a duration"),
        ("a=b=10m", "is not a duration"),
        ("test=0s", "'test=0s' leaves no time"),
    ],
)
def test_what_is_no_duration_is_refused(text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=f"^ci-buildkit.yml:1: stage-timeout: .*{told}"):
        settings(f"stage-timeout: '{text}'", tmp_path, monkeypatch)
