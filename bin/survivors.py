"""Changes that mutmut made, as people read them: what stood there and what it became, grouped by what they are."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

UNREACHED = "No test comes there"
OTHER = "Other changes"
MESSAGE = "Words of messages"
ENCODING = "Names of encodings, which mean the same"
COUNTED = {MESSAGE, ENCODING}  # where a number says it all
GROUPS = (UNREACHED, OTHER, MESSAGE, ENCODING)
CLASS = "\N{LATIN LETTER LATERAL CLICK}"  # mutmut's names of methods have it, as x_NAME those of functions
AROUND = 28  # characters shown on each side of a difference


def changes(states: Mapping[str, str], sources: Path) -> list[dict[str, str]]:
    """Changes by mutmut's names with their states, in the order of modules, functions and groups.

    `sources` is where mutmut wrote the modules with all changed functions, named `x_NAME__mutmut_NUMBER`, and each as it
    was, `x_NAME__mutmut_orig`.
    """
    found = []
    read: dict[str, dict[str, Function]] = {}
    for name, state in states.items():
        module, _, changed = name.rpartition(".")
        if module not in read:
            read[module] = functions((sources / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
        mangled, _, number = changed.rpartition("__mutmut_")
        was, now, group = difference(read[module][f"{mangled}__mutmut_orig"], read[module][changed])
        found.append(
            {
                "module": "/".join(module.split(".")[1:]) + ".py",
                "function": mangled[2:].replace(CLASS, "."),
                "number": number,
                "group": UNREACHED if state == "no tests" else group,
                "was": was,
                "now": now,
            }
        )
    return sorted(found, key=lambda one: (one["module"], one["function"], int(one["number"])))


Function = tuple[ast.AST, list[str]]


def functions(text: str) -> dict[str, Function]:
    """All functions and methods of a module by name: the tree, and the lines."""
    lines = text.splitlines()
    return {
        node.name: (node, lines[node.lineno - 1 : node.end_lineno])
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    }


def difference(before: Function, after: Function) -> tuple[str, str, str]:
    """What stood there, what it became (lines that differ, joined), and the group that it belongs to."""
    old, new = before[1][1:], after[1][1:]
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    was, now = (" ".join(line.strip() for line in lines[head : len(lines) - tail]) for lines in (old, new))
    first = getattr(before[0], "lineno", 0) + 1 + head
    return was, now, _group(was, now, raised=_is_raised(before[0], first))


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many items are the same from the first one on."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((number for number, (a, b) in pairs if a != b), min(len(one), len(other)))


def _is_raised(function: ast.AST, line: int) -> bool:
    """Whether a line belongs to a `raise`: what it says."""
    return any(
        isinstance(node, ast.Raise) and node.lineno <= line <= (node.end_lineno or node.lineno)
        for node in ast.walk(function)
    )


def _group(was: str, now: str, *, raised: bool) -> str:
    if any("encoding=" in text for text in _differing(was, now, around=len('encoding="'))):
        return ENCODING
    before, after = _differing(was, now, around=0)
    said = "XX" in after or before.lower() == after.lower()
    return MESSAGE if raised or (said and " " in before) else OTHER


def _differing(was: str, now: str, around: int) -> tuple[str, str]:
    """Two texts cut to where they differ, with some characters around."""
    head = _alike(was, now)
    tail = _alike(was[head:][::-1], now[head:][::-1])
    start = max(head - around, 0)

    def cut(text: str) -> str:
        end = min(len(text) - tail + around, len(text))
        return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"

    return cut(was), cut(now)


def listed(found: Iterable[Mapping[str, str]]) -> list[str]:
    """Lines of Markdown: a list for each group, an entry for each function with what changed there."""
    lines = []
    for group in GROUPS:
        entries: dict[tuple[str, str], list[str]] = {}
        for one in found:
            if one["group"] == group:
                was, now = _differing(one["was"], one["now"], AROUND)
                entries.setdefault((one["module"], one["function"]), []).append(f"{_code(was)} → {_code(now)}")
        if entries:
            lines += [f"{group}: {sum(map(len, entries.values()))}.", ""]
            for (module, function), shown in entries.items():
                plain = group in COUNTED
                lines.append(f"- `{module}`, `{function}`{f': {len(shown)}' if plain else ''}")
                lines += [] if plain else [f"    - {text}" for text in shown]
            lines.append("")
    return lines


def _code(text: str) -> str:
    """Code in a line of Markdown; nothing at all is said in words."""
    if not text:
        return "nothing"
    return f"`` {text} ``" if "`" in text else f"`{text}`"
