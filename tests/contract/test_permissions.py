"""No job may do more than it needs: what each needs is worked out from its steps, with the reason for everything that writes.

The workflows of this repository, the templates, what `ci-buildkit init` writes, and the workflows in pages. The doctor, which
tells users the same, is asked about them too. GitHub's own word for what a request needs is "Permissions required for GitHub
Apps" of its REST documentation; a server here keeps to that table.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.scripts import script
from tests.workflow_templates import NAMES, instance

from ci_buildkit.doctor import workflows as doctor
from ci_buildkit.doctor.permissions import LEVELS
from ci_buildkit.scaffold.look import Look
from ci_buildkit.scaffold.workflow import text as scaffolded

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
# Everything that writes, and why a job may.
WHY = {
    "checks": "publish: check makes a check run",
    "pull-requests": "publish: comment writes one on the pull request",
    "contents": "publish: release makes a release; a release of our own moves the tag v1",
    "packages": "a push to ghcr.io with the workflow's own token",
    "id-token": "an identity that signs (actions/attest, cosign without a key), or that PyPI trusts",
    "attestations": "actions/attest stores a provenance",
    "security-events": "CodeQL stores what it finds",
}
# Actions that take nothing of the token, by name.
NOTHING = {
    "actions/cache", "actions/download-artifact", "actions/github-script", "actions/setup-python", "actions/upload-artifact",
    "docker/bake-action", "docker/build-push-action", "docker/metadata-action", "docker/setup-buildx-action",
    "docker/setup-qemu-action", "github/codeql-action/init", "sigstore/cosign-installer",
}  # fmt: skip
OF_ACTIONS = {
    "actions/checkout": {"contents": "read"},
    "actions/attest": {"id-token": "write", "attestations": "write"},
    "github/codeql-action/analyze": {"security-events": "write"},
    "pypa/gh-action-pypi-publish": {"id-token": "write"},
}
OF_WORDS = {"check": {"checks": "write"}, "comment": {"pull-requests": "write"}, "release": {"contents": "write"}}
# Called workflows that pass on what their caller's inputs may ask for, which nothing else says to GitHub.
BY_INPUTS = {
    ("release.yml", "pipeline"): {"packages": "write", "id-token": "write"},
    ("pull-request-report.yml", "report"): {"checks": "write", "pull-requests": "write"},
}

Scopes = dict[str, str]


pages, page_code, init = script("pages"), script("page_code"), script("init_workflows")


def load(text: str) -> dict[str, Any]:
    """A workflow; every scalar is text, so that the key `on` is, too."""
    return dict(yaml.load(text, yaml.BaseLoader))


OURS = {path.name: load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yml"))}
TEMPLATES = {name: instance(name) for name in NAMES}
SCAFFOLDED = {
    f"init {wish.image or 'without image'}, {wish.action}, {len(folders)} of {folders[0]}": scaffolded(
        Look(), wish, folders
    )
    for wish, folders in itertools.product(init.WISHES, init.FOLDERS)
}


def in_pages() -> dict[str, str]:
    """The whole workflows in pages, by place."""
    found = {}
    for page in pages.documents(ROOT):
        for block in pages.blocks(page, "yaml"):
            if "file" not in block.notes and "jobs" in (content := yaml.safe_load(block.text) or {}):
                found[block.place] = page_code.whole_workflow(block.text, content)
    return found


def widest(*several: Mapping[str, str]) -> Scopes:
    """Of each scope the most that is asked for."""
    found: Scopes = {}
    for scope, level in itertools.chain.from_iterable(one.items() for one in several):
        found[scope] = max(level, found.get(scope, "none"), key=lambda level: LEVELS[level])
    return found


def needed(file: str, name: str, job: Mapping[str, Any]) -> Scopes:
    """What a job needs of its token, by what it uses, runs and is given."""
    parts = [BY_INPUTS.get((file, name), {})]
    if "uses" in job:
        parts.append(of_called(job))
    for step in job.get("steps", ()):
        parts += [of_action(step) if "uses" in step else of_script(step["run"])]
    return widest(*parts)


def of_called(job: Mapping[str, Any]) -> Scopes:
    """What a called workflow needs: what its jobs say, and those that say nothing by what it is given."""
    called = OURS[re.sub(r"@.*", "", job["uses"]).rpartition("/")[2]]
    own = [one["permissions"] for one in called["jobs"].values() if "permissions" in one]
    return widest(*own, of_pipeline(job.get("with", {}), job.get("secrets", {})))


def of_action(step: Mapping[str, Any]) -> Scopes:
    """What a step that uses an action needs. An action that nobody has thought of is an error."""
    name, given = step["uses"].partition("@")[0], step.get("with", {})
    if name == "actions/download-artifact" and "run-id" in given:
        return {"actions": "read"}
    if name.startswith(("./", "org/ci-buildkit")):
        return of_pipeline(given, step.get("env", {}))
    if name == "docker/login-action":
        own = "github.token" in given["password"] and given["registry"] == "ghcr.io"
        return {"packages": "write"} if own else {}
    return {} if name in NOTHING else OF_ACTIONS[name]


def of_pipeline(given: Mapping[str, str], secret: Mapping[str, str]) -> Scopes:
    """What the inputs of ci-buildkit ask for; by default nothing at all."""
    words = re.findall(r"\w+", given.get("publish", "")) if "${{" not in given.get("publish", "") else []
    found = [OF_WORDS[word] for word in words]
    own = any("github.token" in value or "secrets.GITHUB_TOKEN" in value for value in secret.values())
    if (
        given.get("push", given.get("push-by-digest", "false")) != "false"
        and "ghcr.io" in given.get("login", "")
        and own
    ):
        found.append({"packages": "write"})
    if given.get("sign", "").startswith("keyless"):
        found.append({"id-token": "write"})
    return widest(*found)


def of_script(text: str) -> Scopes:
    """What a script needs: only `gh`, which gets a token, does anything on GitHub."""
    return {"contents": "write"} if re.search(r"gh api --method (PATCH|POST) \S+/git/refs", text) else {}


def jobs(files: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, str, dict[str, Any], Scopes | None]]:
    """Each job with what it may do; None where that is its caller's."""
    for file, workflow in files.items():
        for name, job in workflow["jobs"].items():
            yield file, name, job, job.get("permissions", workflow.get("permissions"))


