"""Picture of a Localization: the effect of each segment with its interval, its rates and its impact."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from rca.plotting.style import COLOR, INK, MUTED, NEUTRAL, axes

if TYPE_CHECKING:
    from rca.localize import Localization
    from rca.version_checks import VersionChecks

SHOWN = 8
SHAPE = {"worse": "v", "better": "^", "neutral": "o"}


def draw(found: "Localization", ax: Axes | None = None) -> Axes:
    """The segments that changed."""
    return effects(found, ax, "segments that changed", "No segment changed beyond noise")


def effects(found: "Localization | VersionChecks", ax: Axes | None, title: str, none: str) -> Axes:
    """One row per segment, the first on top: dot with 95 % interval, before → after and impact beside it."""
    rows = found.table[found.table["effect"].notna()].head(SHOWN)
    ax = axes(ax, height=1.1 + 0.42 * max(len(rows), 1))
    metric = found.metric
    ax.set_title(f"{metric.label}: {title}")
    if rows.empty:
        ax.text(0.5, 0.5, none, ha="center", va="center", color=MUTED)
        ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
        ax.spines[["left", "bottom"]].set_visible(False)
        return ax
    ax.axvline(0, color=NEUTRAL, lw=0.8)
    for y, row in enumerate(rows.to_dict("records")):
        color = COLOR.get(row["direction"], NEUTRAL)
        ax.plot([row["conf_low"], row["conf_high"]], [y, y], color=color, lw=2, solid_capstyle="butt")
        ax.plot(row["effect"], y, SHAPE[row["direction"]], color=color, ms=7)
        _beside(ax, y, f"{metric.text(row['rate_before'])} → {metric.text(row['rate_after'])}", INK, 0)
        _beside(ax, y, f"{metric.change(row['impact'])} of the whole", MUTED, 108)
    ax.set_yticks(range(len(rows)), [_wrapped(s) for s in rows["segment"]])
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.spines["left"].set_visible(False)
    low, high = min(rows["conf_low"].min(), 0), max(rows["conf_high"].max(), 0)
    ax.set_xlim(low - 0.05 * (high - low), high + 0.05 * (high - low))
    ax.locator_params(axis="x", nbins=5)
    ax.xaxis.set_major_formatter(lambda v, _: metric.change(v).removesuffix(" points"))
    hidden = len(found.table) - len(rows)
    more = f"; {hidden} more not shown" if hidden else ""
    ax.set_xlabel(f"change{' in points' if metric.kind == 'proportion' else ''}, 95 % interval{more}")
    return ax


def _beside(ax: Axes, y: float, text: str, color: str, offset: float) -> None:
    ax.annotate(
        text,
        xy=(1, y),
        xycoords=("axes fraction", "data"),
        xytext=(8 + offset, 0),
        textcoords="offset points",
        va="center",
        color=color,
        fontsize=8,
        annotation_clip=False,
    )


def _wrapped(segment: str, width: int = 30) -> str:
    """A long segment over two or more lines, broken at the ampersands."""
    lines = [""]
    for part in segment.split(" & "):
        joined = f"{lines[-1]} & {part}" if lines[-1] else part
        if len(joined) > width and lines[-1]:
            lines[-1] += " &"
            lines.append(part)
        else:
            lines[-1] = joined
    return "\n".join(lines)
