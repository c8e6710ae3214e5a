"""A workflow file, or the file of a composite action, as far as the rules look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from msgspec import Struct

from ci_buildkit.doctor.shell import Command, commands
from ci_buildkit.doctor.workflowfile import Value, YamlFile

OURS = "ci-buildkit"  # the name of the repository, whoever owns it
SHA = re.compile(r"[0-9a-f]{40}", re.IGNORECASE)
COMMAND = re.compile(r"(?:uvx |pipx run )?ci[-_]buildkit ([a-z]+)\b.*", re.DOTALL)
EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
ENVIRONMENT = re.compile(r"\$\{\{\s*env\.([\w-]+)\s*\}\}")
# Conditions that leave nothing out while nothing has failed.
ALWAYS = frozenset({"", "always()", "!cancelled()", "success()", "success()||failure()", "failure()||success()"})


class Uses(Struct, frozen=True):
    """What `uses:` names. `kind` is `repository`, `local` (also `$/`) or `docker`; only the first has the other parts."""

    text: str
    kind: str
    repository: str = ""
    path: str = ""
    ref: str = ""

    @classmethod
    def parse(cls, text: str) -> Uses:
        """Read `OWNER/REPOSITORY[/PATH]@REF`, `./PATH`, `$/PATH` or `docker://IMAGE`."""
        if text.startswith(("./", "../", "$/")):
            return cls(text, "local")
        if text.startswith("docker://"):
            return cls(text, "docker")
        name, _, ref = text.partition("@")
        owner, _, rest = name.partition("/")
        repository, _, path = rest.partition("/")
        return cls(text, "repository", f"{owner}/{repository}", path, ref)

    @property
    def owner(self) -> str:
        """Whose repository it is, in lower case."""
        return self.repository.partition("/")[0].lower()

    @property
    def name(self) -> str:
        """Owner and repository in lower case: `actions/checkout`."""
        return self.repository.lower()

    @property
    def ours(self) -> bool:
        """Whether it is of ci-buildkit."""
        return self.name.endswith(f"/{OURS}")

    @property
    def is_sha(self) -> bool:
        """Whether the ref is a whole commit."""
        return SHA.fullmatch(self.ref) is not None


@dataclass(frozen=True)
class Step:
    """A step of a job."""

    value: Value

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.value.line

    @cached_property
    def uses(self) -> Uses | None:
        """The action that it uses."""
        text = self.value.text_of("uses").strip()
        return Uses.parse(text) if text else None

    @property
    def uses_line(self) -> int:
        """The line of `uses:`."""
        found = self.value.of("uses")
        return found.line if found else self.line

    def is_action(self, *names: str) -> bool:
        """Whether it uses one of these: `actions/checkout`."""
        return self.uses is not None and self.uses.kind == "repository" and self.uses.name in names

    @property
    def is_pipeline(self) -> bool:
        """Whether it is the action ci-buildkit itself, not one of its parts."""
        return self.uses is not None and self.uses.ours and not self.uses.path

    @property
    def inputs(self) -> Mapping[str, Value]:
        """What `with:` holds."""
        found = self.value.of("with")
        return found.entries if found else {}

    def input(self, name: str) -> str:
        """The text of an input; "" where it is not set."""
        return self.value.text_of("with", name).strip()

    @property
    def script(self) -> Value | None:
        """What `run:` holds."""
        return self.value.of("run")

    @cached_property
    def commands(self) -> tuple[Command, ...]:
        """The commands of `run:`; an expression in them is one word."""
        text = (self.script.text or "") if self.script else ""
        return commands(EXPRESSION.sub("EXPRESSION", text))

    @property
    def condition(self) -> str:
        """What `if:` says, without `${{ }}` and spaces."""
        return condition(self.value)

    def calls(self, verb: str) -> tuple[Command, ...]:
        """The commands of `run:` that are `ci-buildkit VERB`."""
        return tuple(one for one in self.commands if verb_of(one) == verb)

    @property
    def runs_pipeline(self) -> bool:
        """Whether it runs the pipeline, as the action or by its command."""
        return self.is_pipeline or bool(self.calls("run"))


@dataclass(frozen=True)
class Job:
    """A job of a workflow; also the steps of a composite action, which has neither runner nor permissions."""

    id: str
    value: Value

    @property
    def line(self) -> int:
        """Where it begins: its key."""
        return self.value.line

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Its steps in order."""
        found = self.value.of("steps")
        return tuple(Step(item) for item in found.items if item.entries) if found else ()

    @cached_property
    def called(self) -> Uses | None:
        """The reusable workflow that it is."""
        text = self.value.text_of("uses").strip()
        return Uses.parse(text) if text else None

    @property
    def condition(self) -> str:
        """What `if:` says, without `${{ }}` and spaces."""
        return condition(self.value)

    @property
    def matrix(self) -> Value | None:
        """The matrix."""
        return self.value.of("strategy", "matrix")

    @property
    def runs_pipeline(self) -> bool:
        """Whether ci-buildkit runs in it."""
        return any(step.runs_pipeline for step in self.steps) or (self.called is not None and self.called.ours)


@dataclass(frozen=True)
class Workflow:
    """A workflow; `composite` where it is an action of the repository instead. `root` is the file's own top."""

    file: YamlFile
    root: Value
    composite: bool = False

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """Its jobs in order."""
        if self.composite:
            runs = self.root.of("runs")
            return (Job("", runs),) if runs else ()
        found = self.root.of("jobs")
        return tuple(Job(name, value) for name, value in found.entries.items()) if found else ()

    @cached_property
    def events(self) -> Mapping[str, Value]:
        """What triggers it, by name."""
        found = self.root.of("on")
        if found is None:
            return {}
        return found.entries or {value.text or "": value for value in found.several}

    @property
    def steps(self) -> Iterator[tuple[Job, Step]]:
        """Every step with its job."""
        for job in self.jobs:
            for step in job.steps:
                yield job, step

    @property
    def used(self) -> Iterator[tuple[Uses, int]]:
        """Everything that `uses:` names, of steps and jobs, with its line."""
        for job in self.jobs:
            if job.called:
                found = job.value.of("uses")
                yield job.called, found.line if found else job.line
            yield from ((step.uses, step.uses_line) for step in job.steps if step.uses)

    def resolved(self, text: str, job: Job, step: Step | None = None) -> str:
        """A text with `${{ env.NAME }}` replaced where the file itself says what that is."""

        def value(match: re.Match[str]) -> str:
            places = (step.value if step else job.value, job.value, self.root)
            return next((found for place in places if (found := place.text_of("env", match[1]))), match[0])

        return ENVIRONMENT.sub(value, text)


def condition(value: Value) -> str:
    """A job's or step's `if:`, without `${{ }}` and spaces."""
    text = value.text_of("if").strip()
    if text.startswith("${{") and text.endswith("}}"):
        text = text[3:-2]
    return "".join(text.split())


def verb_of(command: Command) -> str:
    """The VERB of `ci-buildkit VERB`, also where `uv run` or `python -m` starts it; "" of another command."""
    match = COMMAND.fullmatch(command.plain)
    return match[1] if match else ""
