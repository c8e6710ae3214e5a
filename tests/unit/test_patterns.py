"""Patterns that meet what a build prints or leaves behind: none takes a time that grows faster than the text.

A build chooses its text with our patterns in its hands. Each pattern is tried on long repetitions of what it looks for and of
what patterns stumble over, behind words of its own; a text of this length costs a pattern without a flaw a few milliseconds.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import pkgutil
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import regex

import ci_buildkit

LENGTH = 20_000
SECONDS = 0.25  # of processor time, at best
# What these read is the user's own: workflows, Dockerfiles, settings, wishes for tags.
OWN = ("act", "cli", "config", "doctor", "scaffold", "tags")
PATTERNS = (re.Pattern, type(regex.compile("")))
UNITS = (
    "a", "A", "0", " ", "\t", "\n", "\r\n", ".", "-", "_", "/", "\\", ":", "=", ",", "\"", "'", "(", "[", "{", "<", "#", "$", "@",
    "*", "|", "\x1b[", "\x1b]", "\u2028", "é", "a ", "0 ", "a.", "0.", "a/", "a:", "a:1:", "a=", " a", "aA", "a0", "0a", "\\\"",
    "::", "--", "[a] ", "<a>", "${", "{{", "a\n", " \n", "ok 1 ", "\x1b[0m",
)  # fmt: skip
# In tables, and asked by the name of a loop.
UNNAMED = {
    "_TOOLS": {"fullmatch"},
    **{name: {"match"} for name in ("_GCC", "_CODED", "_HADOLINT", "_HADOLINT_BROKEN", "_MSVC", "_TSC")},
}
ROOT = Path(ci_buildkit.__path__[0])
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text(encoding="utf-8")
    for path in ROOT.rglob("*.py")
}


def modules() -> Iterator[Any]:
    for one in pkgutil.walk_packages(ci_buildkit.__path__, "ci_buildkit."):
        parts = one.name.split(".")
        if parts[1] not in OWN and parts[-1] != "__main__":
            yield importlib.import_module(one.name)


def inside(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The patterns of a value and what it holds, each by the name under which code calls it."""
    if isinstance(getattr(value, "__self__", None), PATTERNS):
        yield name, value.__self__
    elif isinstance(value, PATTERNS):
        yield name, value
    elif depth < 4:
        held: list[Any] = []
        if isinstance(value, dict):
            held = [*value, *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            held = list(value)
        elif type(value).__module__.startswith("ci_buildkit."):
            fields = getattr(value, "__dict__", None) or {
                one: getattr(value, one, None) for one in getattr(type(value), "__slots__", ())
            }
            for key, one in fields.items():
                yield from inside(key, one, depth + 1)
        for one in held:
            yield from inside(name, one, depth + 1)


def found() -> dict[str, tuple[str, Any]]:
    patterns: dict[Any, tuple[str, Any]] = {}
    for module in modules():
        for name, value in vars(module).items():
            for called, pattern in inside(name, value):
                patterns.setdefault(
                    (pattern.pattern, pattern.flags), (f"{module.__name__.partition('.')[2]}.{called}", pattern)
                )
    return {f"{name} {number}": (name, pattern) for number, (name, pattern) in enumerate(patterns.values())}


ALL = found()


@functools.cache
def verbs(source: str, name: str) -> frozenset[str]:
    """How a file, or all of them, asks a pattern of this name."""
    called = rf"(?<!\w){re.escape(name)}(?:\[[^\]]*\])?\.(search|match|fullmatch|finditer|findall|subn?|split)\b"
    return frozenset(re.findall(called, SOURCES[source] if source else "\n".join(SOURCES.values())))


def ways(name: str, pattern: Any) -> list[Any]:
    """How a pattern is asked: as the code that has it says, else any other, else by a search, which is the slowest."""
    module, _, called = name.rpartition(".")
    said = verbs(module, called) or UNNAMED.get(called) or verbs("", called) or {"search"}
    return [getattr(pattern, verb if verb in {"match", "fullmatch"} else "search") for verb in sorted(said)]


def texts(pattern: Any) -> Iterator[str | bytes]:
    """Long texts, each ended by what no pattern takes, so that every way to read what is before is tried."""
    raw = pattern.pattern
    source = raw.decode("latin-1") if isinstance(raw, bytes) else raw
    words = [re.sub(r"\\(.)", r"\1", one) for one in re.findall(r"(?:[\w ,:=/<>@#'\"%&!-]|\\[^\w\s]){2,}", source)][:3]
    for before in ("", *words):
        for unit in (*UNITS, *words):
            text = before + (unit * LENGTH)[:LENGTH] + "\x00"
            yield text.encode() if isinstance(raw, bytes) else text


def slowest(name: str, pattern: Any) -> tuple[float, str]:
    """The processor time of the first text that takes too long, at the better of two tries, else 0; and its beginning."""
    asked = ways(name, pattern)
    for text, ask in itertools.product(texts(pattern), asked):
        for _ in range(2):
            began = time.process_time()
            ask(text)
            took = time.process_time() - began
            if took < SECONDS:
                break
        else:
            return took, repr(text[:40])
    return 0, ""


def test_the_patterns_are_found() -> None:
    names = {name for name, _ in ALL.values()}
    assert len(ALL) > 150
    assert {name.split(".")[0] for name in names} >= {
        "results",
        "findings",
        "engine",
        "report",
        "artifacts",
        "pipeline",
    }


def test_a_slow_pattern_would_be_found() -> None:
    took, _ = slowest("none", re.compile(r"\s+$"))
    assert took >= SECONDS


@pytest.mark.parametrize("called", ALL)
def test_no_pattern_takes_long(called: str) -> None:
    took, text = slowest(*ALL[called])
    assert took < SECONDS, f"{ALL[called][1].pattern!r} on {text}..."
