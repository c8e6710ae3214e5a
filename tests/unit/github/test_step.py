"""Inputs of a workflow, variables that come as one secret, and how a step ends."""

from __future__ import annotations

import json

import pytest

from ci_buildkit.config.options import Options
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.github import step
from ci_buildkit.github.step import ended, inputs, variables


class TestInputs:
    def test_what_has_its_default_is_not_set(self) -> None:
        given = {
            "push": False, "check-version": True, "oci-layout": True, "test-retries": 0, "max-warnings": -1, "platform": " ",
            "stages": "", "unknown": "x", "projects": "a",
        }  # fmt: skip
        assert inputs(json.dumps(given)) == {}

    def test_everything_else_is_as_the_action_has_it(self) -> None:
        given = {"push": True, "check-version": False, "test-retries": 2, "max-warnings": 0, "build-arg": "A=1\nB=2"}
        assert inputs(json.dumps(given)) == {
            "CI_BUILDKIT_INPUT_PUSH": "true",
            "CI_BUILDKIT_INPUT_CHECK_VERSION": "false",
            "CI_BUILDKIT_INPUT_TEST_RETRIES": "2",
            "CI_BUILDKIT_INPUT_MAX_WARNINGS": "0",
            "CI_BUILDKIT_INPUT_BUILD_ARG": "A=1\nB=2",
        }

    @pytest.mark.parametrize("name", list(Options.model_fields))
    def test_the_value_for_not_set_is_the_default_or_none_that_an_option_takes(self, name: str) -> None:
        default = Options.model_fields[name].default
        assert step.unset(name) in {default, "", -1}

    def test_what_is_no_json(self) -> None:
        with pytest.raises(ConfigurationError, match="toJSON"):
            inputs("{")


class TestVariables:
    def test_lines_and_blocks(self) -> None:
        text = "A=1\n\nB_2=x=y<<z\nKEY<<END\n-----BEGIN-----\n\nabc=\nEND\nC=\n"
        assert variables(text, {}) == {"A": "1", "B_2": "x=y<<z", "KEY": "-----BEGIN-----\n\nabc=", "C": ""}
        assert variables("", {}) == {}

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("hunter2", "line 1 of the secret"),
            ("A=1\n2B=hunter2", "line 2 of the secret"),
            ("A=1\nA=hunter2", "sets A, which is set already"),
            ("PATH=hunter2", "sets PATH"),
            ("GITHUB_TOKEN=hunter2", "sets GITHUB_TOKEN"),
            ("CI_BUILDKIT_PUSH=hunter2", "sets CI_BUILDKIT_PUSH"),
            ("A<<END\nhunter2", "has no end"),
        ],
    )
    def test_mistakes_are_told_without_the_secret(self, text: str, said: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            variables(text, {"PATH": "/bin"})
        assert said in str(caught.value)
        assert "hunter2" not in str(caught.value)


def test_an_error_of_a_step_is_an_annotation(capsys: pytest.CaptureFixture[str]) -> None:
    def main(environ: object) -> int:
        raise ConfigurationError("50% wrong", hint="mend it")

    assert ended(main, {}) == 2
    assert capsys.readouterr().out == "::error title=ci-buildkit::50%25 wrong%0A  mend it\n"
    assert ended(len, {"a": "1"}) == 1
