"""Where an option's value comes from, which source wins, and what is said of values that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.config.options import Options, is_list, pairs, variable_of
from ci_buildkit.config.sources import Settings, Source, load
from ci_buildkit.errors import ConfigurationError


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings(file: str = "", environ: dict[str, str] | None = None, **flags: Any) -> Settings:
    """The settings from a configuration file's text, an environment and flags."""
    if file:
        Path("ci-buildkit.yml").write_text(file, encoding="utf-8")
    return load(flags, environ or {})


def test_without_any_source_everything_is_a_default() -> None:
    found = settings()
    assert found.options == Options()
    assert {str(origin) for origin in found.origins.values()} == {"default"}
    assert found.origins.keys() == Options.model_fields.keys()


def test_each_source_wins_over_the_ones_before_it() -> None:
    file = "version: v-file\n"
    environ = {"CI_BUILDKIT_VERSION": "v-environment"}
    inputs = {"CI_BUILDKIT_INPUT_VERSION": "v-input"}
    seen = [
        settings(),
        settings(file),
        settings(file, environ),
        settings(file, environ | inputs),
        settings(file, environ | inputs, version="v-flag"),
    ]
    sources: list[Source] = ["default", "file", "environment", "input", "flag"]
    assert [one.options.version for one in seen] == [None, "v-file", "v-environment", "v-input", "v-flag"]
    assert [one.origins["version"].source for one in seen] == sources
    assert [str(one.origins["version"]) for one in seen] == [
        "default",
        "ci-buildkit.yml:1",
        "CI_BUILDKIT_VERSION",
        "input version",
        "--version",
    ]
    assert seen[-1].origins["push"].source == "default"


def test_a_source_replaces_a_list_and_does_not_add_to_it() -> None:
    found = settings("platform: [linux/amd64, linux/arm64]\n", platform=["linux/arm/v7"])
    assert found.options.platform == ("linux/arm/v7",)


def test_an_empty_variable_counts_as_unset() -> None:
    """An action's input that the workflow leaves out arrives as an empty string."""
    environ = {"CI_BUILDKIT_INPUT_PLATFORM": "", "CI_BUILDKIT_INPUT_PUSH": " ", "CI_BUILDKIT_PLATFORM": "linux/arm64"}
    found = settings(environ=environ)
    assert found.options.platform == ("linux/arm64",)
    assert (found.options.push, found.origins["push"].source) == (False, "default")


@pytest.mark.parametrize("name", [name for name in Options.model_fields if name != "stages"])
def test_every_option_has_a_variable_an_input_and_a_key(name: str) -> None:
    field = Options.model_fields[name]
    values = {"progress": "plain", "driver": "remote", "platform": "linux/arm64", "fail_on": "tests=errors"}
    values["stage_timeout"] = "test=10m"
    numbers = dict.fromkeys(("max_warnings", "min_tests", "test_retries"), "3")
    switched = str(not field.default).lower()
    text = switched if field.annotation is bool else {**values, **numbers}.get(name, "a=b")
    by_variable = settings(environ={variable_of(name): text})
    by_input = settings(environ={f"CI_BUILDKIT_INPUT_{name.upper()}": text})
    by_key = settings(f"{name.replace('_', '-')}: '{text}'\n")
    assert [s.origins[name].source for s in (by_variable, by_input, by_key)] == ["environment", "input", "file"]
    found = {str(getattr(s.options, name)) for s in (by_variable, by_input, by_key)}
    assert len(found) == 1
    assert found != {str(field.default)}


def test_lists_are_split_at_commas_and_lines_where_values_hold_no_comma() -> None:
    found = settings(
        environ={
            "CI_BUILDKIT_PLATFORM": "linux/amd64, linux/arm64\nlinux/arm/v7\n",
            "CI_BUILDKIT_BUILD_ARG": "A=1,2\nB= x",
            "CI_BUILDKIT_SECRET": "id=token,env=TOKEN",
        },
        lint_target=["lint,vet", "check"],
    ).options
    assert found.platform == ("linux/amd64", "linux/arm64", "linux/arm/v7")
    assert found.build_arg == ("A=1,2", "B= x")
    assert found.secret == ("id=token,env=TOKEN",)
    assert found.lint_target == ("lint", "vet", "check")
    assert is_list("platform")
    assert not is_list("push")


def test_a_value_in_quotes_may_hold_a_comma() -> None:
    found = settings(environ={"CI_BUILDKIT_BUILDER_DRIVER_OPTS": 'network=host, "env.NO_PROXY=a,b"'})
    assert found.options.driver_opt == ("network=host", "env.NO_PROXY=a,b")
    with pytest.raises(ConfigurationError):
        settings(driver_opt=["x"])


