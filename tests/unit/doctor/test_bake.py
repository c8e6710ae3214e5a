"""Mistakes in bake files."""

from __future__ import annotations

import pytest

from .conftest import Diagnose

DOCKERFILE = "ARG GO_VERSION=1\nFROM golang:${GO_VERSION} AS base\nARG VERSION\nFROM base AS test\nRUN x\nFROM base AS image\nRUN y\n"


@pytest.mark.parametrize(
    ("text", "rule", "line", "fix"),
    [
        ('target "a" {\n  target = "tset"\n}\n', "unknown-stage", 2, '  target = "test"'),
        ('target "a" {\n  traget = "test"\n}\n', "unknown-bake-attribute", 2, '  target = "test"'),
        ('taget "a" {\n  target = "test"\n}\n', "unknown-bake-block", 1, 'target "a" {'),
        ('group "g" {\n  targets = ["ab", "lnit"]\n}\ntarget "ab" {}\ntarget "lint" { target = "test" }\n', "unknown-bake-target", 2, '  targets = ["ab", "lint"]'),
        ('target "base" {}\ntarget "a" {\n  inherits = ["bas"]\n}\n', "unknown-bake-target", 3, '  inherits = ["base"]'),
        ('target "base" {}\ntarget "a" {\n  contexts = { x = "target:bsae" }\n}\n', "unknown-bake-target", 3, '  contexts = { x = "target:base" }'),
        ('variable "TAG" {}\ntarget "a" {\n  tags = ["x:${TGA}"]\n}\n', "unknown-bake-variable", 3, '  tags = ["x:${TAG}"]'),
        ('target "a" {\n  dockerfile = "Dokerfile"\n}\n', "missing-dockerfile", 2, '  dockerfile = "Dockerfile"'),
    ],
)  # fmt: skip
def test_slips_are_mended(diagnose_bake: Diagnose, text: str, rule: str, line: int, fix: str) -> None:
    (one,) = diagnose_bake(text, rule, dockerfile=DOCKERFILE)
    assert (one.line, one.severity, one.fix, one.safe) == (line, "error", fix, True)
    assert "did you mean" in one.message


def test_a_stage_that_nothing_is_near_to_is_an_error_too(diagnose_bake: Diagnose) -> None:
    (one,) = diagnose_bake('target "a" {\n  target = "elsewhere"\n}\n', "unknown-stage", dockerfile=DOCKERFILE)
    assert (one.fix, one.message) == (None, 'stage "elsewhere" does not exist in Dockerfile')


def test_an_inherited_stage_is_told_once_where_it_stands(diagnose_bake: Diagnose) -> None:
    text = 'target "p" {\n  target = "tset"\n}\ntarget "a" { inherits = ["p"] }\ntarget "b" { inherits = ["a"] }\n'
    assert [one.line for one in diagnose_bake(text, "unknown-stage", dockerfile=DOCKERFILE)] == [2]


@pytest.mark.parametrize(
    "text",
    [
        'target "a" { target = "TEST" }', 'target "a" { target = "0" }', 'target "a" { target = "test-${X}" }', 'target "a" { target = X }',
        'target "a" {\n  dockerfile-inline = "FROM x AS y"\n  target = "y"\n}', 'target "a" {\n  context = "https://x/y.git"\n  target = "y"\n}',
        'target "a" {\n  dockerfile = "other/${x}"\n  target = "y"\n}', 'target "a" { target = x ? "a" : "b" }',
    ],
)  # fmt: skip
def test_a_stage_that_is_there_or_cannot_be_known_is_left_alone(diagnose_bake: Diagnose, text: str) -> None:
    assert diagnose_bake(f"{text}\n", "unknown-stage", dockerfile=DOCKERFILE) == []


def test_arguments_that_nothing_takes(diagnose_bake: Diagnose) -> None:
    text = """target "_all" {
  args = {
    GO_VERSION = "1"
    GO_VERSON = "1"
    BUILDKIT_CONTEXT_KEEP_GIT_DIR = 1
    HTTP_PROXY = "x"
  }
}
target "a" {
  inherits = ["_all"]
  args = { OTHER = "x", VERSION = "v1" }
}
"""
    found = diagnose_bake(text, "unknown-argument", dockerfile=DOCKERFILE)
    assert [(one.line, one.severity) for one in found] == [(4, "warning"), (11, "warning")]
    assert 'did you mean "GO_VERSION"?' in found[0].message


def test_names_of_a_matrix_and_of_other_files_are_known(diagnose_bake: Diagnose) -> None:
    text = """target "app" {
  name = "app-${which}"
  matrix = { which = ["one"] }
  args = { VERSION = "${which}" }
}
group "default" { targets = ["app-one", "app-other", "app"] }
"""
    assert diagnose_bake(text, dockerfile=DOCKERFILE) == []


def test_an_attribute_of_another_block_is_told_without_a_guess(diagnose_bake: Diagnose) -> None:
    (one,) = diagnose_bake('target "default" {\n  targets = ["a"]\n}\n', "unknown-bake-attribute")
    assert (one.line, one.fix) == (2, None)
    assert "a group has" in one.message


def test_a_json_file_is_looked_at_alike(diagnose_bake: Diagnose) -> None:
    text = '{"group": {"default": {"targets": ["tset"]}},\n "target": {"test": {\n   "target": "imag",\n   "contxt": "."}}}\n'
    found = diagnose_bake(text, path="docker-bake.json", dockerfile=DOCKERFILE)
    assert [(one.line, one.rule) for one in found] == [
        (4, "unknown-bake-attribute"),
        (1, "unknown-bake-target"),
        (3, "unknown-stage"),
    ]
    assert found[2].fix == '   "target": "image",'


@pytest.mark.parametrize(
    ("path", "text", "line"), [("docker-bake.hcl", 'target "a" {\n x = [\n', 2), ("docker-bake.json", '{"a":\n}', 2), ("docker-bake.json", "[1", 1)]
)  # fmt: skip
def test_a_file_that_cannot_be_read(diagnose_bake: Diagnose, path: str, text: str, line: int) -> None:
    (one,) = diagnose_bake(text, path=path)
    assert (one.rule, one.severity, one.line) == ("bake-syntax", "error", line)


def test_targets_that_inherit_from_each_other_end(diagnose_bake: Diagnose) -> None:
    text = 'target "a" { inherits = ["b"] }\ntarget "b" { inherits = ["a"] }\n'
    assert diagnose_bake(text, dockerfile=DOCKERFILE) == []
