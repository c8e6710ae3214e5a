"""What ci-buildkit needs at an organisation's scale: `docs/scale.md` and its picture.

`python -m bench.scale` reads what was measured (`docs/benchmarks.json`, its part `costs`), simulates working days on one to
fifty shared BuildKit nodes (`bench/fleet.py`), and writes the page.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.fleet import HOUR, Measured, Organisation, Result, rate, simulate
from bench.rows import ROOT

MEASURED = ROOT / "docs" / "benchmarks.json"
PAGE = ROOT / "docs" / "scale.md"
PICTURE = ROOT / "docs" / "images" / "scale.svg"
NODES = (1, 2, 3, 5, 8, 12, 20, 30, 50)
PATIENCE = 10.0  # seconds that 95 of 100 runs should not exceed before they begin
PLACEMENTS = ("hashing", "random")
NOT_MEASURED = """# An organisation's day

What a run costs was not measured yet: `python -m bench costs`, then `python -m bench.page` and `python -m bench.scale`.
"""


def measured(document: Mapping[str, Any]) -> Measured:
    """The costs in the measured JSON. Raises KeyError where they were not measured."""
    from bench import costs

    found = {row["name"]: row["ours"] for row in document["parts"]["costs"]["rows"]}
    return Measured(
        cold=found[costs.COLD],
        changed=found[costs.CHANGED],
        warm=found[costs.WARM],
        kept_mounts=found[costs.KEPT],
        requests=int(found[costs.REQUESTS]),
        cold_mb=found[costs.PULLED],
        mounts_mb=found[costs.MOUNTS],
        cache_gb=found[costs.DISK] / 1000,
    )


def days(organisation: Organisation, costs: Measured) -> dict[str, list[Result]]:
    """A simulated day for each number of nodes and both placements."""
    return {placement: [simulate(organisation, costs, nodes, placement) for nodes in NODES] for placement in PLACEMENTS}


def enough(results: Sequence[Result]) -> Result:
    """The fewest nodes on which 95 of 100 runs wait less than ten seconds; the most where none are enough."""
    return next((one for one in results if one.wait(0.95) < PATIENCE), results[-1])


def traffic(organisation: Organisation, costs: Measured, best: Result) -> dict[str, float]:
    """Terabytes a day from registries and caches: with a new builder for each run, with kept mounts, and on shared nodes."""
    runs = organisation.runs_a_day * mean_size(organisation) / 1e6
    return {
        "A new builder for each run, nothing kept": runs * costs.cold_mb,
        "A new builder for each run, cache mounts restored and saved": runs * (costs.cold_mb + 2 * costs.mounts_mb),
        f"{best.nodes} shared nodes": runs * (1 - best.found) * costs.cold_mb,
    }


def mean_size(organisation: Organisation) -> float:
    """The mean of the log-normal sizes."""
    return organisation.size * math.exp(organisation.spread**2 / 2)


def all_caches(organisation: Organisation) -> float:
    """GB of all repositories' caches, each once."""
    return organisation.repositories * organisation.cache_gb * mean_size(organisation)


def busiest(organisation: Organisation) -> float:
    """Runs of the most popular repository in one of the busiest hours."""
    share = 1 / sum((rank + 1) ** -organisation.popularity for rank in range(organisation.repositories))
    return float(rate(organisation, 12 * HOUR) * HOUR * share)


def headroom(organisation: Organisation, costs: Measured, best: Result) -> list[tuple[str, float]]:
    """How many times today's runs each resource takes, the scarcest first."""
    peak = best.busy * organisation.busiest_share * 24 / organisation.busiest_hours
    room = {
        "the requests of the busiest repository": organisation.requests_limit / max(busiest(organisation) * costs.requests, 0.001),
        "the disks of the nodes": best.nodes * organisation.disk_gb / all_caches(organisation),
        "the cores of the nodes": 1 / max(peak, 0.001),
    }  # fmt: skip
    return sorted(room.items(), key=lambda one: one[1])


