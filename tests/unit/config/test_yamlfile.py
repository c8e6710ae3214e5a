"""The settings file: values as they are written, and everything that can be wrong with one, with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.config.sources import load
from ci_buildkit.config.yamlfile import read
from ci_buildkit.errors import ConfigurationError

NAME = "ci-buildkit.yml"


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def values(text: str) -> dict[str, Any]:
    """What a file sets; it must be right."""
    Path(NAME).write_text(text, encoding="utf-8")
    found = read(Path(NAME))
    assert found.problems == []
    assert found.lines.keys() == found.values.keys()
    return found.values


def problems(text: str) -> list[str]:
    """What is wrong with a file, without its name."""
    Path(NAME).write_text(text, encoding="utf-8")
    return [problem.removeprefix(f"{NAME}:") for problem in read(Path(NAME)).problems]


def refusal(text: str | bytes) -> str:
    """Why a file is not read at all."""
    Path(NAME).write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigurationError) as caught:
        read(Path(NAME))
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("version: 1.10", "1.10"),
        ("version: 010", "010"),
        ("version: 1_0", "1_0"),
        ("version: on", "on"),
        ("version: 2026-01-31", "2026-01-31"),
        ("version: 1:30", "1:30"),
        ("version: =", "="),
        ("version: 'true'", "true"),
        ("version: !!str true", "true"),
        ('version: "null"', "null"),
        ("version: >-\n  a\n  b", "a b"),
        ("sbom: true", "true"),
        ("push: Yes", "Yes"),
    ],
)
def test_a_value_is_the_text_that_is_written(text: str, found: str) -> None:
    assert list(values(text).values()) == [found]


def test_a_mapping_is_pairs_with_their_text() -> None:
    text = (
        "build-arg: {GO: 1.20, DEBUG: true, EMPTY: '', MODE: off, WITH: 'a=b,c'}\ndriver-opt: {env.NO_PROXY: 'a,b'}\n"
    )
    assert values(text) == {
        "build_arg": ("GO=1.20", "DEBUG=true", "EMPTY=", "MODE=off", "WITH=a=b,c"),
        "driver_opt": ("env.NO_PROXY=a,b",),
    }


def test_lists_take_items_and_lines_and_commas() -> None:
    text = (
        "platform:\n- linux/amd64\n- linux/arm64,linux/arm/v7\ntag: |\n  type=semver,pattern={{version}}\n  type=sha\n"
        "build-arg: A=1,2\nresults-path: [3]\n"
    )
    assert values(text) == {
        "platform": ("linux/amd64", "linux/arm64", "linux/arm/v7"),
        "tag": ("type=semver,pattern={{version}}", "type=sha"),
        "build_arg": ("A=1,2",),
        "results_path": ("3",),
    }


def test_aliases_and_merged_mappings_are_read() -> None:
    text = "label: &common {A: 1, B: 2}\nannotation:\n  <<: *common\n  B: 3\npath-map: &x ['/src=.']\n"
    assert values(text)["annotation"] == ("A=1", "B=3")
    assert values("lint-target: &x lint\ntest-target: *x\n") == {"lint_target": ("lint",), "test_target": ("lint",)}


def test_what_holds_itself_is_no_trouble() -> None:
    assert problems("stages: &a [*a]\nlabel: &x {<<: *x, A: 1}\ntag: &b {c: *b}\n") == [
        "1: stages holds a list: write STAGE as text",
        "3: tag is a mapping, and takes a list",
    ]


def test_lines_are_those_of_the_keys() -> None:
    Path(NAME).write_text("# first\n\npush: true\n\nplatform:\n  - linux/arm64\n", encoding="utf-8")
    assert read(Path(NAME)).lines == {"push": 3, "platform": 5}
    origins = load({}, {}).origins
    assert [str(origins[name]) for name in ("push", "platform")] == [f"{NAME}:3", f"{NAME}:5"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}\n", "~\n"])
def test_an_empty_file_sets_nothing(text: str) -> None:
    assert values(text) == {}


def test_everything_wrong_with_a_file_is_told_at_once() -> None:
    text = """platfrom: linux/arm64
