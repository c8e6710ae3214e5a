"""Names of steps as BuildKit 0.34 writes them."""

from __future__ import annotations

import pytest

from ci_buildkit.engine.progress import stage_of
from ci_buildkit.stepname import StepName, parse


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("[2/3] WORKDIR /a", StepName("", "", 2, 3, "WORKDIR /a")),
        ("[ 4/12] RUN a", StepName("", "", 4, 12, "RUN a")),
        ("[base  4/12] RUN a", StepName("", "base", 4, 12, "RUN a")),
        ("[linux/amd64 base_x 10/12] RUN a", StepName("linux/amd64", "base_x", 10, 12, "RUN a")),
        ("[linux/amd64->arm/v7 stage-1  1/10] COPY . .", StepName("linux/amd64->arm/v7", "1", 1, 10, "COPY . .")),
        ("[linux/arm64 2/3] RUN a", StepName("linux/arm64", "", 2, 3, "RUN a")),
        ("[b 3/8] LINK COPY --link a b", StepName("", "b", 3, 8, "COPY --link a b")),
        ("[b 3/8] ONBUILD RUN a", StepName("", "b", 3, 8, "RUN a")),
        ("[b 1/8] FROM docker.io/library/a@sha256:0", StepName("", "b", 1, 8, "FROM docker.io/library/a@sha256:0")),
        ("[b 2/8] RUN a\nb", StepName("", "b", 2, 8, "RUN a\nb")),
    ],
)
def test_steps(name: str, expected: StepName) -> None:
    assert parse(name) == expected
    assert stage_of(name) == expected.stage


@pytest.mark.parametrize(
    "name", ["[internal] load build context", "[context src] load from client", "FROM a@sha256:0", "exporting", "[x] 1/2", ""]
)  # fmt: skip
def test_other_names(name: str) -> None:
    assert parse(name) is None
    assert stage_of(name) == ""
