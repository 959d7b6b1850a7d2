"""Picture of AuditsNeeded: how long it takes to tell each difference, per segment, on a logarithmic scale."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator, ScalarFormatter

from rca.plotting.style import ACCENT, FAINT, INK, MUTED, axes, right_label

if TYPE_CHECKING:
    from rca.audits_needed import AuditsNeeded

MARKS = "osD^v"


def draw(found: "AuditsNeeded", ax: Axes | None = None) -> Axes:
    """One row per segment, one mark per difference; the smaller the difference, the longer it takes."""
    ax = axes(ax, height=found.panel_height)
    ax.set_title(f"{found.metric.label}: how long until a worse level can be told")
    segments = list(dict.fromkeys(found.table["segment"]))
    for y, segment in enumerate(segments):
        part = found.table[found.table["segment"] == segment]
        ax.plot(part["periods"], [y] * len(part), color=FAINT, lw=2, zorder=1)
        right_label(ax, y, f"{part['pace'].iloc[0]:,.0f} a {found.period}")
    for mark, difference in zip(MARKS, found.table["difference"].unique(), strict=False):
        part = found.table[found.table["difference"] == difference]
        rows = [segments.index(s) for s in part["segment"]]
        ax.plot(part["periods"], rows, mark, color=ACCENT, ms=6)
        ax.annotate(
            found.metric.change(difference, signed=False),
            (part["periods"].iloc[0], rows[0]), xytext=(0, 7), textcoords="offset points",
            ha="center", color=MUTED, fontsize=8, annotation_clip=False,
        )  # fmt: skip
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.set_xticks([t for t in (1, 2, 4, 8, 13, 26, 52, 104, 208) if t <= 1.5 * found.table["periods"].max()])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_yticks(range(len(segments)), [s.partition("=")[2] or s for s in segments], color=INK)
    ax.set_ylim(len(segments) - 0.5, -0.9)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", color=FAINT, lw=0.5)
    ax.set_axisbelow(True)
    ax.set_xlabel(f"{found.period}s of {found.metric.cases} before, and as many after")
    return ax
