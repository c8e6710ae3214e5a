"""Misspelt instructions, flags and mounts."""

from __future__ import annotations

import pytest

from .conftest import Diagnose


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("RNU echo", "RUN echo"), ("COPPY a b", "COPY a b"), ("EVN A=1", "ENV A=1"), ("rnu echo", "run echo"),
        ("  WORKDRI /x", "  WORKDIR /x"), ("ENTRIPOINT [\"a\"]", "ENTRYPOINT [\"a\"]"), ("EXPOSED 80", "EXPOSE 80"),
    ],
)  # fmt: skip
def test_an_instruction_that_is_nearly_one_is_mended(diagnose: Diagnose, wrong: str, right: str) -> None:
    (one,) = diagnose(f"FROM alpine:3.22\n{wrong}\n", "unknown-instruction")
    assert (one.line, one.severity, one.fix, one.safe) == (2, "error", right, True)
    assert "did you mean" in one.message


def test_what_follows_a_misspelt_instruction_is_looked_at_as_it_was_meant(diagnose: Diagnose) -> None:
    found = diagnose("FORM golagn:1.26 AS base\nFROM bas\nRNU --mount=type=cahe,target=/x y\n")
    assert [(one.line, one.rule) for one in found] == [
        (1, "unknown-instruction"),
        (3, "unknown-instruction"),
        (3, "unknown-mount-type"),
        (2, "unknown-stage"),
        (1, "unknown-image"),
    ]


def test_a_lost_line_names_the_line_that_it_belongs_to(diagnose: Diagnose) -> None:
    (one,) = diagnose("FROM alpine:3.22\nRUN a\n  && b\n", "unknown-instruction")
    assert (one.line, one.fix) == (3, None)
    assert "line 2" in one.message
    assert "needs a \\ at its end" in one.message


def test_a_whole_text_that_lost_its_instruction_is_told_once(diagnose: Diagnose) -> None:
    text = "FROM alpine:3.22\n" + "".join(f"  && step {n}\n" for n in range(20))
    assert [one.line for one in diagnose(text, "unknown-instruction")] == [2]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("FROM --plaform=$BUILDPLATFORM alpine:3", "FROM --platform=$BUILDPLATFORM alpine:3"),
        ("COPY --form=base a b", "COPY --from=base a b"), ("COPY --chwon=1 a b", "COPY --chown=1 a b"),
        ("RUN --mout=type=cache,target=/x y", "RUN --mount=type=cache,target=/x y"),
        ("ADD --cheksum=sha256:1 https://x/y z", "ADD --checksum=sha256:1 https://x/y z"),
        ("HEALTHCHECK --intervall=5s CMD x", "HEALTHCHECK --interval=5s CMD x"), ("COPY --lnk a b", "COPY --link a b"),
    ],
)  # fmt: skip
def test_a_flag_that_is_nearly_one_is_mended(diagnose: Diagnose, wrong: str, right: str) -> None:
    (one,) = diagnose(f"FROM alpine:3.22 AS base\n{wrong}\n", "unknown-flag")
    assert (one.line, one.severity, one.fix, one.safe) == (2, "error", right, True)


@pytest.mark.parametrize("flag", ["--form x", "--something=new", "-form", "--froms-of-others=1"])
def test_what_is_no_flag_of_the_instruction_or_not_near_to_one_is_left_alone(diagnose: Diagnose, flag: str) -> None:
    assert diagnose(f"FROM alpine:3.22\nRUN tool {flag}\n", "unknown-flag") == []
    assert diagnose(f'FROM alpine:3.22\nRUN ["tool", "{flag}"]\n', "unknown-flag") == []


@pytest.mark.parametrize(
    ("rule", "wrong", "right"),
    [
        ("unknown-mount-type", "type=cahe,target=/x", "type=cache,target=/x"),
        ("unknown-mount-type", "type=bnd,source=a,target=/x", "type=bind,source=a,target=/x"),
        ("unknown-mount-type", "type=secrets,id=x", "type=secret,id=x"),
        ("unknown-mount-type", "type=cache,target=/x,sharing=loked", "type=cache,target=/x,sharing=locked"),
        ("unknown-mount-field", "type=cache,traget=/x", "type=cache,target=/x"),
        ("unknown-mount-field", "typ=cache,target=/x", "type=cache,target=/x"),
        ("unknown-mount-field", "type=bind,soure=a,target=/x", "type=bind,source=a,target=/x"),
    ],
)
def test_mounts_are_mended(diagnose: Diagnose, rule: str, wrong: str, right: str) -> None:
    (one,) = diagnose(f"FROM alpine:3.22\nRUN --mount=type=bind,target=/y \\\n    --mount={wrong} \\\n    x\n", rule)
    assert (one.line, one.fix, one.safe) == (3, f"    --mount={right} \\", True)


def test_two_slips_on_one_line_are_both_told(diagnose: Diagnose) -> None:
    found = diagnose("FROM alpine:3.22\nRUN --mount=type=cahe,traget=/x --mount=type=bnd,target=/y z\n")
    assert [one.rule for one in found] == ["unknown-mount-field", "unknown-mount-type", "unknown-mount-type"]


def test_a_field_that_nothing_is_near_to_is_told_without_a_fix(diagnose: Diagnose) -> None:
    (one,) = diagnose("FROM alpine:3.22\nRUN --mount=type=cache,target=/x,colour=red y\n", "unknown-mount-field")
    assert one.fix is None


@pytest.mark.parametrize(
    "mount", ["type=$KIND,target=/x", "type=ssh,required", "target=/x,type=cache,ro", "type=secret,id=x,env=Y"]
)
def test_right_mounts_are_left_alone(diagnose: Diagnose, mount: str) -> None:
    found = diagnose(f"FROM alpine:3.22\nRUN --mount={mount} y\n")
    assert not [one for one in found if one.rule.startswith("unknown-mount")]
