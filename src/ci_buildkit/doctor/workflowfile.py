"""A YAML file as the tree that GitHub reads, with the line of everything in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from ci_buildkit.doctor.lines import split
from ci_buildkit.errors import said

if TYPE_CHECKING:
    import yaml

# What ends a line in YAML 1.1 only, where everything else, the fixes included, counts line feeds.
OTHER_ENDS = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
LARGEST = 1 << 20  # bytes; GitHub itself refuses far smaller workflows


class Value(Struct, frozen=True):
    """A value of the file. Lines are 1-based.

    `line` is that of its key, or of an item of a list where it begins; `first` and `last` are the lines of the value
    itself. A scalar has `text` ("" where nothing is written), a list `items`, a mapping `entries`; the others are empty.
    """

    line: int
    first: int
    last: int
    text: str | None = None
    items: tuple[Value, ...] = ()
    entries: Mapping[str, Value] = field(default_factory=dict)
    flow: bool = False

    def of(self, *keys: str) -> Value | None:
        """What stands below these keys; None where there is nothing."""
        found: Value | None = self
        for key in keys:
            found = found.entries.get(key) if found else None
        return found

    def text_of(self, *keys: str) -> str:
        """The text below these keys; "" where there is none."""
        found = self.of(*keys)
        return (found.text or "") if found else ""

    @property
    def several(self) -> tuple[Value, ...]:
        """The scalars of a list, or the one scalar in its place."""
        one = (self,) if self.text else ()
        return tuple(item for item in self.items if item.text) or one


class Fault(Struct, frozen=True):
    """What is wrong with the YAML itself: `duplicate` of a key, or `unreadable`."""

    line: int | None
    kind: str
    message: str


class YamlFile(Struct, frozen=True):
    """A file that was read. `root` is None where it cannot be; `lines` are without their ends."""

    path: str
    lines: tuple[str, ...] = ()
    root: Value | None = None
    faults: tuple[Fault, ...] = ()

    def line(self, number: int) -> str:
        """The text of a line; "" past the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def find(self, what: str, value: Value) -> int:
        """The first line of a value that holds a text; the value's own line where none does."""
        numbers = range(value.first, min(value.last, len(self.lines)) + 1)
        return next((number for number in numbers if what in self.line(number)), value.line)


def read(file: Path, path: str) -> YamlFile:
    """Read a file, which is called `path` in messages. What cannot be read is a fault of it, never an exception."""
    import yaml

    try:
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
        if len(data) > LARGEST:
            return _broken(path, None, f"it is larger than {LARGEST >> 20} MiB")
        text = data.decode("utf-8-sig")
    except OSError as error:
        return _broken(path, None, said(error))
    except UnicodeDecodeError as error:
        return _broken(path, data[: error.start].count(b"\n") + 1, "it is not UTF-8")
    text = OTHER_ENDS.sub(" ", text)
    lines = split(text)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(text, Loader=loader)
        maker = _Maker()
        root = maker.value(node, None) if node else None
    except yaml.YAMLError as error:
        return _broken(path, *_explained(error, text), lines=lines)
    except RecursionError:
        return _broken(path, None, "it is nested too deeply", lines=lines)
    return YamlFile(path, lines, root, tuple(maker.faults))


def _broken(path: str, line: int | None, why: str, lines: tuple[str, ...] = ()) -> YamlFile:
    return YamlFile(path, lines, None, (Fault(line, "unreadable", why),))


def _explained(error: yaml.YAMLError, text: str) -> tuple[int | None, str]:
    """Where the parser stumbled, and over what."""
    import yaml

    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        why = ", ".join(filter(None, [error.context, error.problem])) or "it is no YAML"
        if mark is None:
            return None, why
        rows = text.split("\n")
        line = min(mark.line, len(rows) - 1)  # the parser may have noticed it behind the end only
        if rows[line].lstrip(" ").startswith("\t"):
            why = "the line is indented with a tab, and YAML is indented with spaces"
        return line + 1, why
    position = getattr(error, "position", None)  # of a character that YAML does not allow
    return text[:position].count("\n") + 1 if isinstance(
        position, int
    ) else None, "it holds a character that YAML does not allow"


class _Maker:
    """Turns the parser's nodes into values. An alias is what its anchor is, its lines too."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._made: dict[int, Value] = {}

    def value(self, node: yaml.Node, key: yaml.Node | None) -> Value:
        import yaml

        line, first = (key or node).start_mark.line + 1, node.start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            return Value(line, first, _end(node), "" if _is_nothing(node) else str(node.value))
        if (made := self._made.get(id(node))) is not None:
            return made
        self._made[id(node)] = Value(line, first, first)  # what an alias inside of itself is
        flow = bool(getattr(node, "flow_style", False))
        items = tuple(self.value(item, None) for item in node.value) if isinstance(node, yaml.SequenceNode) else ()
        entries = dict(self._entries(node)) if isinstance(node, yaml.MappingNode) else {}
        # A block's end mark is where the next token begins, which may be lines behind it.
        last = _end(node) if flow else max([first, *(one.last for one in (*items, *entries.values()))])
        made = Value(line, first, last, items=items, entries=entries, flow=flow)
        self._made[id(node)] = made
        return made

    def _entries(self, node: yaml.MappingNode) -> Iterator[tuple[str, Value]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                message = f"the key {name!r} is there twice, first in line {seen[name]}; GitHub refuses such a file"
                self.faults.append(Fault(line, "duplicate", message))
            seen.setdefault(name, line)
            yield name, self.value(value, key)


def _is_nothing(node: yaml.ScalarNode) -> bool:
    return node.tag == "tag:yaml.org,2002:null"


def _end(node: yaml.Node) -> int:
    """The last line of a scalar or of what stands in brackets: what ends at the start of a line ends before it."""
    end = node.end_mark
    return max(node.start_mark.line + 1, end.line + (1 if end.column else 0))
