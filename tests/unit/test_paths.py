"""From container paths to repository paths."""

from __future__ import annotations

from pathlib import Path

import pytest

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
