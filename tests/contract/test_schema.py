"""The JSON schema of the settings file against the reader: what the one accepts the other accepts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_buildkit.config import schema as schemas
from ci_buildkit.config.options import Options, choices_of, flag_of, is_list, option_string
from ci_buildkit.config.sources import load
from ci_buildkit.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs" / "reference" / "ci-buildkit.schema.json"
SCHEMA = schemas.schema()
# As ECMA-262 reads the patterns, in which `$` is the end; in Python it also stands before a last line end.
VALIDATOR = jsonschema.Draft7Validator(json.loads(json.dumps(SCHEMA).replace('$"', r'\\Z"')))
NAMES = {option_string(name): name for name in Options.model_fields}


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def fits(document: Any) -> bool:
    """Whether the schema accepts a document."""
    return bool(VALIDATOR.is_valid(document))


def reads(text: str) -> bool:
    """Whether the reader accepts a file."""
    Path("ci-buildkit.yml").write_text(text, encoding="utf-8")
    try:
        load({}, {})
    except ConfigurationError:
        return False
    return True


# Words that mean something somewhere, and what may stand around and between them.
WORDS = st.sampled_from(
    ["linux/amd64", "linux/arm/v7", "tests", "lint=warnings", "nothing", "A=1", "A=1,2", "=", "a", "7", "-1", "1.5", "yes", "True",
     "NO", "0", "auto", "remote", "/", ",", "\n", "\r\n", "\t", " ", '"', "''", "{", ":", "#", "-", "%", "é", "\x85"]
)  # fmt: skip
TEXTS = st.lists(WORDS, max_size=5).map("".join) | WORDS
FRACTIONS = st.sampled_from([0.5, -2.25, 1.1])
SCALARS = st.none() | st.booleans() | st.integers(-2, 300) | FRACTIONS | TEXTS
KEYS = st.sampled_from(["tests", "lint", "checks", "A", "A=B", "=", "", "app", "linux/arm64", " ", " x"])
VALUES = (
    SCALARS
    | st.lists(SCALARS, max_size=3)
    | st.dictionaries(KEYS, SCALARS, max_size=3)
    | st.lists(st.lists(SCALARS, max_size=1) | st.dictionaries(KEYS, SCALARS, max_size=1), max_size=2)
)
OPTION_KEYS = st.sampled_from([*NAMES, *Options.model_fields, "push_by-digest", "unknown", "artifact-name", ""])


def beyond(key: str, value: Any) -> bool:
    """Whether only the reader knows: a row of comma-separated values with quotes or line ends, or blanks no pattern names."""
    name = NAMES.get(key.replace("_", "-"))
    if name is None or not (flag_of(name).split or flag_of(name).form):
        return False
    items = value if isinstance(value, list) else []
    texts = [text for text in [value, *items] if isinstance(text, str)]
    return any(set(text) & {'"', "\r", "\x85"} for text in texts) or any("\n" in str(item) for item in items)


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=OPTION_KEYS, value=VALUES)
def test_the_schema_and_the_reader_accept_the_same(key: str, value: Any) -> None:
    document = {key: value}
    accepted = reads(yaml.safe_dump(document, allow_unicode=True))
    if fits(document):
        assert accepted
    elif accepted:
        assert beyond(key, value)


@pytest.mark.parametrize("key", NAMES)
def test_a_value_of_each_kind_is_accepted_or_refused_by_both(key: str) -> None:
    values: list[Any] = [None, True, 3, -3, 1.5, "", "text", "A=b", "linux/arm64", "lint=errors", "plain", "remote", "yes", [], [True], [[]],
              ["A=b"], ["linux/arm64"], [5], [None], {}, {"A": "b"}, {"A": 1}, {"A": True}, {"A": None}, {"A": []},
              {"tests": "errors"}, [{"A": "b"}]]  # fmt: skip
    documents = [{key: value} for value in values]
    found = [(document[key], fits(document), reads(yaml.safe_dump(document))) for document in documents]
    assert [one for one in found if one[1] != one[2]] == []
    assert {one[1] for one in found} == {True, False}


def test_files_as_people_write_them() -> None:
    for text in [
        "platform: linux/amd64, linux/arm64\n",
        "platform: |\n  linux/amd64\n  linux/arm64\n",
        "build-arg: {GO_VERSION: 1.26, DEBUG: true}\ncheck_version: off\n",
        "tag: |\n  type=semver,pattern={{version}}\n  type=ref,event=branch\n",
        "fail-on: {lint: warnings}\nmin-tests: 3\nsbom: true\n",
        """driver-opt: '"env.NO_PROXY=a,b",network=host'\n""",
        "",
    ]:
        assert reads(text), text
        assert fits(yaml.safe_load(text)), text


@pytest.mark.parametrize("name", list(Options.model_fields))
def test_what_the_model_says_of_an_option_is_in_the_schema(name: str) -> None:
    field, found = Options.model_fields[name], SCHEMA["properties"][option_string(name)]
    assert found["description"].lower() == f"{field.description}.".lower()
    assert ("default" in found) == (field.default not in (None, ()))
    assert found.get("enum", []) == list(choices_of(name))
    for example in [*found.get("examples", []), *([found["default"]] if "default" in found else [])]:
        assert fits({option_string(name): example})
        assert reads(yaml.safe_dump({option_string(name): example}))
    ways = [way.get("type") for way in found.get("anyOf", ())]
    assert ("array" in ways) == is_list(name)
    assert ("object" in ways) == flag_of(name).mapping


def test_the_schema_is_one_and_is_published() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert json.loads(FILE.read_text(encoding="utf-8")) == SCHEMA
    assert SCHEMA["$id"].endswith(str(FILE.relative_to(ROOT)))


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("platform: linux/arm64\npush: true\nbuild-arg:\n  GO_VERSION: 1.26\n", 0, ""),
        ("platfrom: linux/arm64\n", 1, "platfrom"),
        ("push: yes please\n", 1, "push"),
    ],
)
def test_check_jsonschema_takes_it(text: str, code: int, told: str) -> None:
    Path("ci-buildkit.yml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(FILE), "ci-buildkit.yml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert told in done.stdout
