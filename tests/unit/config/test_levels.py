"""What `--fail-on` can say, and what it says of words that make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.config.levels import FailOn
from ci_buildkit.config.sources import load
from ci_buildkit.errors import ConfigurationError


@pytest.mark.parametrize(
    ("words", "levels"),
    [
        ((), ("failures", "failures", "nothing")),
        (("nothing",), ("nothing", "nothing", "nothing")),
        (("errors",), ("errors", "errors", "errors")),
        (("failures",), ("failures", "failures", "nothing")),
        # A test gives no warnings, so its level stays.
        (("warnings",), ("failures", "warnings", "warnings")),
        (("lint=warnings",), ("failures", "warnings", "nothing")),
        (("checks = errors", "tests=nothing"), ("nothing", "failures", "errors")),
        (("nothing", "lint=errors"), ("nothing", "errors", "nothing")),
        (("lint=errors", "nothing"), ("nothing", "nothing", "nothing")),
    ],
)
def test_levels(words: tuple[str, ...], levels: tuple[str, str, str]) -> None:
    found = FailOn.parse(words)
    assert (found.tests, found.lint, found.checks) == levels


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("tests=warnings", "tests cannot fail on 'warnings'; there are failures, errors and nothing"),
        ("checks=failures", "checks cannot fail on 'failures'; there are errors, warnings and nothing"),
        ("lint=", "lint cannot fail on ''; there are failures, errors, warnings and nothing"),
        ("test=errors", "there is no kind 'test'; there are tests, lint and checks"),
        ("=errors", "there is no kind ''; there are tests, lint and checks"),
        ("a=tests=errors", "there is no kind 'a=tests'; there are tests, lint and checks"),
        ("error", "nothing can fail on 'error'; there are failures, errors, nothing and warnings"),
    ],
)
def test_a_word_that_makes_no_sense_says_which_do(
    word: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as found:
        load({"fail_on": [word]}, {})
    assert found.value.message == f"--fail-on: {told}"


@pytest.mark.parametrize(
    "text", ["fail-on: [tests=nothing, lint=errors]\n", "fail-on: {tests: nothing, lint: errors}\n"]
)
def test_the_file_may_hold_a_list_or_a_mapping(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ci-buildkit.yml").write_text(text, encoding="utf-8")
    assert load({}, {}).options.fail_on == ("tests=nothing", "lint=errors")


@pytest.mark.parametrize("name", ["max_warnings", "min_tests", "test_retries"])
@pytest.mark.parametrize("value", ["-1", "many", "1.5"])
def test_a_number_that_is_none_is_told(name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match=f"--{name.replace('_', '-')}: {value!r} is not a whole number"):
        load({name: value}, {})
