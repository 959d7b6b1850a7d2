"""Which segments, over all dimensions and their combinations, changed beyond sampling noise?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from rca.cube import Cube
from rca.cuboids import Cuboids
from rca.errors import InputError, TooLittleData
from rca.leaves import evidence
from rca.period import Dates, Window
from rca.result import Result, named
from rca.search import ALL as ALL_SHARE
from rca.search import Search, search
from rca.segment_rates import ALL, NUMBERS, SegmentRates
from rca.sentences import inner

if TYPE_CHECKING:
    from rca.finding import Evidence, Finding

FEWEST = 20  # cases in a window; below that nothing can be told apart from noise
SHARES = (0.05, 0.2, 1.0)


@dataclass(frozen=True, eq=False, repr=False)
class Localization(Result):
    """The segments that changed, largest impact first.

    table         segment ("issue_type=refund & market=MX", or "all cases"), a column per dimension (missing where
                  free), rate_before and rate_after (over the cases that no other segment of the table claims),
                  effect with its 95 % interval, p_adj (Bonferroni over all segments looked at), impact (KPI points
                  of the whole), cases (those of the after window that came out differently than at the former
                  level; for a mean the same in units), mix_effect (the part of rate_after - rate_before that is a
                  shift of mix inside the segment; 0 where within noise, else taken out of effect), direction
    minor         the same columns: significant, but below a tenth of the largest effect
    drift         change of the typical segment that is too small to be reported
    detectable    {share of the cases: smallest effect found with 80 % power}; 1.0 is the whole KPI
    """

    minor: pd.DataFrame
    before: Dates
    after: Dates
    value_before: float
    value_after: float
    drift: float
    detectable: Mapping[float, float]

    def where(self, i: int = 0) -> dict[str, str]:
        """The i-th segment as a mapping, ready for `cube.where`; empty for all cases."""
        return named(self.table, NUMBERS[0], i)

    @property
    def facts(self) -> dict[str, Any]:
        found = {"segments": len(self.table), "detectable": float(self.detectable[0.2])}
        whole = {"value_before": self.value_before, "value_after": self.value_after}
        if self.table.empty:
            return {"metric": self.metric.name, **whole, **found}
        top = self.table.iloc[0]
        numbers = {name: float(top[name]) for name in NUMBERS}
        words = {"segment": top["segment"], "direction": top["direction"], "common": top["segment"] == ALL}
        return {"metric": self.metric.name, **whole, **found, **words, **numbers}

    @property
    def headline(self) -> str:
        facts, m = self.facts, self.metric
        if not facts["segments"]:
            change = m.change(facts["detectable"], signed=False)
            return (
                f"No cause found: no segment of {inner(m.label)} changed beyond noise; a change of {change}"
                f" in a segment that holds 20 % of the {m.cases} would have been seen."
            )
        where = f"in {ALL} alike" if facts["common"] else f"where {facts['segment']}"
        more = facts["segments"] - 1
        others = f"; {more} more segment{'s' * (more > 1)} changed" if more else ""
        rates = f"{m.text(facts['rate_before'])} to {m.text(facts['rate_after'])}"
        return (
            f"{m.label} {'rose' if facts['effect'] > 0 else 'fell'} by {m.change(facts['effect'], signed=False)}"
            f" {where} ({rates}, 95 % interval {m.interval(facts['conf_low'], facts['conf_high'])}),"
            f" {m.change(facts['impact'])} of the whole{others}."
        )

    @property
    def display(self) -> pd.DataFrame:
        m = self.metric
        return pd.DataFrame(
            {
                "segment": self.table["segment"],
                "before": [m.text(v) for v in self.table["rate_before"]],
                "after": [m.text(v) for v in self.table["rate_after"]],
                "effect": [m.change(v) for v in self.table["effect"]],
                "95 % interval": [
                    m.interval(*v) for v in self.table[["conf_low", "conf_high"]].itertuples(index=False)
                ],
                "impact": [m.change(v) for v in self.table["impact"]],
                "direction": self.table["direction"],
            }
        )

    @property
    def compared(self) -> tuple[Dates, Dates]:
        return self.before, self.after

    def findings(self, evidence: "Evidence") -> "Iterable[Finding]":
        from rca.rate_findings import rate_findings

        return rate_findings(self, evidence)

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.localize import draw

        return draw(self, ax)


def localize(cube: Cube, *, before: Window, after: Window, alpha: float = 0.01) -> Localization:
    """Find the segments whose KPI changed between two windows beyond sampling noise, or none.

    Looks at every combination of the cube's dimensions. `alpha` is the chance of any false segment when nothing
    changed. Names the parent or the children, whichever tells it better; several causes at once, no case counted
    twice; a change that all segments share is reported as "all cases" before anything local. Segments that exist in
    one window only are no change of a rate (`bridge` shows them as entered or left).

    Method: precision-weighted differences of leaf residuals, greedy search with Bonferroni correction, a
    random-effects comparison of parent and children (DerSimonian & Laird 1986), over-dispersion by a robust method
    of moments.

    >>> from rca.metric import Metric
    >>> rows = [("2026-01-05", m, i, 400, 320) for m in "AB" for i in "xyz"]
    >>> rows += [("2026-01-12", m, i, 400, 220 if (m, i) == ("A", "x") else 320) for m in "AB" for i in "xyz"]
    >>> frame = pd.DataFrame(rows, columns=["period", "market", "issue", "n", "total"])
    >>> csat = Metric(name="csat", kind="proportion", better="up")
    >>> found = localize(Cube(frame, csat, by=["market", "issue"]), before="last 1 before last 1", after="last 1")
    >>> found.table.segment.tolist(), found.where(0)
    (['issue=x & market=A'], {'issue': 'x', 'market': 'A'})
    """
    if not cube.by:
        raise InputError("localize needs a cube with at least one dimension, got none. Build it with by=[...].")
    if taken := sorted({*NUMBERS, "segment", "direction"}.intersection(cube.by)):
        raise InputError(f"localize cannot search by a dimension called {taken[0]!r}: its table has such a column.")
    if not 0 < alpha < 1:
        raise InputError(f"alpha must lie between 0 and 1, got {alpha}.")
    pairs = cube.pair(before, after)
    for window in ("before", "after"):
        cases = pairs[f"n_{window}"].sum()
        if cases < FEWEST:
            raise TooLittleData(
                f"{cube.metric.label} has {cases:.0f} {cube.metric.cases} in the {window} window;"
                f" at least {FEWEST} are needed to look for a cause."
            )
    cuboids = Cuboids(pairs, cube.by)
    leaves = evidence(cube.metric.kind, pairs, cuboids)
    result = search(leaves, cuboids, alpha)
    rates = SegmentRates(cube.metric, pairs, cuboids, result.over)
    table, minor = (rates.table([f for f in result.found if f.minor == small]) for small in (False, True))
    total = pairs[["n_before", "total_before", "n_after", "total_after"]].sum()
    return Localization(
        table=table,
        metric=cube.metric,
        minor=minor,
        before=cube.window(before, "before"),
        after=cube.window(after, "after"),
        value_before=float(total["total_before"] / total["n_before"]),
        value_after=float(total["total_after"] / total["n_after"]),
        drift=result.drift,
        detectable={s: _detectable(result, s, alpha) for s in SHARES},
    )


def _detectable(result: Search, share: float, alpha: float) -> float:
    """Smallest effect found with 80 % power in a segment of one dimension that holds a share of the cases."""
    tried = result.tried[1] if share < 1 else 1 / ALL_SHARE
    return float((norm.isf(alpha / 2 / tried) + norm.isf(0.2)) / np.sqrt(share * result.precision))
