"""Picture of a Mix: the share of each value found, before and after, and what the shift did to the KPI."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from rca.plotting.style import COLOR, INK, MUTED, axes, right_label

if TYPE_CHECKING:
    from rca.mix import Mix


def draw(moved: "Mix", ax: Axes | None = None) -> Axes:
    """One row per shift: hollow dot before, filled dot after, the effect on the KPI at the right edge."""
    rows, metric = moved.table.to_dict("records"), moved.metric
    ax = axes(ax, height=1.1 + 0.4 * max(len(rows), 1))
    ax.set_title(f"{metric.label}: shifts of mix")
    if not rows:
        ax.text(0.5, 0.5, "No mix shift moved the KPI beyond noise", ha="center", va="center", color=MUTED)
        ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
        ax.spines[["left", "bottom"]].set_visible(False)
        return ax
    for y, row in enumerate(rows):
        color, ends = COLOR[row["direction"]], (100 * row["share_before"], 100 * row["share_after"])
        ax.annotate("", (ends[1], y), (ends[0], y), arrowprops={"arrowstyle": "-|>", "color": color, "shrinkB": 4})
        ax.plot(ends[0], y, "o", mfc="white", mec=color, ms=6)
        ax.plot(ends[1], y, "o", color=color, ms=6)
        for x, side in zip(ends, (ends[0] - ends[1], ends[1] - ends[0]), strict=True):
            ax.annotate(
                f"{x:.0f} %",
                (x, y),
                xytext=(8 if side > 0 else -8, 0),
                textcoords="offset points",
                va="center",
                ha="left" if side > 0 else "right",
                fontsize=8,
                color=INK,
            )
        right_label(ax, y, f"{metric.change(row['mix_effect'])}, {row['direction']}", color)
    ax.set_yticks(range(len(rows)), [row["segment"] for row in rows])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    shares = [100 * row[f"share_{w}"] for row in rows for w in ("before", "after")]
    room = 0.15 * max(max(shares) - min(shares), 10)
    ax.set_xlim(max(min(shares) - room, -room), max(shares) + room)
    ax.spines["left"].set_visible(False)
    ax.locator_params(axis="x", nbins=6)
    ax.set_xlabel(f"share of {metric.cases} in percent: hollow before, filled after")
    return ax
