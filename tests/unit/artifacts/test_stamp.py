"""The version that a program tells against the one that its build was given."""

from __future__ import annotations

import pytest

from ci_buildkit.artifacts import stamp
from ci_buildkit.artifacts.gobuild import GoBuild
from ci_buildkit.artifacts.stamp import Carried, Stamp

REVISION = "1234567890ab" + "0" * 28
GIVEN = Stamp(("v1.2.3",), REVISION)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("tool 1.2.3", "1.2.3"),
        ("tool v1.2.3 (abc)\nbuilt with go1.26.1", "v1.2.3"),
        ("tool/1.2.3", "1.2.3"),
        ("tool version 1.2.3.", "1.2.3"),
        ("1.2.3+meta", "1.2.3+meta"),
        ("Tool\n\nversion: 1.2.3", "1.2.3"),
        ("libfoo 2.0\ntool 1.2.3", "1.2.3"),
        ("tool1.2.3", "v1.2.3"),
    ],
)
def test_an_answer_that_names_the_version(text: str, version: str) -> None:
    assert stamp.of_answer(text, GIVEN) == Carried(version, sure=True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tool 0.9.0", "0.9.0"),
        ("tool 1.2.30", "1.2.30"),
        ("tool v11.2.3", "v11.2.3"),
        ("tool 1.2.3-rc1", "1.2.3-rc1"),
        ("tool 1.2.3-4-gabcdef0", "1.2.3-4-gabcdef0"),
        ("Version: 2.0.0-SNAPSHOT.", "2.0.0-SNAPSHOT"),
        ("tool-0.9.1-beta", "0.9.1-beta"),
        ("2.5", "2.5"),
    ],
)
def test_an_answer_that_names_another_version(text: str, told: str) -> None:
    found = stamp.of_answer(text, GIVEN)
    assert found.version == told
    assert found.wrong == f"says that it is {told} (--version), but v1.2.3 was injected"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tool dev, go1.26.1",
        "listening on 127.0.0.1:80",
        "2024/05/06 07:08:09 started",
        "took 0.5s",
        "time=0.12",
        "usage: tool [-v]\n  1.5 is the default",
        "1.2.3.4",
    ],
)
def test_an_answer_without_a_version_is_not_judged(text: str) -> None:
    assert stamp.of_answer(text, GIVEN) == Carried()


@pytest.mark.parametrize("told", ["1.2.3.post4", "1.2.3", "v1.2.3+gabc", "1.2.3-dev4"])
def test_a_version_between_releases_is_written_in_many_ways(told: str) -> None:
    between = Stamp(("v1.2.3-4-g76638dd",), "")
    assert stamp.of_answer(f"tool {told}", between).wrong == ""
    assert stamp.of_answer("tool 1.3.0", between).wrong


def test_any_word_can_be_a_version() -> None:
    nightly = Stamp(("nightly",), "")
    assert stamp.of_answer("tool Nightly", nightly).sure
    assert stamp.of_answer("tool 1.0.0", nightly).wrong


def go(**settings: str) -> GoBuild:
    return GoBuild("example.com/tool", settings.pop("version", "(devel)"), dict(settings))


def flags(text: str) -> GoBuild:
    return GoBuild("example.com/tool", "(devel)", {"-ldflags": text})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-s -X main.version=v1.2.3", Carried("v1.2.3", sure=True)),
        ("-X example.com/tool/internal/build.Version=1.2.3", Carried("1.2.3", sure=True)),
        ("-X main.goVersion=1.26 -X main.commit=abc", Carried()),
        ("-X other.org/dependency.Version=0.1.0", Carried()),
        (
            "-X main.version=v0.9.0",
            Carried("v0.9.0", "has main.version=v0.9.0, but v1.2.3 was injected", sure=True),
        ),
        ("-X main.version=", Carried(None, "has main.version=(nothing), but v1.2.3 was injected", sure=True)),
    ],
)
def test_variables_of_the_program_s_own_packages(text: str, found: Carried) -> None:
    assert stamp.of_go(flags(text), GIVEN) == found


def test_the_commit_that_the_go_command_saw() -> None:
    assert stamp.of_go(go(**{"vcs.revision": REVISION, "version": "v9.0.0"}), GIVEN) == Carried("v9.0.0")
    other = "f" * 40
    assert stamp.of_go(go(**{"vcs.revision": other}), GIVEN).wrong == (
        f"was built from commit {other}, but this is {REVISION}"
    )
    assert stamp.of_go(go(**{"vcs.revision": other}), Stamp(("v1.2.3",), "")).wrong == ""


def test_the_version_of_the_module() -> None:
    assert stamp.of_go(go(version="v1.2.3"), GIVEN) == Carried("v1.2.3")
    assert stamp.of_go(go(version="v1.2.3+dirty"), GIVEN).wrong == ""
    assert stamp.of_go(go(version="v0.9.0"), GIVEN).wrong == (
        "is version v0.9.0 of example.com/tool, but v1.2.3 was injected"
    )
    assert stamp.of_go(go(version="v1.2.4-0.20240506070809-1234567890ab"), GIVEN).wrong == ""
    assert stamp.of_go(go(version="v1.2.4-0.20240506070809-ffffffffffff+dirty"), GIVEN).wrong
    assert stamp.of_go(go(version="v0.9.0"), None) == Carried("v0.9.0")
    assert stamp.of_go(flags("-X main.version=v0.9.0"), None) == Carried("v0.9.0")
