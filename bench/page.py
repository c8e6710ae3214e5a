"""`docs/benchmarks.md` and its pictures, written from measured JSON and from nothing else.

`python -m bench.page` takes what was measured last (`.bench/results.json`) as `docs/benchmarks.json`, and writes the page of it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.rows import ROOT, read

DOCS = ROOT / "docs"
MEASURED = DOCS / "benchmarks.json"
PAGE = DOCS / "benchmarks.md"
RATIOS = DOCS / "images" / "ratios.svg"
CURVES = ("full-growth", "growth")  # pictures are drawn of the first that was measured
INTRODUCTION = """# Benchmarks

Is it fast enough to adopt? This page sets each thing that ci-buildkit does beside what people use for it today. It is written
by `python -m bench.page` from [the measured numbers](benchmarks.json), which hold every sample; nothing in it is written
by hand. `make bench` measures the parts that together take ten minutes, `python -m bench PART` one of them.

Ours and its peer take turns on the same machine, so that a machine that gets slower slows both. Medians are shown, with
the lowest and the highest sample. Limits are ratios and differences, because machines differ.
"""
# The title of each part, in the order of the page.
PARTS = {
    "pipeline": "A run on a builder that has everything",
    "peers": "A run from nothing, beside other ways",
    "context": "A run from nothing with a large context",
    "workflows": "A workflow from nothing, under act",
    "release": "A release, again",
    "cold-release": "A release on a new builder",
    "mounts": "Cache mounts on a new builder",
    "readers": "Reading reports, beside other readers",
    "costs": "What one run costs",
    "growth": "Growth",
    "full-growth": "Growth to the largest sizes",
}
# What has to be known to read a part's table.
TEXTS = {
    "pipeline": """\
A project of five targets, all of them in the builder's cache: what is left is what ci-buildkit itself costs. The peer is one
`docker buildx bake` of the same bake file, which reads no results and writes no report, or one `docker buildx build` after
another, as workflows do it step by step.""",
    "peers": """\
The same project with nothing in any cache: a builder is made, lint, tests, binaries and two images are built, and the builder
is removed, all of it timed.""",
    "context": """\
The same with 200 MB more in the context. A bake sends it once, and builds one after another send what has changed. Here it
is sent three times: for lint, for tests and for all the rest, which are [processes of their own](explanation/how-it-works.md).""",
    "workflows": """\
The same as two workflows, which run in the same image of a runner and upload what they made; the action's own Python is in
the runner's tool cache.""",
    "release": """\
The example `buildme`: lint, tests, two programs for six platforms with archives and checksums, two images for three
platforms, pushed with provenance. The usual way is one build after another, `tar` and `gzip`; it reads no results and waits
for no gate.""",
    "cold-release": """\
The same release where the builder has built nothing. There the processors are the limit, for both ways.""",
    "mounts": """\
The example `buildme` with one file changed, with and without the [cache mounts](how-to/cache-mounts.md) of the run before.""",
    "readers": """\
Reading alone is what a process says it took from the file to every case, after its imports. Whole processes are timed from
outside: ours also makes a report.""",
    "costs": """\
The example `buildme` for one platform. These numbers feed [an organisation's day](scale.md).""",
    "growth": "Every size is measured five times.",
    "full-growth": "What takes more than twenty seconds is measured once, the rest five times.",
}
# Who is asked for and not measured, and why.
NOT_MEASURED = {
    "Dagger": "its command runs in an engine that is pulled as an image from its own registry; no package registry has it.",
    "Earthly": (
        "its command can be built from its Go module, but it builds on its own fork of BuildKit, pulled as an image that "
        "takes Earthly itself to make. It is no longer maintained."
    ),
    "publish-unit-test-result-action": (
        "it is on no package registry. It reads JUnit by junitparser (its `python/publish/junit.py`), which is measured below."
    ),
}
EXPONENTS = (
    "The exponent is k of `a + b * size^k`, fitted by least squares of relative errors where growth outweighs the start: 1 is "
    "linear, ten times the size costs ten times as much. It is flat where not even the largest size costs twice what the "
    "smallest does. MiB are those of the largest process."
)


def page(document: Mapping[str, Any]) -> str:
    """The page of a measured document, ending in a newline."""
    found = {part: document["parts"][part] for part in PARTS if part in document["parts"]}
    sections = [INTRODUCTION, *_short(found)]
    for part, measured in found.items():
        again = f"`python -m bench {part}` measures it again, in {max(1, round(measured['minutes']))} min here."
        when = f"{measured['day']}, {measured['cores']} cores, load before {measured['load']}. {again}"
        rows = measured["rows"]
        body = _growth(rows, pictures=part == _drawn(found)) if part in CURVES else _comparisons(rows)
        sections += [f"## {PARTS[part]}\n", f"{TEXTS[part]}\n", body, f"{when}\n"]
        if part == "peers":
            sections += ["Not measured here:\n", *(f"- {name}: {why}" for name, why in NOT_MEASURED.items()), ""]
    missing = [f"`{part}`" for part in PARTS if part not in found and part != "growth"]
    if missing:
        sections += ["## Not measured yet\n", f"{', '.join(missing)}: `python -m bench PART`.\n"]
    return "\n".join(sections)


