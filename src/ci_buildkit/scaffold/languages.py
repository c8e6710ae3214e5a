"""The kinds of projects there are, and how a folder shows that it is one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from ci_buildkit.scaffold import cpp, golang, java, node, python, rust
from ci_buildkit.scaffold.project import KINDS, Kind, Project
from ci_buildkit.scaffold.tree import Tree


class Language(Struct, frozen=True):
    """One kind.

    `markers` are files that say that a folder is such a project; `sources` tell how much of it is written in the
    language. `begins` is how such a project begins, for people.
    """

    markers: tuple[str, ...]
    sources: tuple[str, ...]
    find: Callable[[Tree], Project]
    begins: str


LANGUAGES: Mapping[Kind, Language] = {
    "go": Language(golang.MARKERS, ("*.go",), golang.find, "`go mod init example.com/NAME`"),
    "python": Language(python.MARKERS, ("*.py",), python.find, "a pyproject.toml"),
    "node": Language(node.MARKERS, ("*.[jt]s", "*.[mc][jt]s", "*.[jt]sx"), node.find, "`npm init`"),
    "rust": Language(rust.MARKERS, ("*.rs",), rust.find, "`cargo init`"),
    "java": Language(java.MARKERS, ("*.java", "*.kt"), java.find, "a pom.xml or build.gradle"),
    "cpp": Language(cpp.MARKERS, cpp.SOURCES, cpp.find, "a CMakeLists.txt, meson.build or Makefile"),
}


def project(tree: Tree, wanted: Iterable[Kind] = KINDS, *, top: bool = True) -> Project | None:
    """The project that a folder is, of the kind that most of its sources have; None where it is none.

    `top` says that it is the top of a repository, where less is needed to be a project than in a folder.
    """
    found = kinds(tree, wanted, top=top)
    if not found:
        return None
    beside = tuple(f"{kind} is here too and was left out: --kind {kind} takes it instead" for kind in found[1:])
    one = LANGUAGES[found[0]].find(tree)
    return replace(one, notes=(*beside, *one.notes))


def kinds(tree: Tree, wanted: Iterable[Kind] = KINDS, *, top: bool = True) -> list[Kind]:
    """The kinds that a folder's own files show, the one with the most sources first."""
    found = [kind for kind in wanted if _is_marked(tree, kind, top=top)]
    return sorted(found, key=lambda kind: -len(tree.matching(*LANGUAGES[kind].sources)))


def _is_marked(tree: Tree, kind: Kind, *, top: bool) -> bool:
    markers = LANGUAGES[kind].markers
    if kind == "cpp" and not tree.first("CMakeLists.txt", "meson.build"):
        return "Makefile" in tree.files and bool(tree.matching("*.c", "*.cc", "*.cpp", "*.cxx"))  # others have one too
    if kind == "python" and not tree.first(*python.MANIFESTS):
        # A script alone is a project only where nothing else is: beside others it is a tool of theirs.
        strong = (marker for language in LANGUAGES.values() for marker in language.markers if "*" not in marker)
        return top and bool(tree.at_top("*.py")) and not tree.first(*(one for one in strong if one != "Makefile"))
    return bool(tree.first(*markers)) or (kind == "go" and golang.is_workspace(tree))
