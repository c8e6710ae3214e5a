"""ci-buildkit as a workflow sees it: the inputs of the action and of the reusable workflows, and what those ask for.

An installed package has neither action.yml nor .github/workflows; a test compares this with both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from ci_buildkit.config.options import Options, flag_of, option_string
from ci_buildkit.config.yamlfile import ACTION_INPUTS
from ci_buildkit.doctor.workflow import Job, Step, Uses, Workflow
from ci_buildkit.doctor.workflowfile import Value

# The options that are inputs, by the names that inputs have.
OPTIONS: Mapping[str, str] = {option_string(name): name for name in Options.model_fields if flag_of(name).action}
INPUTS = frozenset({*OPTIONS, *ACTION_INPUTS})
FOLDER = ".github/workflows/"
RUNNER = ("runs-on", "timeout-minutes", "setup-qemu")


class Called(Struct, frozen=True):
    """A reusable workflow: its `own` inputs, beside the action's where it runs the `pipeline`, but for those that it is
    `without`; and the permissions that its jobs ask for: GitHub starts none of them where a caller grants less.
    """

    own: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    permissions: Mapping[str, str] = field(default_factory=dict)
    pipeline: bool = True

    @property
    def inputs(self) -> frozenset[str]:
        """All inputs."""
        return ((INPUTS if self.pipeline else frozenset()) | frozenset(self.own)) - frozenset(self.without)


WORKFLOWS: Mapping[str, Called] = {
    "pipeline.yml": Called(
        own=("projects", "shared-paths", "ignored-paths", "changed-since", *RUNNER),
        without=("github-token",),
        permissions={"contents": "read"},
    ),
    "distributed.yml": Called(
        own=("runner", *RUNNER),
        without=("builder", "driver", "github-token", "node", "oci-layout", "push-by-digest"),
        permissions={"contents": "read"},
    ),
    "pull-request-report.yml": Called(
        own=("artifact-name", "forks-only", "name", "publish", "runs-on"),
        permissions={"actions": "read", "checks": "write", "pull-requests": "write"},
        pipeline=False,
    ),
    "release.yml": Called(
        own=("attest", "draft", *RUNNER),
        without=("fail-on", "github-token", "no-cache", "publish", "push-by-digest", "stages", "upload-artifacts"),
        permissions={"contents": "write", "packages": "write", "id-token": "write", "attestations": "write"},
    ),
}


def called(uses: Uses | None) -> Called | None:
    """What a `uses:` of a job calls; None where it is no reusable workflow of ci-buildkit that is known."""
    return WORKFLOWS.get(uses.path.removeprefix(FOLDER)) if uses and uses.ours else None


class Use(Struct, frozen=True):
    """A place that uses ci-buildkit as a whole: a step with the action, or a job that calls a workflow (`called`)."""

    job: Job
    step: Step | None
    value: Value
    called: Called | None = None

    @property
    def name(self) -> str:
        """What it uses."""
        return self.job.called.path.rpartition("/")[2] if self.called and self.job.called else "ci-buildkit"

    @property
    def line(self) -> int:
        """The line of `uses:`."""
        found = self.value.of("uses")
        return found.line if found else self.value.line

    @property
    def known(self) -> frozenset[str]:
        """The inputs that it takes."""
        return self.called.inputs if self.called else INPUTS

    @property
    def given(self) -> Mapping[str, Value]:
        """The inputs that are set."""
        found = self.value.of("with")
        return found.entries if found else {}

    def input(self, name: str) -> str:
        """The text of an input; "" where it is not set."""
        return self.value.text_of("with", name).strip()


def uses_in(job: Job) -> Iterator[Use]:
    """Where a job uses ci-buildkit."""
    if (found := called(job.called)) is not None:
        yield Use(job, None, job.value, found)
    yield from (Use(job, step, step.value) for step in job.steps if step.is_pipeline)


def uses_of(workflow: Workflow) -> Iterator[Use]:
    """Where a workflow uses ci-buildkit."""
    for job in workflow.jobs:
        yield from uses_in(job)
