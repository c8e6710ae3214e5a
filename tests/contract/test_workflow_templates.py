"""The templates against GitHub's rules for them, and against what the action and the reusable workflows take.

The rules are those of actions/starter-workflows (script/validate-data) and of GitHub's page on workflow templates of an
organisation, where properties and icons lie beside the workflows.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from defusedxml import ElementTree
from tests.workflow_templates import EXAMPLES, FOLDER, NAMES, ROOT, instance, properties, template

BIN = Path(sys.executable).parent
WORKFLOWS = ROOT / ".github" / "workflows"
SCHEMA = {
    "type": "object",
    "required": ["name", "description", "iconName", "creator", "categories", "filePatterns"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "description": {"type": "string", "minLength": 1, "maxLength": 150},
        "iconName": {"type": "string", "minLength": 1},
        "creator": {"type": "string", "minLength": 1},
        "categories": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
        "filePatterns": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string"}},
    },
}
WANTED = {"container-only", "go", "monorepo", "node", "python", "release", "rust"}
LANGUAGES = ("go", "node", "python", "rust")
ACTION = "org/ci-buildkit@v1"
# What each job may do; anything more needs a reason here.
PERMISSIONS: dict[str, dict[str, str]] = {
    **{name: {"contents": "read"} for name in (*LANGUAGES, "monorepo")},
    "container-only": {"contents": "read", "packages": "write"},
    "release": {"contents": "write", "packages": "write", "id-token": "write", "attestations": "write"},
}

each = pytest.mark.parametrize("name", NAMES)


def workflow(name: str) -> dict[Any, Any]:
    """A template as YAML; the key `on` is the boolean true there."""
    return dict(yaml.safe_load(instance(name)))


def job(name: str) -> dict[str, Any]:
    """The one job of a template."""
    (found,) = workflow(name)["jobs"].values()
    return dict(found)


def uses(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a template uses, and what it gives it."""
    for one in (job(name), *job(name).get("steps", ())):
        if "uses" in one:
            yield one["uses"], one.get("with", {})


def test_there_are_the_templates_that_there_should_be() -> None:
    assert set(NAMES) == WANTED == set(EXAMPLES)


def test_each_has_its_properties_and_its_icon_and_nothing_else_is_there() -> None:
    wanted = {f"{name}{ending}" for name in NAMES for ending in (".yml", ".properties.json", ".svg")}
    assert {path.name for path in FOLDER.iterdir()} == wanted
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in NAMES)


@each
def test_properties(name: str) -> None:
    found = properties(name)
    jsonschema.validate(found, SCHEMA)
    assert found["categories"][0] == ("Deployment" if name == "release" else "Continuous integration")
    assert found["name"][0].isupper()
    assert found["description"].endswith(".")


def test_names_are_unique() -> None:
    names = [properties(name)["name"].lower() for name in NAMES]
    assert len(set(names)) == len(names)


@each
def test_the_icon_is_a_drawing_and_nothing_else(name: str) -> None:
    assert properties(name)["iconName"] == name
    icon = FOLDER / f"{name}.svg"
    assert icon.stat().st_size < 2048
    root = ElementTree.fromstring(icon.read_text(encoding="utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox") == "0 0 64 64"
    kinds = {element.tag.partition("}")[2] for element in root.iter()}
    assert kinds <= {"svg", "g", "rect", "circle", "path"}, "nothing that loads or runs"


def proposed(name: str, example: str) -> bool:
    """Whether a template is proposed to a repository: GitHub looks at the names of the files at its top."""
    patterns = [re.compile(pattern) for pattern in properties(name)["filePatterns"]]
    files = [path.name for path in (ROOT / "examples" / example).iterdir() if path.is_file()]
    return any(pattern.search(file) for pattern in patterns for file in files)


@each
def test_a_template_is_proposed_to_its_example(name: str) -> None:
    assert proposed(name, EXAMPLES[name])


@pytest.mark.parametrize("name", [*LANGUAGES, "monorepo"])
def test_a_template_is_not_proposed_to_others(name: str) -> None:
    others = {example for other, example in EXAMPLES.items() if other in LANGUAGES} - {EXAMPLES[name]}
    assert [example for example in sorted(others) if proposed(name, example)] == []


@each
def test_when_it_runs(name: str) -> None:
    found = yaml.safe_load(template(name))[True]
    if name == "release":
        assert found == {"push": {"tags": ["v*"]}, "workflow_dispatch": None}
        assert "$" not in template(name).replace("${{", "")
    else:
        assert found == {event: {"branches": ["$default-branch"]} for event in ("push", "pull_request")}
        assert set(re.findall(r"\$[^{\s\]]+", template(name))) == {"$default-branch"}


@each
def test_a_branch_of_any_name_gives_a_workflow(name: str) -> None:
    for branch in ("main", "release/2.x", "feature#1"):
        assert yaml.safe_load(instance(name, branch))["jobs"]


@each
def test_it_may_do_what_it_needs_and_no_more(name: str) -> None:
    assert workflow(name)["permissions"] == {}
    assert job(name)["permissions"] == PERMISSIONS[name]


@each
def test_old_runs_end_and_no_run_hangs(name: str) -> None:
    cancel = workflow(name)["concurrency"]["cancel-in-progress"]
    assert cancel == (False if name == "release" else "${{ github.event_name == 'pull_request' }}")
    limit = job(name).get("timeout-minutes") or job(name)["with"]["timeout-minutes"]
    assert 10 <= limit <= 60


@each
def test_what_it_uses_is_pinned(name: str) -> None:
    own: set[str] = set()
    others: set[str] = set()
    for used, given in uses(name):
        (own if used.startswith("org/") else others).add(used)
        if used.startswith("actions/checkout@"):
            assert given == {"fetch-depth": 0, "persist-credentials": False}
    assert own
    assert all(used.endswith("@v1") for used in own)
    for used in others:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", used)
        assert re.search(rf"{re.escape(used)} # v\d+\.\d+\.\d+\n", template(name))
        assert used in (WORKFLOWS / "pipeline.yml").read_text(encoding="utf-8"), "one commit of it in all our files"


def taken(used: str) -> tuple[set[str], set[str]]:
    """The inputs and secrets of the action or the reusable workflow that a template uses."""
    if used == ACTION:
        return set(yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]), set()
    file = WORKFLOWS / used.rpartition("/")[2].removesuffix("@v1")
    called = yaml.safe_load(file.read_text(encoding="utf-8"))[True]["workflow_call"]
    return set(called["inputs"]), set(called["secrets"])


@each
def test_what_it_gives_and_proposes_is_taken(name: str) -> None:
    ((used, given),) = [(used, given) for used, given in uses(name) if used.startswith("org/")]
    inputs, secrets = taken(used)
    assert set(given) <= inputs
    assert set(job(name).get("secrets", {})) <= secrets
    proposed_in_comments = set(re.findall(r"^ +# ([a-z-]+):(?: \w| /|  *\|)", template(name), re.MULTILINE))
    assert proposed_in_comments - {"checks", "pull-requests"} <= inputs
    assert proposed_in_comments or name == "release"


@each
def test_an_instance_passes_the_linters(name: str, tmp_path: Path) -> None:
    file = tmp_path / ".github" / "workflows" / f"{name}.yml"
    file.parent.mkdir(parents=True)
    file.write_text(instance(name), encoding="utf-8")
    for command in (
        [f"{BIN}/zizmor", "--offline", "--no-progress", "--persona=pedantic", "--no-config", str(file)],
        [f"{BIN}/check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_names_each_template() -> None:
    page = (ROOT / "docs" / "how-to" / "workflow-templates.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE)) == set(NAMES)