def test_a_platform_named_twice_is_one() -> None:
    assert settings(platform=["linux/arm64,linux/arm64"]).options.platform == ("linux/arm64",)


def test_the_file_takes_yaml_s_own_shapes() -> None:
    found = settings("build-arg: {GO_VERSION: 1.25, DEBUG: 1}\nno-cache: true\nplatform: linux/amd64,linux/arm64\n")
    assert found.options.build_arg == ("GO_VERSION=1.25", "DEBUG=1")
    assert found.options.no_cache is True
    assert found.options.platform == ("linux/amd64", "linux/arm64")


def test_the_file_is_the_context_s() -> None:
    Path("app").mkdir()
    Path("app/ci-buildkit.yml").write_text("push: true\n", encoding="utf-8")
    assert settings("version: v-here\n", context="app").options.push is True
    assert settings(context="app").options.version is None
    assert settings(environ={"CI_BUILDKIT_CONTEXT": "app"}).options.push is True


def test_keys_with_underscores_are_the_same_keys() -> None:
    assert settings("no_cache: yes\n").options.no_cache is True


def test_a_file_that_is_no_text_is_refused() -> None:
    Path("ci-buildkit.yml").write_bytes(b"version: \xff\xfe\n")
    with pytest.raises(ConfigurationError, match=r"ci-buildkit\.yml cannot be read"):
        settings()


def test_everything_wrong_is_told_at_once_with_its_place() -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(
            "build-arg: [A]\nzzz: 1\nplatfrom: x\n",
            {"CI_BUILDKIT_PUSH": "perhaps", "CI_BUILDKIT_INPUT_MIN_TESTS": "1.5"},
            platform=["x"],
            lint_target=["a\nb"],
        )
    assert caught.value.exit_code == 2
    assert sorted(caught.value.message.splitlines()) == [
        "--lint-target holds what is not one line of comma-separated values: put a value with a line end in double quotes",
        "--platform: 'x' is not a platform; write OS/ARCH or OS/ARCH/VARIANT, for example linux/arm64",
        "CI_BUILDKIT_PUSH: 'perhaps' is neither true nor false",
        "ci-buildkit.yml:1: build-arg: 'A' is not of the form NAME=VALUE",
        "ci-buildkit.yml:2: unknown option 'zzz'",
        "ci-buildkit.yml:3: unknown option 'platfrom'; did you mean 'platform'?",
        "input min-tests: '1.5' is not a whole number, 0 or more",
    ]


def test_a_value_that_a_stronger_source_replaces_is_not_checked() -> None:
    assert settings("push: maybe\n", push=True).options.push is True


@pytest.mark.parametrize(
    ("variable", "warning"),
    [
        ("CI_BUILDKIT_PLATFROM", "; did you mean CI_BUILDKIT_PLATFORM?"),
        ("CI_BUILDKIT_DRIVER_OPT", "; did you mean CI_BUILDKIT_BUILDER_DRIVER_OPTS?"),
        ("CI_BUILDKIT_INPUT_PLATFORMS", "; did you mean CI_BUILDKIT_INPUT_PLATFORM?"),
        ("CI_BUILDKIT_ELEPHANT", ""),
    ],
)
def test_a_variable_that_sets_nothing_is_a_warning(variable: str, warning: str) -> None:
    found = settings(environ={variable: "x"})
    assert found.warnings == (f"the variable {variable} sets no option{warning}",)
    assert settings(environ={variable: ""}).warnings == ()


def test_variables_of_the_lab_and_of_options_are_no_warning() -> None:
    environ = {variable_of(name): "" for name in Options.model_fields}
    environ |= {"CI_BUILDKIT_LAB_REGISTRY": "host", "CI_BUILDKIT_RUNNER_IMAGE": "x", "CI_BUILDKIT_VERSION": "v1"}
    assert settings(environ=environ).warnings == ()


def test_the_last_pair_of_a_name_wins() -> None:
    assert pairs(("A=1", "B=x=y", "A=2")) == {"A": "2", "B": "x=y"}


@pytest.mark.parametrize(
    "file", ["push: {0}", "driver: {0}", "fail-on: {0}", "stage-timeout: {0}=1", "{0}: x", "platform: {0}"]
)
def test_an_error_tells_no_credential(file: str) -> None:
    token = "ghp_" + "a1" * 18
    with pytest.raises(ConfigurationError) as told:
        settings(file.format(token) + "\n")
    assert token not in str(told.value)
    assert "***" in str(told.value)