def _drawn(parts: Mapping[str, Any]) -> str:
    return next((part for part in CURVES if part in parts), "")


def _short(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What was reached and what was not."""
    rows = [row for measured in parts.values() for row in measured["rows"]]
    asked = [row for row in rows if row["limit"] != "printed"]
    failed = [row for row in asked if not row["reached"]]
    if not asked:
        return
    yield "## In short\n"
    if compared({"parts": parts}):
        yield "![Time of ours over the time of the peer, for each comparison](images/ratios.svg)\n"
        yield "A bar that ends left of 1 is faster than the peer.\n"
    yield f"Of {len(asked)} limits {len(asked) - len(failed)} are reached{'; not these:' if failed else '.'}\n"
    for row in failed:
        yield f"- {row['name']}{_missed(row)}"
    if failed:
        yield ""


def _missed(row: Mapping[str, Any]) -> str:
    if "points" in row:
        return (
            f" over {row['size']}: exponents {row['seconds_exponent']:.2f} of the time and {row['memory_exponent']:.2f} of the "
            f"memory, asked at most {row['limit']}"
        )
    beside = f" beside {_amount(row['peer'], (), row['unit'])}" if row["peer"] else ""
    return f": {_amount(row['ours'], (), row['unit'])}{beside}, asked {row['limit']}"


def _comparisons(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = [
        "| Ours / peer | Ours | Peer | Ratio | Runs | Asked | |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- |",
    ]
    for row in rows:
        peer = _amount(row["peer"], row["peer_samples"], row["unit"]) if row["peer"] else ""
        ratio = f"{row['ratio']:.2f}" if row["peer"] else ""
        ours = _amount(row["ours"], row["samples"], row["unit"])
        asked = "" if row["limit"] == "printed" else row["limit"]
        lines.append(f"| {row['name']} | {ours} | {peer} | {ratio} | {len(row['samples'])} | {asked} | {_state(row)} |")
    return "\n".join(lines) + "\n"


def _state(row: Mapping[str, Any]) -> str:
    if row["limit"] == "printed":
        return ""
    return "reached" if row["reached"] else "**not reached**"


def _amount(value: float, samples: Sequence[float], unit: str) -> str:
    digits = 0 if unit != "s" else 1 if value >= 10 else 2 if value >= 1 else 3
    spread = f" ({min(samples):,.{digits}f} to {max(samples):,.{digits}f})" if len(samples) > 1 else ""
    return f"{value:,.{digits}f} {unit}{spread}"


def _growth(rows: Sequence[Mapping[str, Any]], *, pictures: bool) -> str:
    lines = [
        f"{EXPONENTS}\n",
        "| | Sizes | Time | Exponent | Memory | Exponent | |",
        "| --- | --- | --- | ---: | --- | ---: | --- |",
    ]
    for row in rows:
        first, last = row["points"][0], row["points"][-1]
        lines.append(
            f"| {row['name']} | {first['size']:,} to {last['size']:,} {row['size']} | {first['seconds']:.2f} to "
            f"{last['seconds']:.2f} s | {_exponent(row['seconds_exponent'])} | {first['memory']:.0f} to "
            f"{last['memory']:.0f} MiB | {_exponent(row['memory_exponent'])} | {_state(row)} |"
        )
    return "\n".join([*lines, "", *(_curve(row) for row in rows if pictures)])


def _exponent(value: float) -> str:
    return f"{value:.2f}" if value else "flat"


def _curve(row: Mapping[str, Any]) -> str:
    name = f"{row['name']} over {row['size']}"
    points = [
        f"| {point['size']:,} | {_amount(point['seconds'], point['samples'], 's')} | {point['memory']:.0f} MiB |"
        for point in row["points"]
    ]
    table = "\n".join([f"| {row['size'].capitalize()} | Time | Memory |", "| ---: | ---: | ---: |", *points])
    return f"### {name}\n\n![{name}: time and memory](images/{picture(row).name})\n\n{table}\n"


def picture(row: Mapping[str, Any]) -> Path:
    """Where the picture of a curve is."""
    words = re.findall(r"[a-z0-9]+", f"{row['name']} {row['size']}".lower())
    return DOCS / "images" / f"growth-{'-'.join(words)}.svg"


def compared(document: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The names and ratios of all comparisons with a peer, in the order of the page; those without a limit are left out."""
    parts = document["parts"]
    rows = [row for part in PARTS if part in parts and part not in CURVES for row in parts[part]["rows"]]
    return [(row["name"], row["ratio"]) for row in rows if row["peer"] and row["limit"] != "printed"]


def main() -> int:
    """Write the page and its pictures."""
    from bench import pictures

    document = read()
    MEASURED.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(document), encoding="utf-8")
    if ratios := compared(document):
        pictures.ratios(ratios, RATIOS)
    for old in RATIOS.parent.glob("growth-*.svg"):
        old.unlink()
    for row in document["parts"].get(_drawn(document["parts"]), {"rows": ()})["rows"]:
        pictures.curve(row, picture(row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
