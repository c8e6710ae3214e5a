"""Changes that no test noticed, as the page of mutation testing shows them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from tests.scripts import script

# As mutmut writes a module: each function as it was, and once for each change.
MUTATED = '''
def x_size__mutmut_orig(text):
    """How much."""
    value = text.split(":", 1)
    if not value:
        raise ValueError(f"{text!r} is no size", hint="write 1 GB")
    return read(value[0], encoding="utf-8") + len("a text with spaces")


def x_size__mutmut_1(text):
    """How much."""
    value = text.split(":", 2)
    if not value:
        raise ValueError(f"{text!r} is no size", hint="write 1 GB")
    return read(value[0], encoding="utf-8") + len("a text with spaces")


def x_size__mutmut_2(text):
    """How much."""
    value = text.split(":", 1)
    if not value:
        raise ValueError(None, hint="write 1 GB")
    return read(value[0], encoding="utf-8") + len("a text with spaces")


def x_size__mutmut_3(text):
    """How much."""
    value = text.split(":", 1)
    if not value:
        raise ValueError(f"{text!r} is no size", hint="write 1 GB")
    return read(value[0], encoding="UTF-8") + len("a text with spaces")


def x_size__mutmut_10(text):
    """How much."""
    value = text.split(":", 1)
    if not value:
        raise ValueError(f"{text!r} is no size", hint="write 1 GB")
    return read(value[0], encoding="utf-8") + len("XXa text with spacesXX")


class Box:
    def xǁBoxǁopen__mutmut_orig(self):
        return f"`{self.name}`"

    def xǁBoxǁopen__mutmut_1(self):
        return None
'''


@pytest.fixture(scope="module")
def survivors() -> ModuleType:
    """`bin/survivors.py`."""
    return script("survivors")


@pytest.fixture
def found(survivors: ModuleType, tmp_path: Path) -> list[dict[str, str]]:
    """The changes of `MUTATED`."""
    (tmp_path / "package" / "plan").mkdir(parents=True)
    (tmp_path / "package" / "plan" / "sizes.py").write_text(MUTATED, encoding="utf-8")
    states = {f"package.plan.sizes.x_size__mutmut_{number}": "survived" for number in (10, 3, 2, 1)}
    states["package.plan.sizes.xǁBoxǁopen__mutmut_1"] = "no tests"
    made: list[dict[str, str]] = survivors.changes(states, tmp_path)
    return made


def test_a_change_is_told_by_where_it_is_and_what_it_is(survivors: ModuleType, found: list[dict[str, str]]) -> None:
    assert [(one["module"], one["function"], one["number"], one["group"]) for one in found] == [
        ("plan/sizes.py", "Box.open", "1", survivors.UNREACHED),
        ("plan/sizes.py", "size", "1", survivors.OTHER),
        ("plan/sizes.py", "size", "2", survivors.MESSAGE),
        ("plan/sizes.py", "size", "3", survivors.ENCODING),
        ("plan/sizes.py", "size", "10", survivors.MESSAGE),
    ]
    assert (found[1]["was"], found[1]["now"]) == ('value = text.split(":", 1)', 'value = text.split(":", 2)')


def test_changes_are_listed_group_by_group(survivors: ModuleType, found: list[dict[str, str]]) -> None:
    assert survivors.listed(found) == [
        "No test comes there: 1.",
        "",
        "- `plan/sizes.py`, `Box.open`",
        '    - `` return f"`{self.name}`" `` → `return None`',
        "",
        "Other changes: 1.",
        "",
        "- `plan/sizes.py`, `size`",
        '    - `value = text.split(":", 1)` → `value = text.split(":", 2)`',
        "",
        "Words of messages: 2.",
        "",
        "- `plan/sizes.py`, `size`: 2",
        "",
        "Names of encodings, which mean the same: 1.",
        "",
        "- `plan/sizes.py`, `size`: 1",
        "",
    ]
    assert survivors.listed([]) == []
