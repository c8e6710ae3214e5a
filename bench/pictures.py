"""Pictures of measured numbers as SVG: the same numbers give the same file, on light and on dark pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.fit import law

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREY = "#7d8590"  # can be read on white and on black
LINE = 60  # points that a curve is drawn through
COLOURS = ("#2f81f7", "#d9730d", "#2da44e", "#a371f7")


def figure(panels: int, *, width: float = 4.2, height: float = 3.0) -> Any:
    """A drawing with so many panels side by side, and the panels. Sizes are inches of one panel."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.use("svg")
    mpl.rcParams.update(
        {
            "svg.hashsalt": "ci-buildkit", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9,
            "text.color": GREY, "axes.labelcolor": GREY, "axes.edgecolor": GREY, "xtick.color": GREY, "ytick.color": GREY,
            "axes.prop_cycle": cycler(color=COLOURS), "axes.grid": True, "grid.alpha": 0.25, "legend.frameon": False,
            "axes.spines.top": False, "axes.spines.right": False,
        }
    )  # fmt: skip
    from matplotlib import pyplot

    return pyplot.subplots(1, panels, figsize=(width * panels, height), layout="constrained")


def save(drawing: Figure, path: Path) -> None:
    """Write the drawing, without a background and without the day."""
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
    pyplot.close(drawing)


def ratios(rows: Sequence[tuple[str, float]], path: Path) -> None:
    """A bar for each comparison, from 1 to its ratio, on a logarithmic axis."""
    from matplotlib.ticker import NullFormatter

    drawing, panel = figure(1, width=8.4, height=0.9 + 0.27 * len(rows))
    names = [name for name, _ in rows]
    values = [ratio for _, ratio in rows]
    colours = [COLOURS[2] if value <= 1 else COLOURS[1] for value in values]
    panel.barh(names, [value - 1 for value in values], left=1, color=colours, height=0.6)
    panel.axvline(1, color=GREY, linewidth=1)
    ticks = [tick for tick in (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if min(values) / 2 <= tick <= max(values) * 2]
    panel.set(xscale="log", xlim=(min(values) * 0.7, max(*values, 1) * 1.5), xlabel="ours / peer")
    panel.set_xticks(ticks, [str(tick) for tick in ticks])
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.tick_params(axis="y", length=0)
    panel.grid(visible=False, axis="y")
    panel.invert_yaxis()
    for place, value in enumerate(values):
        panel.annotate(
            f"{value:.2f}", (value, place), xytext=(4 if value >= 1 else -4, 0), textcoords="offset points",
            ha="left" if value >= 1 else "right", va="center",
        )  # fmt: skip
    save(drawing, path)


def curve(row: Mapping[str, Any], path: Path) -> None:
    """Time and memory by size, with the law that was fitted."""
    drawing, panels = figure(2)
    points = row["points"]
    sizes = [point["size"] for point in points]
    spread = [
        [point["seconds"] - min(point["samples"]) for point in points],
        [max(point["samples"]) - point["seconds"] for point in points],
    ]
    columns = (("seconds", spread), ("memory", None))
    for panel, (key, errors), label in zip(panels, columns, ("seconds", "MiB"), strict=True):
        values = [point[key] for point in points]
        panel.errorbar(sizes, values, yerr=errors, marker="o", markersize=4, linestyle="", capsize=3, label="measured")
        found = law(list(zip(sizes, values, strict=True)))
        if found:
            between = [sizes[-1] * step / LINE for step in range(1, LINE + 1)]
            panel.plot(
                between, [found.at(size) for size in between], color=GREY, linewidth=1, linestyle="--",
                label=f"a + b size^{found.exponent:.2f}",
            )  # fmt: skip
        panel.set(xlabel=row["size"], ylabel=label, ylim=(0, 1.15 * max(values)))
        panel.xaxis.set_major_formatter(_short)
        panel.legend(loc="lower right")
    save(drawing, path)


def _short(value: float, _place: object) -> str:
    for unit, factor in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= factor:
            return f"{value / factor:g}{unit}"
    return f"{value:g}"
