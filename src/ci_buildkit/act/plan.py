"""The jobs that are to run, and the workflow files that act is given for them. Pure.

act gets copies, for what it does with the originals is not what GitHub does (nektos/act 0.2.89, pkg/runner):

- A job's container is named after the workflow and the job, and one of that name is removed first: of two runs side by
  side each ends the other's. Here every job has a name of its own.
- `runs-on` is evaluated once for all legs of a matrix, by whichever comes first: a leg for macOS runs on Linux. Here legs
  that nothing can run are taken out.
- A workflow called by a called one is looked for in the caller's folder, and its jobs are named after their direct caller
  alone. Here each call has a copy of its own, found by act as a repository.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import yaml
from msgspec import Struct, field
from msgspec.structs import replace

from ci_buildkit.act import matrix, yamlnodes
from ci_buildkit.act.images import Images
from ci_buildkit.act.matrix import Leg
from ci_buildkit.act.workflow import Job, Use, Workflow
from ci_buildkit.errors import ConfigurationError

TOP = "workflows"  # the folder of the workflows that the event starts
CALLED = ".github/workflows"  # where act looks for called ones
OWNER, REF = "ci-buildkit", "act"  # of the repository that the copies are to act
DEEPEST = 10  # calls below each other (GitHub, "Reusing workflows")

# From `uses` of a job and the root of the repository that it stands in, to the workflow and its own root.
Find = Callable[[str, Path], tuple[Workflow, Path] | None]


class Planned(Struct, frozen=True):
    """A job of the run. `number` is its place in the plan, `parent` that of the job that calls its workflow.

    `legs` are those that act gets, None where only the run tells them; `left_out` those that no image can run. `opaque`
    says that it calls a workflow that only act can get.
    """

    number: int
    id: str
    file: str
    workflow: str
    job: Job
    parent: int | None
    needs: tuple[int, ...]
    legs: tuple[Leg, ...] | None
    left_out: tuple[Leg, ...]
    opaque: bool = False


class Plan(Struct, frozen=True):
    """What act is given: `files` by path below its folder, and the jobs in them. `token` is this run's alone."""

    token: str
    jobs: tuple[Planned, ...]
    files: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def repository(self) -> str:
        """What the folder of copies is called as a repository."""
        return f"{OWNER}/{self.token}@{REF}"

    @property
    def uses(self) -> tuple[Use, ...]:
        """The actions that steps of all jobs use."""
        return tuple(use for planned in self.jobs for use in planned.job.uses)

    def children(self, number: int) -> tuple[Planned, ...]:
        """The jobs of the workflow that a job calls."""
        return tuple(planned for planned in self.jobs if planned.parent == number)


class Selection(Struct, frozen=True):
    """What of the workflows is asked for: one job with those that it needs, legs of a matrix. Empty: everything."""

    job: str = ""
    matrix: tuple[tuple[str, str], ...] = ()

    def legs(self, legs: Iterable[Leg]) -> tuple[Leg, ...]:
        """The legs that have one of the values asked for under each key that they have (cmd: `act --matrix`)."""
        allowed: dict[str, set[str]] = {}
        for key, value in self.matrix:
            allowed.setdefault(key, set()).add(value)
        return tuple(
            leg
            for leg in legs
            if all(matrix.shown(value) in allowed.get(key, {matrix.shown(value)}) for key, value in leg.items())
        )


def make(
    workflows: Sequence[Workflow], top: Path, images: Images, find: Find, token: str, selection: Selection
) -> Plan:
    """The plan for workflows of the repository at `top`.

    Raises ConfigurationError for a job or a value of a matrix that is needed or asked for and does not exist, for a workflow
    or a matrix with nothing in it, and for calls without an end.
    """
    if empty := next((workflow.file for workflow in workflows if not workflow.jobs), ""):
        raise ConfigurationError(f"{empty} has no jobs")
    planner = _Planner(images, find, token, selection)
    if selection.job and not any(selection.job in workflow.jobs for workflow in workflows):
        known = [job for workflow in workflows for job in workflow.jobs]
        raise ConfigurationError(f"there is no job {selection.job!r}", hint=_nearest(selection.job, known))
    for workflow in workflows:
        jobs = _closure(workflow, selection.job) if selection.job else frozenset(workflow.jobs)
        if jobs:
            planner.add(workflow, top, f"{TOP}/{workflow.file.rpartition('/')[2]}", jobs)
    _check_values(selection, planner.jobs)
    return Plan(token, tuple(sorted(planner.jobs, key=lambda one: one.number)), planner.files, tuple(planner.notes))


def name_in_act(name: str, token: str, number: int) -> str:
    """The name that a job has in the copies: its own one first, for people who look at Docker."""
    return f"{name} {token}.{number}"


