"""Pictures of measured numbers as SVG: the same numbers give the same file, on light and on dark pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREY = "#6e7781"  # can be read on white and on black
COLOURS = ("#0969da", "#bc4c00", "#1a7f37", "#8250df")


def figure(panels: int) -> Any:
    """A drawing with so many panels side by side, and the panels."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.use("svg")
    mpl.rcParams.update(
        {
            "svg.hashsalt": "ci-buildkit", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9,
            "text.color": GREY, "axes.labelcolor": GREY, "axes.edgecolor": GREY, "xtick.color": GREY, "ytick.color": GREY,
            "axes.prop_cycle": cycler(color=COLOURS), "axes.grid": True, "grid.alpha": 0.25, "legend.frameon": False,
        }
    )  # fmt: skip
    from matplotlib import pyplot

    return pyplot.subplots(1, panels, figsize=(4.2 * panels, 3.0), layout="constrained")


def save(drawing: Figure, path: Path) -> None:
    """Write the drawing, without a background and without the day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
