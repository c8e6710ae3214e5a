"""mypy's text in the forms that its options give it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding

DATA = Path(__file__).parents[2] / "data" / "findings" / "mypy"


def findings(name: str, root: Path) -> tuple[Finding, ...]:
    found = read.read_paths([DATA / f"{name}.txt"], root=root)
    assert found.problems == ()
    assert {one.tool for one in found.findings} <= {"mypy"}
    return found.findings


@pytest.mark.parametrize(
    ("name", "errors", "notices"),
    [
        ("mypy", 16, 2),
        ("mypy-end", 12, 2),
        ("mypy-pretty", 12, 2),
        ("mypy-no-codes", 12, 2),
        ("mypy-broken", 2, 0),
        ("mypy-dup", 1, 0),
        ("mypy-clean", 0, 0),
    ],
)
def test_as_many_errors_as_mypy_counts(name: str, errors: int, notices: int, shop: Path) -> None:
    found = findings(name, shop)
    assert [sum(one.severity == word for one in found) for word in ("error", "warning", "notice")] == [
        errors,
        0,
        notices,
    ]


def test_notes_join_their_error_or_stand_alone(shop: Path) -> None:
    by_line = {one.line: one for one in findings("mypy", shop)}
    assert by_line[37].message.split("\n") == [
        'No overload variant of "pick" matches argument type "float"',
        "note: Possible overload variants:",
        "note:     def pick(value: int) -> int",
        "note:     def pick(value: str) -> str",
    ]
    assert (by_line[37].rule, by_line[38].rule) == ("call-overload", "no-untyped-def")
    assert by_line[38].message.endswith('\nnote: Use "-> None" if function does not return a value')
    assert (by_line[26].severity, by_line[26].message) == ("notice", 'Revealed type is "store.Store"')
    assert (by_line[39].severity, by_line[39].rule) == ("notice", "annotation-unchecked")
    lines = ['a.py:3:1: error: Too many arguments for "f"  [call-arg]', 'b.py:1: note: "f" defined here', "Found 1 error in 1 file (checked 1 source file)"]  # fmt: skip
    (one,) = read.read_log(lines, name="log", root=shop).findings
    assert one.message == 'Too many arguments for "f"\nnote: "f" defined here (b.py:1)'


def test_columns_and_ends(shop: Path) -> None:
    first, second = findings("mypy-end", shop)[:2]
    assert (first.line, first.column, first.end_line, first.end_column) == (5, 19, None, 20)
    assert (second.line, second.column, second.end_line, second.end_column) == (7, 19, None, 23)


def test_wrapped_messages_are_whole(shop: Path) -> None:
    wrapped = [(one.line, one.rule, one.message) for one in findings("mypy-pretty", shop)]
    plain = [(one.line, one.rule, one.message) for one in findings("mypy-end", shop)]
    assert wrapped == plain


def test_errors_without_codes_need_mypys_last_line(shop: Path) -> None:
    lines = (DATA / "mypy-no-codes.txt").read_text().splitlines()
    assert len(read.read_log(lines, name="log", root=shop).findings) == 14
    assert read.read_log(lines[:-1], name="log", root=shop).findings == ()
    assert read.read_log([*lines[:-1], "other", lines[-1]], name="log", root=shop).findings == ()
    # A Python program's own log is none of it.
    mixed = ["app.py:42: error: the server is away", "+ mypy app", *lines]
    assert len(read.read_log(mixed, name="log", root=shop).findings) == 14


def test_an_error_about_a_whole_file(shop: Path) -> None:
    (one,) = findings("mypy-dup", shop)
    assert (one.path, one.line) == ("dup/b/m.py", None)
    assert one.message.startswith('Duplicate module named "m" (also at "dup/a/m.py")\nnote: See https://')