MADE = [
    *jobs(OURS),
    *jobs({f"workflow-templates/{name}": load(text) for name, text in TEMPLATES.items()}),
    *jobs({name: load(text) for name, text in SCAFFOLDED.items()}),
]


@pytest.mark.parametrize(("file", "name", "job", "granted"), MADE)
def test_a_job_may_do_what_it_needs_and_nothing_else(
    file: str, name: str, job: dict[str, Any], granted: Scopes | None
) -> None:
    wanted = needed(file, name, job)
    if granted is None:
        # What it needs is up to the inputs, which are its caller's: `permissions` of its own would be too little or too much.
        assert set(OURS[file]["on"]) == {"workflow_call"}
        assert wanted == {"contents": "read"}
        assert any("${{ inputs." in str(step.get("with")) for step in job["steps"])
    else:
        assert granted == wanted
        assert {scope for scope, level in granted.items() if level == "write"} <= set(WHY)


def test_the_threat_model_names_all_that_a_users_job_may_need() -> None:
    page = (ROOT / "docs" / "explanation" / "threat-model.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([\w-]+): write` \|", page.partition("\n## What a job may do\n")[2], re.MULTILINE)
    assert set(told) == set(WHY) - {"security-events"}, "CodeQL's is this repository's own"


def test_every_reason_is_of_a_job() -> None:
    written = {scope for *_, granted in MADE for scope, level in (granted or {}).items() if level == "write"}
    assert written == set(WHY)


@pytest.mark.parametrize(("place", "text"), in_pages().items())
def test_no_page_shows_a_job_that_may_do_more(place: str, text: str) -> None:
    for _, name, job, granted in jobs({place: load(text)}):
        # What a sentence beside the block may say: that the job checks out, or logs in at ghcr.io.
        around = {"contents": "read", **({"packages": "write"} if "ghcr.io" in text else {})}
        wanted = widest(around, needed(place, name, job))
        assert granted is None or all(
            LEVELS[level] <= LEVELS[wanted.get(scope, "none")] for scope, level in granted.items()
        )


def test_the_action_has_the_token_where_it_publishes_and_nowhere_else() -> None:
    for path in (ROOT / "action.yml", *ROOT.glob("actions/*/action.yml")):
        action = load(path.read_text(encoding="utf-8"))
        for step in action["runs"]["steps"]:
            has_it = re.search(r"github\.token|inputs\.github-token|secrets\.", yaml.safe_dump(step))
            assert bool(has_it) == (step.get("id") == "publish"), f"{path}: {step['name']}"
            used = step.get("uses", "").partition("@")[0]
            assert not used or used in NOTHING
        [publish] = [step for step in action["runs"]["steps"] if step.get("id") == "publish"] or [None]
        if path.parent == ROOT:
            assert publish["if"].startswith("${{ always() && inputs.publish != ''")
            assert action["inputs"]["publish"]["default"] == ""


def told(folder: Path, text: str) -> list[str]:
    """The rules on permissions that a workflow breaks, as the doctor says."""
    file = folder / ".github" / "workflows" / "ci.yml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return [one.rule for one in doctor.examine(folder) if "permission" in one.rule]


# One of a kind: what is wished beside this is no matter of permissions.
KINDS = {
    load(text)["jobs"].popitem()[1].get("uses", "") + str(next(jobs({"": load(text)}))[3]): text
    for text in SCAFFOLDED.values()
}


@pytest.mark.parametrize(("name", "text"), [*TEMPLATES.items(), *KINDS.items()])
def test_the_doctor_knows_the_same_minimum(name: str, text: str, tmp_path: Path) -> None:
    assert told(tmp_path, text) == []
    [(_, _, _, granted)] = jobs({name: load(text)})
    assert granted
    for scope in granted:
        less = (
            re.sub(rf"(?m)^      {scope}: .*\n", "", text)
            if len(granted) > 1
            else text.replace(f"{scope}: read", f"{scope}: none")
        )
        assert less != text
        assert told(tmp_path, less) == ["missing-permission"], scope
    if "    uses: " not in text:  # of a called workflow nobody knows what else it needs
        more = re.sub(r"(?m)^(      )contents: read$", r"\1contents: read\n\1issues: write", text)
        assert told(tmp_path, more) == ["unneeded-permission"]
