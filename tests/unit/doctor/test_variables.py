"""Variables that are empty, and the version that is stamped with them."""

from __future__ import annotations

import pytest

from .conftest import Diagnose

HEAD = "ARG FLAVOUR=plain\nARG APP_VERSION=dev\nFROM alpine:3.22 AS base\n"


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("RUN echo $FLAVOUR", "FLAVOUR"), ('RUN echo "${FLAVOUR}"', "FLAVOUR"), ("RUN echo ${FLAVOUR#p}", "FLAVOUR"),
        ("COPY $FLAVOUR /x", "FLAVOUR"), ("ENV A=$FLAVOUR", "FLAVOUR"), ("LABEL a=${FLAVOUR}", "FLAVOUR"), ("WORKDIR /$FLAVOUR", "FLAVOUR"),
        ("RUN GOARCH=$TARGETARCH go build", "TARGETARCH"), ("COPY x-${TARGETOS} /x", "TARGETOS"),
        ("RUN --mount=type=cache,target=/x,id=$TARGETPLATFORM y", "TARGETPLATFORM"), ("RUN <<EOF\necho $FLAVOUR\nEOF", "FLAVOUR"),
        ("RUN echo \"it's $FLAVOUR, isn't it\"", "FLAVOUR"),
    ],
)  # fmt: skip
def test_an_argument_that_the_stage_does_not_declare_is_empty(diagnose: Diagnose, line: str, name: str) -> None:
    (one,) = diagnose(f"{HEAD}{line}\n", "undeclared-variable")
    assert (one.line, one.severity, one.safe) == (4, "error", True)
    assert one.fix == f"ARG {name}\n{line.splitlines()[0]}"
    assert "it is empty" in one.message


@pytest.mark.parametrize(
    "lines",
    [
        "ARG FLAVOUR\nRUN echo $FLAVOUR", "ENV FLAVOUR=x\nRUN echo $FLAVOUR", "RUN echo '$FLAVOUR'", "RUN echo \\$FLAVOUR",
        "RUN FLAVOUR=x; echo $FLAVOUR", "RUN for FLAVOUR in a; do echo $FLAVOUR; done", "RUN read FLAVOUR; echo $FLAVOUR",
        "RUN echo ${FLAVOUR:-x}", "RUN echo ${FLAVOUR-}", "RUN echo ${FLAVOUR:+x}", "RUN echo $OTHER", 'RUN ["echo", "$FLAVOUR"]',
        "ARG TARGETARCH\nRUN echo $TARGETARCH", "CMD echo $FLAVOUR", "RUN export FLAVOUR=$(x) && echo $FLAVOUR",
        "ARG A FLAVOUR=b\nRUN echo $FLAVOUR", "RUN echo $HTTP_PROXY",
    ],
)  # fmt: skip
def test_what_has_a_value_or_needs_none_is_left_alone(diagnose: Diagnose, lines: str) -> None:
    assert diagnose(f"{HEAD}{lines}\n", "undeclared-variable") == []


def test_a_stage_has_what_the_stage_it_begins_with_declares(diagnose: Diagnose) -> None:
    text = f"{HEAD}ARG FLAVOUR\nFROM base AS next\nRUN echo $FLAVOUR\nFROM scratch\nCOPY $FLAVOUR /\n"
    assert [one.line for one in diagnose(text, "undeclared-variable")] == [8]


def test_a_stage_whose_base_a_variable_decides_may_have_it_from_any(diagnose: Diagnose) -> None:
    text = f"ARG V=a\n{HEAD}FROM base AS os-a\nARG FLAVOUR\nFROM base AS os-b\nFROM os-${{V}}\nRUN echo $FLAVOUR\n"
    assert diagnose(text, "undeclared-variable") == []


def test_one_that_is_declared_too_late_is_told_where(diagnose: Diagnose) -> None:
    (one,) = diagnose(f"{HEAD}RUN echo $FLAVOUR\nARG FLAVOUR\n", "undeclared-variable")
    assert "its ARG comes later, in line 5" in one.message


def test_each_is_told_once_a_stage(diagnose: Diagnose) -> None:
    text = f"{HEAD}RUN echo $FLAVOUR\nRUN echo $FLAVOUR\n"
    assert [one.line for one in diagnose(text, "undeclared-variable")] == [4]


