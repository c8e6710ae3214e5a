"""`docs/benchmarks.md` and its pictures, written from measured JSON and from nothing else.

`python -m bench.page` takes what was measured last (`.bench/results.json`) as `docs/benchmarks.json`, and writes the page of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.rows import ROOT, read

DOCS = ROOT / "docs"
MEASURED = DOCS / "benchmarks.json"
PAGE = DOCS / "benchmarks.md"
TITLES = {
    "pipeline": "The pipeline beside docker's own commands",
    "peers": "The pipeline beside other ways",
    "release": "A whole release beside one build after another",
    "mounts": "Cache mounts on a new builder",
    "readers": "Readers beside other readers",
    "costs": "What one run costs",
    "growth": "Growth",
}
INTRODUCTION = """# Benchmarks

Written by `python -m bench.page` from [the measured numbers](benchmarks.json), which hold every sample. `make bench` measures
them: ours and its peer take turns on the same machine, medians are shown with the lowest and the highest sample. Limits are
ratios or differences, because machines differ; what was not reached says so.
"""


def page(document: Mapping[str, Any]) -> str:
    """The page of a measured document, ending in a newline."""
    sections = [INTRODUCTION, f"Machine: {document.get('cores')} cores.\n"]
    for part, title in TITLES.items():
        found = document["parts"].get(part)
        if found:
            rows = found["rows"]
            body = _curves(rows) if part == "growth" else _comparisons(rows)
            sections.append(f"## {title}\n\nMeasured on {found['day']}, load before the end {found['load']}.\n\n{body}")
    return "\n".join(sections)


def _comparisons(rows: list[Mapping[str, Any]]) -> str:
    lines = ["| | Ours | Peer | Ratio | Asked | |", "| --- | ---: | ---: | ---: | --- | --- |"]
    for row in rows:
        peer = _amount(row["peer"], row.get("peer_samples", []), row["unit"]) if row["peer"] else ""
        ratio = f"{row['ratio']:.2f}" if row["peer"] else ""
        reached = "" if row["reached"] else "**not reached**"
        ours = _amount(row["ours"], row.get("samples", []), row["unit"])
        lines.append(f"| {row['name']} | {ours} | {peer} | {ratio} | {row['limit']} | {reached} |")
    return "\n".join(lines) + "\n"


def _amount(value: float, samples: list[float], unit: str) -> str:
    digits = 0 if unit != "s" else 2 if value >= 1 else 3
    spread = f" ({min(samples):.{digits}f} to {max(samples):.{digits}f})" if len(samples) > 1 else ""
    return f"{value:.{digits}f} {unit}{spread}"


def _curves(rows: list[Mapping[str, Any]]) -> str:
    parts = [
        "An exponent of 1 is linear: ten times the size takes ten times as long. What the smallest size costs is taken off.\n"
    ]
    for row in rows:
        name = f"{row['name']}, {row['size']}"
        parts += [
            f"### {name}\n",
            f"![Seconds and MiB of {name}](images/{picture(row).name})\n",
            (
                f"Exponent of the time {row['seconds_exponent']:.2f}, of the memory {row['memory_exponent']:.2f}; asked at most "
                f"{row['limit']}{'' if row['reached'] else ': **not reached**'}.\n"
            ),
            "| Size | Seconds | MiB |\n| ---: | ---: | ---: |",
            *(f"| {size:,} | {seconds:.2f} | {memory:.0f} |" for size, seconds, memory in row["points"]),
            "",
        ]
    return "\n".join(parts)


def picture(row: Mapping[str, Any]) -> Path:
    """Where the picture of a curve is."""
    name = f"{row['name']} {row['size']}".lower().replace(" ", "-")
    return DOCS / "images" / f"growth-{name}.svg"


def draw(row: Mapping[str, Any]) -> None:
    """Write the picture of a curve, both axes logarithmic."""
    from bench.pictures import figure, save

    drawing, panels = figure(2)
    sizes, times, memory = zip(*row["points"], strict=True)
    for panel, values, label in zip(panels, (times, memory), ("seconds", "MiB"), strict=True):
        panel.plot(sizes, values, marker="o")
        panel.set(xscale="log", yscale="log", xlabel=row["size"], ylabel=label)
    save(drawing, picture(row))


def main() -> int:
    """Write the page and its pictures; 1 where nothing was measured."""
    document = read()
    if not document["parts"]:
        print("nothing was measured yet: make bench", file=sys.stderr)
        return 1
    MEASURED.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(document), encoding="utf-8")
    for row in document["parts"].get("growth", {}).get("rows", []):
        draw(row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
