"""What the doctor says of one place."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Severity = Literal["error", "warning", "notice"]


class Diagnosis(Struct, frozen=True):
    """One thing that is wrong.

    `path` is relative to the examined folder, with `/`; "" for the machine itself. `line` is 1-based, None for a file as
    a whole. `fix` is the text that replaces the line (without a line: that is added at the end of the file, which is made
    where there is none); None where the doctor knows no text. `safe` says that `--fix` may write it unasked.
    """

    path: str
    line: int | None
    rule: str
    severity: Severity
    message: str
    fix: str | None = None
    safe: bool = False
