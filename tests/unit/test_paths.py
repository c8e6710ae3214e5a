"""From container paths to repository paths."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_buildkit import tree
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.paths import PathMap, PathMapper, map_path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("cmd/server/main.go", "main.go", "services/api/app.py", "a dir/caf\u00e9.go"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/src/cmd/server/main.go", "cmd/server/main.go"),
        ("/go/src/example.com/x/cmd/server/main.go", "cmd/server/main.go"),
        ("/src/main.go", "main.go"),
        ("cmd/server/main.go", "cmd/server/main.go"),
        ("./cmd/../cmd/server/main.go", "cmd/server/main.go"),
        ("../cmd/server/main.go", "cmd/server/main.go"),
        ("app/cmd/server/main.go", "cmd/server/main.go"),
        ("file:///src/cmd/server/main.go", "cmd/server/main.go"),
        ("C:\\work\\cmd\\server\\main.go", "cmd/server/main.go"),
        ("/src/a dir/caf\u00e9.go", "a dir/caf\u00e9.go"),
        ("//src//cmd/server/main.go", "cmd/server/main.go"),
        # Not the repository's, whatever is called the same there.
        ("/usr/local/go/src/cmd/server/main.go", "/usr/local/go/src/cmd/server/main.go"),
        ("/go/pkg/mod/x@v1/main.go", "/go/pkg/mod/x@v1/main.go"),
        ("/src/gone.go", "/src/gone.go"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("nul\0.go", "nul\0.go"),
        ("x" * 5000, "x" * 5000),
        ("/" + "d/" * 500 + "api/app.py", "services/api/app.py"),
        ("", ""),
    ],
)
def test_the_longest_end_that_exists(path: str, expected: str, root: Path) -> None:
    assert map_path(path, root=root) == expected


def test_paths_in_the_repository_become_relative(root: Path) -> None:
    assert map_path(str(root / "cmd/server/main.go"), root=root) == "cmd/server/main.go"
    assert map_path(str(root / "gone.go"), root=root) == "gone.go"
    link = root.parent / f"{root.name}-link"
    link.symlink_to(root)
    assert map_path(str(root / "main.go"), root=link) == "main.go"


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        (["/src=services/api"], "/src/app.py", "services/api/app.py"),
        (["/src/=services/api/"], "/src/new/app.py", "services/api/new/app.py"),
        (["/src=."], "/src/gone.go", "gone.go"),
        (["/src="], "/src/gone.go", "gone.go"),
        (["/src=x"], "/srcs/gone.go", "/srcs/gone.go"),
        (["/=."], "/src/gone.go", "src/gone.go"),
        (["/a=x", "/a/b=y"], "/a/b/c", "y/c"),
        (["/a/b=y", "/a=x"], "/a/c", "x/c"),
        (["app=services/api"], "app/app.py", "services/api/app.py"),
        (["/src/Dockerfile=docker/Dockerfile"], "/src/Dockerfile", "docker/Dockerfile"),
        (["/a=b=c"], "/a/x", "b=c/x"),
    ],
)
def test_rules_win(rules: list[str], path: str, expected: str, root: Path) -> None:
    assert map_path(path, PathMap.parse(rules), root) == expected


@pytest.mark.parametrize("rule", ["", "/src", "=x"])
def test_a_rule_that_is_none(rule: str) -> None:
    with pytest.raises(ConfigurationError, match="is not FROM=TO"):
        PathMap.parse([rule])


def test_known_tells_what_annotations_can_show(root: Path) -> None:
    mapper = PathMapper(PathMap.parse(["/ruled=there"]), root)
    assert mapper.map("/src/main.go").known
    assert mapper.map("/ruled/x").known
    assert not mapper.map("/src/gone.go").known
    assert not mapper.map("../outside").known


def test_source_lines_never_leave_the_repository(root: Path) -> None:
    mapper = PathMapper(None, root)
    assert mapper.source_line("main.go", 1) == "x"
    assert mapper.source_line("main.go", 2) == ""
    assert mapper.source_line("../secret", 1) == ""
    assert mapper.source_line("/etc/passwd", 1) == ""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("file:///src/a%20dir/caf%C3%A9.go", "a dir/caf\u00e9.go"),
        ("file://localhost/src/cmd/server/main.go", "cmd/server/main.go"),
        ("file:/src/cmd/server/main.go", "cmd/server/main.go"),
        ("FILE:///src/cmd/server/main.go", "cmd/server/main.go"),
        ("file:///C:/work/cmd/server/main.go", "cmd/server/main.go"),
        ("file:///src/%0A%1B%5B31mgone.go", "/src/ gone.go"),
        ("file:///src/%FF.go", "/src/\ufffd.go"),
        ("file:///%2e%2e/%2e%2e/etc/passwd", "/etc/passwd"),
        ("file:relative.go", "file:relative.go"),
        ("C:/work/cmd/server/main.go", "cmd/server/main.go"),
        ("cmd\\server\\main.go", "cmd/server/main.go"),
        ("\\\\host\\share\\cmd\\server\\main.go", "cmd/server/main.go"),
        ("\\\\?\\C:\\x\\cmd\\server\\main.go", "cmd/server/main.go"),
        ("D:\\gone.go", "D:/gone.go"),
        # A percent sign in a plain path is one.
        ("/src/a%20dir/caf\u00e9.go", "/src/a%20dir/caf\u00e9.go"),
    ],
)
def test_uris_and_paths_of_windows(path: str, expected: str, root: Path) -> None:
    assert map_path(path, root=root) == expected


@pytest.fixture
def several(tmp_path: Path) -> Path:
    for name in ("main.go", "api/main.go", "web/src/index.js", "web/app/page.tsx", "docs/page.tsx", "only/deep/here/unique.py",
                 "node_modules/x/lib.js", ".hidden/secret.js"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        # The longest end that a file has, wherever it lies.
        ("/app/app/page.tsx", "web/app/page.tsx"),
        ("/build/api/main.go", "api/main.go"),
        ("/src/src/index.js", "web/src/index.js"),
        ("src/index.js", "web/src/index.js"),
        # A base name alone, of one file, which is all of the path.
        ("unique.py", "only/deep/here/unique.py"),
        ("page.tsx", None),
        # The rest of the path says that it is another file.
        ("/app/dist/index.js", None),
        ("dist/index.js", None),
        ("/app/other/main.go", None),
        # Directly in what is usually a WORKDIR.
        ("/src/main.go", "main.go"),
        ("/usr/src/app/main.go", "main.go"),
        # Dependencies and hidden folders are not the repository's own.
        ("lib.js", None),
        ("secret.js", None),
        ("/usr/include/main.go", None),
        ("/app/node_modules/api/main.go", None),
    ],
)
def test_what_is_in_several_places_is_not_guessed(path: str, expected: str | None, several: Path) -> None:
    found = PathMapper(None, several).map(path)
    assert found == ((expected, True) if expected else (path, False))


@pytest.mark.parametrize(
    ("path", "expected", "known"),
    [
        ("/src/main.go", "api/main.go", True),
        ("main.go", "api/main.go", True),
        ("./main.go", "api/main.go", True),
        ("../main.go", "../main.go", False),
        ("../front/app/page.tsx", "web/app/page.tsx", True),
        ("/src/web/src/index.js", "web/src/index.js", True),
        ("/front/app/page.tsx", "web/app/page.tsx", True),
        ("app/page.tsx", "web/app/page.tsx", True),
        ("unique.py", "only/deep/here/unique.py", True),
        ("/src/gone.go", "/src/gone.go", False),
        ("/src/../etc/passwd", "/etc/passwd", False),
    ],
)
def test_folders_of_the_container_that_are_known(path: str, expected: str, known: bool, several: Path) -> None:
    mapper = PathMapper(None, several, workdirs=[("/src", "api"), ("/front/", "web/")])
    assert mapper.map(path) == (expected, known)


def test_a_rule_wins_over_a_folder_that_is_known(several: Path) -> None:
    mapper = PathMapper(PathMap.parse(["/src=web"]), several, workdirs=[("/src", "api")])
    assert mapper.map("/src/main.go") == ("web/main.go", True)
    assert mapper.map("main.go") == ("api/main.go", True)


@pytest.mark.parametrize("rule", ["/src=..", "/src=/etc", "/src=../..", "/src=a/../../b", "/src=C:/x/../../.."])
def test_a_rule_that_leads_out_makes_nothing_known(rule: str, several: Path) -> None:
    found = PathMapper(PathMap.parse([rule]), several).map("/src/passwd")
    assert not found.known
    assert not PathMapper(None, several, workdirs=[("/src", "../.."), ("/", "..")]).map("/src/passwd").known


def test_links_out_of_the_repository_are_not_followed(several: Path) -> None:
    outside = several.parent / f"{several.name}-outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (several / "link.txt").symlink_to(outside / "secret.txt")
    (several / "folder").symlink_to(outside)
    (several / "inside.go").symlink_to(several / "main.go")
    mapper = PathMapper(None, several)
    for path in ("link.txt", "folder/secret.txt", "/src/folder/secret.txt", "/src/link.txt"):
        assert not mapper.map(path).known
        assert mapper.source_line(path, 1) == ""
    assert mapper.map("/src/inside.go") == ("inside.go", True)
    assert mapper.source_line("inside.go", 1) == "x"


def test_a_repository_that_is_too_large_to_search(several: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MAX_FILES", 2)
    mapper = PathMapper(None, several)
    assert mapper.map("/build/api/main.go") == ("api/main.go", True)
    assert mapper.map("unique.py") == ("unique.py", False)
    assert mapper.map("/src/main.go") == ("/src/main.go", False)


PARTS = st.sampled_from(["..", ".", "", "main.go", "api", "web", "src", "index.js", "etc", "passwd", "C:", "%2e%2e", "file:", "a b"]) | st.text(max_size=4)  # fmt: skip
PATHS = st.builds(
    lambda start, parts, separator: start + separator.join(parts),
    st.sampled_from(["", "/", "//", "file://", "file:///", "C:\\", "..\\", "../", "/src/"]),
    st.lists(PARTS, max_size=6),
    st.sampled_from(["/", "\\", "//"]),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS, st.lists(st.tuples(PATHS, PATHS), max_size=2), st.lists(st.tuples(PATHS, PATHS), max_size=2))
def test_what_is_known_is_always_in_the_repository(
    several: Path, path: str, rules: list[tuple[str, str]], workdirs: list[tuple[str, str]]
) -> None:
    mapper = PathMapper(PathMap.of(rules), several, workdirs)
    found = mapper.map(path)
    mapper.source_line(found.path, 1)
    if found.known:
        assert found.path
        assert not found.path.startswith("/")
        assert os.path.normpath(found.path) == found.path
        assert ".." not in found.path.split("/")
        if not rules:
            assert (several / found.path).resolve().is_relative_to(several.resolve())
            assert (several / found.path).is_file()
