"""Picture of a Comparison: a funnel of what chance does by how many cases there are, and who lies outside."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from rca.plotting.style import BAND, COLOR, FAINT, INK, MUTED, NEUTRAL, axes, right_label

if TYPE_CHECKING:
    from rca.compare import Comparison

SHAPE = {"worse": "v", "better": "^", "neutral": "o"}
NAMED = 12  # of so many each is named; of more only those outside
WIDE = 40  # from so many times the least precision on the scale is logarithmic
LETTER = 7  # pixels
# where a name may stand: pixels to the right, pixels up, the share of it that lies to the left of there
SIDES = ((10, 0, 0), (-10, 0, 1), (0, 14, 0.5), (0, -14, 0.5), (8, 11, 0), (-8, 11, 1), (8, -11, 0), (-8, -11, 1))
Box = tuple[float, float, float, float]


def draw(found: "Comparison", ax: Axes | None = None) -> Axes:
    """Each segment on the mix of all, by how sure it is; a thin line leads from what it shows without adjusting."""
    ax = axes(ax, height=3.4)
    metric, curves = found.metric, found.funnel
    rows = list(found.table[found.table["precision"].notna()].to_dict("records"))
    x = curves["precision"]
    ax.fill_between(x, curves["outer_low"], curves["outer_high"], color=BAND, linewidth=0, zorder=1)
    for side in ("low", "high"):
        ax.plot(x, curves[side], color="white", lw=1.2, zorder=2)
    ax.axhline(found.center, color=NEUTRAL, lw=0.9, zorder=2)
    for row in rows:
        level = found.center + row["effect"]
        color = COLOR.get(row["direction"], MUTED)
        if found.adjust_for and len(rows) <= NAMED:
            ax.plot([row["precision"]] * 2, [row["rate"], level], color=FAINT, lw=1, zorder=3)
            ax.plot(row["precision"], row["rate"], "o", mfc="white", mec=NEUTRAL, ms=4, zorder=3)
        ax.plot(row["precision"], level, SHAPE[row["direction"]], color=color, ms=7, mec="white", mew=0.6, zorder=5)
    if len(x):
        ax.set_xlim(x.min(), x.max())
        if x.max() > WIDE * x.min():
            ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
    ax.yaxis.set_major_formatter(lambda v, _: metric.text(v))
    ax.locator_params(axis="y", nbins=6)
    right_label(ax, found.center, metric.text(found.center))
    ax.set_title(f"{metric.label} by {found.by.replace('_', ' ')}{', on ' * bool(found.mix)}{found.mix}")
    hollow = "; hollow: not adjusted" * bool(found.adjust_for and len(rows) <= NAMED)
    band = "band: what chance does to all at once (99 %), white lines: to one (95 %)"
    ax.set_xlabel(f"{metric.cases} that count in the comparison; {band}{hollow}", fontsize=7.5)
    _names(found, ax, rows)
    return ax


def _names(found: "Comparison", ax: Axes, rows: Sequence[Mapping[Any, Any]]) -> None:
    """A name beside each point, on the first side that is free of other points and names."""
    named = [r for r in rows if r["direction"] != "neutral" or len(rows) <= NAMED]
    scale = ax.transData.transform
    points = [scale((r["precision"], found.center + r["effect"])) for r in rows]
    points += [scale((r["precision"], r["rate"])) for r in rows] if found.adjust_for else []
    taken = [(x - 4, y - 4, x + 4, y + 4) for x, y in points]
    for row in named:
        x, y = scale((row["precision"], found.center + row["effect"]))
        long = LETTER * len(row["segment"])
        boxes = {
            side: (x + dx - long * left, y + dy - 5, x + dx + long * (1 - left), y + dy + 5)
            for side in SIDES
            for dx, dy, left in [side]
        }
        (dx, dy, left), box = min(boxes.items(), key=lambda item: sum(_overlap(item[1], other) for other in taken))
        taken.append(box)
        ax.annotate(
            row["segment"], (row["precision"], found.center + row["effect"]), (dx, dy), textcoords="offset pixels",
            ha={0: "left", 0.5: "center", 1: "right"}[left], va="center", fontsize=8, zorder=6,
            color=COLOR.get(row["direction"], INK),
        )  # fmt: skip


def _overlap(a: Box, b: Box) -> float:
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
