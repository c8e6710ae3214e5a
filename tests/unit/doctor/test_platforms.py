"""Stages that could cross-compile and are emulated instead."""

from __future__ import annotations

import pytest

from .conftest import Diagnose

CROSS = """FROM golang:1.26 AS base
FROM base AS build
ARG TARGETOS TARGETARCH
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /app .
FROM scratch AS binaries
COPY --from=build /app /
"""


def test_a_stage_that_compiles_for_another_platform_may_run_on_the_builders_own(diagnose: Diagnose) -> None:
    (one,) = diagnose(CROSS, "missing-build-platform")
    assert (one.line, one.severity, one.safe) == (1, "warning", True)
    assert one.fix == "FROM --platform=$BUILDPLATFORM golang:1.26 AS base"


@pytest.mark.parametrize(
    "run",
    [
        "RUN xx-go build -o /app .", "ENV GOARCH=$TARGETARCH\nRUN go build -o /app .", "RUN xx-cargo build --release",
        "RUN dotnet publish -a $TARGETARCH -o /app", "RUN cargo build --target=$TARGETARCH-linux",
    ],
)  # fmt: skip
def test_other_compilers_cross_too(diagnose: Diagnose, run: str) -> None:
    text = CROSS.replace("RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /app .", run)
    assert [one.severity for one in diagnose(text, "missing-build-platform")] == ["warning"]


def test_where_it_could_cross_compile_it_is_a_notice_without_a_fix(diagnose: Diagnose) -> None:
    (one,) = diagnose(CROSS.replace("GOOS=$TARGETOS GOARCH=$TARGETARCH ", ""), "missing-build-platform")
    assert (one.severity, one.fix, one.safe) == ("notice", None, False)


@pytest.mark.parametrize(
    "text",
    [
        CROSS.replace("FROM golang", "FROM --platform=$BUILDPLATFORM golang"),
        CROSS.replace("FROM golang", "FROM --platform=linux/amd64 golang"),
        # The image itself is of the platform that is asked for.
        "FROM golang:1.26\nARG TARGETARCH\nRUN GOARCH=$TARGETARCH go build -o /app .\n",
        CROSS + 'FROM base AS image\nCMD ["/app"]\n',
        CROSS + "FROM base AS dev\nRUN x\nFROM scratch\nCOPY --from=build /app /\n",
        # A file for the architecture is fetched, not compiled.
        "FROM alpine:3.22 AS x\nARG TARGETARCH\nRUN wget https://x/$TARGETARCH\nFROM scratch\nCOPY --from=x /a /\n",
        CROSS.replace("GOOS=$TARGETOS GOARCH=$TARGETARCH ", "CGO_ENABLED=1 "),
        # A tool that only this build uses.
        "FROM golang:1.26 AS gen\nRUN go build -o /gen .\nRUN /gen\nFROM scratch\nCOPY --from=gen /docs /\n",
        CROSS.replace(
            "FROM golang:1.26 AS base", "FROM --platform=$BUILDPLATFORM golang:1.26 AS base-a\nFROM base-$V AS base"
        ),
    ],
)
def test_nothing_is_said_where_it_would_be_wrong_or_gain_nothing(diagnose: Diagnose, text: str) -> None:
    assert diagnose(text, "missing-build-platform") == []
