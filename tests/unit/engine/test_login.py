"""How a login is written, what is wrong with one, and what is left of it; real registries are asked end to end."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ci_buildkit.engine.login import Login, _prepare, logged_in, parse
from ci_buildkit.errors import ConfigurationError, EngineError

ENVIRON = {"PASSWORD": "canary\n", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "registry"),
    [
        ("registry=ghcr.io,username=me,password-env=PASSWORD", "ghcr.io"),
        ("registry=https://host:5000/,username=me,password-env=PASSWORD", "host:5000"),
        ("registry=ghcr.io/org/app,username=me,password-env=PASSWORD", "ghcr.io"),
        ("registry=http://localhost:5000/v2/,username=me,password-env=PASSWORD", "localhost:5000"),
        ("registry=https://index.docker.io/v1/,username=me,password-env=PASSWORD", ""),
        ("username=me,password-env=PASSWORD", ""),
        ("registry=docker.io,username=me,password-env=PASSWORD", ""),
        (" registry = ghcr.io , username = me , password-env = PASSWORD ", "ghcr.io"),
    ],
)
def test_a_login(text: str, registry: str) -> None:
    assert parse(text, ENVIRON) == Login(registry, "me", "canary")


def test_a_password_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "pw"
    file.write_text("canary\n")
    assert parse(f"registry=h,username=_json_key,password-file={file}", {}).password == "canary"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("registry=h,password-env=PASSWORD", "it has no username"),
        ("registry=h,username=me", "it has no password"),
        ("registry=h,username=me,password-env=PASSWORD,password-file=x", "two passwords"),
        ("registry=h,username=me,password=c4n4ry", "a password is not written there"),
        ("c4n4ry", "its keys are registry, username"),
        ("", "no username"),
        ("registry=h,username=me,password-env=NOTHING", "NOTHING is empty or not set"),
        ("registry=h,username=me,password-env=EMPTY", "EMPTY is empty or not set"),
        ("registry=h,username=me,password-file=/nothing/there", "cannot be read"),
    ],
)
def test_a_wrong_login_is_refused_without_telling_it(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(text, ENVIRON)
    assert message in str(caught.value)
    assert "c4n4ry" not in str(caught.value)


def test_without_logins_nothing_is_made() -> None:
    with logged_in((), ENVIRON) as inside:
        assert inside is ENVIRON


def test_the_users_configuration_stays_but_for_the_store(tmp_path: Path) -> None:
    usual, own = tmp_path / "usual", tmp_path / "own"
    for folder in (own, usual / "cli-plugins", usual / "contexts"):
        folder.mkdir(parents=True)
    settings = {"credsStore": "desktop", "currentContext": "far", "credHelpers": {"gcr.io": "gcloud", "ghcr.io": "x"}}
    (usual / "config.json").write_text(json.dumps(settings))
    _prepare(own, usual, [Login("ghcr.io", "me", "p"), Login("", "me", "p")])
    made = json.loads((own / "config.json").read_text())
    helpers = {"gcr.io": "gcloud", "ghcr.io": "", "https://index.docker.io/v1/": ""}
    assert made == {**settings, "credHelpers": helpers}
    assert (own / "config.json").stat().st_mode & 0o777 == 0o600
    assert (own / "cli-plugins").resolve() == usual / "cli-plugins"
    assert json.loads((usual / "config.json").read_text()) == settings


def test_a_login_holds_for_a_run_and_leaves_nothing(docker: Callable[[str], Path], tmp_path: Path) -> None:
    calls = docker("cat >/dev/null")
    environ = {**os.environ, "HOME": str(tmp_path), "TOKEN": "secret"}
    with logged_in(["registry=ghcr.io,username=me,password-env=TOKEN"], environ) as inside:
        own = Path(inside["DOCKER_CONFIG"])
        assert json.loads((own / "config.json").read_text())["credHelpers"] == {"ghcr.io": ""}
    assert calls.read_text() == "login --username me --password-stdin ghcr.io\n"
    assert not own.exists()


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("unauthorized: incorrect username or password", "the user's name and the password"),
        ("no such host", "the registry's name"),
    ],
)
def test_a_refused_login_is_told_with_the_next_step(
    docker: Callable[[str], Path], tmp_path: Path, said: str, hint: str
) -> None:
    docker(f"echo '{said}' >&2; exit 1")
    environ = {**os.environ, "HOME": str(tmp_path), "TOKEN": "secret"}
    with (
        pytest.raises(EngineError, match="the login to Docker Hub as me failed") as raised,
        logged_in(["username=me,password-env=TOKEN"], environ),
    ):
        pass
    assert hint in raised.value.hint
    assert "secret" not in str(raised.value)
