"""The backlog under each scenario, one strip below the other on one scale, against its limit."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from rca.plotting.style import ACCENT, BAND, FAINT, INK, MUTED, WORSE, axes

if TYPE_CHECKING:
    from rca.stress import Stress

ROOM = 0.78  # the part of a strip that the largest backlog takes


def draw(found: "Stress", ax: Axes | None = None) -> Axes:
    """Line: the median of the runs; band: 90 % of them; grey: while the event lasts; dashed: the limit."""
    ax = axes(ax, height=0.9 + 0.68 * len(found.table))
    limit = found.limits.get("backlog")
    highest = max(float(found.paths["high"].max()), limit or 0.0, 1.0)
    first, last = found.paths["day"].min(), found.paths["day"].max()
    for strip, row in enumerate(found.table.to_dict("records")):
        base, event = -float(strip), found.scenarios.get(row["scenario"])
        path = found.paths[found.paths["scenario"] == row["scenario"]]
        low, middle, high = (base + ROOM * path[c].to_numpy() / highest for c in ("low", "median", "high"))
        color = WORSE if row["broken"] else ACCENT
        if event is not None:
            ends = min(event.days, last)
            ax.fill_between([0, ends], base, base + ROOM + 0.08, color=BAND, linewidth=0, zorder=0)
        ax.axhline(base, color=FAINT, linewidth=0.8, zorder=1)
        if limit is not None:
            place = base + ROOM * limit / highest
            ax.plot([first, last], [place, place], color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=2)
        ax.fill_between(path["day"], low, high, color=color, alpha=0.25, linewidth=0, zorder=3)
        ax.plot(path["day"], middle, color=color, linewidth=1.5, zorder=4)
        worst = f"worst {row['backlog']:,.0f} ({row['backlog_low']:,.0f} to {row['backlog_high']:,.0f})"
        verdict = "breaks a limit" if row["broken"] else "limits hold"
        for text, height, ink in ((worst, 0.45, INK), (verdict, 0.12, color)):
            ax.annotate(
                text, (1, base + height), (6, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                fontsize=8, color=ink, va="center", annotation_clip=False,
            )  # fmt: skip
    names = [row.replace(", ", "\n") for row in found.display["scenario"]]
    ax.set_yticks([0.3 - strip for strip in range(len(names))], names, color=INK)
    ax.set_ylim(-len(names) + 0.9, ROOM + 0.1)
    ax.set_xlim(first, last)
    ax.spines["left"].set_visible(False)
    ax.set_title("Backlog under each scenario")
    dashed = f"; dashed: limit of {limit:,.0f} cases" if limit is not None else ""
    ax.set_xlabel(
        f"days since the event began; band: 90 % of the runs; shaded: the event{dashed}", loc="left", fontsize=7.5
    )
    return ax