@pytest.mark.parametrize(
    ("image", "name", "severities"),
    [
        ("node:22", "NODE_VERSION", []), ("node:22", "YARN_VERSION", []), ("eclipse-temurin:21", "JAVA_VERSION", []),
        ("alpine:3.22", "ALPINE_VERSION", ["error"]), ("node:22", "APP_VERSION", ["error"]),
        ("example.com/own/image:1", "APP_VERSION", ["warning"]), ("example.com/own/image:1", "OWN_VERSION", []), ("$IMAGE", "X", []),
    ],
)  # fmt: skip
def test_what_the_image_may_set_itself_is_no_error(
    diagnose: Diagnose, image: str, name: str, severities: list[str]
) -> None:
    text = f"ARG IMAGE=x\nARG {name}=1\nFROM {image}\nRUN echo ${name}\n"
    assert [one.severity for one in diagnose(text, "undeclared-variable")] == severities


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("RUN echo $FLAVOURS_OF_IT", None), ("RUN echo ${APP_VERSON}", "RUN echo ${APP_VERSION}"),
        ("RUN GOARCH=$TARGTARCH go build", "RUN GOARCH=$TARGETARCH go build"), ("RUN echo $app_verson", None),
        ("RUN APP_VERSON=1; echo $APP_VERSON", None),
    ],
)  # fmt: skip
def test_a_variable_that_nobody_sets_and_that_is_nearly_another_one(
    diagnose: Diagnose, line: str, fix: str | None
) -> None:
    found = diagnose(f"{HEAD}ARG APP_VERSION\n{line}\n", "misspelt-variable")
    assert [(one.line, one.fix) for one in found] == ([(5, fix)] if fix else [])


def test_from_sees_only_what_stands_before_the_first_from(diagnose: Diagnose) -> None:
    text = "ARG GO_VERSION=1\nFROM golang:${GO_VERSON}\nARG LATE=1\nFROM alpine:$LATE\nFROM alpine:${NONE:-3}\nFROM $TARGETARCH\n"
    first, second = diagnose(text, "undeclared-from")
    assert (first.line, first.fix, first.safe) == (2, "FROM golang:${GO_VERSION}", True)
    assert (second.line, second.fix) == (4, None)
    assert "the ARG in line 3 is inside a stage" in second.message


@pytest.mark.parametrize(
    "stamp",
    [
        '-ldflags "-X main.version=${RELEASE}"', "-ldflags=-X=main.version=$RELEASE", "-ldflags \"-s -w -X 'a.b/c.Version=$RELEASE'\"",
        '-ldflags "-X a.V=1 -X b/c.version=v$RELEASE"'.replace("=v$", "=$"),
    ],
)  # fmt: skip
def test_a_stamp_without_a_value_is_an_error(diagnose: Diagnose, stamp: str) -> None:
    text = f"FROM golang:1.26 AS build\nRUN go build {stamp} .\n"
    (one,) = diagnose(text, "empty-version")
    assert (one.line, one.severity, one.safe) == (2, "error", True)
    assert (one.fix or "").startswith("ARG RELEASE\nRUN go build")
    assert diagnose(text.replace("RUN", "ARG RELEASE\nRUN"), "empty-version") == []
    assert diagnose(text.replace("RUN ", "RUN RELEASE=1; "), "empty-version") == []


def test_a_stamp_of_an_argument_before_from_is_told_as_that(diagnose: Diagnose) -> None:
    found = diagnose('ARG APP_VERSION=1\nFROM golang:1.26\nRUN go build -ldflags "-X main.version=${APP_VERSION}" .\n')
    assert [one.rule for one in found if one.severity == "error"] == ["undeclared-variable"]


PROGRAM = 'FROM golang:1.26 AS build\nRUN go build -o /app .\nFROM scratch AS image\nCOPY --from=build /app /\nENTRYPOINT ["/app"]\n'


def test_a_program_without_any_version_is_noticed(diagnose: Diagnose) -> None:
    assert [(one.line, one.severity) for one in diagnose(PROGRAM, "no-version")] == [(2, "notice")]


def test_each_stage_that_stamps_nothing_is_noticed_by_itself(diagnose: Diagnose) -> None:
    other = PROGRAM.replace("build", "other").replace("image", "image2").replace("go other", "go build")
    stamped = PROGRAM.replace("RUN", "ARG VERSION\nRUN")
    assert [one.line for one in diagnose(stamped + other, "no-version")] == [8]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RUN", "ARG VERSION\nRUN"), ("go build", "go build -ldflags \"$(cat /flags)\""), ("go build", "git describe; go build"),
        ("go build", "make"), ("ENTRYPOINT", "LABEL x="), ("go build", "cargo build"),
    ],
)  # fmt: skip
def test_a_version_from_elsewhere_or_no_program_is_left_alone(diagnose: Diagnose, old: str, new: str) -> None:
    assert diagnose(PROGRAM.replace(old, new), "no-version") == []