artifact-name: mine
github_token: x
zzz: 1
Push: true
push: 1
push: true
version:
context: [a]
builder: {a: b}
baseline: false
report-dir: ''
stages: {a: b}
build-arg: [{A: 1}]
label: [[a]]
smoke: [true]
tag: [~]
lint-target: true
annotation: {A: }
path-map: {A: 1, A: 2}
flavor: !odd x
image: {a: [b]}
? [a]
: 1
1: 2
"""
    assert problems(text) == [
        "1: unknown option 'platfrom'; did you mean 'platform'?",
        "2: 'artifact-name' is an input of the action, not an option: write it below `with:` in the workflow",
        "3: 'github_token' is an input of the action, not an option: write it below `with:` in the workflow",
        "4: unknown option 'zzz'",
        "5: unknown option 'Push'; did you mean 'push'?",
        "6: push is 1, and true or false is wanted",
        "7: push is there twice, in line 6 too",
        "8: version has no value: write one, or remove the line",
        "9: context is a list, and takes one value",
        "10: builder is a mapping, and takes one value",
        "11: baseline is false, and a value is wanted: put it in quotes if it is one",
        "12: report-dir is empty: write a value, or remove the line",
        "13: stages is a mapping, and takes a list",
        "14: build-arg holds a mapping: write K=V as text",
        "15: label holds a list: write K=V as text",
        "16: smoke holds true, and text is wanted: remove it, or put it in quotes",
        "17: tag holds an empty value: remove it, or put it in quotes",
        "18: lint-target holds true, and text is wanted: remove it, or put it in quotes",
        "19: annotation holds 'A' without a value: write one, \"\" for an empty one",
        "20: path-map holds 'A' twice",
        "21: flavor has a tag that means nothing here: '!odd'",
        "22: image is a mapping whose names and values must be text",
        "23: unknown option '?'",
        "25: unknown option '1'",
    ]


def test_problems_of_the_file_and_wrong_values_come_together() -> None:
    Path(NAME).write_text(
        "zzz: 1\npush: yes please\nprogress: loud\nno_cache: true\nno-cache: true\n", encoding="utf-8"
    )
    with pytest.raises(ConfigurationError) as caught:
        load({}, {})
    assert caught.value.message.splitlines() == [
        f"{NAME}:1: unknown option 'zzz'",
        f"{NAME}:5: no-cache is there twice, in line 4 too",
        f"{NAME}:2: push: 'yes please' is neither true nor false",
        f"{NAME}:3: progress: 'loud' is none of auto, tty, plain, github",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n- b\n", f"{NAME} must hold `option: value` lines"),
        ("just text\n", f"{NAME} must hold `option: value` lines"),
        ("push: true\n---\npush: false\n", f"{NAME}:2:1: cannot be read: but found another document"),
        ("a: [\n", f"{NAME}:2:1: cannot be read: expected the node content"),
        ("build-arg:\n\tA: 1\n", "\n  YAML is indented with spaces, not tabs"),
        ("push: *gone\n", f"{NAME}:1:7: cannot be read: found undefined alias 'gone'"),
        ("label: {<<: 3}\n", "cannot be read: expected a mapping"),
        ("stages: " + "[" * 5000, "cannot be read: it is nested too deeply"),
        (b"version: \xff\xfe\n", f"{NAME} cannot be read: it is not UTF-8 text"),
        ("version: \x07\n", "cannot be read: unacceptable character"),
    ],
)
def test_what_is_no_settings_file_is_refused_with_its_place(text: str | bytes, said: str) -> None:
    assert said in refusal(text)


def test_a_link_to_nowhere_and_a_folder_are_no_settings() -> None:
    Path(NAME).symlink_to("nowhere")
    with pytest.raises(ConfigurationError, match="cannot be read: no such file or directory"):
        read(Path(NAME))
    Path(NAME).unlink()
    Path(NAME).mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read: is a directory"):
        read(Path(NAME))
    assert read(Path("none") / NAME).values == {}
    Path("file").touch()
    assert read(Path("file") / NAME).values == {}


def test_a_file_that_may_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied", NAME)

    Path(NAME).touch()
    monkeypatch.setattr(Path, "read_text", refuse)  # the tests may run as root, who may read everything
    with pytest.raises(ConfigurationError, match=f"{NAME} cannot be read: permission denied"):
        read(Path(NAME))


def test_text_of_the_file_moves_nothing_on_a_terminal() -> None:
    assert problems('"a\\e[31m\\n::error::x": 1\n') == [r"1: unknown option 'a\x1b[31m\n::error::x'"]


def test_a_nul_character_is_refused_for_no_path_can_hold_it() -> None:
    assert problems('file: "a\\0b"\nlabel: {"A\\0": x}\n') == [
        "1: file holds a NUL character",
        "2: label holds a NUL character",
    ]
