"""The lab's images of languages, and the package indexes that builds in them use. No engine, no network."""

from __future__ import annotations

import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import console, debian, images, indexes, languages, runner
from lab.layers import Image, Layer
from lab.places import Places, Store

BUNDLE = Path(__file__)  # any file will do
CONFIG = """\
[build]
jobs = 2

[source.crates-io]
replace-with = "mirror"

[source.mirror]
registry = "sparse+https://crates.example.com/index/"

[registries.mirror]
index = "sparse+https://crates.example.com/index/"
token = "Bearer abc"
credential-provider = ["cargo:token"]

[http]
proxy = "localhost:1"
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(images, "ca_bundle", lambda: BUNDLE)
    monkeypatch.setattr(runner, "ca_bundle", lambda: BUNDLE)
    return Store(Places(tmp_path / "lab"))


@pytest.fixture
def fresh() -> Iterator[None]:
    """What was asked of the machine is not known yet, and not known afterwards."""
    for function in (indexes.pip, indexes.npm):
        function.cache_clear()
    yield
    for function in (indexes.pip, indexes.npm):
        function.cache_clear()


def program(folder: Path, name: str, prints: str) -> Path:
    """A program that prints a text whatever it is asked."""
    file = folder / name
    file.write_text(f"#!/bin/sh\ncat <<'END'\n{prints}\nEND\n")
    file.chmod(0o755)
    return file


class TestImages:
    def named(self, store: Store) -> dict[str, Image]:
        return {image.name: image for image in languages.table(store)}

    def test_tags(self, store: Store) -> None:
        found = self.named(store)
        assert {"3.11", "3.11-slim", "3.11-slim-bookworm", "3", "3-slim"} <= set(found["library/python"].tags)
        assert {"24", "24-slim", "24-bookworm-slim", "lts", "lts-slim"} <= set(found["library/node"].tags)
        assert set(found["library/debian"].tags) == {"bookworm", "bookworm-slim", "12", "12-slim"}
        assert not any("latest" in image.tags for image in found.values()), "none of them is the newest of its kind"
        assert not store.root.exists(), "nothing is built before it is asked for"

    def test_all_share_the_root_of_the_runner(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(runner, "_docker", lambda: Layer("docker-cli", "key", lambda _: None))
        own = f"linux/{debian.native()}"
        lowest = {image.layers[own][0].key for image in (*languages.table(store), runner.image(store))}
        assert len(lowest) == 1

    def test_rust_is_on_demand(self, store: Store) -> None:
        found = languages.rust(store)
        assert found.name not in self.named(store)
        assert {"1.85", "1.85-slim", "1.85-slim-bookworm", "1", "1-slim"} <= set(found.tags)
        assert "CARGO_HOME=/usr/local/cargo" in found.config["Env"]

    def test_certificates_of_the_machine_are_trusted(self, store: Store) -> None:
        for image in (*languages.table(store), languages.rust(store)):
            assert f"SSL_CERT_FILE=/{images.BUNDLE}" in image.config["Env"]

    def test_python_installs_packages_without_asking(self, store: Store) -> None:
        layer = languages.table(store)[1].layers[f"linux/{debian.native()}"][1]
        with tarfile.open(layer.blob(store)[0]) as archive:
            names = archive.getnames()
        assert "usr/local/bin/python" in names
        assert "usr/lib/python3.11/.wh.EXTERNALLY-MANAGED" in names

    def test_anybody_may_write_temporary_files(self, store: Store) -> None:
        for image in (*languages.table(store), languages.rust(store)):
            top = image.layers[f"linux/{debian.native()}"][-1]
            with tarfile.open(top.blob(store)[0]) as archive:
                modes = {entry.name: entry.mode for entry in archive}
            assert (modes["tmp"], modes["var/tmp"], modes["root"]) == (0o1777, 0o1777, 0o700)

    def test_an_unknown_image_is_an_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert languages.main(["cobol"]) == console.EXIT_ENGINE
        assert "there is no image 'cobol' on demand\n  why:  known: rust" in capsys.readouterr().err

    def test_no_name_is_an_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert languages.main([]) == console.EXIT_ENGINE
        assert "next: name rust" in capsys.readouterr().err

    def test_no_image_without_a_registry(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert languages.main(["rust"]) == console.EXIT_ENGINE
        assert "next: run `make lab`" in capsys.readouterr().err


@pytest.mark.usefixtures("fresh")
class TestIndexes:
    def test_of_pip(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        listed = (
            ":env:.disable-pip-version-check='1'\n"
            "global.index-url='https://pip.example.com/simple'\n"
            "global.extra-index-url='https://a.example.com\\nhttps://b.example.com'\n"
            "global.find-links='/opt/wheels'\n"
            "global.trusted-host='pip.example.com'\n"
            ":env:.index-url='https://stronger.example.com/simple'"
        )
        monkeypatch.setattr(sys, "executable", str(program(tmp_path, "python", listed)))
        for name in indexes.UV:
            monkeypatch.delenv(name, raising=False)
        assert indexes.pip() == {
            "PIP_INDEX_URL": "https://stronger.example.com/simple",
            "PIP_EXTRA_INDEX_URL": "https://a.example.com https://b.example.com",
            "PIP_TRUSTED_HOST": "pip.example.com",
            "UV_DEFAULT_INDEX": "https://stronger.example.com/simple",
        }

    def test_of_uv_alone(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "executable", str(program(tmp_path, "python", "")))
        for name in indexes.UV:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example.com/simple")
        assert indexes.pip() == {"UV_DEFAULT_INDEX": "https://uv.example.com/simple"}

    @pytest.mark.parametrize(
        ("listed", "found"),
        [
            ('; "user" config\n\naudit = false\nregistry = "https://npm.example.com/"\n', "https://npm.example.com/"),
            ('; "user" config\n\naudit = false\n', None),
        ],
    )
    def test_of_npm(self, listed: str, found: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        program(tmp_path, "npm", listed)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        assert indexes.npm() == ({"npm_config_registry": found} if found else {})

    def test_without_npm(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        assert indexes.npm() == {}

    def test_of_cargo(self, tmp_path: Path) -> None:
        (tmp_path / "config.toml").write_text(CONFIG)
        found = indexes.cargo(tmp_path)
        assert 'replace-with = "mirror"' in found
        assert found.count("sparse+https://crates.example.com/index/") == 2
        assert not any(word in found for word in ("token", "Bearer", "jobs", "proxy", "credential"))

    def test_without_settings_of_cargo(self, tmp_path: Path) -> None:
        assert indexes.cargo(tmp_path) == ""
