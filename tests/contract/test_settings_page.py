"""The how-to page on settings: what it shows is what happens."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from ci_buildkit.cli.main import main
from ci_buildkit.config import schema

TEXT = (Path(__file__).parents[2] / "docs" / "how-to" / "configuration.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("CI_BUILDKIT_"):
            monkeypatch.delenv(name)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_settings_give_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    file = blocks("yaml")[0]
    assert schema.ID in file.splitlines()[0]
    jsonschema.validate(yaml.safe_load(file), schema.schema())
    Path("ci-buildkit.yml").write_text(file, encoding="utf-8")
    command, _, shown = blocks("console")[0].partition("\n")
    assert main(command.split()[2:]) == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()][: shown.count("\n")] == shown.splitlines()


def test_the_mistakes_are_told_as_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    Path("ci-buildkit.yml").write_text("\nplatfrom: x\n\n\nartifact-name: x\n\npush: yes please\n", encoding="utf-8")
    monkeypatch.setenv("CI_BUILDKIT_MIN_TESTS", "many")
    command, _, shown = blocks("console")[1].partition("\n")
    assert main(command.split()[2:]) == 2
    assert sorted(capsys.readouterr().err.splitlines()) == sorted(shown.splitlines())


def test_the_schema_s_address_is_the_one_that_it_has() -> None:
    addresses = re.findall(r"https://raw\S+?\.json", TEXT)
    assert len(addresses) == 4
    assert set(addresses) == {schema.ID}
    assert [json.loads(block) for block in blocks("json")][1]["fileMatch"] == ["ci-buildkit.yml"]
