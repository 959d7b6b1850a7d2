"""Which volume moved, and what that alone did to the KPI: shifts of mix, told apart from changes of a rate."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rca.cube import Cube
from rca.effect import Z95
from rca.errors import InputError
from rca.metric import Metric
from rca.period import Dates, Window
from rca.result import Result, named
from rca.sentences import inner, segment_name
from rca.shares import Shares, Shift
from rca.split import split

if TYPE_CHECKING:
    from rca.finding import Evidence, Finding

MOST = 6  # shifts named; a seventh would not be acted on
NUMBERS = ["share_before", "share_after", "mix_effect", "conf_low", "conf_high", "p_adj", "dimension_effect"]


@dataclass(frozen=True, eq=False, repr=False)
class Mix(Result):
    """The shifts of mix that moved the KPI, strongest evidence first.

    table    segment ("channel=chat", or of two dimensions), a column per dimension (missing where free),
             share_before, share_after, mix_effect (KPI points: what the change of this share did to the KPI, the
             others shrinking in proportion) with its 95 % interval, p_adj (Bonferroni over all segments looked at),
             dimension_effect (mix effect of the whole dimension or pair, as in `bridge`), direction; empty when no
             mix moved the KPI
    """

    before: Dates
    after: Dates
    value_before: float
    value_after: float

    def where(self, i: int = 0) -> dict[str, str]:
        """The i-th shift as a mapping, ready for `cube.where`."""
        return named(self.table, NUMBERS[0], i)

    @property
    def facts(self) -> dict[str, Any]:
        whole = {"metric": self.metric.name, "value_before": self.value_before, "value_after": self.value_after}
        if self.table.empty:
            return {**whole, "shifts": 0}
        top = self.table.iloc[0]
        words = {"segment": top["segment"], "direction": top["direction"]}
        return {**whole, "shifts": len(self.table), **words, **{name: float(top[name]) for name in NUMBERS}}

    @property
    def headline(self) -> str:
        facts, m = self.facts, self.metric
        if not facts["shifts"]:
            return f"No mix shift: no change in the mix of {m.cases} moved {inner(m.label)} beyond noise."
        more = facts["shifts"] - 1
        others = f"; {more} more shift{'s' * (more > 1)} of mix" if more else ""
        verb = "rose" if facts["share_after"] > facts["share_before"] else "fell"
        return (
            f"Mix shift: the share of {facts['segment']} {verb} from {100 * facts['share_before']:.0f} % to"
            f" {100 * facts['share_after']:.0f} % of {m.cases}, which alone moved {inner(m.label)} by"
            f" {m.change(facts['mix_effect'])} (95 % interval"
            f" {m.interval(facts['conf_low'], facts['conf_high'])}){others}."
        )

    @property
    def display(self) -> pd.DataFrame:
        m, rows = self.metric, self.table
        shown: dict[str, Any] = {"segment": rows["segment"]}
        shown |= {f"share {w}": [f"{100 * v:.1f} %" for v in rows[f"share_{w}"]] for w in ("before", "after")}
        shown["mix effect"] = [m.change(v) for v in rows["mix_effect"]]
        shown["95 % interval"] = [m.interval(*v) for v in rows[["conf_low", "conf_high"]].itertuples(index=False)]
        return pd.DataFrame({**shown, "direction": rows["direction"]})

    @property
    def compared(self) -> tuple[Dates, Dates]:
        return self.before, self.after

    def findings(self, evidence: "Evidence") -> "Iterable[Finding]":
        from rca.mix_findings import mix_findings

        return mix_findings(self, evidence)

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.mix import draw

        return draw(self, ax)


def mix(cube: Cube, *, before: Window, after: Window, alpha: float = 0.01) -> Mix:
    """Find the segments of one or two dimensions whose share of the cases moved, and moved the KPI with it.

    A segment counts when its share changed and its rate differs from the rest, both beyond noise at `alpha` after
    correction for all segments looked at; one of two dimensions also within each of the two, or the one is named. The
    noise of a share is what it varies from period to period within the windows (never less than drawing cases at
    random), so that a share that always swings is not a shift. One finding per cause: once found, a shift is given to
    the window before (by raking its cases to the new share: Deming & Stephan 1940), and what it explains, in its own or
    in other dimensions, does not come up again.

    >>> rows = [(w, c, n, round(n * p)) for w, chat in (("2026-01-05", 400), ("2026-01-12", 550))
    ...         for c, n, p in (("chat", chat, .7), ("email", 1000 - chat, .9))]
    >>> frame = pd.DataFrame(rows, columns=["period", "channel", "n", "total"])
    >>> cube = Cube(frame, Metric(name="csat", label="CSAT", kind="proportion", better="up"), by=["channel"])
    >>> moved = mix(cube, before="last 1 before last 1", after="last 1")
    >>> moved.table[["segment", "mix_effect", "direction"]].round(4).values.tolist()
    [['channel=chat', -0.03, 'worse']]
    """
    if not cube.by:
        raise InputError("mix needs a cube with at least one dimension, got none. Build it with by=[...].")
    if taken := sorted({*NUMBERS, "segment", "direction"}.intersection(cube.by)):
        raise InputError(f"mix cannot search by a dimension called {taken[0]!r}: its table has such a column.")
    if not 0 < alpha < 1:
        raise InputError(f"alpha must lie between 0 and 1, got {alpha}.")
    dates = cube.window(before, "before"), cube.window(after, "after")
    shares = Shares(cube, *dates)
    found: list[Shift] = []
    while len(found) < MOST:
        moved = list(shares.shifts(alpha))
        if not moved:
            break
        found.append(min(moved, key=lambda s: (s.log_p_moved, len(s.dimensions), s.dimensions, s.code)))
        shares.give(found[-1])
    return Mix(
        table=pd.DataFrame(
            [_row(s, shares, cube.metric) for s in found], columns=["segment", *cube.by, *NUMBERS, "direction"]
        ),
        metric=cube.metric,
        before=dates[0],
        after=dates[1],
        value_before=shares.value[0],
        value_after=shares.value[1],
    )


def _row(shift: Shift, shares: Shares, metric: Metric) -> dict[str, Any]:
    parts = split(*shares.dimensions[shift.dimensions].sides)
    half = Z95 * shift.effect_sd
    p_value = float(np.exp(shift.log_p))
    return {
        "segment": segment_name(shift.where),
        **shift.where,
        "share_before": shift.share_before,
        "share_after": shift.share_after,
        "mix_effect": shift.effect,
        "conf_low": shift.effect - half,
        "conf_high": shift.effect + half,
        "p_adj": min(1.0, shares.tried[len(shift.where) - 1] * p_value),
        "dimension_effect": sum(float(parts[name].effect.sum()) for name in ("mix_effect", "entered", "left")),
        "direction": metric.judge(shift.effect),
    }