def page(organisation: Organisation, costs: Measured, results: Mapping[str, Sequence[Result]]) -> str:
    """`docs/scale.md`, ending in a newline."""
    best = enough(results["hashing"])
    sections = (
        _head(organisation, costs, results),
        _inputs(organisation, costs),
        _nodes(results),
        _rest(organisation, costs, best),
    )
    return "\n".join(line for section in sections for line in section)


def _head(organisation: Organisation, costs: Measured, results: Mapping[str, Sequence[Result]]) -> list[str]:
    best, other = enough(results["hashing"]), enough(results["random"])
    few = "" if other.wait(0.95) < PATIENCE else ", and those are still too few"
    (first, times), *later = headroom(organisation, costs, best)
    return [
        "# An organisation's day",
        "",
        (
            f"What would {organisation.repositories:,} repositories with {organisation.runs_a_day:,} runs a day need? This page is "
            "written by `python -m bench.scale` from [the measured numbers](benchmarks.md#what-one-run-costs): days are "
            "simulated in which runs come to shared BuildKit nodes, wait, and find their cache or not."
        ),
        "",
        "## In short",
        "",
        (
            f"- **{best.nodes} nodes** of {organisation.builds_at_once * 2} cores and {organisation.disk_gb:.0f} GB are enough for 95 of "
            f"100 runs to begin within {PATIENCE:.0f} s, where each repository goes to a node of its own by consistent hashing: "
            f"{best.found:.0%} of the runs find their cache."
        ),
        f"- Placed at random the same runs need {other.nodes} nodes{few}; {other.found:.0%} find their cache.",
        (
            f"- First {first} give way, at {times:.1f} times as many runs and repositories; then "
            + ", then ".join(f"{name} at {more:.1f} times" for name, more in later)
            + "."
        ),
        "",
    ]


def _inputs(organisation: Organisation, costs: Measured) -> list[str]:
    lines = [
        ("Repositories", f"{organisation.repositories:,}"),
        ("Runs a day", f"{organisation.runs_a_day:,}"),
        (
            "Of these in the busiest hours",
            f"{organisation.busiest_share:.0%} in {organisation.busiest_hours:.0f} hours",
        ),
        ("Runs of a repository", f"by Zipf's law with exponent {organisation.popularity}"),
        (
            "Size of a repository's build",
            f"log-normal around {organisation.size:g} times the measured example, sigma {organisation.spread:g}",
        ),
        ("Runs that change source", f"{organisation.changed:.0%}"),
        ("Cache that a repository of the example's size keeps on a node", f"{organisation.cache_gb:.1f} GB"),
        ("Disk of a node", f"{organisation.disk_gb:,.0f} GB, least recently used caches go first"),
        ("Builds at once on a node", f"{organisation.builds_at_once}, each with the two cores of the measurement"),
        ("Requests that a repository's token may make", f"{organisation.requests_limit:,} an hour (GitHub's limit)"),
    ]
    found = [
        ("Run on a new builder", f"{costs.cold:.1f} s"),
        ("The same with cache mounts kept", f"{costs.kept_mounts:.1f} s"),
        ("Run on a builder that has the cache, one file changed", f"{costs.changed:.1f} s"),
        ("The same, nothing changed", f"{costs.warm:.1f} s"),
        ("Read from outside on a new builder", f"{costs.cold_mb:,.0f} MB"),
        ("Kept cache mounts", f"{costs.mounts_mb:,.0f} MB"),
        ("What the builder holds afterwards", f"{costs.cache_gb:.1f} GB"),
        ("Requests to publish a run on a pull request", f"{costs.requests}"),
    ]
    return ["## Assumed", "", *_table(lines), "", "## Measured", "", *_table(found), ""]


def _table(lines: Sequence[tuple[str, str]]) -> list[str]:
    return ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in lines)]


