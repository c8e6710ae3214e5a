"""What docker/metadata-action gives on the same inputs: recorded answers of its own code, `tests/data/tags`."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.checkout.trigger import context
from ci_buildkit.cli.tags import document
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.tags.metadata import Inputs, metadata

CASES = json.loads(Path(__file__).parents[2].joinpath("data/tags/agreement.json").read_text(encoding="utf-8"))


def ours(case: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The whole way: the event's file, the environment, the inputs as one text or one line each."""
    event = folder / "event.json"
    event.write_text(json.dumps(case.get("payload", {})))
    environ = {
        "GITHUB_EVENT_NAME": case["event"],
        "GITHUB_REF": case.get("ref", ""),
        "GITHUB_SHA": case.get("sha", ""),
        "GITHUB_EVENT_PATH": str(event),
        **case.get("env", {}),
    }
    now = datetime.fromisoformat(case["now"])
    about = context(folder, environ, now, case.get("repository"))
    given = (case.get(name, ()) for name in ("images", "tags", "flavor", "labels", "annotations"))
    inputs = Inputs(*([value] if isinstance(value, str) else value for value in given))
    return document(metadata(inputs, about, now, environ))


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_same_answer(case: dict[str, Any], tmp_path: Path) -> None:
    expected = case["output"]
    if "error" in expected:
        with pytest.raises(ConfigurationError):
            ours(case["input"], tmp_path)
        return
    found = json.loads(json.dumps(ours(case["input"], tmp_path)))
    assert {name: found[name] for name in expected} == expected


def test_recorded_answers_are_of_all_kinds() -> None:
    text = json.dumps(CASES)
    for kind in ("schedule", "semver", "pep440", "match", "edge", "ref", "sha"):
        assert text.count(f"type={kind}") > 10
    assert sum("error" in case["output"] for case in CASES) > 10
