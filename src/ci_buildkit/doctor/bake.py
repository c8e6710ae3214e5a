"""Mistakes in bake files that can be seen without evaluating them. Pure.

Blocks and attributes are those of docker/buildx, bake/bake.go and bake/hclparser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ci_buildkit.doctor.bakefile import BakeFile, is_one_of
from ci_buildkit.doctor.flaw import Flaw, Rule
from ci_buildkit.doctor.hcl import Attribute, Block
from ci_buildkit.doctor.nearest import nearest, question, words
from ci_buildkit.doctor.parsed import Parsed
from ci_buildkit.doctor.variables import AUTOMATIC, PREDEFINED, declared

ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "target": words(
        """
        annotations args attest cache-from cache-to call context contexts description dockerfile dockerfile-inline entitlements
        extra-hosts inherits labels matrix name network no-cache no-cache-filter output platforms policy pull resources secret
        shm-size ssh tags target ulimits
        """
    ),
    "group": words("description matrix name targets"),
    "variable": words("default description sensitive type validation"),
    "function": words("params result variadic_params"),
}
# Arguments that BuildKit takes itself, whether declared or not.
BUILDKIT_ARG = re.compile(r"BUILDKIT_\w+|SOURCE_DATE_EPOCH")
REFERENCE = re.compile(r"\$\{\s*([A-Za-z_]\w*)\s*\}")
BUILT_IN = frozenset({"BAKE_CMD_CONTEXT", "BAKE_LOCAL_PLATFORM"})


def broken(file: BakeFile) -> Iterator[Flaw]:
    """What is no HCL or JSON."""
    yield from file.broken


def blocks(file: BakeFile) -> Iterator[Flaw]:
    """Kinds of blocks that are nearly one that there is."""
    for block in file.root.blocks:
        if block.kind not in ATTRIBUTES and block.labels:
            yield from _slip(file, block.line, block.kind, nearest(block.kind, ATTRIBUTES), "there is no block")


def attributes(file: BakeFile) -> Iterator[Flaw]:
    """Attributes that are nearly one that the block has."""
    for block in file.root.blocks:
        known = ATTRIBUTES.get(block.kind, frozenset())
        for one in block.attributes:
            others = [kind for kind, names in ATTRIBUTES.items() if one.name in names and one.name not in known]
            if others and block.kind in {"target", "group"} and others[0] in {"target", "group"}:
                yield Flaw(
                    one.line, f'a {block.kind} has no attribute "{one.name}", a {others[0]} has: bake ignores it here'
                )
            else:
                yield from _slip(file, one.line, one.name, nearest(one.name, known), f"a {block.kind} has no attribute")


def _slip(file: BakeFile, line: int, word: str, names: tuple[str, ...], said: str) -> Iterator[Flaw]:
    if names:
        fix = file.respelt(line, word, names[0]) if len(names) == 1 else None
        yield Flaw(line, f'{said} "{word}"{question(names)}', fix, safe=fix is not None)


def stages(file: BakeFile) -> Iterator[Flaw]:
    """Targets of stages that the Dockerfile does not have."""
    told = set()
    for block in file.of_kind("target"):
        dockerfile = file.parsed(block)
        attribute = file.attribute(block, "target")
        if dockerfile is None or attribute is None or attribute.string is None:
            continue
        word, line = attribute.string, attribute.line
        if dockerfile.section(word) is not None or not dockerfile.sections or (line, dockerfile.path) in told:
            continue
        told.add((line, dockerfile.path))
        names = nearest(word, [one.name for one in dockerfile.sections if one.name])
        fix = file.respelt(line, word, names[0]) if len(names) == 1 and _is_alone(file, line, word) else None
        what = f'stage "{word}" does not exist in {dockerfile.path}{question(names)}'
        yield Flaw(line, what, fix, safe=fix is not None)


def _is_alone(file: BakeFile, line: int, word: str) -> bool:
    return len(re.findall(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", file.lines[line - 1])) == 1


def targets(file: BakeFile) -> Iterator[Flaw]:
    """Groups, `inherits` and contexts that name targets that are nearly one that there is."""
    names = file.names()
    for block in (*file.of_kind("group"), *file.of_kind("target")):
        for attribute, word, line in _references(block):
            if is_one_of(word, names):
                continue
            near = nearest(word, [name for name in names if "${" not in name and name != block.labels[0]])
            if near:
                yield from _slip(file, line, word, near, f"{attribute} names a target that does not exist:")


def _references(block: Block) -> Iterator[tuple[str, str, int]]:
    """The names of targets in a block: where, the name, its line."""
    for name in ("targets", "inherits"):
        attribute = block.get(name)
        yield from ((name, token.text, token.line) for token in (attribute.strings if attribute else ()))
    contexts = block.get("contexts")
    for one in contexts.fields.values() if contexts else ():
        if one.string and one.string.startswith("target:"):
            yield "contexts", one.string.removeprefix("target:"), one.line


def dockerfiles(file: BakeFile) -> Iterator[Flaw]:
    """Dockerfiles that do not exist."""
    told = set()
    for block in file.of_kind("target"):
        attribute = file.attribute(block, "dockerfile")
        path = file.dockerfile(block)
        if attribute is None or attribute.string is None or path is None or path in file.files:
            continue
        if block.labels[0].startswith("_") or (attribute.line, path) in told:
            continue  # one that is only inherited may get its context from its heirs
        told.add((attribute.line, path))
        base, folder = path.rpartition("/")[2], path.rpartition("/")[0]
        names = nearest(base, [one.rpartition("/")[2] for one in file.files if one.rpartition("/")[0] == folder])
        fix = file.respelt(attribute.line, base, names[0]) if len(names) == 1 else None
        yield Flaw(attribute.line, f'there is no file "{path}"{question(names)}', fix, safe=fix is not None)


def arguments(file: BakeFile) -> Iterator[Flaw]:
    """Arguments that no Dockerfile of the targets that pass them declares."""
    told = set()
    for block in file.of_kind("target"):
        args = block.get("args")
        users = [one for one in file.heirs(block.labels[0]) if not one.labels[0].startswith("_") or one is block]
        known = [file.parsed(one) for one in users if one is not block or len(users) == 1]
        parsed = [one for one in known if one is not None]
        if args is None or not parsed or len(parsed) < len(known):
            continue
        names = frozenset(name for one in parsed for name in declared(one.instructions))
        for argument in args.fields.values():
            if not _is_free(argument, names) and (argument.name, argument.line) not in told:
                told.add((argument.name, argument.line))
                yield _undeclared(argument, names, parsed)


def _is_free(argument: Attribute, names: frozenset[str]) -> bool:
    return argument.name in names | PREDEFINED | AUTOMATIC or bool(BUILDKIT_ARG.fullmatch(argument.name))


def _undeclared(argument: Attribute, names: frozenset[str], parsed: list[Parsed]) -> Flaw:
    near = nearest(argument.name, names, 0.85)
    where = " or ".join(dict.fromkeys(one.path for one in parsed))
    return Flaw(argument.line, f'no ARG "{argument.name}" in {where}, so nothing takes it{question(near)}')


def variables(file: BakeFile) -> Iterator[Flaw]:
    """Variables in templates that are nearly one that there is."""
    known = (
        {block.labels[0] for block in file.of_kind("variable")} | {one.name for one in file.root.attributes} | BUILT_IN
    )
    for block in file.of_kind("target"):
        matrix = block.get("matrix")
        local = known | set(matrix.fields if matrix else ())
        for attribute in block.attributes:
            for token in attribute.tokens:
                for name in REFERENCE.findall(token.text) if token.kind == "string" else ():
                    near = nearest(name, local, 0.8) if name not in local else ()
                    yield from _slip(file, token.line, name, near, "there is no variable")


RULES: tuple[Rule[BakeFile], ...] = (
    Rule("bake-syntax", "error", "A bake file is no HCL or JSON.", broken),
    Rule("unknown-bake-block", "error", "A bake file has a block of a misspelt kind.", blocks, repairs=True),
    Rule(
        "unknown-bake-attribute",
        "error",
        "A target, group, variable or function has a misspelt attribute.",
        attributes,
        repairs=True,
    ),
    Rule("unknown-bake-variable", "error", "A template names a misspelt variable.", variables, repairs=True),
    Rule(
        "unknown-bake-target",
        "error",
        "`targets`, `inherits` or `contexts` name a misspelt target.",
        targets,
        repairs=True,
    ),
    Rule("missing-dockerfile", "error", "A target's Dockerfile does not exist.", dockerfiles, repairs=True),
    Rule("unknown-stage", "error", "A target names a stage that its Dockerfile does not have.", stages),
    Rule("unknown-argument", "warning", "A target passes an argument that its Dockerfile does not declare.", arguments),
)
