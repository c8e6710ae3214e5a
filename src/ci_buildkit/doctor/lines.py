"""The lines of a file and fixes of them. A line keeps the end that it has. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ci_buildkit.doctor.diagnosis import Diagnosis

BOM = "\ufeff"  # a byte order mark; no line has it


def split(text: str) -> tuple[str, ...]:
    """The lines without their ends, counted as BuildKit counts them: only a line feed ends one."""
    rows = text.removeprefix(BOM).split("\n")
    return tuple(row.removesuffix("\r") for row in (rows[:-1] if rows[-1] == "" else rows))


def mended(text: str, fixes: Iterable[Diagnosis]) -> str:
    """The text with fixes written into it; of several for one line the first. Lines that are there are not added."""
    mark = BOM if text.startswith(BOM) else ""
    rows = text.removeprefix(BOM).split("\n")
    end = "\r\n" if "\r\n" in text else "\n"
    done: set[int] = set()
    added: list[str] = []
    for fix in fixes:
        if fix.fix is None:
            continue
        if fix.line is None:
            added.append(fix.fix)
        elif fix.line not in done and fix.line <= len(rows):
            done.add(fix.line)
            tail = "\r" if rows[fix.line - 1].endswith("\r") else ""
            rows[fix.line - 1] = fix.fix.replace("\n", end) + tail
    text = mark + "\n".join(rows)
    if added and text and not text.endswith("\n"):
        text += end
    there = set(split(text))
    new = [line for one in dict.fromkeys(added) for line in split(one) if line not in there]
    return text + "".join(line + end for line in dict.fromkeys(new))
