"""`make bench` and `python -m bench [PART...] [all]`: measure, print the table, write `.bench/results.json`.

Without a name the parts that together take some ten minutes. Each writes its results when it is done; `python -m bench.page`
makes the page of them. `readers` needs no engine.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from bench import costs, growth, mounts, peers, pipeline, readers, release
from bench.rows import Curve, Row, publish

SHORT: dict[str, Callable[[], Sequence[Row | Curve]]] = {
    "pipeline": pipeline.rows,
    "peers": peers.rows,
    "readers": readers.rows,
    "growth": growth.rows,
}
LONG: dict[str, Callable[[], Sequence[Row | Curve]]] = {
    "context": peers.context_rows,
    "workflows": peers.workflow_rows,
    "full-growth": growth.full,
    "costs": costs.rows,
    "mounts": mounts.rows,
    "release": release.rows,
    "cold-release": release.cold_rows,
}
PARTS = SHORT | LONG


def main() -> int:
    """Measure what was asked for; 1 where a limit was not reached."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(SHORT)} (default: these), {', '.join(LONG)}; or all"
    )
    asked = parser.parse_args().parts
    parts = list(PARTS) if asked == ["all"] else asked or list(SHORT)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; known are {', '.join(PARTS)} and all")
    codes = [publish(part, PARTS[part]) for part in parts]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
