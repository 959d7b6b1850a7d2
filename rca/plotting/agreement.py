"""Picture of an Agreement: a dot with its 95 % interval per coefficient, or per segment with the others beside it."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from rca.coefficients import AC1
from rca.plotting.style import ACCENT, FAINT, INK, MUTED, NEUTRAL, WORSE, axes, right_label

if TYPE_CHECKING:
    from rca.agreement import Agreement


def draw(found: "Agreement", ax: Axes | None = None) -> Axes:
    """One row per segment, least agreement first, or per coefficient; the hollow mark is the other scopes' AC1."""
    ax = axes(ax, height=found.panel_height)
    table = found.segments if found.by else found.table
    what = f"Gwet's AC1 by {found.by.replace('_', ' ')}" if found.by else "how far raters agree"
    ax.set_title(f"{found.metric.label}: {what}")
    for y, row in enumerate(table.itertuples()):
        _row(found, ax, y, row)
    low = float(np.nanmin([0.5, *table["conf_low"]]))
    ax.set(xlim=(low - 0.02, 1.02), ylim=(max(len(table), 1) - 0.5, -0.5), yticks=range(len(table)))
    names = table["segment"].str.partition("=")[2] if found.by else table["coefficient"]
    ax.set_yticklabels(names, color=INK)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=FAINT, lw=0.5)
    ax.set_axisbelow(True)
    whole = found.value(AC1).estimate
    label = "1 is full agreement, 0 is chance; line: 95 % interval"
    if found.by and pd.notna(whole):
        ax.axvline(whole, color=NEUTRAL, lw=0.8)
        label += "; grey line: all" + "; hollow: all others" * bool(table["elsewhere"].notna().any())
    ax.set_xlabel(label)
    return ax


def _row(found: "Agreement", ax: Axes, y: int, row: Any) -> None:
    if pd.isna(row.estimate):
        return right_label(ax, y, "not defined")
    verdict = getattr(row, "verdict", "")
    color = WORSE if verdict else ACCENT
    ax.plot([row.conf_low, row.conf_high], [y, y], color=color, lw=2, solid_capstyle="butt")
    ax.plot(row.estimate, y, "v" if verdict else "o", color=color, ms=6)
    if pd.notna(getattr(row, "elsewhere", None)):
        ax.plot(row.elsewhere, y, "D", mfc="white", mec=MUTED, ms=5, zorder=1.9)
    say = {"ambiguous": "ambiguous to all", "own": "here only"}.get(verdict, "")
    value = f"{row.estimate:.2f}".replace("0.", ".", 1)
    right_label(ax, y, f"{value}  {say}" if say else value, color if verdict else MUTED)
    return None
