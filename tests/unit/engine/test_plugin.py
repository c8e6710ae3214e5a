"""Where buildx itself is, by docker's own rules; and who stays in between."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ci_buildkit.engine import plugin
from ci_buildkit.engine.buildx import Buildx

Program = Callable[..., Path]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Makes an executable below the test's folder: a real one, or a script where it has a text."""

    def make(*parts: str, text: str = "", mode: int = 0o755) -> Path:
        path = tmp_path.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        if text:
            path.write_text(text, encoding="utf-8")
        else:
            shutil.copyfile(str(shutil.which("true")), path)
        path.chmod(mode)
        return path

    return make


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """An environment with a docker of its own, and folders of the system of its own."""
    monkeypatch.setattr(plugin, "FOLDERS", (str(tmp_path / "first"), str(tmp_path / "second")))
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home")}


def test_the_nearest_plugin_is_taken(program: Program, environ: dict[str, str], tmp_path: Path) -> None:
    program("bin", "docker")
    assert plugin.find(environ) is None
    found = [program("second", plugin.NAME), program("first", plugin.NAME)]
    assert plugin.find(environ) == str(found[-1])
    found += [program("home", ".docker", "cli-plugins", plugin.NAME)]
    assert plugin.find(environ) == str(found[-1])
    extra = program("extra", plugin.NAME)
    settings = {"cliPluginsExtraDirs": [str(extra.parent)]}
    (tmp_path / "home" / ".docker" / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    assert plugin.find(environ) == str(extra)
    extra.chmod(0o644)
    assert plugin.find(environ) == str(found[-1])
    own = program("config", "cli-plugins", plugin.NAME)
    assert plugin.find({**environ, "DOCKER_CONFIG": str(tmp_path / "config")}) == str(own)


@pytest.mark.parametrize("settings", ["", "[]", '{"cliPluginsExtraDirs": 1}', '{"cliPluginsExtraDirs": null}'])
def test_settings_that_cannot_be_read_name_no_folders(
    program: Program, environ: dict[str, str], tmp_path: Path, settings: str
) -> None:
    program("bin", "docker")
    own = program("home", ".docker", "cli-plugins", plugin.NAME)
    (tmp_path / "home" / ".docker" / "config.json").write_text(settings, encoding="utf-8")
    assert plugin.find(environ) == str(own)


def test_a_script_and_another_program_by_the_name_of_docker_stay_in_between(
    program: Program, environ: dict[str, str], tmp_path: Path
) -> None:
    program("first", plugin.NAME)
    assert plugin.find(environ) is None  # there is no docker at all
    docker = program("bin", "docker", text="#!/bin/sh\nexec sudo docker\n")
    assert plugin.find(environ) is None
    docker.unlink()
    docker.symlink_to(program("bin", "podman"))
    assert plugin.find(environ) is None
    docker.unlink()
    docker.symlink_to(program("usr", "docker"))
    assert plugin.find(environ) == str(tmp_path / "first" / plugin.NAME)


def test_only_commands_of_buildx_go_to_it(program: Program, environ: dict[str, str]) -> None:
    program("bin", "docker")
    assert Buildx(environ).line("buildx", "ls") == ["docker", "buildx", "ls"]
    found = str(program("first", plugin.NAME))
    assert Buildx(environ).line("buildx", "ls") == [found, "ls"]
    assert Buildx(environ).line("inspect", "x") == ["docker", "inspect", "x"]
