"""What a C or C++ project is made of. Pure."""

from __future__ import annotations

import re

from msgspec import Struct

from ci_buildkit.scaffold import project
from ci_buildkit.scaffold.project import Program, Project
from ci_buildkit.scaffold.tree import Tree

MARKERS = ("CMakeLists.txt", "meson.build", "Makefile")
SOURCES = ("*.c", "*.cc", "*.cpp", "*.cxx", "*.h", "*.hpp")
IGNORED = ("build", "builddir", "cmake-build-*")
_CMAKE_PROGRAM = re.compile(
    r"^\s*add_executable\s*\(\s*([\w.+-]++)(?!\s+(?:IMPORTED|ALIAS))", re.MULTILINE | re.IGNORECASE
)
_MESON_PROGRAM = re.compile(r"^\s*(?:\w+\s*=\s*)?executable\s*\(\s*'([\w.+-]+)'", re.MULTILINE)
_TESTLIKE = re.compile(r"(^|[_.-])(unit)?tests?($|[_.-])|bench|example", re.IGNORECASE)


class Cpp(Struct, frozen=True):
    """What the template needs.

    `packages` are Debian's. `configure`, `compile`, `lint` and `install` are commands, `test` the one that leaves JUnit in
    /out, "" without tests.
    """

    packages: tuple[str, ...]
    configure: str
    compile: str
    lint: str
    test: str
    install: str
    programs: tuple[Program, ...]


def find(tree: Tree) -> Project:
    """The C or C++ project at the top of a tree."""
    marker = tree.first(*MARKERS)
    make = {"CMakeLists.txt": _cmake, "meson.build": _meson}.get(marker, _make)
    facts = make(tree)
    said = [{"CMakeLists.txt": "CMake", "meson.build": "Meson"}.get(marker, "Make"), facts.lint.split()[0]]
    said += ["tests"] if facts.test else []
    said += [f"programs: {', '.join(one.name for one in facts.programs)}"] if facts.programs else []
    notes = ["name the libraries that you need, as Debian calls them, in the stage base"]
    if not facts.test and marker == "Makefile":
        notes.append("there is no test stage: let `make check` write JUnit XML or print TAP, and add one")
    elif not facts.test:
        notes.append("no tests in the build files: there is no test stage")
    if not facts.programs:
        notes.append("no program: there are no stages for binaries and an image")
    return Project("cpp", facts, tuple(said), tuple(notes), IGNORED, image=bool(facts.programs))


def _lint(tree: Tree, compiled: str) -> tuple[str, str]:
    """The linter as Debian's package and as a command; `compiled` is the folder that has a compilation database."""
    if ".clang-tidy" in tree.files and compiled:
        return "clang-tidy", f"run-clang-tidy -quiet -p {compiled}"
    flags = "--error-exitcode=1 --enable=warning,performance,portability --inline-suppr --quiet --template=gcc"
    return "cppcheck", f"cppcheck {flags} ."


def _named(tree: Tree, pattern: re.Pattern[str], *files: str) -> tuple[Program, ...]:
    found = [name for file in tree.matching(*files) for name in pattern.findall(tree.texts.get(file, ""))]
    return project.programs({name: name for name in found if not _TESTLIKE.search(name)})


def _cmake(tree: Tree) -> Cpp:
    text = "\n".join(tree.texts.get(file, "") for file in tree.matching("CMakeLists.txt", "*/CMakeLists.txt"))
    tests = re.search(r"^\s*(enable_testing\s*\(|include\s*\(\s*CTest)", text, re.MULTILINE | re.IGNORECASE)
    package, lint = _lint(tree, "/build")
    programs = _named(tree, _CMAKE_PROGRAM, "CMakeLists.txt", "*/CMakeLists.txt")
    installs = re.search(r"^\s*install\s*\(\s*(TARGETS|PROGRAMS)", text, re.MULTILINE | re.IGNORECASE)
    return Cpp(
        packages=("cmake", "g++", "ninja-build", package),
        configure="cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
        compile="cmake --build /build",
        lint=lint,
        test="ctest --test-dir /build --output-on-failure --no-tests=error --output-junit /out/junit.xml"
        if tests
        else "",
        install="cmake --install /build --prefix /out --strip" if installs else _copy(programs, "/build"),
        programs=programs,
    )


def _meson(tree: Tree) -> Cpp:
    text = "\n".join(tree.texts.get(file, "") for file in tree.matching("meson.build", "*/meson.build"))
    package, lint = _lint(tree, "/build")
    programs = _named(tree, _MESON_PROGRAM, "meson.build", "*/meson.build")
    return Cpp(
        packages=("g++", "meson", "ninja-build", "pkg-config", package),
        configure="meson setup /build . --buildtype=release",
        compile="meson compile -C /build",
        lint=lint,
        # It always writes its JUnit file beside its log.
        test="meson test -C /build --print-errorlogs" if re.search(r"^\s*test\s*\(", text, re.MULTILINE) else "",
        install=_copy(programs, "/build"),
        programs=programs,
    )


def _make(tree: Tree) -> Cpp:
    package, lint = _lint(tree, "")
    text = tree.text("Makefile")
    named = re.search(r"^\s*(?:TARGET|PROGRAM|BIN|EXE|NAME|PROG)\s*[:?]?=\s*([\w.+-]+)\s*$", text, re.MULTILINE)
    programs = project.programs({named[1]: named[1]} if named else {})
    return Cpp(
        packages=("g++", "make", package),
        configure="",
        compile="make",
        lint=lint,
        test="",
        install=_copy(programs, "."),
        programs=programs,
    )


def _copy(programs: tuple[Program, ...], folder: str) -> str:
    """Each program, from wherever the build put it, to /out/bin."""
    names = " -o ".join(f"-name {one.name}" for one in programs)
    return f"mkdir -p /out/bin && find {folder} -type f -executable \\( {names} \\) -exec cp {{}} /out/bin/ \\;"
