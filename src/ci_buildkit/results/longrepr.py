"""What pytest's `longrepr` says of a failure: the message, the text, and the place in the repository.

Its shapes are those of `_report_to_json` in src/_pytest/reports.py: an exception's representation, a text, or
[path, line, reason] of a skip.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ci_buildkit.fields import mapping, positive, sequence, string
from ci_buildkit.paths import is_foreign
from ci_buildkit.results.locate import Place
from ci_buildkit.results.maker import label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ci_buildkit.paths import PathMapper


class Told(NamedTuple):
    """Texts are as pytest wrote them; `place` is mapped."""

    message: str
    details: str
    place: Place | None


def read(longrepr: object, mapper: PathMapper) -> Told:
    """What is told; nothing for what is no `longrepr`."""
    if isinstance(longrepr, str):
        return Told(_of_text(longrepr), longrepr, None)
    if isinstance(longrepr, list):
        path, line, reason = (*longrepr, None, None, None)[:3]
        number = positive(line)
        place = Place(mapper(label(path)), number) if isinstance(path, str) and number else None
        return Told(string(reason).removeprefix("Skipped: "), "", place)
    shown = mapping(longrepr)
    crash = mapping(shown.get("reprcrash"))
    return Told(string(crash.get("message")), "\n".join(_lines(shown)), _place(shown, crash, mapper))


def _of_text(text: str) -> str:
    """The exception at the end of a traceback that is text; pytest marks it with an E."""
    return next((line[1:].strip() for line in text.split("\n") if line.startswith("E  ")), "")


def _tracebacks(shown: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """(traceback, what stands between it and the next) of an exception and of those that caused it, these first."""
    chain = [link for link in sequence(shown.get("chain")) if isinstance(link, list) and link]
    if not chain:
        yield mapping(shown.get("reprtraceback")), ""
    for link in chain:
        yield mapping(link[0]), string(link[-1])


def _entries(traceback: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in sequence(traceback.get("reprentries")):
        yield mapping(mapping(entry).get("data"))


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    for traceback, between in _tracebacks(shown):
        for data in _entries(traceback):
            yield from (string(line).rstrip("\n") for line in sequence(data.get("lines")))
            file = mapping(data.get("reprfileloc"))
            if file:
                yield f"\n{string(file.get('path'))}:{file.get('lineno')}: {string(file.get('message'))}"
        if between:
            yield f"\n{between}\n"


def _place(shown: dict[str, Any], crash: dict[str, Any], mapper: PathMapper) -> Place | None:
    """The innermost call in the repository; without one that is known, where it crashed."""
    calls = [mapping(data.get("reprfileloc")) for data in _entries(mapping(shown.get("reprtraceback")))]
    fallback = None
    for file in (crash, *reversed(calls)):
        path, line = label(string(file.get("path"))), positive(file.get("lineno"))
        if not path or not line:
            continue
        mapped = mapper.map(path)
        if mapped.known:
            return Place(mapped.path, line)
        if fallback is None and not is_foreign(path):
            fallback = Place(mapped.path, line)
    return fallback
