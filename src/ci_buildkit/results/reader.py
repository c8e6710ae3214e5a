"""What readers of test results yield.

Where the format allows it they yield cases one by one as they meet them and never hold a whole file; the `Collector`
folds attempts and counts. A format is one module with one `READER` in `results.read.READERS`, and where a tool prints it to the log, one `LogReader`
in `results.read.LOG_READERS`.
"""

from __future__ import annotations

from msgspec import Struct

from ci_buildkit import reader
from ci_buildkit.problem import Problem
from ci_buildkit.results.model import Case


class Suite(Struct, frozen=True):
    """A reader met a suite. It is counted, and no case after it is an attempt of one before it."""

    name: str


Item = Case | list[Case] | Suite | Problem
"""A list is of cases that passed and have no evidence, for the formats that have them by the million."""
Reader = reader.Reader[Item]
LogReader = reader.LogReader[Item]
