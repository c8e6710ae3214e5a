"""Reusable workflows, sub-actions and this repository's own workflows: inputs as the options, least rights, no shell injection."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.scripts import script

from ci_buildkit.config.options import Options, flag_of, option_string

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"


def load(path: Path) -> dict[str, Any]:
    """A YAML file; the key `on` is text."""
    loaded: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8").replace("\non:", '\n"on":', 1), yaml.SafeLoader)
    return loaded


generator = script("workflows")
ACTION = load(ROOT / "action.yml")
WORKFLOWS = {path.name: load(path) for path in sorted(FOLDER.glob("*.yml"))}
PARTS = {path.parent.name: load(path) for path in sorted(ROOT.glob("actions/*/action.yml"))}
JOBS = [(name, job, one["jobs"][job]) for name, one in WORKFLOWS.items() for job in one["jobs"]]
# What only a workflow has, by file.
OWN = {
    "pipeline.yml": {
        "projects": "", "shared-paths": "", "ignored-paths": "", "changed-since": "", "runs-on": "ubuntu-latest",
        "timeout-minutes": 60, "setup-qemu": False,
    },
    "distributed.yml": {"runs-on": "ubuntu-latest", "timeout-minutes": 60, "setup-qemu": False},
    "release.yml": {
        "push": True, "attest": True, "draft": False, "runs-on": "ubuntu-latest", "timeout-minutes": 60, "setup-qemu": False,
    },
    "pull-request-report.yml": {
        "artifact-name": "ci-buildkit", "name": "", "publish": "check, comment", "forks-only": True, "runs-on": "ubuntu-latest",
    },
}  # fmt: skip
REUSABLE = {name: one for name, one in WORKFLOWS.items() if name in OWN}


def of(*files: str) -> list[tuple[str, str]]:
    """Each option of each of these workflows."""
    return [(file, name) for file in files for name in generator.names(file)]


def steps_of(job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = job.get("steps", [])
    return found


def test_the_reusable_workflows_are_only_called() -> None:
    assert set(REUSABLE) == set(OWN)
    assert all(list(one["on"]) == ["workflow_call"] for one in REUSABLE.values())


def test_everything_between_the_marks_is_up_to_date() -> None:
    assert generator.outdated() == [], "run `python bin/workflows.py`"
    done = subprocess.run([sys.executable, "bin/workflows.py", "--check"], cwd=ROOT, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("file", list(generator.LEFT_OUT))
def test_every_option_is_an_input_or_is_left_out_for_a_reason(file: str) -> None:
    options = {option_string(name) for name in Options.model_fields}
    inputs = set(REUSABLE[file]["on"]["workflow_call"]["inputs"])
    left_out = generator.LEFT_OUT[file]
    assert all(len(reason) > 10 for reason in left_out.values())
    known = options | set(ACTION["inputs"])
    assert set(left_out) <= known, "a reason for something that is no option"
    generated = inputs - set(OWN[file])
    assert generated == known - set(left_out) - set(OWN[file])


@pytest.mark.parametrize("file", list(OWN))
def test_own_inputs_have_types_defaults_and_descriptions(file: str) -> None:
    kinds = {"string": str, "boolean": bool, "number": int}
    inputs = REUSABLE[file]["on"]["workflow_call"]["inputs"]
    for name, default in OWN[file].items():
        assert inputs[name]["default"] == default
        assert type(default) is kinds[inputs[name]["type"]]
    assert all(one["description"] and one["type"] in kinds for one in inputs.values())


@pytest.mark.parametrize(("file", "name"), of(*generator.LEFT_OUT))
def test_an_option_has_its_own_type_and_words(file: str, name: str) -> None:
    one = REUSABLE[file]["on"]["workflow_call"]["inputs"][name]
    field = Options.model_fields[name.replace("-", "_")]
    kind = "boolean" if field.annotation is bool else "number" if "int" in str(field.annotation) else "string"
    assert one["type"] == kind
    assert one["default"] == {
        "boolean": field.default,
        "number": field.default if field.default is not None else -1,
    }.get(kind, "")
    if flag_of(field_name := name.replace("-", "_")).action:
        words = (Options.model_fields[field_name].description or "").partition(";")[0].partition(" ")[2]
        assert words in one["description"]


@pytest.mark.parametrize("file", ["pipeline.yml", "distributed.yml"])
def test_the_action_is_given_every_option(file: str) -> None:
    [step] = [
        one for _, _, job in JOBS if job in REUSABLE[file]["jobs"].values() for one in steps_of(job)
        if one.get("uses") == "org/ci-buildkit@v1"
    ]  # fmt: skip
    missing = set(generator.names(file)) - set(step["with"]) - {"runner"}
    assert missing <= {"immutable-tags", "sign"} if file == "distributed.yml" else not missing
    assert set(step["with"]) <= set(ACTION["inputs"])


def test_the_release_passes_everything_on_that_the_pipeline_takes() -> None:
    job = REUSABLE["release.yml"]["jobs"]["pipeline"]
    called = REUSABLE["pipeline.yml"]["on"]["workflow_call"]
    assert set(job["with"]) <= set(called["inputs"])
    assert set(job["secrets"]) <= set(called["secrets"])
    passed = {name for name, value in job["with"].items() if value == f"${{{{ inputs.{name} }}}}"}
    assert passed == set(job["with"]) - {"push"}


@pytest.mark.parametrize("file", list(generator.LEFT_OUT))
def test_outputs_are_those_of_the_action_and_described(file: str) -> None:
    outputs = REUSABLE[file]["on"]["workflow_call"]["outputs"]
    assert set(ACTION["outputs"]) - {"report-dir"} <= set(outputs)
    jobs = REUSABLE[file]["jobs"]
    for one in outputs.values():
        assert one["description"]
        for job, name in re.findall(r"jobs\.([\w-]+)\.outputs\.([\w-]+)", one["value"]):
            called = jobs[job].get("uses", "")
            own = jobs[job].get("outputs", {})
            assert name in (REUSABLE["pipeline.yml"]["on"]["workflow_call"]["outputs"] if called else own)


@pytest.mark.parametrize("file", list(REUSABLE))
def test_secrets_are_named_and_described(file: str) -> None:
    for one in (REUSABLE[file]["on"]["workflow_call"].get("secrets") or {}).values():
        assert one["description"]
        assert not one.get("required")


# Jobs whose needs depend on inputs: they have what the caller grants, and GitHub refuses to give more than that.
OF_THE_CALLER = {("pipeline.yml", "pipeline"), ("distributed.yml", "leg"), ("distributed.yml", "verdict")}
RIGHTS = {
    ("pipeline.yml", "plan"): {"contents": "read"},
    ("pipeline.yml", "verdict"): {},
    ("distributed.yml", "plan"): {"contents": "read"},
    ("release.yml", "pipeline"): {"contents": "read", "packages": "write", "id-token": "write"},
    ("release.yml", "attest"): {"id-token": "write", "attestations": "write"},
    ("release.yml", "release"): {"contents": "write"},
    ("pull-request-report.yml", "report"): {"actions": "read", "checks": "write", "pull-requests": "write"},
}


@pytest.mark.parametrize(("file", "name", "job"), [one for one in JOBS if one[0] in REUSABLE])
def test_a_job_has_the_rights_that_it_needs_and_no_others(file: str, name: str, job: dict[str, Any]) -> None:
    if (file, name) in OF_THE_CALLER:
        assert "permissions" not in job
        assert "permissions" not in REUSABLE[file], "it would take what the caller grants"
    else:
        assert job["permissions"] == RIGHTS[file, name]


@pytest.mark.parametrize(("file", "name", "job"), [one for one in JOBS if one[0] not in REUSABLE])
def test_own_workflows_grant_job_by_job(file: str, name: str, job: dict[str, Any]) -> None:
    assert WORKFLOWS[file]["permissions"] == {}
    assert "permissions" in job, f"{file}: {name}"


@pytest.mark.parametrize("file", list(WORKFLOWS))
def test_runs_do_not_pile_up_and_end(file: str) -> None:
    assert {"group", "cancel-in-progress"} <= WORKFLOWS[file]["concurrency"].keys()
    for job in WORKFLOWS[file]["jobs"].values():
        assert "uses" in job or "timeout-minutes" in job


def test_the_groups_of_reusable_workflows_are_not_their_callers() -> None:
    # github.workflow is the caller's, so a group that is that alone would cancel the caller.
    groups = [one["concurrency"]["group"] for one in REUSABLE.values()]
    assert len({group.partition("${{")[0] for group in groups}) == len(groups)
    assert all(group.startswith("ci-buildkit-") and "inputs.artifact-name" in group for group in groups)


def uses() -> list[tuple[str, str]]:
    """Everything that is used, with its comment."""
    found = []
    for path in [*FOLDER.glob("*.yml"), *ROOT.glob("actions/*/action.yml"), ROOT / "action.yml"]:
        found += [
            (path.name, one) for one in re.findall(r"(?m)^\s*(?:- )?uses: (.+)$", path.read_text(encoding="utf-8"))
        ]
    return found


@pytest.mark.parametrize(("file", "used"), sorted(set(uses())))
def test_what_is_used_is_pinned_to_a_commit_or_is_this_repository(file: str, used: str) -> None:
    if file in REUSABLE and re.fullmatch(r"org/ci-buildkit[\w./-]*@v1", used):
        path = used.partition("@")[0].removeprefix("org/ci-buildkit").strip("/")
        assert (ROOT / path).is_file() if path.endswith(".yml") else (ROOT / path / "action.yml").is_file()
    elif file not in REUSABLE and used.startswith("./"):
        assert (ROOT / used / "action.yml").is_file() or (ROOT / used).is_file()
    else:
        # act and actionlint know no `$/`, and `./` of a called workflow is a folder of the caller's.
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", used)


def test_one_action_has_one_commit() -> None:
    pins: dict[str, set[str]] = {}
    for _, used in uses():
        if "#" in used:
            repository = "/".join(used.partition("@")[0].split("/")[:2])
            pins.setdefault(repository, set()).add(used.partition("@")[2])
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}


def every_step() -> list[tuple[str, dict[str, Any]]]:
    jobs = [(file, step) for file, _, job in JOBS for step in steps_of(job)]
    return jobs + [(name, step) for name, part in PARTS.items() for step in part["runs"]["steps"]]


@pytest.mark.parametrize(("file", "step"), every_step())
def test_a_step_has_a_name_and_no_expression_in_its_shell_text(file: str, step: dict[str, Any]) -> None:
    assert step["name"], file
    assert "${{" not in step.get("run", "")
    assert len(step.get("run", "").splitlines()) <= 10
    if "actions/checkout@" in step.get("uses", ""):
        assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", list(PARTS))
def test_a_part_is_thin(name: str) -> None:
    part = PARTS[name]
    assert len(part["description"]) <= 125
    boot, *steps = part["runs"]["steps"]
    assert boot["run"] == 'sh "$GITHUB_ACTION_PATH/../../action/boot.sh"'
    scripts = [re.findall(r"action/(\w+)\.py", step.get("run", "")) for step in steps]
    found = [script for one in scripts for script in one]
    assert name in found
    assert all((ROOT / "action" / f"{script}.py").is_file() for script in found)
    ids = [step["id"] for step in part["runs"]["steps"]]
    assert len(set(ids)) == len(ids)
    used = set(re.findall(r"inputs\.([\w-]+)", json.dumps(part["runs"])))
    assert used == set(part["inputs"]), "an input that nothing uses, or one that is not declared"
    for output in part.get("outputs", {}).values():
        [source] = re.findall(r"steps\.([\w-]+)\.outputs", output["value"])
        assert source in ids


@pytest.mark.parametrize(
    ("file", "step"), [one for one in every_step() if "org/ci-buildkit/actions/" in one[1].get("uses", "")]
)
def test_workflows_give_parts_only_what_they_take(file: str, step: dict[str, Any]) -> None:
    part = PARTS[step["uses"].split("/")[3].partition("@")[0]]
    assert set(step["with"]) <= set(part["inputs"])
    required = {name for name, one in part["inputs"].items() if one.get("required")}
    assert required <= set(step["with"])


def test_a_verdict_looks_at_every_job() -> None:
    for file in ("pipeline.yml", "distributed.yml"):
        jobs = REUSABLE[file]["jobs"]
        verdict = jobs["verdict"]
        assert "always()" in verdict["if"]
        assert set(verdict["needs"]) == set(jobs) - {"verdict"}
        assert [step["with"]["needs"] for step in steps_of(verdict) if "needs" in step.get("with", {})] == [
            "${{ toJSON(needs) }}"
        ]


def test_a_release_waits_for_its_attestation() -> None:
    # A job that ran out of time is cancelled while the workflow is not, so it is not enough that none has failed.
    jobs = REUSABLE["release.yml"]["jobs"]
    assert "(needs.attest.result == 'success' || !inputs.attest)" in jobs["release"]["if"]
    for name in ("attest", "release"):
        assert "!cancelled() && needs.pipeline.result == 'success'" in jobs[name]["if"]


def test_runs_of_two_workflows_do_not_take_each_others_place_in_the_report() -> None:
    assert "github.event.workflow_run.workflow_id" in REUSABLE["pull-request-report.yml"]["concurrency"]["group"]
