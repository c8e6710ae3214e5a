"""What runs the pages that can be run: it must notice every way in which a page can be wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests import page
from tests.page import Command, File, Shell

TEXT = """# A page
<!-- not run: nobody is there -->
```console
$ call home
```

In `a/b.txt`:

```text
one
```

```console
$ cat a/b.txt
one
$ (exit 3)
$ echo $?
3
$ X=1; cd a
$ printf '1.2 s %s\\n%s\\n' \\
    "$X" "$PWD"
0.1 s 1
.../a
```
"""


def played(folder: Path, text: str, *instead: str) -> None:
    file = folder / "page.md"
    file.write_text(text, encoding="utf-8")
    given = list(page.parts(file))
    with Shell(folder, os.environ, {}) as shell:
        page.play(shell, given, dict.fromkeys(instead, page.nothing))


def test_a_page_is_played(tmp_path: Path) -> None:
    played(tmp_path, TEXT, "call home")
    kinds = [type(part) for part in page.parts(tmp_path / "page.md")]
    assert kinds == [Command, File, *[Command] * 5]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("one\n$ (exit", "two\n$ (exit", "`cat a/b.txt` shows"),
        ("one\n$ (exit", "one\none\n$ (exit", "`cat a/b.txt` shows"),
        ("$ echo $?\n3\n", "", "`(exit 3)` ended with 3"),
        ("$ echo $?\n3\n", "$ echo $?\n4\n", "`echo $?` shows"),
        ("0.1 s 1", "0.1 s 2", "shows"),
        ("$ X=1; cd a", "$ exit 0", "ended the shell"),
        ("<!-- not run: nobody is there -->\n", "", "`call home` ended with 127"),
        (
            "$ call home",
            "$ call work",
            "not run, and not known here, or the other way round: ['call home', 'call work']",
        ),
    ],
)
def test_what_is_wrong_is_noticed(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = TEXT.replace(old, new)
    assert text != TEXT
    with pytest.raises(AssertionError) as raised:
        played(tmp_path, text, *(["call home"] if "not run" in text else []))
    assert said in str(raised.value)


def test_a_file_that_is_there_must_be_the_one_that_is_shown(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_text("another\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="txt is something else"):
        played(tmp_path, TEXT, "call home")


@pytest.mark.parametrize(
    ("shown", "said", "fitting"),
    [
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("...\nd\n...\n", "d\n", True),
        ("a ... d\n", "a b c d\n", True),
        ("a ... d\n", "a b\nc d\n", False),
        ("a\n", "a\nb\n", False),
        ("a.b\n", "axb\n", False),
    ],
)
def test_dots_stand_for_anything(shown: str, said: str, *, fitting: bool) -> None:
    assert page.fits(shown, said) is fitting


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("in 1 min 3 s", "in 0.4 s"),
        (f"sha256:{'a' * 64}", f"sha256:{'0' * 64}"),
        ("v1-4-g76638dd", "v1-4-gabcdef0123"),
        ("(linux/amd64, 1.7 MB)", "(linux/amd64, 345 kB)"),
        ("a   b  ", "a b"),
        ("localhost:5000/x", "ghcr.io/x"),
    ],
)
def test_what_changes_is_not_compared(one: str, other: str) -> None:
    known = {"localhost:5000": "ghcr.io"}
    assert page.plain(one, known) == page.plain(other, known)