class _Planner(Struct):
    images: Images
    find: Find
    token: str
    selection: Selection
    jobs: list[Planned] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    count: int = 0

    def add(
        self,
        workflow: Workflow,
        root: Path,
        place: str,
        ids: Iterable[str],
        parent: Planned | None = None,
        depth: int = 0,
    ) -> None:
        """Plan the jobs of a workflow, and those of the workflows that it calls; put the copy at `place`."""
        if depth > DEEPEST:
            raise ConfigurationError(f"{workflow.file}: workflows call each other more than {DEEPEST} deep")
        _check_needs(workflow)
        chosen = [job for key, job in workflow.jobs.items() if key in ids]
        numbers = {job.id: number for number, job in enumerate(chosen, self.count)}
        self.count += len(chosen)
        node = copy.deepcopy(workflow.node)
        yamlnodes.put(node, "name", yamlnodes.text(workflow.name))
        written = yamlnodes.get(node, "jobs")
        if not isinstance(written, yaml.MappingNode):
            raise ConfigurationError(f"{workflow.file} has no jobs")
        written.value = [pair for pair in written.value if pair[0].value in numbers]
        for at, (key, value) in enumerate(written.value):
            own = copy.deepcopy(value)  # jobs may be aliases of each other
            written.value[at] = (key, own)
            job = workflow.jobs[key.value]
            planned = self._planned(workflow, job, numbers, parent)
            yamlnodes.put(own, "name", yamlnodes.text(name_in_act(job.name, self.token, planned.number)))
            if planned.legs and len(planned.legs) + len(planned.left_out) > 1:
                _list_legs(own, planned)
            if job.calls:
                planned = self._call(planned, own, root, depth)
            self.jobs.append(planned)
        self.files[place] = yamlnodes.write(node)

    def _planned(self, workflow: Workflow, job: Job, numbers: Mapping[str, int], parent: Planned | None) -> Planned:
        if job.legs == ():
            raise ConfigurationError(f"{workflow.file}: the matrix of {job.id} has no values, and GitHub refuses it")
        legs = None if job.legs is None else self.selection.legs(job.legs)
        left_out = (
            () if job.calls or job.has_container else tuple(leg for leg in legs or () if not self._runs(job, leg))
        )
        kept = None if legs is None else tuple(leg for leg in legs if leg not in left_out)
        self._tell(workflow, job, left_out, kept or ())
        return Planned(
            number=numbers[job.id],
            id=f"{parent.id}/{job.id}" if parent else job.id,
            file=workflow.file,
            workflow=workflow.name,
            job=job,
            parent=parent.number if parent else None,
            needs=tuple(numbers[need] for need in job.needs),
            legs=kept,
            left_out=left_out,
        )

    def _runs(self, job: Job, leg: Leg) -> bool:
        labels = job.labels_of(leg)
        return labels is None or bool(self.images.of(labels))

    def _tell(self, workflow: Workflow, job: Job, left_out: Sequence[Leg], kept: Sequence[Leg]) -> None:
        for missing in dict.fromkeys(job.labels_of(leg) or () for leg in left_out):
            shown = ", ".join(missing) or "nothing"
            hint = f"`--image {missing[-1]}=IMAGE` maps it" if missing else "`runs-on` is missing"
            self.notes.append(f"{workflow.file}: {job.id} runs on {shown}, for which there is no image here; {hint}")
        images = {self.images.of(labels) for leg in kept if (labels := job.labels_of(leg))}
        if len(images) > 1 and not (job.calls or job.has_container):
            self.notes.append(
                f"{workflow.file}: act runs all legs of {job.id} with the image of one: {', '.join(sorted(images))}"
            )

    def _call(self, planned: Planned, node: yaml.Node, root: Path, depth: int) -> Planned:
        found = self.find(planned.job.calls, root)
        assert isinstance(node, yaml.MappingNode)
        if found is None:
            return replace(planned, opaque=True)
        workflow, own = found
        file = f"{planned.number}/{workflow.file.rpartition('/')[2].partition('@')[0]}"
        self.add(workflow, own, f"{CALLED}/{file}", workflow.jobs, planned, depth + 1)
        yamlnodes.put(node, "uses", yamlnodes.text(f"{OWNER}/{self.token}/{CALLED}/{file}@{REF}"))
        return planned


def _list_legs(node: yaml.Node, planned: Planned) -> None:
    """Give the legs one by one: act counts those of lists in any order. Without those that are left out, on their labels."""
    assert isinstance(node, yaml.MappingNode)
    assert planned.legs
    strategy = yamlnodes.get(node, "strategy")
    assert isinstance(strategy, yaml.MappingNode)
    yamlnodes.put(strategy, "matrix", yamlnodes.node_of({"include": [dict(leg) for leg in planned.legs]}))
    if planned.left_out:
        labels = planned.job.labels_of(planned.legs[0]) or ()
        yamlnodes.put(node, "runs-on", yamlnodes.node_of(list(labels)))


def _check_values(selection: Selection, jobs: Sequence[Planned]) -> None:
    """Raise ConfigurationError for a value that no leg has: without its job the run could be green."""
    if any(one.job.legs is None for one in jobs):  # it may be among those
        return
    legs = [leg for one in jobs for leg in one.job.legs or ()]
    for key, value in selection.matrix:
        values = dict.fromkeys(matrix.shown(leg[key]) for leg in legs if key in leg)
        if value not in values:
            known = values or dict.fromkeys(key for leg in legs for key in leg)
            raise ConfigurationError(
                f"no matrix has the {'value' if values else 'key'} {key}:{value}",
                hint=_nearest(value if values else key, known),
            )


def _closure(workflow: Workflow, job: str) -> frozenset[str]:
    """A job and all that it needs."""
    found: set[str] = set()
    waiting = [job] if job in workflow.jobs else []
    while waiting:
        key = waiting.pop()
        if key not in found and key in workflow.jobs:
            found.add(key)
            waiting.extend(workflow.jobs[key].needs)
    return frozenset(found)


def _check_needs(workflow: Workflow) -> None:
    for job in workflow.jobs.values():
        for need in job.needs:
            if need not in workflow.jobs:
                hint = _nearest(need, workflow.jobs)
                raise ConfigurationError(f"{workflow.file}: {job.id} needs {need!r}, which is no job", hint=hint)
    left = dict(workflow.jobs)
    while ready := [key for key, job in left.items() if not any(need in left for need in job.needs)]:
        for key in ready:
            del left[key]
    if left:
        raise ConfigurationError(f"{workflow.file}: jobs that need each other never run: {', '.join(left)}")


def _nearest(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
