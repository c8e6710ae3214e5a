"""Provenance and SBOM, by options and by bake files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.plan import attestations
from ci_buildkit.plan.stages import Plan

OWN = [{"type": "provenance", "mode": "max"}, "type=sbom,generator=host/scanner:1"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, OWN),
        ({"sbom": "true"}, [OWN[0], {"type": "sbom", "disabled": "false"}]),
        ({"provenance": "False"}, [OWN[1], {"type": "provenance", "disabled": "true"}]),
        (
            {"provenance": 'mode=max,"builder-id=a,b"'},
            [OWN[1], {"type": "provenance", "mode": "max", "builder-id": "a,b"}],
        ),
    ],
)
def test_an_option_stands_in_for_what_the_bake_file_says(options: dict[str, str], found: list[Any]) -> None:
    assert attestations.entries(OWN, Options(**options)) == found  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["maybe", "", "mode=", "type=sbom", "mode=max,"])
def test_a_wrong_option_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--provenance .* is not understood"):
        attestations.entries((), Options(provenance=text))


@pytest.mark.parametrize(
    ("attest", "asked"),
    [
        ([], {}),
        (OWN, {"provenance": True, "sbom": True}),
        (["type=provenance,disabled=true", {"type": "sbom", "disabled": False}], {"provenance": False, "sbom": True}),
        (["", "type=other"], {}),
    ],
)
def test_what_is_asked_for(attest: list[Any], asked: dict[str, bool]) -> None:
    assert attestations.asked(attest) == asked


def test_only_images_get_what_options_ask_for(plan: Callable[..., Plan]) -> None:
    made = plan("FROM alpine AS lint\nRUN x\nFROM alpine AS app\nCMD x\n", sbom="true")
    assert {stage.name: stage.definition.get("attest") for stage in made.stages} == {
        "lint": None,
        "app": [{"type": "sbom", "disabled": "false"}],
    }


def test_what_a_bake_target_asks_for_stays_where_no_option_says_something_else(plan: Callable[..., Plan]) -> None:
    app = {"app": {"context": ".", "attest": OWN}}
    made = plan("FROM alpine AS app\nCMD x\n", bake=app, default=frozenset(app), sbom="false")
    assert made.stages[0].definition["attest"] == [OWN[0], {"type": "sbom", "disabled": "true"}]
