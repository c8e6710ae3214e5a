"""What compilers and linters print for people, as the real tools printed it, and lines that only look like it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ci_buildkit.findings import read
from ci_buildkit.findings.model import Finding, FindingReport

DATA = Path(__file__).parents[2] / "data" / "findings"


def log(lines: list[str], root: Path) -> list[Finding]:
    report = read.read_log(lines, name="log", root=root)
    assert report.problems == ()
    return list(report.findings)


def facts(report: FindingReport) -> list[tuple[str, int | None, int | None, str, str]]:
    return [(one.path, one.line, one.column, one.severity[0], one.rule) for one in report.findings]


@pytest.mark.parametrize(
    ("file", "tools", "severities"),
    [
        ("gcc/gcc.txt", {"cc": 11}, {"error": 4, "warning": 7}),
        ("gcc/gcc-colour.txt", {"cc": 7}, {"error": 7}),
        ("gcc/clang-colour.txt", {"cc": 5}, {"error": 5}),
        ("gcc/clang-tidy.txt", {"clang-tidy": 6}, {"error": 2, "warning": 4}),
        ("text/flake8.txt", {"flake8": 18}, {"error": 18}),
        ("text/pycodestyle.txt", {"flake8": 11}, {"error": 11}),
        ("text/ruff-concise.txt", {"ruff": 17}, {"error": 17}),
        ("text/ruff-full.txt", {"ruff": 13}, {"error": 13}),
        ("text/ruff-clean.txt", {}, {}),
        ("text/shellcheck-gcc.txt", {"shellcheck": 12}, {"error": 3, "warning": 4, "notice": 5}),
        ("text/hadolint.txt", {"hadolint": 9}, {"error": 3, "warning": 4, "notice": 2}),
        ("text/tsc.txt", {"tsc": 5}, {"error": 5}),
        ("text/tsc-pretty.txt", {"tsc": 5}, {"error": 5}),
        ("text/eslint-stylish.txt", {"eslint": 6}, {"error": 4, "warning": 2}),
        ("text/eslint-colour.txt", {"eslint": 6}, {"error": 4, "warning": 2}),
        ("text/clippy.txt", {"rustc": 2, "clippy": 2}, {"warning": 4}),
        ("text/rustc.txt", {"rustc": 1}, {"error": 1}),
        ("text/go-vet.txt", {"go": 3}, {"error": 3}),
    ],
)
def test_every_tool_in_a_file_and_in_a_log(
    file: str, tools: dict[str, int], severities: dict[str, int], shop: Path
) -> None:
    found = read.read_paths([DATA / file], root=shop)
    assert found.problems == ()
    assert Counter(one.tool for one in found.findings) == tools
    assert Counter(one.severity for one in found.findings) == severities
    lines = (DATA / file).read_text().splitlines()
    assert read.read_log(lines, name="log", root=shop).findings == found.findings
    away = {one.path for one in found.findings if not (shop / one.path).is_file()}
    # cargo names files below the package, as it was started in a folder of the repository.
    assert away == ({"src/util.rs", "src/main.rs"} & {one.path for one in found.findings})


def test_gcc_in_every_detail(shop: Path) -> None:
    found = read.read_paths([DATA / "gcc/gcc.txt"], root=shop)
    assert facts(found) == [
        ("c/bad.c", 1, 10, "e", "error"),
        ("c/main.c", 7, 9, "w", "-Wunused-variable"),
        ("c/main.c", 8, 11, "w", "-Wunused-variable"),
        ("c/main.c", 8, 18, "w", "-Wint-conversion"),
        ("c/main.c", 9, 14, "w", "-Wformat="),
        ("c/main.c", 10, 5, "e", "error"),
        ("c/swap.cpp", 6, 14, "e", "error"),
        ("c/swap.cpp", 7, 9, "w", "-Wunused-variable"),
        ("c/swap.cpp", 8, 12, "e", "-fpermissive"),
        ("c/util.h", 1, 12, "w", "-Wunused-function"),
        ("c/util.h", 1, 31, "w", "-Wunused-variable"),
    ]
    by_place = {(one.path, one.line, one.column): one.message for one in found.findings}
    assert by_place["c/bad.c", 1, 10] == "nope.h: No such file or directory"
    assert by_place["c/main.c", 10, 5] == "too few arguments to function \u2018add\u2019\nnote: declared here (line 4)"
    # An error in a library's template is told where the repository uses it.
    template = by_place["c/swap.cpp", 6, 14].split("\n")
    assert template[0] == "no match for \u2018operator<\u2019 (operand types are \u2018A\u2019 and \u2018A\u2019)"
    assert template[1] == "/usr/include/c++/12/bits/predefined_ops.h:45: here"
    assert template[2].startswith("note: candidate: \u2018template<class _IteratorL")
    colour = read.read_paths([DATA / "gcc/gcc-colour.txt"], root=shop)
    assert {one.rule for one in colour.findings} == {
        "error", "-Wformat=", "-Wint-conversion", "-Wunused-function", "-Wunused-variable",
    }  # fmt: skip


def test_messages_of_tsc_over_several_lines(shop: Path) -> None:
    for name in ("tsc.txt", "tsc-pretty.txt"):
        (one,) = [one for one in read.read_paths([DATA / "text" / name], root=shop).findings if one.rule == "TS2345"]
        assert (one.path, one.line, one.column) == ("web/app.ts", 9, 6)
        assert one.message.split("\n")[1:] == [
            "  Types of parameters 'value' and 'value' are incompatible.",
            "    Type '{ name: string; }' is not assignable to type '{ name: number; }'.",
            "      Types of property 'name' are incompatible.",
            "        Type 'string' is not assignable to type 'number'.",
        ]


def test_rust_names_its_lints(shop: Path) -> None:
    found = read.read_paths([DATA / "text/clippy.txt"], root=shop)
    assert facts(found) == [
        ("src/main.rs", 3, 9, "w", "unused_variables"),
        ("src/util.rs", 2, 8, "w", "clippy::len_zero"),
        ("src/util.rs", 3, 5, "w", "clippy::needless_return"),
        ("src/util.rs", 5, 4, "w", "dead_code"),
    ]
    assert (found.findings[2].url or "").endswith("/index.html#needless_return")
    in_folder = read.read_paths([DATA / "text/clippy.txt"], root=shop, workdirs=[("/src/rs/src", "rs")])
    assert {one.path for one in in_folder.findings} == {"src/main.rs", "src/util.rs"}
    mapped = read.read_paths([DATA / "text/rustc.txt"], root=shop, workdirs=[("/src", "rs")])
    assert mapped.findings[0].rule == "E0308"


def test_go_without_a_linters_name(shop: Path) -> None:
    found = read.read_paths([DATA / "text/go-vet.txt"], root=shop)
    assert facts(found) == [
        ("cmd/main.go", 6, 14, "e", "go"),
        ("cmd/main.go", 8, 2, "e", "go"),
        ("lib/lib.go", 6, 9, "e", "go"),
    ]
    assert found.findings[2].message == "not enough return values\n\thave (number)\n\twant (int, string)"
    (check,) = log(["lib/lib.go:5:1: should use x instead of y (S1038)"], shop)
    assert (check.tool, check.rule) == ("staticcheck", "S1038")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("C:\\src\\app\\main.cpp(10,5): error C2065: 'x': undeclared identifier", ("C:/src/app/main.cpp", 10, 5, "msvc", "C2065", "error")),
        ("main.cpp(10): warning C4101: 'x': unreferenced local variable", ("main.cpp", 10, None, "msvc", "C4101", "warning")),
        ("  /src/Program.cs(5,13): warning CS0219: unused [/src/app.csproj]", ("/src/Program.cs", 5, 13, "dotnet", "CS0219", "warning")),
        ("/src/Program.cs(5,13): error CA1822: m [/src/app.csproj::TargetFramework=net9.0]", ("/src/Program.cs", 5, 13, "dotnet", "CA1822", "error")),
        ("app/(shop)/page.tsx(3,5): error TS2304: Cannot find name 'x'.", ("app/(shop)/page.tsx", 3, 5, "tsc", "TS2304", "error")),
        ("a.c:3:7: style: Unused variable: x [unusedVariable]", ("a.c", 3, 7, "cppcheck", "unusedVariable", "notice")),
        ("a.c:3:7: performance: pass by reference [passedByValue]", ("a.c", 3, 7, "cppcheck", "passedByValue", "warning")),
        ("a.c:3:7: error: m [bugprone-x,-warnings-as-errors]", ("a.c", 3, 7, "clang-tidy", "bugprone-x", "error")),
        ("Foo.java:3: error: ';' expected", ("Foo.java", 3, None, "compiler", "error", "error")),
        ("a.swift:3:5: warning: Line is too long (line_length)", ("a.swift", 3, 5, "compiler", "warning", "warning")),
        ("hadolint:Dockerfile:3: DL3008 warning: Pin versions", ("Dockerfile", 3, None, "hadolint", "DL3008", "warning")),
        ("-:1 DL3007 warning: Using latest", ("-", 1, None, "hadolint", "DL3007", "warning")),
        ("Dockerfile:7 SC2086 info: Double quote", ("Dockerfile", 7, None, "hadolint", "SC2086", "notice")),
        ("docker/api.Dockerfile:2:7 unexpected 'F' expecting '#', ADD, or ARG ", ("docker/api.Dockerfile", 2, 7, "hadolint", "DL1000", "error")),
        ("-:1:1 unexpected end of input expecting FROM", ("-", 1, 1, "hadolint", "DL1000", "error")),
        ("nb.ipynb:cell 3:1:8: F401 [*] `os` imported but unused", ("nb.ipynb", 1, 8, "flake8", "F401", "error")),
        ("\x1b[1ma.c:3:5: \x1b[0m\x1b[35mwarning: \x1b[0mm [\x1b]8;;https://x\x1b\\-Wx\x1b]8;;\x1b\\]", ("a.c", 3, 5, "cc", "-Wx", "warning")),
        ("a.c:3:5: error: m [-Werror,-Wx]", ("a.c", 3, 5, "cc", "-Wx", "error")),
        ("a.c:3:7: error: m [nullPointer]", ("a.c", 3, 7, "cppcheck", "nullPointer", "error")),
        ("bin/deploy:3:6: note: Double quote [SC2086]", ("bin/deploy", 3, 6, "shellcheck", "SC2086", "notice")),
        ("-:3:6: warning: m [SC2034]", ("-", 3, 6, "shellcheck", "SC2034", "warning")),
        ("app/m.py:3:5: SyntaxError: Expected an expression", ("app/m.py", 3, 5, "ruff", "invalid-syntax", "error")),
        ("main.go:12: File is not `gofmt`-ed with `-s` (gofmt)", ("main.go", 12, None, "golangci-lint", "gofmt", "error")),
        ("a.c:0:0: error: m", ("a.c", None, None, "cc", "error", "error")),
    ],
)  # fmt: skip
def test_other_tools_of_one_line(
    line: str, expected: tuple[str, int | None, int | None, str, str, str], tmp_path: Path
) -> None:
    (one,) = log([line], tmp_path)
    assert (one.path, one.line, one.column, one.tool, one.rule, one.severity) == expected


DECOYS = [
    " --> src/main.rs:2:5",
    "10:15:30: error: connection refused",
    "2024-01-01 10:15:30: error: x",
    "2024-01-01T10:15:30:12: error: x",
    "server.go 10:15:30: error: failed",
    "http://host:80/x: y",
    "http://host.example:80:1: error: x",
    "host.example:443: error: bad certificate",
    "host.example:80: refused (tcp)",
    "10.0.0.1:5432: error: x",
    "localhost:8080: warning: x",
    "/bin/sh: 1: error: x",
    "make: *** [Makefile:12: all] Error 1",
    "Makefile:12: warning: overriding recipe for target 'x'",
    "cc1: all warnings being treated as errors",
    "clang: warning: treating 'c' input as 'c++' when in C++ mode [-Wdeprecated]",
    "/usr/bin/ld: main.o: in function `main': main.c:(.text+0x15): undefined reference to `x'",
    "collect2: error: ld returned 1 exit status",
    "In file included from c/main.c:2:",
    "                 from c/main.c:2,",
    "c/main.c: In function 'main':",
    "c/main.c:4:5: note: declared here",
    "    4 | int add(int a, int b);",
    "error: could not compile `shop` (bin \"shop\") due to 1 previous error",
    "warning: `shop` (bin \"shop\") generated 4 warnings",
    "error: process didn't exit successfully",
    "thread 'main' panicked at src/main.rs:2:5:",
    "    foo_test.go:12: expected 1",
    "    foo_test.go:12:3: expected 1",
    "        /src/foo_test.go:12: Error: not equal",
    "main.go:23: error: cannot connect",
    "main.go:23: listening (tcp)",
    "parse.hs:2:7 unexpected 'F' expecting a digit",
    "Dockerfile:2:7 unexpected 'F'",
    "app.py:42: error: the server is away",
    "app.py:42: warning: x",
    "tool.py: error: the following arguments are required: x",
    "  File \"/src/app.py\", line 3, in f",
    "/src/app.py:12: DeprecationWarning: x is deprecated",
    "    at run (/app/index.js:3:5)",
    "/app/index.js:3",
    "\tat com.example.Foo.bar(Foo.java:3)",
    "\t/src/main.go:12 +0x1d",
    "app.rb:3:in `f': undefined method (NoMethodError)",
    "W1125 10:15:30.123456       1 server.go:123] error: x",
    "  1:7  error  no path came before  semi",
    "time=10:00 level=error file=main.go:3:5: error: x",
    "Downloading index.js",
    "npm error code E404",
    "E404: not found",
    "error TS18003: No inputs were found in config file",
    "MSBUILD : error MSB1003: Specify a project",
    "Found 3 errors.",
    "see https://example.com/a.c:3:5: error: x",
    "a\\b:3:5: error: no extension",
    "::error file=a.c,line=3::x",
    "",
    ":",
    "a.c:99999999999:1: error: too large a number",
]  # fmt: skip


@pytest.mark.parametrize("line", DECOYS)
def test_lines_of_a_log_are_no_findings(line: str, shop: Path) -> None:
    assert log([line], shop) == []


def test_no_line_of_a_log_joins_with_another_into_a_finding(shop: Path) -> None:
    assert log(DECOYS, shop) == []


def test_several_tools_between_the_lines_of_one_log(shop: Path) -> None:
    files = ["gcc/gcc.txt", "mypy/mypy.txt", "pylint/pylint.txt", "text/flake8.txt", "text/hadolint.txt", "text/tsc.txt",
             "text/eslint-stylish.txt", "text/clippy.txt", "text/go-vet.txt", "golangci-v2.txt", "text/shellcheck-gcc.txt"]  # fmt: skip
    apart = sum(len(read.read_paths([DATA / file], root=shop).findings) for file in files)
    lines = [line for file in files for line in ["+ next", *(DATA / file).read_text().splitlines(), *DECOYS]]
    together = log(lines, shop)
    assert len(together) == apart
    assert Counter(one.tool for one in together) == {
        "cc": 11, "mypy": 18, "pylint": 28, "flake8": 18, "hadolint": 9, "tsc": 5, "eslint": 6, "rustc": 2, "clippy": 2,
        "go": 3, "golangci-lint": 10, "shellcheck": 12,
    }  # fmt: skip


def test_a_line_that_two_readers_know_is_taken_once(shop: Path) -> None:
    lines = [
        "app/store.py:5:1: error: m  [assignment]",
        "app/store.py:6:0: C0114: Missing module docstring (missing-module-docstring)",
        "cmd/main.go:3:5: SA4006: never used (staticcheck)",
        "cmd/main.go:4:5: error: said the linter (revive)",
    ]
    assert [(one.tool, one.rule) for one in log(lines, shop)] == [
        ("mypy", "assignment"),
        ("pylint", "missing-module-docstring"),
        ("golangci-lint", "staticcheck"),
        ("golangci-lint", "revive"),
    ]


def test_the_same_finding_twice_counts_once(tmp_path: Path) -> None:
    lines = ["a.h:3:5: warning: m [-Wx]", "other", "a.h:3:5: warning: m [-Wx]", "a.h:4:5: warning: m [-Wx]"]
    assert [one.line for one in log(lines, tmp_path)] == [3, 4]


def test_many_notes_are_counted_and_not_all_kept(tmp_path: Path) -> None:
    lines = ["a.c:3:5: error: m", *(f"a.c:{line}:1: note: candidate" for line in range(10, 60))]
    (one,) = log(lines, tmp_path)
    rows = one.message.split("\n")
    assert rows[1] == "note: candidate (line 10)"
    assert (len(rows), rows[-1]) == (22, "… 30 more lines")


def test_a_level_counts_in_go_files_too_unless_it_is_a_linters_own_word() -> None:
    log = [
        "cmd/x.go:1:2: warning: unused variable [-Wunused]",
        "cmd/x.go:7:2: error: bad (revive)",
        "cmd/x.go:9:2: undefined: foo",
    ]
    found = read.read_log(log, name="log", root=Path("/nonexistent")).findings
    assert [(one.severity, one.rule, one.message) for one in found] == [
        ("warning", "-Wunused", "unused variable"),
        ("error", "revive", "error: bad"),
        ("error", "go", "undefined: foo"),
    ]


def test_ruff_before_it_drew_arrows(tmp_path: Path) -> None:
    lines = [
        "app/m.py:1:8: F401 [*] `os` imported but unused", "  |", "1 | import os", "  |        ^^ F401", "  |",
        "  = help: Remove unused import: `os`", "", "app/m.py:3:5: F821 Undefined name `x`", "  |", "3 | x = y | z", "",
        "Found 2 errors.", "[*] 1 fixable with the `--fix` option.",
    ]  # fmt: skip
    assert [(one.tool, one.rule) for one in log(lines, tmp_path)] == [("ruff", "F401"), ("ruff", "F821")]
    assert [one.tool for one in log([*lines[:6], "exit status 1", *lines[-2:]], tmp_path)] == ["flake8"]


def test_yamllint_writes_as_eslint_does(tmp_path: Path) -> None:
    lines = [
        "./ci.yml",
        '  1:1       warning  missing document start "---"  (document-start)',
        "  3:4       error    syntax error: mapping values are not allowed here (syntax)",
    ]
    assert [(one.path, one.tool, one.rule, one.message) for one in log(lines, tmp_path)] == [
        ("ci.yml", "yamllint", "document-start", 'missing document start "---"'),
        ("ci.yml", "yamllint", "syntax", "syntax error: mapping values are not allowed here"),
    ]
