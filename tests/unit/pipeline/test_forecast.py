"""What an image is when it is pushed, noted between runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.pipeline.forecast import AsPushed, Forecast

TARGET: dict[str, Any] = {"context": ".", "output": [{"type": "image", "source-date-epoch": "7"}]}
PUSHED = AsPushed(frozenset({"sha256:b", "sha256:c"}), {"containerimage.digest": "sha256:d"})


def forecast(folder: Path, **other: Any) -> Forecast:
    given: dict[str, Any] = {"local": ["sha256:a", "sha256:e"], "target": TARGET, "versions": ["v1"], **other}
    return Forecast({"XDG_CACHE_HOME": str(folder)}, **given)


def test_it_is_known_for_the_same_image_exported_the_same_way(tmp_path: Path) -> None:
    assert forecast(tmp_path).get() is None
    forecast(tmp_path).put(PUSHED)
    assert forecast(tmp_path, local=["sha256:e", "sha256:a"]).get() == PUSHED


@pytest.mark.parametrize(
    "other",
    [
        {"local": ["sha256:a"]},
        {"versions": ["v2"]},
        {"versions": ["v1", "v1"]},
        {"target": {**TARGET, "output": [{"type": "image", "source-date-epoch": "8"}]}},
    ],
    ids=["image", "version", "machines", "time"],
)
def test_it_is_not_known_for_another(tmp_path: Path, other: dict[str, Any]) -> None:
    forecast(tmp_path).put(PUSHED)
    assert forecast(tmp_path, **other).get() is None


@pytest.mark.parametrize("other", [{"local": []}, {"target": {**TARGET, "cache-to": ["type=inline"]}}])
def test_nothing_is_noted_of_what_does_not_follow(tmp_path: Path, other: dict[str, Any]) -> None:
    forecast(tmp_path, **other).put(PUSHED)
    assert forecast(tmp_path, **other).get() is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"manifests": []}', '{"manifests": "x"}'])
def test_what_is_damaged_counts_for_nothing(tmp_path: Path, text: str) -> None:
    forecast(tmp_path).put(PUSHED)
    [kept] = [path for path in tmp_path.rglob("*") if path.is_file()]
    kept.write_text(text)
    assert forecast(tmp_path).get() is None
