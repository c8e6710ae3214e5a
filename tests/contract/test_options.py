"""The option model against the command line: every option is a flag, once, with its own words; docker's names stay."""

from __future__ import annotations

import argparse
import importlib
import re
from pathlib import Path

import pytest

from ci_buildkit.cli import flags
from ci_buildkit.cli.main import COMMANDS, Parser, main
from ci_buildkit.config.options import Options, flag_of, is_list, option_string
from ci_buildkit.config.sources import unknown_variables

ROOT = Path(__file__).parents[2]

# Flags that scripts rely on, and whether each can be given again.
PROMISED = {
    "--context": False, "--file": False, "-f": False, "--bake-file": False, "--platform": True, "--build-arg": True,
    "--secret": True, "--image": True, "--push": False, "--no-push": False, "--builder": False, "--no-cache": False,
    "--report-dir": False, "--lint-target": True, "--test-target": True, "--binaries-target": True,
    "--image-target": True, "--results-path": True, "--fail-on": True, "--max-warnings": False, "--baseline": False,
    "--min-tests": False, "--test-retries": False, "--quarantine": False, "--lint-pattern": True,
}  # fmt: skip
# A value that an option takes, where a plain word does not do.
VALUES = {
    "build_arg": "A=b",
    "driver": "remote",
    "driver_opt": "a=b",
    "fail_on": "lint=errors",
    "max_warnings": "3",
    "min_tests": "3",
    "path_map": "/src/=x/",
    "platform": "linux/arm64",
    "progress": "plain",
    "stage_timeout": "test=10m",
    "test_retries": "3",
}


# Another value, where the first one with a digit after it does not do.
OTHERS = {"fail_on": "tests=nothing", "stage_timeout": "90s"}


def parser_of(command: str) -> Parser:
    parser = Parser(prog=command)
    importlib.import_module(f"ci_buildkit.cli.{command}").add_arguments(parser)
    return parser


def written(name: str) -> list[str]:
    """An option on the command line."""
    value = VALUES.get(name, "word")
    if name == "stages":
        return [value]
    flag = f"--{option_string(name)}"
    field = Options.model_fields[name]
    if field.annotation is bool:
        return [f"--no-{option_string(name)}" if field.default else flag]
    return [flag, value]


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize("name", list(Options.model_fields))
def test_every_option_is_a_flag_and_reaches_the_options(command: str, name: str) -> None:
    found = flags.settings(parser_of(command).parse_args(written(name)))
    assert found.origins[name].source == "flag"
    assert getattr(found.options, name) != Options.model_fields[name].default
    others = {one for one, origin in found.origins.items() if origin.source == "flag"} - {name}
    assert not others, "a flag that was not written is not set"


@pytest.mark.parametrize("name", [name for name in Options.model_fields if is_list(name) and name != "stages"])
def test_lists_repeat_and_take_commas_where_they_say_so(name: str) -> None:
    flag = f"--{option_string(name)}"
    first, second = (VALUES.get(name, "word").replace("arm64", arch) for arch in ("amd64", "arm64"))
    second = second if second != first else OTHERS.get(name, f"{second}2")
    options = flags.settings(parser_of("run").parse_args([flag, first, flag, second])).options
    assert getattr(options, name) == (first, second)
    if flag_of(name).split:
        options = flags.settings(parser_of("run").parse_args([flag, f"{first},{second}"])).options
        assert getattr(options, name) == (first, second)


@pytest.mark.parametrize(("flag", "repeats"), PROMISED.items())
def test_promised_flags_exist(flag: str, repeats: bool) -> None:
    switch = flag in {"--push", "--no-push", "--no-cache"}
    value = VALUES.get(flag.strip("-").replace("-", "_"), "word")
    one = [flag] if switch else [flag, value]
    parsed = vars(parser_of("run").parse_args([*one, *one]))
    assert len(parsed) == 1, "stages are not set by a flag"
    assert [isinstance(found, list) for found in parsed.values()] == [repeats]


def test_a_flag_is_described_by_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["run", "--help"])
    assert leaving.value.code == 0
    told = " ".join(capsys.readouterr().out.split()).replace("- ", "-")
    for name, field in Options.model_fields.items():
        assert " ".join((field.description or name).split()).replace("- ", "-") in told, name


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main([command, "--help"])
    assert leaving.value.code == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"usage: ci-buildkit {command}")
    assert not err


def test_builder_create_takes_the_options_of_a_builder_that_is_made() -> None:
    parsed = parser_of("builder").parse_args(["create", "ci", "--builder-image", "i", "--driver-opt", "a=b"])
    assert isinstance(parsed, argparse.Namespace)
    options = flags.settings(parsed).options
    assert (options.builder_image, options.driver_opt) == ("i", ("a=b",))


def test_every_variable_of_ours_that_is_no_option_is_known_as_such() -> None:
    """Else a run inside the action, or beside the lab, would warn of it."""
    folders = ("src", "action", "actions", "lab", "bin", ".github", "workflow-templates", "bench", "examples")
    files = [path for name in folders for path in (ROOT / name).rglob("*") if path.suffix in {".py", ".sh", ".yml"}]
    files += [ROOT / "action.yml", ROOT / "Makefile"]
    used = {
        name for path in files for name in re.findall(r"\bCI_BUILDKIT_[A-Z][A-Z_]*[A-Z]\b", path.read_text("utf-8"))
    }
    assert unknown_variables(dict.fromkeys(used, "x")) == []
