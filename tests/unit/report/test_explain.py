"""First causes of steps that ran, from records of two runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from ci_buildkit.plan import sources
from ci_buildkit.record import (
    BuilderRecord,
    BuildRecord,
    ContextRecord,
    DockerfileRecord,
    InputsRecord,
    RunRecord,
    StageRecord,
    StepRecord,
    VersionRecord,
)
from ci_buildkit.report.explain import Explained, explain

DOCKERFILE = """
ARG GO=1
FROM golang:$GO AS base
ARG VERSION
WORKDIR /src
COPY . .
RUN go mod download
ENV A=1
RUN go build $VERSION
FROM base AS lint
RUN lint
FROM base AS test
RUN --mount=type=bind,source=data,target=/d test
"""
FROM = "FROM docker.io/library/golang:1@sha256:{}"
# Steps with the places of their parents.
STEPS: Mapping[str, tuple[int, ...]] = {
    "[internal] load build context": (),
    "[base 1/5] FROM docker.io/library/golang:1@sha256:aa": (),
    "[base 2/5] WORKDIR /src": (1,),
    "[base 3/5] COPY . .": (2, 0),
    "[base 4/5] RUN go mod download": (3,),
    "[base 5/5] RUN go build": (4,),
    "[lint 1/1] RUN lint": (5,),
}
TEST: Mapping[str, tuple[int, ...]] = {
    **dict(list(STEPS.items())[:6]),
    "[test 1/1] RUN --mount=type=bind,source=data,target=/d test": (5, 0),
}
FILES = {"go.mod": "1:644", "go.sum": "1:644", "main.go": "1:644", "data/x": "1:644"}
SECONDS = 2.0


@dataclass(frozen=True)
class Made:
    """What a record is made of; `ran` are the beginnings of instructions that were not in the cache."""

    ran: tuple[str, ...] = ()
    dockerfile: str = DOCKERFILE
    files: Mapping[str, str] = field(default_factory=lambda: FILES)
    args: Mapping[str, str] = field(default_factory=dict)
    stages: Mapping[str, Mapping[str, tuple[int, ...]]] = field(default_factory=lambda: {"lint": STEPS, "test": TEST})
    errors: Mapping[str, str] = field(default_factory=dict)
    no_cache: bool = False
    no_cache_stages: tuple[str, ...] = ()
    attempts: int = 1
    builder: str = "b"
    buildkit: str = "v1"
    complete: bool = True
    old: bool = False

    def step(self, name: str, parents: tuple[int, ...]) -> StepRecord:
        text = name.partition("] ")[2]
        ran = any(text.startswith(one) for one in self.ran)
        error = next((said for one, said in self.errors.items() if text.startswith(one)), None)
        return StepRecord(
            name=name, started=0, seconds=SECONDS if ran else 0.0, cached=not ran and "FROM" not in name, error=error,
            parents=None if self.old else parents, transferred=500 if "context" in name else 0,
        )  # fmt: skip

    def record(self) -> RunRecord:
        stages = tuple(
            StageRecord(
                name=name, kind="test", target=name, platforms=(), outcome="passed", attempts=self.attempts,
                timeline=tuple(self.step(*step) for step in steps.items()),
            )
            for name, steps in self.stages.items()
        )  # fmt: skip
        inputs = InputsRecord(
            contexts=(ContextRecord(path=".", files=dict(self.files), complete=self.complete),),
            dockerfiles=(DockerfileRecord(path="Dockerfile", stages=sources.read(self.dockerfile)),),
            builds=tuple(
                BuildRecord(
                    stage=name, dockerfile="Dockerfile", contexts={"": "."}, args=dict(self.args),
                    no_cache=self.no_cache, no_cache_stages=self.no_cache_stages,
                )
                for name in self.stages
            ),
        )  # fmt: skip
        return RunRecord(
            schema=1, outcome="passed", exit_code=0, started="2026-01-02T03:04:05.000Z", seconds=1, stages=stages,
            version=VersionRecord(value="v", revision="r", dirty=False, source="tag", source_date_epoch=0),
            builder=BuilderRecord(
                name=self.builder, driver="d", buildkit=self.buildkit, buildx="v", platforms=(), created=False
            ),
            inputs=InputsRecord() if self.old else inputs,
        )  # fmt: skip


BEFORE = Made()
ALL = ("COPY", "RUN go mod", "RUN go build", "RUN lint", "RUN --mount")


def found(now: Made, before: Made | None = BEFORE) -> list[Explained]:
    return list(explain(now.record(), before.record() if before else None).steps)


def one(now: Made, before: Made | None = BEFORE) -> Explained:
    [only] = found(now, before)
    return only


def told(explained: Iterable[Explained]) -> list[tuple[str, str, str]]:
    return [(step.step.partition("] ")[2], step.reason.cause, step.reason.detail) for step in explained]


def renamed(steps: Mapping[str, tuple[int, ...]], old: str, new: str) -> Mapping[str, Mapping[str, tuple[int, ...]]]:
    return {"lint": {name.replace(old, new): parents for name, parents in steps.items()}}


def test_nothing_ran() -> None:
    explanation = explain(Made().record(), BEFORE.record())
    assert explanation.steps == ()
    assert (explanation.total, explanation.ran) == (6, 0)


def test_a_changed_file_and_what_it_cost() -> None:
    step = one(Made(ALL, files={**FILES, "main.go": "2:644"}))
    assert told([step]) == [("COPY . .", "input", "main.go changed")]
    assert (step.stages, step.seconds, step.followed) == (("lint", "test"), SECONDS, 4)
    assert (step.lost_seconds, step.transferred) == (5 * SECONDS, 500)
    assert "copy go.mod and go.sum first" in step.advice
    assert "saved 2.0 s" in step.advice


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_no_advice_where_the_step_needs_the_file(file: str) -> None:
    assert one(Made(ALL, files={**FILES, file: "2:644"})).advice == ""


@pytest.mark.parametrize(
    ("files", "detail"),
    [
        ({**FILES, "b": "1:644"}, "b is new"),
        ({"go.mod": "1:644", "go.sum": "1:644", "data/x": "1:644"}, "main.go was removed"),
        ({**FILES, "go.mod": "1:600"}, "go.mod has other permissions (644 before, 600 now)"),
        ({**FILES, "go.mod": "2:644", "go.sum": "2:644"}, "go.mod and go.sum changed"),
        ({**FILES, "go.mod": "2:644", "b": "1:644"}, "b is new and go.mod changed"),
        ({**FILES, **{f"n{n}": "1:644" for n in range(9)}}, "n0, n1, n2 and 6 more files are new"),
        (dict.fromkeys(FILES, "2:644"), "data/x, go.mod, go.sum and 1 more file changed"),
    ],
)
def test_files(files: Mapping[str, str], detail: str) -> None:
    assert told([one(Made(ALL, files=files))]) == [("COPY . .", "input", detail)]


def test_a_mount_takes_its_source_alone() -> None:
    changed = {**FILES, "data/x": "2:644"}
    assert told([one(Made(("RUN --mount",), files=changed))])[0][1:] == ("input", "data/x changed")
    assert one(Made(("RUN --mount",), files={**FILES, "main.go": "2:644"})).reason.cause == "parent"


@pytest.mark.parametrize(
    ("copy", "file", "causes"),
    [
        ("COPY go.mod go.sum ./", "go.sum", "input"),
        ("COPY go.mod go.sum ./", "main.go", "pruned"),
        ("COPY data /d", "data/x", "input"),
        ("COPY dat /d", "data/x", "pruned"),
        ("COPY *.go ./", "main.go", "input"),
        ("COPY *.go ./", "data/x", "pruned"),
        ("COPY data/* /d", "data/x", "input"),
        ("COPY --exclude=*.go . .", "main.go", "pruned"),
        ("COPY $WHAT ./", "main.go", "input"),
        ("COPY --from=other . .", "main.go", "pruned"),
    ],
)
def test_what_a_copy_takes(copy: str, file: str, causes: str) -> None:
    made = Made(("COPY",), DOCKERFILE.replace("COPY . .", copy), stages=renamed(STEPS, "COPY . .", copy))
    now = replace(made, files={**FILES, file: "2:644"})
    assert one(now, made).reason.cause == causes


def test_folders_stand_for_their_files() -> None:
    folded = {"go.mod": "1:644", "data/": "1"}
    before = Made(files=folded)
    assert told([one(Made(ALL, files={**folded, "data/": "2"}), before)])[0][2] == "data/ changed"
    assert one(Made(("RUN --mount",), files={**folded, "data/": "2"}), before).reason.detail == "data/ changed"
    # One run told folders and the other files: nothing can be said of them.
    assert (
        one(Made(("COPY",), files=folded), Made(files={"go.mod": "1:644", "data/x": "1:644"})).reason.cause == "pruned"
    )


def test_arguments() -> None:
    step = one(Made(("RUN",), args={"VERSION": "b"}), Made(args={"VERSION": "a"}))
    assert told([step]) == [("RUN go mod download", "argument", "the build argument VERSION changed")]
    assert "ARG VERSION stands before `RUN go mod download`" in step.advice
    assert one(Made(("RUN go build", "RUN lint", "RUN --m"), args={"VERSION": "b"})).advice == ""
    assert one(Made(("RUN lint",), args={"OTHER": "b"})).reason.cause == "pruned"
    assert one(Made(("COPY",), args={"VERSION": "b"})).reason.cause == "pruned"


def test_a_folder_made_at_the_commits_time() -> None:
    step = one(Made(("WORKDIR", *ALL), args={"SOURCE_DATE_EPOCH": "2"}), Made(args={"SOURCE_DATE_EPOCH": "1"}))
    assert told([step]) == [("WORKDIR /src", "argument", "the build argument SOURCE_DATE_EPOCH changed")]


def test_an_argument_in_a_steps_name() -> None:
    before = Made(args={"VERSION": "a"}, stages=renamed(STEPS, "RUN go build", "RUN go build 1"))
    now = Made(
        ("RUN go build", "RUN lint"), args={"VERSION": "b"}, stages=renamed(STEPS, "RUN go build", "RUN go build 2")
    )
    assert told([one(now, before)]) == [("RUN go build 2", "argument", "the build argument VERSION changed")]


def test_base_images() -> None:
    ran = ("WORKDIR", *ALL)
    step = one(Made(ran, stages=renamed(STEPS, ":aa", ":bb")))
    detail = "docker.io/library/golang:1 is another image: sha256:aa before, sha256:bb now"
    assert told([step]) == [("WORKDIR /src", "base", detail)]
    other = one(Made(ran, DOCKERFILE.replace("golang:$GO", "golang:2"), stages=renamed(STEPS, "golang:1", "golang:2")))
    assert told([other])[0][1:] == ("base", "docker.io/library/golang:2 in place of docker.io/library/golang:1")
    argument = one(Made(ran, args={"GO": "2"}, stages=renamed(STEPS, "golang:1", "golang:2")))
    assert argument.reason.cause == "argument"
    assert argument.reason.detail.startswith("the build argument GO changed: docker.io/library/golang:2 in place")


@pytest.mark.parametrize(
    ("old", "new", "ran", "detail"),
    [
        ("RUN go mod download", "RUN go mod download -x", "RUN go mod", "the RUN line changed"),
        ("ENV A=1", "ENV A=2", "RUN go build", "the ENV line before it changed (line 8)"),
        ("ENV A=1", "USER me", "RUN go build", "the USER line before it changed (line 8)"),
        ("ENV A=1\n", "", "RUN go build", "the ENV line no longer stands before it"),
        ("ARG VERSION", "ARG VERSION=1", "RUN go mod", "the ARG line before it changed (line 4)"),
        ("ARG GO=1\nFROM golang:$GO AS base", "ARG VERSION=2\nFROM golang:1 AS base", "RUN go mod", "the ARG line before it changed (line 2)"),
        ("ARG VERSION", "ARG VERSION\nENV B=1", "RUN go mod", "the ENV line before it is new (line 5)"),
        ("FROM base AS lint", "FROM base AS check", "RUN lint", "the stage check is new"),
    ],
)  # fmt: skip
def test_lines(old: str, new: str, ran: str, detail: str) -> None:
    after = ("RUN go mod", "RUN go build", "RUN lint")
    steps = (
        renamed(STEPS, old, new)
        if old.startswith("RUN")
        else renamed(STEPS, "[lint ", f"[{new.rsplit(maxsplit=1)[-1]} " if "FROM" in old else "[lint ")
    )
    now = Made(after[after.index(ran) :], DOCKERFILE.replace(old, new), stages=steps)
    assert told([one(now)])[0][1:] == ("input", detail)


def test_what_an_env_does_to_a_copy() -> None:
    now = Made(("COPY",), DOCKERFILE.replace("ARG VERSION", "ARG VERSION\nENV B=1"))
    assert one(now).reason.cause == "pruned"


def test_several_reasons_are_all_told() -> None:
    now = Made(
        ALL,
        args={"X": "1"},
        files={**FILES, "main.go": "2:644"},
        dockerfile=DOCKERFILE.replace("COPY . .", "COPY ./ ."),
    )
    reason = one(replace(now, stages=renamed(STEPS, "COPY . .", "COPY ./ ."))).reason
    assert (reason.cause, reason.detail) == ("input", "the COPY line changed; main.go changed")


def test_a_parent_whose_new_result_was_in_the_cache() -> None:
    now = Made(("RUN lint",), files={**FILES, "main.go": "2:644"})
    assert told([one(now)]) == [
        ("RUN lint", "parent", "[base 3/5] COPY . .: main.go changed; that step itself was in the cache")
    ]


def test_pruned() -> None:
    assert told([one(Made(("RUN lint",)))])[0][1:] == (
        "pruned",
        "nothing it takes changed, but the cache no longer had it",
    )
    assert "builder c is not the one" in one(Made(("RUN lint",), builder="c")).reason.detail
    assert "from v1 to v2" in one(Made(("RUN lint",), buildkit="v2")).reason.detail
    assert "not all files" in one(Made(("RUN lint",), complete=False)).reason.detail


def test_on_purpose() -> None:
    assert told([one(Made(("WORKDIR", *ALL), no_cache=True, files={}))])[0][:2] == ("WORKDIR /src", "no-cache")
    assert one(Made(("RUN lint",), no_cache_stages=("lint",))).reason.cause == "no-cache"
    again = one(Made(("RUN lint",), attempts=2))
    assert (again.reason.cause, again.reason.detail) == ("no-cache", "it was run again on purpose, 2 times in all")
    changed = Made(("RUN --mount",), attempts=2, files={**FILES, "data/x": "2:644"})
    assert one(changed).reason.cause == "input"


def test_first_run() -> None:
    assert one(Made(("WORKDIR", *ALL)), None).reason.cause == "first-run"
    without = Made(stages={"test": TEST})
    assert told([one(Made(("RUN lint",)), without)])[0][1:] == ("first-run", "the earlier run had no such step")
    failed = Made(errors={"RUN lint": "exit code: 1"})
    assert one(Made(("RUN lint",)), failed).reason.cause == "first-run"
    fixed = Made(ALL, files={**FILES, "main.go": "2:644"})
    assert one(fixed, Made(errors={"COPY": "no space left"})).reason.cause == "input"


def test_something_fetched() -> None:
    add = "ADD https://example.com/x /x"
    name = f"[base 3/5] {add}"
    steps = {name if "COPY" in step else step: parents for step, parents in STEPS.items()}
    made = Made((), DOCKERFILE.replace("COPY . .", add), stages={"lint": steps})
    assert one(replace(made, ran=("ADD",)), made).reason.cause == "input"
    # The download itself has the step's name and never comes from the cache.
    record = made.record()
    source = StepRecord(name=name, started=0, seconds=1, parents=())
    stage = record.stages[0].model_copy(update={"timeline": (*record.stages[0].timeline, source)})
    assert explain(record.model_copy(update={"stages": (stage,)}), made.record()).ran == 0


def test_platforms_are_steps_of_their_own_and_copy_link_is_one() -> None:
    steps: Mapping[str, Sequence[int]] = {
        "[linux/amd64 1/2] FROM alpine@sha256:aa": (),
        "[internal] load build context": (),
        "[linux/amd64 2/2] COPY --link a b": (1,),
        "[linux/amd64 2/2] LINK COPY --link a b": (0, 2),
        "[linux/amd64->arm64 2/2] COPY --link a b": (1,),
    }
    stages = {"bin": {name: tuple(parents) for name, parents in steps.items()}}
    made = Made(("COPY", "LINK"), "FROM alpine\nCOPY --link a b\n", {"a": "2:644"}, stages=stages)
    explained = found(made, replace(made, ran=(), files={"a": "1:644"}))
    assert [step.step for step in explained] == [
        "[linux/amd64 2/2] COPY --link a b",
        "[linux/amd64->arm64 2/2] COPY --link a b",
    ]
    assert {step.reason.detail for step in explained} == {"a changed"}
    assert [step.followed for step in explained] == [0, 0]


def test_records_without_inputs() -> None:
    before = Made(old=True)
    assert {step.reason.cause for step in found(Made(ALL, old=True), before)} == {"pruned"}
    assert "does not tell" in one(Made(("RUN lint",), old=True), before).reason.detail
    changed = Made(("RUN go build", "RUN lint"), stages=renamed(STEPS, "go build", "go build -x"), old=True)
    causes = told(found(changed, before))
    assert ("RUN go build -x", "input", "the RUN line, or an argument in it, changed") in causes
    base = Made(("WORKDIR",), stages=renamed(STEPS, ":aa", ":bb"), old=True)
    assert one(base, before).reason.cause == "base"


@pytest.mark.parametrize(
    ("file", "advice"), [(".git/", "add .git to"), (".github/x.yml", "add .github to"), ("Dockerfile", "add Dockerfile to")]
)  # fmt: skip
def test_files_that_no_build_needs(file: str, advice: str) -> None:
    assert one(Made(ALL, files={**FILES, file: "2"})).advice.startswith(advice)
    assert "go.mod" in one(Made(ALL, files={**FILES, file: "2", "main.go": "2:644"})).advice


def test_a_package_manager_needs_no_file() -> None:
    lines = ("RUN go mod download", "RUN apk add git")
    now = Made(("COPY", "RUN"), DOCKERFILE.replace(*lines), {**FILES, "go.mod": "2:644"}, stages=renamed(STEPS, *lines))
    before = replace(now, ran=(), files=FILES)
    assert "needs no file of the context" in one(now, before).advice


def test_damaged_records_break_nothing() -> None:
    made = Made(("COPY",)).record()
    steps = tuple(step.model_copy(update={"parents": (99, -3, 0)}) for step in made.stages[0].timeline)
    stage = made.stages[0].model_copy(update={"timeline": steps})
    assert explain(made.model_copy(update={"stages": (stage,)}), BEFORE.record()).total == 5
