"""The shape of HCL files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_buildkit.doctor import bakefile
from ci_buildkit.doctor.hcl import HclError, read

TEXT = """# one
variable "A" { default = "x" }
target "b" "c" {
  args = { ONE = 1, "TWO" = "${A}-2" } // two
  list = [
    "a", # inside
    "b\\"}${replace("x", "}", "{")}",
  ]
  /* a
     comment */ long = <<-EOT
    } "text" {
  EOT
  next = A != "" ? A : "d"
}
GLOBAL = true
"""


def test_blocks_attributes_and_their_lines() -> None:
    root = read(TEXT)
    assert [(block.kind, block.labels, block.line) for block in root.blocks] == [
        ("variable", ("A",), 2),
        ("target", ("b", "c"), 3),
    ]
    assert [(one.name, one.line) for one in root.attributes] == [("GLOBAL", 15)]
    target = root.blocks[1]
    assert [(one.name, one.line) for one in target.attributes] == [("args", 4), ("list", 5), ("long", 10), ("next", 13)]


def test_values_that_are_plain_can_be_had() -> None:
    variable, target = read(TEXT).blocks
    default, args, items, long, following = (
        variable.get("default"), target.get("args"), target.get("list"), target.get("long"), target.get("next")
    )  # fmt: skip
    assert default
    assert args
    assert items
    assert long
    assert following
    assert default.string == "x"
    assert {name: one.string for name, one in args.fields.items()} == {"ONE": None, "TWO": None}
    assert [(one.text, one.line) for one in items.strings] == [("a", 6), ('b\\"}${replace("x", "}", "{")}', 7)]
    assert (long.string, following.string, following.strings, items.fields) == (None, None, (), {})


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('x = 1\ntarget "a" {\n y = 2\n', 2, "never closed"), ('a = "x\n', 1, "does not end"), ("a = [1,\n2\n", 1, "never closed"), ("}\n", 1, "too many"),
        ("a =\n", 1, "no value"), ("\n= 1\n", 2, "neither a block"), ("a = [1)\n", 1, "closes nothing"), ('target "a"\n', 1, "neither a block"),
        ("a = {\n b = 1\n", 1, "never closed"),
    ],
)  # fmt: skip
def test_what_is_no_hcl_is_told_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(HclError, match=said) as raised:
        read(text)
    assert raised.value.line == line


@given(st.text(alphabet='{}[]()="\\$%#/*\n ,:abc1<-E', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for path in ("docker-bake.hcl", "docker-bake.json"):
        file = bakefile.parse(path, text)
        assert bool(file.broken) != bool(file.root.blocks or file.root.attributes or not file.broken)


def test_json_has_the_same_shape_and_lines() -> None:
    text = '{\n\t"target": {\n\t\t"a": {\n\t\t\t"target": "x", "tags": ["one",\n"two"],\n "args": {"A": null, "B": "b"}\n}}}\n'
    file = bakefile.parse("docker-bake.json", text)
    (block,) = file.root.blocks
    tags, args, target = block.get("tags"), block.get("args"), block.get("target")
    assert tags
    assert args
    assert target
    assert (block.kind, block.labels, block.line) == ("target", ("a",), 3)
    assert (target.string, target.line) == ("x", 4)
    assert [(one.text, one.line) for one in tags.strings] == [("one", 4), ("two", 5)]
    assert [(name, one.string) for name, one in args.fields.items()] == [("A", None), ("B", "b")]
