"""A Dockerfile as the rules see it: its lines, its instructions by stage, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from ci_buildkit.doctor.around import Around
from ci_buildkit.doctor.flaw import Flaw
from ci_buildkit.plan.dockerfile import VARIABLE, Dockerfile


def may_be(word: str, names: Iterable[str]) -> bool:
    """Whether a word in lower case names one of these; a variable in it may be anything."""
    if "$" not in word:
        return word in names
    pattern = re.compile(".*".join(re.escape(part) for part in VARIABLE.sub("\0", word).split("\0")))
    return any(pattern.fullmatch(name) for name in names)


class Instruction(Struct, frozen=True):
    """One instruction. `line` and `end_line` are 1-based; `keyword` is in upper case.

    `flags` are `--name=value`, `words` what follows them; `text` is the instruction on one line, and `script` what a shell
    runs of a RUN, here-documents included ("" in the exec form). `heredocs` are the contents of its here-documents.
    """

    keyword: str
    line: int
    end_line: int
    flags: tuple[str, ...]
    words: tuple[str, ...]
    text: str
    script: str = ""
    heredocs: tuple[str, ...] = ()

    def values(self, flag: str) -> tuple[str, ...]:
        """What the flags of this name say: `("base",)` for `--from=base`."""
        return tuple(value for name, _, value in (one.partition("=") for one in self.flags) if name == flag)

    @property
    def mounts(self) -> tuple[dict[str, str], ...]:
        """The fields of each `--mount`, keys in lower case."""
        return tuple(
            {key.lower(): value.strip("\"'") for key, _, value in (field.partition("=") for field in one.split(","))}
            for one in self.values("--mount")
        )


class Section(Struct, frozen=True):
    """A stage: its FROM and what follows it. `name` is in lower case, "" without one; `base` as it is written."""

    number: int
    name: str
    base: str
    start: Instruction
    body: tuple[Instruction, ...]

    @property
    def title(self) -> str:
        """The stage in a sentence."""
        return f'stage "{self.name}"' if self.name else f"stage {self.number}"

    @property
    def key(self) -> str:
        """The name that the graph knows the stage by."""
        return self.name or str(self.number)

    @property
    def image(self) -> str:
        """The name of the base image without host, folders, tag and digest: `golang` of `docker.io/library/golang:1.26`."""
        return re.split(r"[:@]", self.base.rpartition("/")[2])[0].lower()


class Parsed(Struct, frozen=True):
    """The file. `head` stands before the first FROM; `broken` are the places that BuildKit's parser refuses."""

    path: str
    text: str
    lines: tuple[str, ...]
    directives: Mapping[str, tuple[int, str]]
    head: tuple[Instruction, ...]
    sections: tuple[Section, ...]
    graph: Dockerfile
    broken: tuple[Flaw, ...]
    around: Around

    @property
    def escape(self) -> str:
        """The character that continues a line."""
        return self.directives.get("escape", (0, "\\"))[1]

    @property
    def instructions(self) -> Iterator[Instruction]:
        """All, in order."""
        yield from self.head
        for section in self.sections:
            yield section.start
            yield from section.body

    def section(self, name: str) -> Section | None:
        """The stage with this name or number; the last of several with the name."""
        wanted = name.lower()
        found = [one for one in self.sections if wanted in {one.name, str(one.number)}]
        return found[-1] if found else None

    def bases_of(self, section: Section) -> tuple[Section, ...]:
        """The earlier stages that a stage may begin with: several where a variable decides, none for an image."""
        earlier = {one.name: one for one in self.sections[: section.number] if one.name}
        return tuple(one for one in earlier.values() if may_be(section.base.lower(), (one.name,)))

    def chain(self, section: Section) -> tuple[Section, ...]:
        """The stage and those that it is or may be made from by FROM, itself first."""
        found = dict.fromkeys([section])
        waiting = [section]
        while waiting:
            bases = [base for base in self.bases_of(waiting.pop(0)) if base not in found]
            found |= dict.fromkeys(bases)
            waiting += bases
        return tuple(found)

    def roots(self, section: Section) -> tuple[Section, ...]:
        """The stages of the chain that begin with an image."""
        return tuple(one for one in self.chain(section) if not self.bases_of(one))

    def heirs(self, section: Section) -> tuple[Section, ...]:
        """The stage and those that are made from it by FROM."""
        return tuple(one for one in self.sections if section in self.chain(one))

    def before(self, section: Section, line: int) -> Iterator[Instruction]:
        """What has been said when a line of a stage is reached: in the stage and those that it is made from."""
        yield from (one for one in section.body if one.line < line)
        for base in self.chain(section)[1:]:
            yield from base.body

    def line_with(self, instruction: Instruction, pattern: str) -> tuple[int, re.Match[str]] | None:
        """The first line of an instruction that matches; None where only the joined lines do."""
        for number in range(instruction.line, min(instruction.end_line, len(self.lines)) + 1):
            if found := re.search(pattern, self.lines[number - 1]):
                return number, found
        return None

    def respelt(self, instruction: Instruction, pattern: str, word: str) -> tuple[int, str | None]:
        """Where the first group of a pattern stands in an instruction, and that line with `word` in its place."""
        place = self.line_with(instruction, pattern)
        if place is None:
            return instruction.line, None
        number, found = place
        line = self.lines[number - 1]
        return number, line[: found.start(1)] + word + line[found.end(1) :]

    def preceded(self, instruction: Instruction, line: str) -> str:
        """The first line of an instruction with another one before it, in the same depth of indentation."""
        first = self.lines[instruction.line - 1]
        indent = first[: len(first) - len(first.lstrip())]
        return f"{indent}{line}\n{first}"
