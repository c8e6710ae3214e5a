"""The record of one run, written as `run.json`: the contract that reports, the action and users' scripts read.

The keys are public (schema 1). Times are RFC 3339 in UTC, durations seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, field_serializer

from ci_buildkit import jsontext
from ci_buildkit.findings.model import Finding
from ci_buildkit.problem import Problem
from ci_buildkit.results.model import Case, Evidence, Totals

SCHEMA = 1

Kind = Literal["lint", "test", "binaries", "image", "other"]
StageOutcome = Literal["passed", "failed", "error", "skipped", "cancelled"]
RunOutcome = Literal["passed", "failed", "error", "cancelled"]

CASE_KEYS = (
    "file",
    "format",
    "suite",
    "class_name",
    "name",
    "outcome",
    "seconds",
    "message",
    "path",
    "line",
    "attempts",
)
FAILED_KEYS = (*CASE_KEYS, "quarantined")


def outcome_of(exit_code: int) -> RunOutcome:
    """The outcome of a run that ends with this code: `failed` is for what was found, `error` for what broke."""
    outcomes: dict[int, RunOutcome] = {0: "passed", 1: "failed", 130: "cancelled"}
    return outcomes.get(exit_code, "error")


def case_json(case: Case) -> dict[str, Any]:
    """A case with the public keys only."""
    return {key: getattr(case, key) for key in CASE_KEYS}


def case_of(values: Mapping[str, Any]) -> Case:
    """The case that `case_json` made `values` of.

    Raises:
        ValueError: a key is missing or a value is of the wrong type.
    """
    own = {key: value for key, value in values.items() if key in Case.__struct_fields__}
    evidence = {key: value for key, value in values.items() if key in Evidence.__struct_fields__}
    return msgspec.structs.replace(msgspec.convert(own, Case), evidence=msgspec.convert(evidence, Evidence))


def _cases(values: Iterable[Case | Mapping[str, Any]]) -> tuple[Case, ...]:
    return tuple(value if isinstance(value, Case) else case_of(value) for value in values)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class VersionRecord(_Model):
    """The version that was stamped on everything. `source_date_epoch` is in seconds since 1970."""

    value: str
    revision: str
    dirty: bool
    source: Literal["tag", "describe", "input", "fallback"]
    source_date_epoch: int


class BuilderRecord(_Model):
    """The builder that ran the stages; `created` says whether this run made (and removed) it."""

    name: str
    driver: str
    buildkit: str
    buildx: str
    platforms: tuple[str, ...]
    created: bool


class StepRecord(_Model):
    """One BuildKit vertex. `started` is seconds after the run's start.

    `emulated` says that the step's platform is not one that the builder's machine executes natively. `parents` are the
    places in the timeline of the steps that it is made from (null where not known), `transferred` the bytes that it took
    from the client or a registry.
    """

    name: str
    started: float
    seconds: float
    cached: bool = False
    platform: str | None = None
    emulated: bool = False
    error: str | None = None
    parents: tuple[int, ...] | None = None
    transferred: int = 0


class EmulationRecord(_Model):
    """What running a foreign platform under QEMU cost: the seconds spent in its RUN steps."""

    platform: str
    seconds: float
    steps: int


class StageRecord(_Model):
    """One stage of the plan and how it ended.

    `results_from` says where a test stage's results came from: files of the export, files recovered from the failed
    RUN, or the step's own log; `findings_from` the same of a lint stage. `replayed` says that its test step came from
    the cache and did not run now. The `reason` of a stage that passed says what was let pass.
    """

    name: str
    kind: Kind
    target: str
    platforms: tuple[str, ...]
    outcome: StageOutcome
    reason: str | None = None
    seconds: float = 0.0
    started: float = 0.0
    steps: int = 0
    cached_steps: int = 0
    attempts: int = 1
    results_from: Literal["export", "recovered", "log"] | None = None
    findings_from: Literal["export", "recovered", "log"] | None = None
    replayed: bool = False
    emulated: tuple[EmulationRecord, ...] = ()
    timeline: tuple[StepRecord, ...] = ()


class TestsRecord(_Model):
    """Totals of all test stages, and the cases that failed or broke, those included that do not count.

    `quarantined` says why a failure does not count, "" where it does.
    """

    __test__ = False

    totals: Totals = Totals()
    failed: Annotated[tuple[Case, ...], PlainValidator(_cases)] = ()

    @field_serializer("failed")
    def _failed(self, cases: tuple[Case, ...]) -> list[dict[str, Any]]:
        return [{key: getattr(case, key) for key in FAILED_KEYS} for case in cases]

    @field_serializer("totals")
    def _totals(self, totals: Totals) -> dict[str, Any]:
        return asdict(totals)


class BinaryRecord(_Model):
    """One exported file. `path`, `archive` and `sbom` are relative to the report folder, `size` is in bytes.

    `linkage`, `stripped` and `version` are what the file itself says, None where it does not tell.
    """

    platform: str
    path: str
    size: int = Field(lt=2**63)
    sha256: str
    format: Literal["ELF", "Mach-O", "PE", "other"]
    archive: str
    linkage: Literal["static", "dynamic"] | None = None
    stripped: bool | None = None
    version: str | None = None
    sbom: str | None = None


class ManifestRecord(_Model):
    """The image of one platform as the registry holds it; `size` is in bytes, configuration and layers."""

    platform: str
    digest: str
    size: int = Field(lt=2**63)


class ImageRecord(_Model):
    """One image: `name` without tag, the digest of its manifest or index ("" where nothing was exported).

    `manifests` and `attestations` (`provenance`, `sbom`) are what the registry held after the push; `unchanged` says
    that it held the image before. `layout` is the folder of an image that was kept, relative to the report folder.
    """

    name: str
    tags: tuple[str, ...]
    digest: str
    platforms: tuple[str, ...]
    pushed: bool
    unchanged: bool = False
    manifests: tuple[ManifestRecord, ...] = ()
    attestations: tuple[str, ...] = ()
    signed: bool = False
    smoked: tuple[str, ...] = ()
    layout: str | None = None


class InstructionRecord(_Model):
    """One instruction of a Dockerfile. `hash` is of its text, `line` is 1-based.

    An ARG that takes its default from one before the first FROM has that one's line, and a hash of both.

    `names` are the arguments that an ARG declares, else the variables that it mentions. `takes` are the patterns of what
    it copies or mounts, by the name of the context that has it ("" for the main one); `!` stands before what is left out.
    """

    line: int
    keyword: str
    hash: str
    names: tuple[str, ...] = ()
    takes: dict[str, tuple[str, ...]] = {}


class DockerfileStageRecord(_Model):
    """One FROM and what follows; `base` is a stage or an image, lower case. What precedes the first has no name."""

    name: str
    base: str
    instructions: tuple[InstructionRecord, ...] = ()


class DockerfileRecord(_Model):
    """A Dockerfile, its path relative to the repository; `TARGET:inline` for one in a bake file, `TARGET:remote` for one
    that is not on this machine, which has no `stages`.
    """

    path: str
    stages: tuple[DockerfileStageRecord, ...] = ()


class ContextRecord(_Model):
    """A folder that builds read, relative to the repository: `HASH:MODE` of its files, of whole folders in large ones.

    `complete` says whether all files were looked at. `:FILE` follows the path where a Dockerfile's own ignore file
    decides which there are.
    """

    path: str
    files: dict[str, str] = {}
    complete: bool = True


class BuildRecord(_Model):
    """What a stage of the run was built with: file, contexts by name ("" is the main one), a short hash of each argument.

    `no_cache_stages` are the Dockerfile's stages that never take their result from the cache.
    """

    stage: str
    dockerfile: str
    contexts: dict[str, str] = {}
    args: dict[str, str] = {}
    no_cache: bool = False
    no_cache_stages: tuple[str, ...] = ()


class InputsRecord(_Model):
    """What the stages were built from, for `ci-buildkit explain`."""

    contexts: tuple[ContextRecord, ...] = ()
    dockerfiles: tuple[DockerfileRecord, ...] = ()
    builds: tuple[BuildRecord, ...] = ()


class CacheMountsRecord(_Model):
    """How many cache mounts `--persist-cache-mounts` put into the builder and kept; a kept one that is as before is none."""

    restored: int = 0
    restored_bytes: int = 0
    restored_seconds: float = 0.0
    saved: int = 0
    saved_bytes: int = 0
    saved_seconds: float = 0.0


class CriticalStepRecord(_Model):
    """One step of the critical path. `waited` is how long it could have begun but did not: for a core, or for a process."""

    stage: str
    step: str
    started: float
    seconds: float
    waited: float


class CriticalPathRecord(_Model):
    """The chain of steps that decided how long the run took.

    `parallelism` is how many steps ran at once on average while any did. `ideal_seconds` is how long the run would have
    taken had no step waited for a core, each step taking as long as it did.
    """

    steps: tuple[CriticalStepRecord, ...] = ()
    seconds: float
    waited_seconds: float
    parallelism: float
    ideal_seconds: float


class RunRecord(_Model):
    """The whole run. `known_findings` is how many findings the baseline lists, which `findings` does not have."""

    schema_version: int = Field(default=SCHEMA, alias="schema", serialization_alias="schema")
    outcome: RunOutcome
    exit_code: int
    started: str
    seconds: float
    version: VersionRecord
    builder: BuilderRecord
    stages: tuple[StageRecord, ...] = ()
    tests: TestsRecord = TestsRecord()
    findings: tuple[Finding, ...] = ()
    known_findings: int = 0
    binaries: tuple[BinaryRecord, ...] = ()
    images: tuple[ImageRecord, ...] = ()
    problems: tuple[Problem, ...] = ()
    inputs: InputsRecord = InputsRecord()
    cache_mounts: CacheMountsRecord = CacheMountsRecord()
    critical_path: CriticalPathRecord | None = None

    def to_json(self) -> str:
        """The text of `run.json`, indented, ending in a newline. Lone surrogates become U+FFFD, as in `jsontext`."""
        try:
            return self.model_dump_json(by_alias=True, indent=2) + "\n"
        except ValueError:
            return jsontext.dumps(self.model_dump(mode="json", by_alias=True), indent=True).decode()
