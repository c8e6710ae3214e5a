"""Finds out what surrounds each Dockerfile: its build context, and who builds which of its stages. Reads files."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from ci_buildkit.checkout import ignore
from ci_buildkit.config.options import Options
from ci_buildkit.doctor import contexts
from ci_buildkit.doctor.around import Around
from ci_buildkit.doctor.bakefile import BakeFile
from ci_buildkit.doctor.find import LARGEST_SPEAKER, Files
from ci_buildkit.doctor.hcl import Block
from ci_buildkit.doctor.nearest import words
from ci_buildkit.doctor.parse import parse

# Where test tools and builds are set up.
SETTINGS = words(
    """
    .goreleaser.yaml .goreleaser.yml .rspec Cargo.toml Directory.Build.props Makefile build.rs package.json phpunit.xml
    phpunit.xml.dist pyproject.toml pytest.ini setup.cfg setup.py tox.ini
    """
)
# How prose and programs say which stage they build, or in quotes; a script may say it in any way.
WORD = re.compile(r"[A-Za-z][\w.-]*")
MENTIONED = re.compile(r"(?:target\b[\s\"'`]*[=:,\s][\s\"'`]*|[\"'`])([A-Za-z][\w.-]*)", re.IGNORECASE)
MOST_TEXT = 8 << 20  # characters of all such files


class Surroundings:
    """Answers for one folder; what is read once is kept."""

    def __init__(self, found: Files, options: Options, bake_files: Sequence[BakeFile]) -> None:
        """`options` are those in force in the folder."""
        self._files = found
        self._options = options
        self._bake_files = bake_files
        self._all = frozenset(found.all)

    @cached_property
    def _named(self) -> frozenset[str]:
        """What other files of the folder may name a stage with."""
        scripts, others = _texts(self._files, self._files.scripts), _texts(self._files, self._files.others)
        return _words(WORD, scripts) | _words(MENTIONED, others)

    def of(self, path: str, text: str) -> Around:
        """What surrounds the Dockerfile at a path."""
        users = [
            (file, block)
            for file in self._bake_files
            for block in file.of_kind("target")
            if file.dockerfile(block) == path
        ]
        context = self._context(path, text, users)
        near = frozenset(self._near(context)) if context is not None else frozenset()
        ignore_file = self._ignore_file(path, context) if context is not None else ""
        settings = [self._files.read(posixpath.join(context or "", name)) or "" for name in sorted(SETTINGS & near)]
        return Around(
            options=self._options,
            targets=self._mentioned(path, text) | _stages(users),
            contexts=frozenset(name.lower() for file, block in users for name in _contexts(file, block)),
            ignore_file=ignore_file,
            ignore=ignore.parse(self._files.read(ignore_file) or "" if ignore_file else ""),
            files=near,
            settings="\n".join(settings),
            report_dir=self._report_dir(context),
        )

    def _mentioned(self, path: str, text: str) -> frozenset[str]:
        """The stages of a Dockerfile that other files of the folder name."""
        return frozenset(one.name for one in parse(path, text).sections if one.name in self._named)

    def _context(self, path: str, text: str, users: Iterable[tuple[BakeFile, Block]]) -> str | None:
        """The context as a bake file says it; else the folder, of the file's own and the root, that has what is copied."""
        said = [context for file, block in users if (context := file.context(block)) is not None]
        if said:
            return said[0]
        own = posixpath.dirname(path)
        wanted = _wanted(path, text)
        fitting = [one for one in dict.fromkeys((own, "")) if all(self._has(one, name) for name in wanted)]
        return fitting[0] if fitting else None

    def _has(self, folder: str, name: str) -> bool:
        inside = posixpath.normpath(posixpath.join(folder, name))
        return inside in self._all or any(path.startswith(f"{inside}/") for path in self._all)

    def _near(self, context: str) -> Iterable[str]:
        """The names in the top folder of a context."""
        start = f"{context}/" if context else ""
        names = {path.removeprefix(start).partition("/")[0] for path in self._all if path.startswith(start)}
        return names | ({".git"} if (self._files.root / context / ".git").exists() else set())

    def _ignore_file(self, path: str, context: str) -> str:
        """The file in force, whether it is there or would have to be made."""
        own = f"{path}.dockerignore"
        return own if (self._files.root / own).is_file() else posixpath.join(context, ".dockerignore")

    def _report_dir(self, context: str | None) -> str:
        folder = self._options.report_dir.as_posix()
        if context is None or folder.startswith(("/", "..")):
            return ""
        inside = posixpath.relpath(folder, context or ".")
        return "" if inside.startswith("..") else inside


def _texts(found: Files, paths: Iterable[str]) -> Iterator[str]:
    """The texts of files, as many as there is room for."""
    room = MOST_TEXT
    for path in paths:
        text = found.read(path, LARGEST_SPEAKER) if room > 0 else None
        if text is not None:
            room -= len(text)
            yield text


def _words(pattern: re.Pattern[str], texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word.lower().rstrip(".") for text in texts for word in pattern.findall(text))


def _wanted(path: str, text: str) -> list[str]:
    """The sources that a Dockerfile copies by their plain names."""
    names = [
        word
        for one in parse(path, text).instructions
        if one.keyword in {"COPY", "ADD"} and not one.values("--from")
        for word in one.words[:-1]
        if word not in contexts.WHOLE and not re.search(r"[$*?\[<\\]|://|^git@", word)
    ]
    return [name.lstrip("/") for name in names if name.strip("/")]


def _stages(users: Iterable[tuple[BakeFile, Block]]) -> frozenset[str]:
    """The stages that bake targets build; a template stands for every stage that it may be."""
    found: set[str] = set()
    for file, block in users:
        attribute = file.attribute(block, "target")
        if attribute is not None:
            found |= {token.text.lower() for token in attribute.tokens if token.kind == "string"} or {"${any}"}
        found.add(block.labels[0].lower())
    return frozenset(found)


def _contexts(file: BakeFile, block: Block) -> Iterable[str]:
    attribute = file.attribute(block, "contexts")
    return attribute.fields if attribute else ()
