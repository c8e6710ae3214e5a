"""What a Go project is made of. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from ci_buildkit.scaffold import project
from ci_buildkit.scaffold.project import Program, Project
from ci_buildkit.scaffold.tree import Tree

MARKERS = ("go.mod",)
GO = "1.26"
# Oldest first. The linter's second version reads no configuration of the first.
LINTERS = ("v1.64.8", "v2.15.0")
LINT_FILES = (".golangci.yml", ".golangci.yaml", ".golangci.toml", ".golangci.json")

_MAIN = re.compile(r"^package main\b", re.MULTILINE)
_IGNORED = re.compile(r"^//go:build ignore\b", re.MULTILINE)
_VERSION = re.compile(r"^(?:go|toolchain) +(?:go)?(\d+\.\d+)(\S*)", re.MULTILINE)
_LOCAL = re.compile(r"=>\s+\.{1,2}/")
_MODULE = re.compile(r"^module\s+\"?([^\s\"]+)", re.MULTILINE)


class Go(Struct, frozen=True):
    """What the template needs.

    `workspace` says that a go.work joins several modules, `downloads` that the modules that they use can be fetched with
    go.mod and go.sum alone.
    """

    version: str
    linter: str
    workspace: bool
    downloads: bool
    tests: bool
    programs: tuple[Program, ...]


def is_workspace(tree: Tree) -> bool:
    """Whether a go.work joins several modules, which then are one project; of a single one it is only a shortcut."""
    return len(re.findall(r"^\s*(?:use\s+)?\"?\.(?:\.?/[\w./-]+)?\"?\s*$", tree.text("go.work"), re.MULTILINE)) > 1


def find(tree: Tree) -> Project:
    """The Go project at the top of a tree."""
    module = tree.text("go.mod")
    found = project.programs(_programs(tree, module))
    version = _version(tree)
    old = bool(tree.first(*LINT_FILES)) and not re.search(
        r"""^\s*["']?version["']?\s*[:=]\s*["']?2""", tree.text(*LINT_FILES), re.MULTILINE
    )
    tests = bool(tree.matching("*_test.go"))
    facts = Go(
        version=version,
        linter=LINTERS[0] if old else LINTERS[-1],
        workspace=is_workspace(tree),
        downloads="go.sum" in tree.files
        and not _LOCAL.search(module)
        and not tree.first("go.work", "vendor/modules.txt"),
        tests=tests,
        programs=found,
    )
    said = [f"Go {version}", f"golangci-lint {facts.linter}"]
    said += ["go test"] if tests else []
    said += [f"programs: {', '.join(one.name for one in found)}"] if found else []
    notes = [] if found else ["no main package at the top or in cmd/*: there are no stages for binaries and an image"]
    notes += [] if tests else ["no *_test.go: there is no test stage"]
    notes += [f"golangci-lint {LINTERS[0]} reads the old configuration; `golangci-lint migrate` makes a new one"] * old
    return Project("go", facts, tuple(said), tuple(notes), crosses=bool(found), image=bool(found))


def _version(tree: Tree) -> str:
    """The tag of the image: what .go-version names, else the newest that is known or what go.mod asks for beyond it.

    Go keeps its promise of compatibility by the `go` line, so an older compiler than the newest is never needed.
    """
    if named := re.match(r"(?:go)?(\d+(?:\.\d+)+)", tree.line(".go-version")):
        return named[1]
    asked = [tuple(map(int, minor.split("."))) for minor, _ in _VERSION.findall(tree.text("go.mod", "go.work"))]
    newest = max([*asked, tuple(map(int, GO.split(".")))])
    return ".".join(map(str, newest))


def _programs(tree: Tree, module: str) -> dict[str, str]:
    """The folders of main packages, by the name that `go build` gives the program."""
    found: dict[str, str] = {}
    for file, text in tree.texts.items():
        folder, _, base = file.rpartition("/")
        inside = re.fullmatch(r"cmd/([^/]+)", folder)
        if not base.endswith(".go") or base.endswith("_test.go") or (folder and not inside):
            continue
        if _MAIN.search(text) and not _IGNORED.search(text):
            found[inside[1] if inside else _module_name(module)] = f"./{folder}" if folder else "."
    return {name: source for name, source in found.items() if re.fullmatch(r"[\w.+-]+", name)}


def _module_name(module: str) -> str:
    """What `go build` calls the program at a module's top: the last part of its path that is no major version."""
    named = _MODULE.search(module)
    parts = named[1].split("/") if named else ["main"]
    return parts[-2] if len(parts) > 1 and re.fullmatch(r"v\d+", parts[-1]) else parts[-1]
