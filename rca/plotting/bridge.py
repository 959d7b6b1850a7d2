"""Picture of a Bridge: a waterfall from the value before to the value after, one step per row."""

from collections.abc import Hashable
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from rca.plotting.style import BETTER, FAINT, INK, MUTED, NEUTRAL, WORSE, axes

if TYPE_CHECKING:
    from rca.bridge import Bridge


def draw(change: "Bridge", ax: Axes | None = None) -> Axes:
    """Steps read from top to bottom; the word beside each step says what moved, the number how far."""
    steps, metric = change.steps, change.metric
    ax = axes(ax, height=1.0 + 0.28 * len(steps))
    levels = [*steps["start"].iloc[1:-1], *steps["stop"]]
    low, high = min(levels), max(levels)
    room = 0.1 * (high - low) or 0.1 * abs(high) or 1.0
    left = low - room
    for y, step in enumerate(steps.to_dict("records")):
        start, stop = (left, step["stop"]) if step["kind"] == "level" else (step["start"], step["stop"])
        good = (step["stop"] - step["start"]) * metric.sign > 0
        color = NEUTRAL if step["kind"] == "level" else BETTER if good else WORSE
        ax.barh(y, stop - start, left=start, height=0.62, color=color)
        if y + 1 < len(steps):
            ax.plot([stop, stop], [y, y + 1], color=FAINT, lw=0.8, zorder=0)
        text = metric.text(stop) if step["kind"] == "level" else metric.change(stop - start)
        ax.annotate(
            text,
            (max(start, stop), y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=INK if step["kind"] == "level" else MUTED,
        )
    ax.set_yticks(range(len(steps)), [_label(s) for s in steps.to_dict("records")])
    ax.set_ylim(len(steps) - 0.4, -0.6)
    ax.set_xlim(left, high + 2.2 * room)
    ax.spines["left"].set_visible(False)
    ax.locator_params(axis="x", nbins=6)
    ax.xaxis.set_major_formatter(lambda v, _: metric.text(v))
    ax.set_title(f"{metric.label} from before to after, by {', '.join(sorted(change.by))}")
    return ax


def _label(step: dict[Hashable, str]) -> str:
    """The values of the segment are enough: the dimensions stand in the title."""
    if step["kind"] == "level":
        return step["label"]
    values = ", ".join(part.partition("=")[2] or part for part in step["label"].split(" & "))
    return f"{values}: {step['kind']}"
