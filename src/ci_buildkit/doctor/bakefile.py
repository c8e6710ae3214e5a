"""A bake file as the rules see it: what HCL and JSON files have in common, nothing evaluated. Pure."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from ci_buildkit.doctor import hcl
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.doctor.hcl import Attribute, Block, Token
from ci_buildkit.doctor.lines import split
from ci_buildkit.doctor.parsed import Parsed

_TEMPLATE = re.compile(r"\$\{[^}]*\}")


class BakeFile(Struct, frozen=True):
    """The file. `root` holds its blocks; `broken` says where it cannot be read.

    `beside` are names that other bake files of the folder give targets and groups; `dockerfiles` the parsed
    Dockerfiles by path, `files` the paths that exist in the repository.
    """

    path: str
    text: str
    lines: tuple[str, ...]
    root: Block
    broken: tuple[Flaw, ...] = ()
    beside: frozenset[str] = frozenset()
    dockerfiles: Mapping[str, Parsed] = field(default_factory=dict)
    files: frozenset[str] = frozenset()

    @property
    def folder(self) -> str:
        """The folder that the file lies in, "" for the examined one."""
        return posixpath.dirname(self.path)

    def of_kind(self, kind: str) -> Iterator[Block]:
        """The blocks of one kind that have a label."""
        return (block for block in self.root.blocks if block.kind == kind and block.labels)

    def target(self, name: str) -> Block | None:
        """The target with this name; of several the last."""
        return next((block for block in reversed(list(self.of_kind("target"))) if block.labels[0] == name), None)

    def attribute(self, block: Block, name: str, seen: frozenset[str] = frozenset()) -> Attribute | None:
        """An attribute of a target, its own or inherited: of several inherited ones the last."""
        if (own := block.get(name)) is not None:
            return own
        for parent in reversed(parents(block)):
            other = self.target(parent) if parent not in seen else None
            if other is not None and (found := self.attribute(other, name, seen | {parent})) is not None:
                return found
        return None

    def heirs(self, name: str) -> tuple[Block, ...]:
        """The targets that inherit from one, through others too, and itself."""
        names = {name}
        for _ in self.root.blocks:  # a chain is no longer than there are blocks
            names |= {block.labels[0] for block in self.of_kind("target") if names & set(parents(block))}
        return tuple(block for block in self.of_kind("target") if block.labels[0] in names)

    def plain(self, block: Block, name: str, default: str) -> str | None:
        """The text of an attribute, the default without one; None where it has to be evaluated."""
        attribute = self.attribute(block, name)
        return default if attribute is None else attribute.string

    def context(self, block: Block) -> str | None:
        """The folder of a target's context, relative to the examined one; None where that is unknown or elsewhere.

        Bake takes it relative to where it is called: the file's folder, or the examined one where the Dockerfile is there.
        """
        context = self.plain(block, "context", ".")
        if context is None or "://" in context or context.startswith(("git@", "/")):
            return None
        name = self.plain(block, "dockerfile", "Dockerfile") or ""
        places = [inside for start in (self.folder, "") if (inside := _joined(start, context)) is not None]
        return next((place for place in places if _joined(place, name) in self.files), next(iter(places), None))

    def dockerfile(self, block: Block) -> str | None:
        """The path of a target's Dockerfile; None where that is unknown or elsewhere."""
        context, name = self.context(block), self.plain(block, "dockerfile", "Dockerfile")
        if context is None or name is None or name.startswith("/") or self.attribute(block, "dockerfile-inline"):
            return None
        return _joined(context, name)

    def parsed(self, block: Block) -> Parsed | None:
        """A target's Dockerfile, where it is known and could be read as a whole."""
        parsed = self.dockerfiles.get(self.dockerfile(block) or "")
        return None if parsed is None or parsed.broken else parsed

    def names(self) -> frozenset[str]:
        """The names of targets and groups, here and beside, those of matrices as they are written: `build-${os}`."""
        found = set(self.beside)
        for kind in ("target", "group"):
            for block in self.of_kind(kind):
                found.add(block.labels[0])
                if name := block.get("name"):
                    found |= {token.text for token in name.tokens if token.kind == "string"} or {"${}"}
        return frozenset(found)

    def respelt(self, line: int, word: str, right: str) -> str | None:
        """A line with another word; None where the word does not stand there once."""
        row = self.lines[line - 1]
        new, count = re.subn(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", right.replace("\\", r"\\"), row)
        return new if count == 1 else None


def _joined(folder: str, path: str) -> str | None:
    """A path below a folder; None where it leads out of the examined one."""
    inside = posixpath.normpath(posixpath.join(folder, path))
    return None if inside.startswith("..") else inside.removeprefix("./").removesuffix(".")


def parents(block: Block) -> list[str]:
    """The targets that a target inherits from, in order."""
    inherits = block.get("inherits")
    return [token.text for token in inherits.strings] if inherits else []


def is_one_of(name: str, names: frozenset[str]) -> bool:
    """Whether a name is one of these; where either is a template, whether it may be."""
    if name in names:
        return True
    if "${" in name:
        return any(_pattern(name).fullmatch(other) or "${" in other for other in names)
    return any(_pattern(other).fullmatch(name) for other in names if "${" in other)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, _TEMPLATE.sub("\0", template).split("\0"))))


def parse(path: str, text: str) -> BakeFile:
    """The file; what cannot be read is in `broken`."""
    lines = split(text)
    try:
        root = _json(text) if path.endswith(".json") else hcl.read(text)
    except hcl.HclError as error:
        return BakeFile(path, text, lines, Block("", (), 1), (Flaw(error.line, f"the file cannot be read: {error}"),))
    return BakeFile(path, text, lines, root)


def _json(text: str) -> Block:
    """A JSON bake file in the shape of an HCL one. Raises HclError."""
    import yaml

    try:
        json.loads(text.removeprefix("\ufeff"))
        # JSON is YAML but for tabs; unlike the json module this one knows the lines of what it reads.
        node = yaml.compose(text.removeprefix("\ufeff").replace("\t", " "))
    except json.JSONDecodeError as error:
        raise hcl.HclError(error.lineno, error.msg) from error
    except yaml.YAMLError as error:
        raise hcl.HclError(1, "it nests too strangely") from error
    blocks = []
    for kind, value in _pairs(node):
        for label, body in _pairs(value):
            attributes = tuple(
                Attribute(name.value, _line(name), tuple(_value(one))) for name, one in _pairs(body) if name.value
            )
            blocks.append(Block(kind.value, (label.value,), _line(label), attributes))
    return Block("", (), 1, (), tuple(blocks))


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    return list(node.value) if getattr(node, "id", "") == "mapping" else []


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _value(node: Any) -> Iterator[Token]:
    """The tokens that the value would have in HCL."""
    if node.id == "mapping":
        yield Token("other", "{", _line(node))
        for name, value in node.value:
            yield Token("string", str(name.value), _line(name))
            yield Token("other", "=", _line(name))
            yield from _value(value)
            yield Token("newline", "\n", _line(value))
        yield Token("other", "}", _line(node))
    elif node.id == "sequence":
        yield Token("other", "[", _line(node))
        for value in node.value:
            yield from _value(value)
            yield Token("other", ",", _line(value))
        yield Token("other", "]", _line(node))
    else:
        kind = "string" if node.tag.endswith(":str") else "word"
        yield Token(kind, str(node.value), _line(node))
