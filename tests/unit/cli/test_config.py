"""`ci-buildkit config`: what holds, where it comes from, and what is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_buildkit.cli.config import text_lines, yaml_lines
from ci_buildkit.cli.main import main
from ci_buildkit.config import schema
from ci_buildkit.config.options import Options, is_list, is_switch, option_string
from ci_buildkit.config.shown import shown
from ci_buildkit.config.sources import load

FILE = """platform: [linux/amd64, linux/arm64]
build-arg:
  GO_VERSION: 1.20
  NPM_TOKEN: hunter2
report-dir: out
"""


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("CI_BUILDKIT_"):
            monkeypatch.delenv(name)


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run it with a file and two variables; stdout and stderr."""
    Path("ci-buildkit.yml").write_text(FILE, encoding="utf-8")
    monkeypatch.setenv("CI_BUILDKIT_INPUT_MIN_TESTS", "7")
    monkeypatch.setenv("CI_BUILDKIT_SIGN", "keyless")

    def ask(*words: str) -> tuple[str, str]:
        assert main(["config", *words]) == 0
        return capsys.readouterr()

    return ask


def test_what_is_set_comes_first_with_its_origin(said: Any) -> None:
    out, err = said("--show-origin", "--push", "--tag", "type=sha", "--tag", "type=raw,value=x")
    first, _, rest = out.partition("\n\n")
    assert [line.rstrip() for line in first.splitlines()] == [
        "platform               ci-buildkit.yml:1  linux/amd64",
        "                                          linux/arm64",
        "build-arg              ci-buildkit.yml:2  GO_VERSION=1.20",
        "                                          NPM_TOKEN=***",
        "tag                    --tag              type=sha",
        "                                          type=raw,value=x",
        "push                   --push             true",
        "sign                   CI_BUILDKIT_SIGN   keyless",
        "min-tests              input min-tests    7",
        "report-dir             ci-buildkit.yml:5  out",
    ]
    assert "file                   default            (Dockerfile in the context)" in rest.splitlines()
    assert "check-version          default            true" in rest.splitlines()
    keys = {line.split()[0] for line in out.splitlines() if line and not line.startswith(" ")}
    assert keys == {option_string(name) for name in Options.model_fields}
    assert err == ""


def test_without_origins_there_are_keys_and_values(said: Any) -> None:
    out, _ = said()
    assert out.splitlines()[0] == "platform               linux/amd64"
    assert "ci-buildkit.yml" not in out


def test_on_a_terminal_defaults_are_dim() -> None:
    lines = list(text_lines(list(shown(load({"push": True}, {}))), origins=False, dim=True))
    assert lines[0] == "push                   true"
    assert lines[1] == ""
    assert {line[:4] for line in lines[2:]} == {"\x1b[2m"}


def test_as_json(said: Any) -> None:
    document = json.loads(said("--format", "json", "--no-cache")[0])
    assert document["warnings"] == []
    options = document["options"]
    assert options.keys() == {option_string(name) for name in Options.model_fields}
    assert options["no-cache"] == {"value": True, "source": "flag", "where": "--no-cache", "hidden": False}
    assert options["build-arg"] == {
        "value": ["GO_VERSION=1.20", "NPM_TOKEN=***"], "source": "file", "where": "ci-buildkit.yml:2", "hidden": True,
    }  # fmt: skip
    assert options["min-tests"] == {"value": 7, "source": "input", "where": "input min-tests", "hidden": False}
    assert options["file"] == {"value": None, "source": "default", "where": None, "hidden": False}


def test_as_yaml_with_origins(said: Any) -> None:
    out, _ = said("--format", "yaml", "--show-origin")
    assert out.startswith(
        "# ci-buildkit.yml:1\nplatform:\n- linux/amd64\n- linux/arm64\n# ci-buildkit.yml:2\n# what is ***"
    )
    assert yaml.safe_load(out)["report-dir"] == "out"
    assert "#" not in said("--format", "yaml")[0].replace("# what is *** here is hidden", "")


def test_no_format_shows_a_credential(said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_BUILDKIT_LOGIN", "username=me,password=hunter2")
    for form in ("text", "json", "yaml"):
        out, err = said("--format", form, "--show-origin", "--secret", "id=x,value=hunter2", "--label", "token=hunter2")
        assert "hunter2" not in out + err
        assert "***" in out


def test_the_schema(said: Any) -> None:
    assert said("--schema")[0] == schema.text()


def test_a_variable_that_sets_nothing_is_told(said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_BUILDKIT_PLATFROM", "x")
    warning = "the variable CI_BUILDKIT_PLATFROM sets no option; did you mean CI_BUILDKIT_PLATFORM?"
    out, err = said("--format", "json")
    assert json.loads(out)["warnings"] == [warning]
    assert err == f"warning: {warning}\n"


def test_everything_wrong_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    Path("ci-buildkit.yml").write_text(
        'push: yes please\n\nplatfrom: x\nartifact-name: y\n"##[error]": 1\nbuild-arg: [ghp_' + "a1" * 18 + "]\n",
        encoding="utf-8",
    )
    assert main(["config", "--platform", "arm64"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "error: ci-buildkit.yml:3: unknown option 'platfrom'; did you mean 'platform'?",
        "ci-buildkit.yml:4: 'artifact-name' is an input of the action, not an option: write it below `with:` in the workflow",
        "ci-buildkit.yml:5: unknown option '## [error]'",
        "--platform: 'arm64' is not a platform; write OS/ARCH or OS/ARCH/VARIANT, for example linux/arm64",
        "ci-buildkit.yml:6: build-arg: '***' is not of the form NAME=VALUE",
        "ci-buildkit.yml:1: push: 'yes please' is neither true nor false",
    ]


TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from("\n\",:#'=- "), min_size=1)
LISTS = {"build_arg", "smoke", "label", "tag", "lint_target", "image", "results_path", "driver_opt", "cache_to"}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(), name=st.sampled_from([*LISTS, "version", "builder", "report_dir", "push", "min_tests", "progress"])
)
def test_the_yaml_gives_the_same_options_again(data: st.DataObject, name: str) -> None:
    if is_list(name):
        values = data.draw(st.lists(TEXTS.map(str.strip).filter(bool), max_size=3))
        value: Any = tuple(f"A={text}" for text in values) if name in {"build_arg", "driver_opt"} else tuple(values)
    elif is_switch(name):
        value = data.draw(st.booleans())
    else:
        words = {"min_tests": st.integers(0, 999), "progress": st.sampled_from(["plain", "tty"])}
        value = data.draw(words.get(name, TEXTS))
    options = Options.model_validate({name: value})
    origins = load({}, {}).origins
    found = list(shown(type(load({}, {}))(options, origins)))
    if any(setting.hidden for setting in found):
        return
    Path("again").mkdir(exist_ok=True)
    Path("again/ci-buildkit.yml").write_text("\n".join(yaml_lines(found, origins=True)), encoding="utf-8")
    again = load({"context": "again"}, {}).options
    assert again.model_copy(update={"context": Path()}) == options
