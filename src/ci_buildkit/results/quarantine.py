"""Tests whose failures do not count for a while: a YAML list of `test`, `until` and `reason`."""

from __future__ import annotations

import contextlib
import fnmatch
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from ci_buildkit.errors import ConfigurationError
from ci_buildkit.text import name

if TYPE_CHECKING:
    import yaml

    from ci_buildkit.results.model import Case

KEYS = ("test", "until", "reason")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EXAMPLE = 'write - {test: "TestUpload*", until: 2030-01-31, reason: "the server is being replaced"}'


@dataclass(frozen=True, slots=True)
class Entry:
    """Tests that `test` names, and why their failures do not count up to and on the day `until`; `line` is 1-based."""

    test: str
    until: date
    reason: str
    line: int
    glob: re.Pattern[str] = field(repr=False, compare=False)

    def names(self, case: Case) -> bool:
        """Whether a case is meant: by `class: name`, its name or its suite, in full or as the glob says.

        In full, because names like `test_sum[1-2]` hold what a glob takes for a set of characters.
        """
        texts = (f"{case.class_name}: {case.name}", case.name, case.suite)
        return any(text == self.test or self.glob.match(text) is not None for text in texts)


class Quarantine(Struct, frozen=True):
    """The entries of a file, those in force on a day apart from those that have expired."""

    entries: tuple[Entry, ...] = ()
    expired: tuple[Entry, ...] = ()

    def reason(self, case: Case) -> str:
        """Why a failure of this case does not count; "" where it does."""
        found = next((entry for entry in self.entries if entry.names(case)), None)
        return f"quarantined until {found.until}: {found.reason}" if found else ""

    def notes(self, cases: Iterable[Case]) -> list[str]:
        """What to mend in the file: entries that have expired, and entries that name none of all `cases`."""
        waiting = list(self.entries)
        for case in cases:
            if not waiting:
                break
            waiting = [entry for entry in waiting if not entry.names(case)]
        return [
            *(f"line {one.line}: {one.test!r} expired on {one.until}, so its failures count again; mend the test, or set a later day" for one in self.expired),
            *(f"line {one.line}: {one.test!r} names no test; remove the entry, or mend its pattern" for one in waiting),
        ]  # fmt: skip


def load(path: Path, today: date) -> Quarantine:
    """The quarantine list in a file, as it is in force on the day `today`.

    Raises:
        ConfigurationError: the file cannot be read or an entry is not as it must be; the message names the line.
    """
    import yaml  # only where there is a file: 20 ms

    try:
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ConfigurationError(f"{path}: {reason}", hint="name the quarantine list with --quarantine") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _wrong(path, mark.line + 1 if mark else 1, f"is not YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _wrong(path, 1, f"is not YAML: {name(str(error))}") from error
    if root is None:
        return Quarantine()
    if not isinstance(root, yaml.SequenceNode):
        raise _wrong(path, root.start_mark.line + 1, "must hold a list of entries")
    entries = [_entry(path, node) for node in root.value]
    return Quarantine(
        tuple(entry for entry in entries if entry.until >= today),
        tuple(entry for entry in entries if entry.until < today),
    )


def _entry(path: Path, node: yaml.Node) -> Entry:
    import yaml

    line = node.start_mark.line + 1
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(path, line, "an entry must have a test, a day until which it holds, and a reason")
    found: dict[str, str] = {}
    for key, value in node.value:
        if key.value not in KEYS:
            raise _wrong(path, key.start_mark.line + 1, f"an entry has {', '.join(KEYS)} and no other key")
        if not isinstance(value, yaml.ScalarNode) or not value.value.strip():
            raise _wrong(path, value.start_mark.line + 1, f"{key.value!r} must be a text")
        found[key.value] = name(value.value.strip())
    for key in KEYS:
        if key not in found:
            raise _wrong(path, line, f"the entry has no {key!r}")
    day = _day(path, line, found["until"])
    return Entry(found["test"], day, found["reason"], line, re.compile(fnmatch.translate(found["test"])))


def _day(path: Path, line: int, text: str) -> date:
    with contextlib.suppress(ValueError):
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    raise _wrong(path, line, f"{text!r} is not a day; write YYYY-MM-DD")


def _wrong(path: Path, line: int, reason: str) -> ConfigurationError:
    return ConfigurationError(f"{path}:{line}: {reason}", hint=_EXAMPLE)
