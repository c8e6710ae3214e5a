"""Which files a repository gets. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from ci_buildkit.config.options import CONFIG_FILE
from ci_buildkit.errors import ConfigurationError
from ci_buildkit.scaffold import existing, ignores, languages, render, starter, workflow
from ci_buildkit.scaffold.languages import LANGUAGES
from ci_buildkit.scaffold.look import Look
from ci_buildkit.scaffold.part import Part
from ci_buildkit.scaffold.project import KINDS, Kind, mountable
from ci_buildkit.scaffold.tree import Tree
from ci_buildkit.scaffold.workflow import Wish

DEEPEST = 2  # folders between the top and a project
# Folders whose build files are for something else than a project of its own.
NO_PROJECTS = frozenset((
    "ci", "container", "contrib", "deploy", "deployment", "dev", "doc", "docker", "docs", "e2e", "example", "examples",
    "fixtures", "hack", "sample", "samples", "script", "scripts", "test", "tests", "tools",
))  # fmt: skip


class File(Struct, frozen=True):
    """A file to write, relative to the top.

    `write` puts `content` in place of whatever is there; `add` puts it behind what is there.
    """

    path: str
    content: str
    mode: Literal["write", "add"] = "write"


class Plan(Struct, frozen=True):
    """The files, what there is to say (what was found, what is left to do), and the folders of the projects."""

    files: tuple[File, ...]
    found: tuple[str, ...]
    notes: tuple[str, ...]
    folders: tuple[str, ...] = ("",)


def plan(look: Look, wish: Wish) -> Plan:
    """Decide.

    Raises ConfigurationError where nothing tells what is built.
    """
    begun, tree = _begun(look, wish.kind)
    parts = tuple(_parts(tree, wish.kind))
    if not parts:
        raise _nothing(wish.kind)
    files = [*begun]
    for part in parts:
        files += _of_part(tree.below(part.folder), part)
        settings = workflow.settings(look, wish, part, several=len(parts) > 1)
        files.append(File(part.path(CONFIG_FILE), settings))
    files.append(File(workflow.PATH, workflow.text(look, wish, [part.folder for part in parts])))
    untracked = starter.UNTRACKED.get(wish.kind, ()) if begun and wish.kind else ()
    if lines := ignores.git(tree.text(".gitignore"), untracked):
        files.append(_ignored(".gitignore", tree.text(".gitignore"), lines))
    notes = [note for part in parts for note in _notes(part)]
    return Plan(
        tuple(files), tuple(map(_found, parts)), (*notes, *_beside(tree, parts)), tuple(part.folder for part in parts)
    )


def _begun(look: Look, kind: Kind | None) -> tuple[list[File], Tree]:
    """The first program of an empty repository, and the repository with it."""
    if kind is None or kind not in starter.STARTERS or not starter.is_empty(look.tree):
        return [], look.tree
    new = starter.files(look, kind)
    return [File(path, text) for path, text in new.items()], Tree(
        look.tree.files | new.keys(), {**look.tree.texts, **new}
    )


def _parts(tree: Tree, kind: Kind | None) -> Iterator[Part]:
    """The projects: that of the top, else those of its folders that are not inside of another."""
    if top := _part(tree, "", kind):
        yield top
        return
    taken: list[str] = []
    for folder in tree.folders():
        names = folder.split("/")
        inside = any(folder.startswith(f"{one}/") for one in taken)
        if not folder or len(names) > DEEPEST or inside or NO_PROJECTS & set(names) or not mountable(folder):
            continue
        if part := _part(tree.below(folder), folder, kind):
            taken.append(folder)
            yield part
    # A Dockerfile in a folder that is no project builds the whole, where there is nothing else.
    if not taken and not kind and (found := existing.find(tree, elsewhere=True)):
        yield Part("", existing=found)


def _part(tree: Tree, folder: str, kind: Kind | None) -> Part | None:
    project = languages.project(tree, (kind,) if kind else KINDS, top=not folder)
    found = existing.find(tree, elsewhere=project is not None)
    if project is None and (found is None or (kind and folder)):
        return None
    return Part(folder, project, found)


def _nothing(kind: Kind | None) -> ConfigurationError:
    empty = "an empty folder gets a first program with --kind " + ", --kind ".join(starter.STARTERS)
    if kind:
        language = LANGUAGES[kind]
        return ConfigurationError(
            f"there is no {kind} project here: no {' and no '.join(language.markers)}",
            hint=f"it begins with {language.begins}; {empty}",
        )
    return ConfigurationError(
        f"nothing here tells what is built; the kinds are {', '.join(KINDS)}", hint=f"name one with --kind; {empty}"
    )


def _of_part(tree: Tree, part: Part) -> Iterator[File]:
    ours = part.existing is None
    ignored = part.project.ignored if part.project and ours else ()
    if ours and part.project:
        yield File(part.path("Dockerfile"), render.tidy(part.project.kind, it=part.project.facts))
    # A file beside the Dockerfile wins over that of the context.
    name = f"{part.existing.file}.dockerignore" if part.existing else ""
    name = name if name in tree.files else ".dockerignore"
    if name not in tree.files:
        yield File(part.path(name), ignores.dockerignore(ignored, ours=ours))
    elif lines := ignores.docker(tree.text(name), ignored, ours=ours):
        yield _ignored(part.path(name), tree.text(name), lines)


def _ignored(path: str, text: str, lines: tuple[str, ...]) -> File:
    begin = "\n" if text and not text.endswith("\n") else ""
    return File(path, begin + "".join(f"{line}\n" for line in lines), "add")


def _found(part: Part) -> str:
    where = f"{part.folder}: " if part.folder else ""
    said = ", ".join(part.project.said) if part.project else ""
    if part.existing is None:
        return where + said
    stages = [f"{kind}: {', '.join(names)}" for kind, names in part.existing.stages.items()]
    stages += [
        f"{option.removesuffix('-target')}: {', '.join(names)}" for option, names in part.existing.options.items()
    ]
    about = f"{part.existing.file} ({'; '.join(stages)})" if stages else part.existing.file
    return where + about


def _notes(part: Part) -> tuple[str, ...]:
    # What a project lacks is said of the Dockerfile that we write; one that is there is its owner's.
    notes = part.existing.notes if part.existing else part.project.notes if part.project else ()
    return tuple(f"{part.folder}: {note}" if part.folder else note for note in notes)


def _beside(tree: Tree, parts: tuple[Part, ...]) -> Iterator[str]:
    """Projects in folders that were left out, because the top is one."""
    if len(parts) > 1:
        yield f"{len(parts)} projects: each has a job of its own, and only those that changed are built"
    if parts[0].folder or not parts[0].project:
        return
    for folder in tree.folders():
        names = folder.split("/")
        if not folder or len(names) > DEEPEST or NO_PROJECTS & set(names):
            continue
        # What is of the same language is most often a part of the project at the top.
        kinds = [kind for kind in languages.kinds(tree.below(folder), top=False) if kind != parts[0].project.kind]
        if kinds:
            yield f"{folder} ({kinds[0]}) is left out: `ci-buildkit run --context {folder}` builds it once it has a Dockerfile"
