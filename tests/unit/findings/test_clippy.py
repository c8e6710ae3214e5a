"""Cargo's JSON messages, as Cargo 1.95 wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding

DATA = Path(__file__).parents[2] / "data" / "findings" / "clippy"
NOWHERE = Path("/nonexistent")


def test_lints() -> None:
    found = read.read_paths([DATA / "clippy.jsonl"], root=NOWHERE)
    assert found.problems == ()
    assert found.findings == (
        Finding("src/main.rs", 7, 16, None, 25, "warning", "clippy::ptr_arg",
                "writing `&Vec` instead of `&[_]` involves a new object where a slice will do", "clippy",
                "https://rust-lang.github.io/rust-clippy/rust-1.95.0/index.html#ptr_arg"),
        Finding("src/main.rs", 8, 23, None, 29, "warning", "unused_variables", "unused variable: `unused`", "rustc"),
        Finding("src/main.rs", 9, 5, None, 19, "warning", "clippy::needless_return", "unneeded `return` statement", "clippy",
                "https://rust-lang.github.io/rust-clippy/rust-1.95.0/index.html#needless_return"),
    )  # fmt: skip
    lines = (DATA / "clippy.jsonl").read_text().splitlines()
    log = ["   Compiling shop", *lines, *lines, "error: could not compile"]
    assert read.read_log(log, name="log", root=NOWHERE).findings == found.findings


def test_errors_say_what_the_compiler_points_at_and_summaries_are_none() -> None:
    found = read.read_paths([DATA / "errors.jsonl"], root=NOWHERE)
    assert found.problems == ()
    assert [(one.line, one.rule, one.message, one.severity) for one in found.findings] == [
        (2, "E0308", "mismatched types: expected `i32`, found `&str`", "error"),
        (3, "error", "argument never used", "error"),
        (3, "E0425", "cannot find value `y` in this scope", "error"),
    ]
    assert found.findings[0].url == "https://doc.rust-lang.org/error_codes/E0308.html"
    (broken,) = read.read_paths([DATA / "broken.jsonl"], root=NOWHERE).findings
    assert (broken.line, broken.message) == (4, "mismatched closing delimiter: `}`")


def place(file: str, line: int, **fields: Any) -> dict[str, Any]:
    return {"file_name": file, "line_start": line, "line_end": line, "column_start": 2, "column_end": 4, "is_primary": True, **fields}  # fmt: skip


def message(*spans: object, **fields: object) -> str:
    diagnostic = {"level": "warning", "message": "m", "code": None, "children": [], "spans": spans, **fields}
    return json.dumps(
        {"reason": "compiler-message", "target": {"src_path": "/src/build.rs"}, "message": diagnostic},
        separators=(",", ":"),
    )


def test_inside_of_another_crates_macro_the_call_counts() -> None:
    call = place("src/main.rs", 9)
    inner = place("/rustc/abc/library/std/src/macros.rs", 5, expansion={"span": call})
    own = place("src/macros.rs", 3, expansion={"span": call})
    crate = place("/usr/local/cargo/registry/src/x/lib.rs", 1, expansion={"span": inner})
    lines = [message(inner), message(own, message="n"), message(crate, message="o")]
    found = read.read_log(lines, name="log", root=NOWHERE).findings
    assert [(one.path, one.line, one.message) for one in found] == [
        ("src/macros.rs", 3, "n"),
        ("src/main.rs", 9, "m"),
        ("src/main.rs", 9, "o"),
    ]


def test_rustc_alone_and_messages_without_a_place() -> None:
    alone = json.dumps(
        {"$message_type": "diagnostic", "level": "error", "message": "m", "spans": [place("a.rs", 1)]},
        separators=(",", ":"),
    )
    linking = message(level="error: internal compiler error", message="linking with `cc` failed")
    summaries = [
        message(level="error", message="aborting due to 2 previous errors"),
        message(message="1 warning emitted"),
    ]
    found = read.read_log([alone, linking, *summaries], name="log", root=NOWHERE)
    assert [(one.path, one.line, one.severity) for one in found.findings] == [
        ("/src/build.rs", None, "error"),
        ("a.rs", 1, "error"),
    ]


@pytest.mark.parametrize(
    ("lines", "kinds"),
    [
        (['{"reason":"build-finished","success":true}'], []),
        (['{"reason":"build-finished","success":false}'], ["inconsistent"]),
        ([message(place("a.rs", 1)), '{"reason":"build-finished","success":false}'], ["inconsistent"]),
        ([message(place("a.rs", 1), level="error"), '{"reason":"build-finished","success":false}'], []),
        ([message(place("a.rs", 1))[:-9]], ["unreadable"]),
        (['{"reason":"another tool"}', '{"reason":"anoth'], []),
    ],
)
def test_builds_that_end_badly(lines: list[str], kinds: list[str]) -> None:
    assert [problem.kind for problem in read.read_log(lines, name="log", root=NOWHERE).problems] == kinds
