"""`python -m bench [pipeline] [release] [mounts] [readers] [growth] [costs]`: measure, print the table, write `.bench/results.json`.

Without a name, everything. `readers` needs no engine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from bench import growth, mounts, pipeline, readers, release
from bench.rows import Curve, Row, publish

PARTS: dict[str, Callable[[], Sequence[Row | Curve]]] = {
    "pipeline": pipeline.rows,
    "release": release.rows,
    "mounts": mounts.rows,
    "readers": readers.rows,
    "growth": growth.rows,
}


def main() -> int:
    """Measure what was asked for; 1 where a limit was not reached."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parts = parser.parse_args().parts or list(PARTS)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; known are {', '.join(PARTS)}")
    return publish({part: PARTS[part]() for part in parts})


if __name__ == "__main__":
    sys.exit(main())
