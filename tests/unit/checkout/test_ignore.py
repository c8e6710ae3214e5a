"""Which files a .dockerignore leaves out: cases of github.com/moby/patternmatcher and of the documentation."""

from __future__ import annotations

import pytest

from ci_buildkit.checkout import ignore


@pytest.mark.parametrize(
    ("text", "out", "left_in"),
    [
        ("node_modules", ["node_modules", "node_modules/a/b.js"], ["src/node_modules", "node_modules2"]),
        ("/build/", ["build", "build/x"], ["src/build"]),
        ("**/*.log", ["a.log", "x/y/a.log"], ["a.logs"]),
        ("*/temp*", ["a/temp", "a/temporary/x"], ["temp", "a/b/temp"]),
        ("temp?", ["temps"], ["temp", "temp/s"]),
        ("*.md\n!README.md", ["CHANGES.md"], ["README.md"]),
        ("*\n!go.mod\n!cmd/**", ["main.go"], ["go.mod", "cmd/a/main.go"]),
        ("*.md\n!README*.md\nREADME-secret.md", ["README-secret.md"], ["README-x.md"]),
        ("# comment\n\n  spaced  ", ["spaced"], ["# comment"]),
        ("file[0-9].txt", ["file1.txt"], ["filea.txt"]),
        ("file[z-a].txt\nother", ["other"], ["filez.txt"]),
        ("a\\*b", ["a*b"], ["axb"]),
        (".\n./x/../y", ["y"], ["x", "z"]),
        ("foo/**", ["foo/a", "foo/a/b"], ["foo2"]),
        ("\ufeffbom", ["bom"], ["x"]),
    ],
)
def test_patterns(text: str, out: list[str], left_in: list[str]) -> None:
    leaves_out = ignore.parse(text)
    assert [path for path in out if not leaves_out(path)] == []
    assert [path for path in left_in if leaves_out(path)] == []


def test_no_pattern_leaves_nothing_out() -> None:
    assert not ignore.parse("")("anything")
