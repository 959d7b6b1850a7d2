"""Here against elsewhere, one line per segment."""

from typing import Any

from matplotlib.axes import Axes

from rca.plotting.style import ACCENT, INK, MUTED, NEUTRAL, axes


def draw(result: Any, ax: Axes | None = None) -> Axes:
    """Filled dot: this scope; open dot with its 95 % interval: the others together."""
    rows = result.table.iloc[::-1].reset_index(drop=True)
    if rows.empty:
        ax = axes(ax, 0.8)
        ax.set_axis_off()
        ax.text(0, 0.5, f"{result.metric.label}: no change here to compare with the others", color=MUTED)
        return ax
    ax = axes(ax, 0.9 + 0.45 * len(rows))
    scale = 100 if result.metric.kind == "proportion" else 1
    known = rows.dropna(subset=["others_effect"])
    ax.axvline(0, color=NEUTRAL, linewidth=0.8)
    ax.hlines(known.index, scale * known["others_low"], scale * known["others_high"], color=MUTED, linewidth=1.5)
    ax.plot(scale * known["others_effect"], known.index, "o", color=MUTED, markerfacecolor="white", markersize=6)
    ax.plot(scale * rows["effect"], rows.index, "o", color=ACCENT, markersize=7)
    top = len(rows) - 1
    for column, text, color in (("effect", "here", ACCENT), ("others_effect", "elsewhere", MUTED)):
        if rows[column].notna().iloc[top]:
            ax.annotate(
                text,
                (scale * rows[column].iloc[top], top),
                xytext=(0, 7),
                textcoords="offset points",
                ha="center",
                color=color,
                fontsize=8,
            )
    ax.set_yticks(rows.index, [s.replace(" & ", "\n") for s in rows["segment"]], color=INK)
    ax.set_ylim(-0.6, len(rows) - 0.35)
    ax.set_xlabel(f"change in {'points' if scale == 100 else result.metric.unit or 'units'}")
    ax.set_title(result.metric.label)
    ax.spines["left"].set_visible(False)
    return ax
