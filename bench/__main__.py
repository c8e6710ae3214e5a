"""`python -m bench [pipeline] [release] [mounts] [readers]`: measure, print the table, write `.bench/results.json`.

Without a name, everything. `readers` needs no engine.
"""

from __future__ import annotations

import argparse
import sys

from bench import mounts, pipeline, readers, release
from bench.rows import publish

PARTS = {"pipeline": pipeline.rows, "release": release.rows, "mounts": mounts.rows, "readers": readers.rows}


def main() -> int:
    """Measure what was asked for; 1 where a limit was not reached."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parts = parser.parse_args().parts or list(PARTS)
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; known are {', '.join(PARTS)}")
    return publish([row for part in parts for row in PARTS[part]()])


if __name__ == "__main__":
    sys.exit(main())