def _nodes(results: Mapping[str, Sequence[Result]]) -> list[str]:
    lines = [
        "| Nodes | " + " | ".join(f"{name}: found | busy | median run | 95 of 100 wait" for name in PLACEMENTS) + " |"
    ]
    lines.append("| ---: |" + " ---: |" * 4 * len(PLACEMENTS))
    for number, nodes in enumerate(NODES):
        cells = [cell for placement in PLACEMENTS for cell in _cells(results[placement][number])]
        lines.append(f"| {nodes} | {' | '.join(cells)} |")
    return [
        "## Nodes",
        "",
        "![By number of nodes: the wait of 95 of 100 runs, and the share of runs that find their cache](images/scale.svg)",
        "",
        (
            "Hashing sends a repository to the same node every time, so that its cache is there once; few repositories move when "
            "a node comes or goes. At random, each node comes to hold every repository's cache, until its disk is full."
        ),
        "",
        *lines,
        "",
    ]


def _cells(one: Result) -> tuple[str, str, str, str]:
    return (
        f"{one.found:.0%}",
        f"{one.busy:.0%}",
        duration(statistics.median(one.totals)),
        duration(one.wait(0.95)),
    )


def duration(seconds: float) -> str:
    """Seconds in a unit that suits them."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:,.0f} {unit}"
    return f"{seconds:.0f} s"


def amount(terabytes: float) -> str:
    """Terabytes in a unit that suits them."""
    return f"{terabytes:.1f} TB" if terabytes >= 0.1 else f"{terabytes * 1000:.0f} GB"


def _rest(organisation: Organisation, costs: Measured, best: Result) -> list[str]:
    peak, top = rate(organisation, 12 * HOUR) * HOUR, busiest(organisation)
    moved = [(name, amount(value)) for name, value in traffic(organisation, costs, best).items()]
    return [
        "## Disk",
        "",
        (
            f"All caches together are {all_caches(organisation):,.0f} GB. With hashing each is kept once, "
            f"{all_caches(organisation) / best.nodes:,.0f} GB a node."
        ),
        "",
        "## Traffic of a day",
        "",
        *_table(moved),
        "",
        (
            "Kept [cache mounts](how-to/cache-mounts.md) move more bytes and save the time of compilers: their store belongs near "
            "the machines."
        ),
        "",
        "## GitHub's API",
        "",
        (
            f"The busiest repository has {top:.0f} runs in a busy hour, and so {top * costs.requests:,.0f} requests of the "
            f"{organisation.requests_limit:,} that its token may make. All repositories together make "
            f"{peak * costs.requests:,.0f}, each on a token of its own."
        ),
        "",
    ]


def draw(results: Mapping[str, Sequence[Result]], path: Path) -> None:
    """The picture: waits and found caches by number of nodes."""
    from bench.pictures import figure, save

    drawing, (waits, found) = figure(2)
    for placement in PLACEMENTS:
        nodes = [one.nodes for one in results[placement]]
        waits.plot(nodes, [max(one.wait(0.95), 0.1) for one in results[placement]], marker="o", label=placement)
        found.plot(nodes, [one.found * 100 for one in results[placement]], marker="o", label=placement)
    waits.set(xlabel="nodes", ylabel="95 of 100 runs wait less than, s", yscale="log")
    found.set(xlabel="nodes", ylabel="runs that find their cache, %", ylim=(0, 105))
    waits.legend()
    found.legend()
    save(drawing, path)


def main() -> int:
    """Simulate, and write the page and its picture; where no costs were measured the page says that."""
    try:
        costs = measured(json.loads(MEASURED.read_text(encoding="utf-8")))
    except (OSError, KeyError):
        PAGE.write_text(NOT_MEASURED, encoding="utf-8")
        return 1
    organisation = replace(Organisation(), cache_gb=round(costs.cache_gb, 2))
    results = days(organisation, costs)
    PAGE.write_text(page(organisation, costs, results), encoding="utf-8")
    draw(results, PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
