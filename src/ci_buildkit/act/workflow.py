"""What a workflow file says, as far as it tells which jobs are to run. Reads no file itself.

Syntax: GitHub's "Workflow syntax for GitHub Actions"; what act makes of it: nektos/act pkg/model/workflow.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from msgspec import Struct

from ci_buildkit.act import matrix, yamlnodes
from ci_buildkit.act.matrix import EXPRESSION, Leg

_STATUS = re.compile(r"\b(always|failure|cancelled)\s*\(")
_MATRIX = re.compile(r"\$\{\{\s*matrix((?:\.[\w-]+|\[\s*'[^']+'\s*\])+)\s*\}\}")
_KEY = re.compile(r"\.([\w-]+)|\[\s*'([^']+)'\s*\]")


class Use(Struct, frozen=True):
    """A `uses:` of a step, and what it is given."""

    name: str
    inputs: Mapping[str, str]


class Job(Struct, frozen=True):
    """A job as it is written. `legs` are those of its matrix, None where only a running job can tell them.

    `images` are those of its services and, where `has_container`, first of all that of its own container.
    """

    id: str
    name: str
    needs: tuple[str, ...]
    condition: str
    labels: tuple[str, ...]
    legs: tuple[Leg, ...] | None
    calls: str
    uses: tuple[Use, ...]
    services: tuple[str, ...]
    images: tuple[str, ...]
    has_container: bool

    @property
    def runs_after_failures(self) -> bool:
        """Whether its condition asks for the state of the jobs before it, so that it may run when they failed."""
        return bool(_STATUS.search(self.condition))

    def labels_of(self, leg: Leg) -> tuple[str, ...] | None:
        """The labels of `runs-on` for one leg of the matrix; None where an expression asks for something else."""
        found = tuple(_MATRIX.sub(lambda match: _value(match[1], leg), label) for label in self.labels)
        return None if any(EXPRESSION in label for label in found) else found


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow file. `events` are its triggers with what stands below them; `text` is the file, `node` its YAML."""

    file: str
    name: str
    events: Mapping[str, Any]
    jobs: Mapping[str, Job]
    text: str = field(repr=False)
    node: yaml.MappingNode = field(repr=False, compare=False)


def parse(text: str, file: str) -> Workflow:
    """The workflow that a file's text describes. Raises ConfigurationError where it is no YAML mapping."""
    node, content = yamlnodes.read(text, file)
    named = content.get("name")
    jobs = content.get("jobs")
    return Workflow(
        file=file,
        name=str(named) if named else file.rpartition("/")[2].partition("@")[0],
        events=_events(content.get("on")),
        jobs={str(key): _job(str(key), value) for key, value in jobs.items() if isinstance(value, dict)}
        if isinstance(jobs, dict)
        else {},
        text=text,
        node=node,
    )


def uses_of(steps: object) -> tuple[Use, ...]:
    """The `uses:` of a list of steps, of a job or a composite action."""
    found = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    return tuple(Use(str(step["uses"]), _texts(step.get("with"))) for step in found if step.get("uses"))


def _events(on: object) -> Mapping[str, Any]:
    if isinstance(on, dict):
        return {str(name): given for name, given in on.items()}
    return {str(name): None for name in (on if isinstance(on, list) else [on]) if name}


def _job(key: str, content: Mapping[str, Any]) -> Job:
    container = content.get("container")
    services = content.get("services")
    services = services if isinstance(services, dict) else {}
    places = [container, *services.values()]
    images = [place.get("image") if isinstance(place, dict) else place for place in places]
    strategy = content.get("strategy")
    return Job(
        id=key,
        name=str(content.get("name") or key),
        needs=_list(content.get("needs")),
        condition=matrix.shown(content.get("if")),
        labels=_labels(content.get("runs-on")),
        legs=matrix.legs(strategy.get("matrix")) if isinstance(strategy, dict) else ({},),
        calls=str(content.get("uses") or ""),
        uses=uses_of(content.get("steps")),
        services=tuple(str(name) for name in services),
        images=tuple(str(image) for image in images if image),
        has_container=bool(images[0]),
    )


def _labels(runs_on: object) -> tuple[str, ...]:
    if isinstance(runs_on, dict):
        return (*_list(runs_on.get("labels")), *_list(runs_on.get("group")))
    return _list(runs_on)


def _list(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in (value if isinstance(value, list) else [value]) if item is not None)


def _texts(value: object) -> dict[str, str]:
    return {str(name): str(given) for name, given in value.items()} if isinstance(value, dict) else {}


def _value(path: str, leg: Leg) -> str:
    found: Any = leg
    for match in _KEY.finditer(path):
        found = found.get(match[1] or match[2]) if isinstance(found, Mapping) else None
    return matrix.shown(found)
