"""The event that act gets, where the user gives a file of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ci_buildkit.act.event import Checkout
from ci_buildkit.act.prepare import Request, _payload
from ci_buildkit.act.triggers import Trigger
from ci_buildkit.errors import ConfigurationError

NOWHERE = Checkout("me/app", "", "", "", "main", "")


def payload(folder: Path, text: str) -> bytes:
    file = folder / "event.json"
    file.write_text(text, encoding="utf-8")
    request = Request(folder, event_file=file, inputs={"where": "here"})
    return _payload(request, (), Trigger("workflow_dispatch"), NOWHERE)


def test_inputs_go_into_the_event_that_is_given(tmp_path: Path) -> None:
    for own in ("null", "{}", '{"where": "there"}'):
        assert json.loads(payload(tmp_path, f'{{"inputs": {own}}}')) == {"inputs": {"where": "here"}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [("[]", "is no JSON object"), ("{", "cannot be read"), ('{"inputs": "x"}', "its `inputs` are no JSON")],
)
def test_what_is_no_event_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        payload(tmp_path, text)
