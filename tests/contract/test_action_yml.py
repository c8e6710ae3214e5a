"""action.yml against the option model: the same inputs, described the same, each passed on, nothing expanded in shell."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ci_buildkit.config.options import Options, flag_of, is_list, option_string
from ci_buildkit.config.sources import INPUT_PREFIX
from ci_buildkit.config.yamlfile import ACTION_INPUTS

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
OPTIONS = [name for name in Options.model_fields if flag_of(name).action]
# What only the action does.
OWN_INPUTS = {
    "upload-artifacts": "true",
    "artifact-name": "ci-buildkit",
    "retention-days": "0",
    "publish": "",
    "github-token": "${{ github.token }}",
}


def step(name: str) -> dict[str, Any]:
    return next(one for one in STEPS if one["id"] == name)


def described(name: str) -> str:
    """What action.yml says of an option: the field's own words and how values are written in an input."""
    field = Options.model_fields[name]
    first, _, rest = (field.description or "").partition(" ")
    first = first if "." in first or not first.islower() else first.capitalize()
    text = f"{first} {rest}."
    if field.annotation is bool:
        return f"{text} true or false; default: {str(field.default).lower()}."
    if is_list(name):
        return f"{text} One a line{', or separated by commas' if flag_of(name).split else ''}."
    if isinstance(field.default, Path):
        return f"{text} Default: `{field.default}`."
    return text


def test_inputs_are_the_options_and_the_actions_own() -> None:
    assert list(ACTION["inputs"]) == [option_string(name) for name in OPTIONS] + list(OWN_INPUTS)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_input_is_described_like_its_option(name: str) -> None:
    # An empty input is "not set": a default written here would win over the repository's own ci-buildkit.yml.
    assert ACTION["inputs"][option_string(name)] == {"description": described(name), "default": ""}


def test_the_settings_file_knows_the_action_s_own_inputs() -> None:
    assert sorted(ACTION_INPUTS) == sorted(OWN_INPUTS)


def test_the_actions_own_inputs_have_defaults() -> None:
    assert {name: ACTION["inputs"][name]["default"] for name in OWN_INPUTS} == OWN_INPUTS
    assert all(ACTION["inputs"][name]["description"] for name in OWN_INPUTS)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_input_reaches_the_pipeline_by_its_own_variable(name: str) -> None:
    # Not INPUT_*: act sets those in composite actions, GitHub does not, and a forgotten line would go unseen.
    assert step("run")["env"][INPUT_PREFIX + name.upper()] == f"${{{{ inputs.{option_string(name)} }}}}"


def test_no_other_input_variable_is_set() -> None:
    assert {key for key in step("run")["env"] if key.startswith(INPUT_PREFIX)} == {
        INPUT_PREFIX + n.upper() for n in OPTIONS
    }


def test_every_step_has_a_name_and_an_id_of_its_own() -> None:
    assert all(one["name"] and one["id"] for one in STEPS)
    assert len({one["id"] for one in STEPS}) == len(STEPS)


def test_shell_text_holds_no_expression_and_is_short() -> None:
    for one in STEPS:
        if "run" in one:
            assert "${{" not in one["run"]
            assert len(one["run"].splitlines()) <= 10
            assert one["shell"] == "sh"


def test_other_actions_are_pinned_to_a_commit() -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    uses = re.findall(r"^\s*uses: (.+)$", text, re.MULTILINE)
    assert uses
    for one in uses:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)


def test_outputs_come_from_steps_that_write_them() -> None:
    for name, output in ACTION["outputs"].items():
        found = re.fullmatch(r"\$\{\{ steps\.([\w-]+)\.outputs\.([\w-]+) \}\}", output["value"])
        assert found, name
        assert output["description"]
        if found[1] == "run":
            assert found[2] == name
        else:
            assert "upload-artifact" in step(found[1])["uses"]


def test_the_cache_s_token_goes_to_the_pipeline_alone() -> None:
    outputs = "steps.cache-token.outputs"
    assert {key for key, value in step("run")["env"].items() if outputs in value} == {
        f"ACTIONS_{name}" for name in ("RUNTIME_TOKEN", "RESULTS_URL", "CACHE_URL", "CACHE_SERVICE_V2")
    }
    assert not [one["id"] for one in STEPS if one["id"] != "run" and outputs in str(one)]
    assert "exportVariable" not in step("cache-token")["with"]["script"]


def test_uploads_also_happen_after_a_failure_and_the_verdict_is_last() -> None:
    for one in STEPS:
        if "upload-artifact" in one.get("uses", ""):
            assert one["if"].startswith("${{ always() && ")
    assert STEPS[-1]["id"] == "verdict"
    assert STEPS[-1]["if"].startswith("${{ always() && ")


def test_the_report_goes_without_what_is_large_or_uploaded_by_itself() -> None:
    folder = "${{ steps.run.outputs.report-dir }}"
    paths = step("upload-report")["with"]["path"].split("\n")
    assert [path for path in paths if path] == [folder, f"!{folder}/dist", f"!{folder}/images"]


def test_marketplace_limits() -> None:
    assert len(ACTION["description"]) <= 125
    assert set(ACTION["branding"]) == {"icon", "color"}
