"""Where does it concentrate? Segments by what goes wrong in them, with each one's rate beside its volume."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chisquare, false_discovery_control

from rca.counted import amounts, catch_all, counted, counting, counts, ordered
from rca.cube import MISSING, Cube
from rca.errors import InputError, TooLittleData, known
from rca.metric import Metric
from rca.pareto_change import ParetoChange, against
from rca.pareto_noise import acceptance_bands, against_rest, scatter
from rca.period import Dates, Window, last_day
from rca.result import Result
from rca.sentences import inner, percent, several

ALPHA = 0.05
CLASS_B = 0.95  # class B reaches 95 %, as usual in ABC analysis
NOTABLE = 0.05  # from this share on, the headline says that the dimension is missing
ROUNDING = 1e-9  # four bars of 20 % reach 80 %
COLUMNS = ["segment", "count", "share", "cumulative", "n", "rate", "rest", "p_value", "p_adj", "judged"]
COLUMNS += ["band_low", "band_high", "abc", "vital"]


@dataclass(frozen=True, eq=False, repr=False)
class Pareto(Result):
    """Segments of one dimension by size.

    table  one row per segment, largest first, catch-alls (other, missing) last: `segment, count, share, cumulative,
           n, rate` (the metric in the segment), `rest` (the metric in all others), `p_value, p_adj` (rate against
           rest; Benjamini-Hochberg), `judged` (worse, better or ordinary against the rest), `band_low, band_high`
           (the share that chance gives this rank when all segments are alike), `abc`, `vital`
    shown  the same columns: the segments worth a bar of their own, then one row for all others
    p_even     p-value of "all segments are alike in size" (chi-squared)
    cases      how many equal cases would scatter as the counts do (fewer where single values differ much)
    dispersion how much more the shares scatter from period to period than chance would, at least 1
    scope      the cube's
    """

    shown: pd.DataFrame
    by: str
    within: Dates
    goal: float
    p_even: float
    cases: float
    dispersion: float
    scope: Mapping[str, str]

    @cached_property
    def vital(self) -> pd.DataFrame:
        """The vital few, largest first."""
        return self.table[self.table["vital"]]

    @property
    def needed(self) -> int:
        """Concentration in one number: how many segments it takes to hold `goal` of the count."""
        largest = -np.sort(-self.table["share"].to_numpy())
        return int((largest.cumsum() < self.goal - ROUNDING).sum()) + 1 if largest.any() else 0

    @cached_property
    def worst(self) -> pd.Series | None:
        """The segment with the worst rate of those shown, if it is worse than the rest beyond noise."""
        bad = self.shown[(self.shown["judged"] == "worse") & ~catch_all(self.shown["segment"])]
        return None if bad.empty else bad.iloc[int(np.argmin(self.metric.sign * bad["rate"]))]

    @cached_property
    def facts(self) -> dict[str, Any]:
        vital, worst = self.vital, self.worst
        facts = {
            "metric": self.metric.name,
            "by": self.by,
            "within": [d.date().isoformat() for d in self.within],
            "count": float(self.table["count"].sum()),
            "n": float(self.table["n"].sum()),
            "segments": len(self.table),
            "vital": vital["segment"].tolist(),
            "vital_share": float(vital["share"].sum()),
            "goal": self.goal,
            "needed": self.needed,
            "p_even": self.p_even,
            "volume_only": vital.loc[vital["judged"] != "worse", "segment"].tolist(),
            "missing": float(self.table.loc[self.table["segment"] == MISSING, "share"].sum()),
            "worst": None if worst is None else str(worst["segment"]),
        }
        values = {f"worst_{c}": None if worst is None else float(worst[c]) for c in ("rate", "rest", "p_adj")}
        return facts | values

    @property
    def headline(self) -> str:
        facts, metric = self.facts, self.metric
        if not facts["count"]:
            return f"{metric.label}: nothing to count among {facts['n']:,.0f} {metric.cases}."
        parts = [self._volume(facts)]
        if facts["worst"]:
            value, rest = metric.text(facts["worst_rate"]), metric.text(facts["worst_rest"])
            parts.append(f"worst {inner(metric.label)}: {facts['worst']} ({value}, elsewhere {rest})")
            names = facts["volume_only"]
            if names:
                parts.append(f"{_listed(names)} {'is' if len(names) == 1 else 'are'} large by volume only")
        elif facts["segments"] > 1:
            parts.append(f"no segment's {inner(metric.label)} is worse than the rest beyond noise")
        by = self.by.replace("_", " ")
        if facts["missing"] >= NOTABLE:
            parts.append(f"{percent(facts['missing'])} has no {by}")
        return f"By {by}, {'; '.join(parts)}."

    def _volume(self, facts: dict[str, Any]) -> str:
        what, names, first = counted(self.metric, facts["count"]), facts["vital"], self.table.iloc[0]
        if facts["segments"] == 1:
            return f"{first['segment']} alone holds {what}"
        if names:
            return f"{_listed(names)} hold{'s' * (len(names) == 1)} {percent(facts['vital_share'])} of {what}"
        if self.p_even >= ALPHA:
            return f"no vital few: chance alone would spread {what} like this over {facts['segments']} segments"
        largest = f"{first['segment']}, the largest of {facts['segments']}"
        return f"no vital few: {largest}, holds {percent(first['share'])} of {what}"

    @property
    def display(self) -> pd.DataFrame:
        """What is shown, in a reader's numbers."""
        rows, metric = self.shown, self.metric
        return pd.DataFrame(
            {
                self.by.replace("_", " "): rows["segment"],
                counting(metric): amounts(metric, rows["count"]),
                "share": rows["share"].map(percent),
                "cumulative": rows["cumulative"].map(percent),
                metric.cases: [f"{n:,.0f}" for n in rows["n"]],
                metric.label: rows["rate"].map(metric.text),
                "against the rest": rows["judged"],
                "class": rows["abc"],
                "vital": np.where(rows["vital"], "vital", ""),
            }
        )

    @property
    def panel_height(self) -> float:
        """Inches that a panel of this result wants."""
        return 0.9 + 0.23 * len(self.shown)

    def against(self, reference: "Pareto") -> ParetoChange:
        """This list against a reference, say that of an earlier window: shares and ranks, tested."""
        return against(self, reference)

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.pareto import draw

        return draw(self, ax)


def pareto(
    cube: Cube, *, by: str, within: Window | None = None, goal: float = 0.8, minimum: float = 0.05, top: int = 8
) -> Pareto:
    """Count what goes wrong per segment, and say which few hold most of it (see `rca.counted.counts` for what).

    by       one dimension of the cube
    within   window; all of the cube when not given
    goal     share that class A, and `needed`, reach; B reaches .95
    minimum  least share of a vital segment
    top      segments that get a bar of their own; the worst is one of them, as a tiny segment can have any rate

    A segment is vital when it and all larger ones are in class A, hold at least `minimum`, and lie above
    Wilkinson's acceptance band: chance does not make bars of this size. Catch-alls are neither vital nor class A.
    The largest is not the worst: `rate` stands beside `count`, tested against all other segments.

    >>> frame = pd.DataFrame({"period": "2026-01-05", "reason": ["price", "date", "supplier", "contact", "part"],
    ...                       "n": 1000, "total": [80, 27, 66, 94, 33]})  # the example of paretoChart in R's qcc
    >>> defects = Metric(name="defect_rate", kind="proportion", better="down", cases="orders")
    >>> result = pareto(Cube(frame, defects, by=["reason"]), by="reason")
    >>> result.table.cumulative.round(4).tolist()
    [0.3133, 0.58, 0.8, 0.91, 1.0]
    >>> result.facts["vital"], result.needed
    (['contact', 'price', 'supplier'], 3)
    """
    if not 0 < goal <= 1 or not 0 <= minimum <= 1 or top < 1:
        raise InputError(f"goal and minimum are shares, top is 1 or more; got {goal=}, {minimum=}, {top=}.")
    known(by, cube.by, "dimension")
    metric, part = cube.metric, cube if within is None else cube.within(within)
    rows = part.over([by]).frame.groupby(by, as_index=False)[cube.measures].sum()
    rows = rows[rows["n"] > 0].rename(columns={by: "segment"})
    if rows.empty:
        raise TooLittleData(f"{metric.label}: there are no {metric.cases} to count by {by}.")
    rows = _compared(_shares(rows, metric), metric)
    cases, dispersion = scatter(part.over([by]))
    rows = _classed(rows, cases / dispersion, goal, minimum)
    p_even = float(chisquare(rows["share"] * cases / dispersion).pvalue) if cases and len(rows) > 1 else 1.0
    first, last = part.frame["period"].min(), last_day(part.frame["period"].max(), cube.period)
    dates = (first, last) if within is None else cube.window(within)
    return Pareto(
        rows[COLUMNS], metric, _shown(rows, top), by, dates, goal, p_even, cases, dispersion, dict(cube.scope)
    )


def _shares(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    rows = ordered(rows.assign(count=counts(rows, metric)))
    rows["share"] = rows["count"] / (rows["count"].sum() or 1)
    rows["cumulative"] = rows["share"].cumsum()
    return rows


def _compared(rows: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Each segment's rate against the rest."""
    rows = rows.assign(rate=rows["total"] / rows["n"]).join(against_rest(rows, metric.kind))
    rows["p_adj"] = false_discovery_control(rows["p_value"])
    effects = zip(rows["rate"] - rows["rest"], rows["p_adj"], strict=True)
    rows["judged"] = [metric.judge(effect) if p < ALPHA and effect else "ordinary" for effect, p in effects]
    return rows


def _classed(rows: pd.DataFrame, effective: float, goal: float, minimum: float) -> pd.DataFrame:
    """ABC classes, acceptance bands and the vital few."""
    before = rows["cumulative"] - rows["share"] + ROUNDING
    classes = np.where(before < goal, "A", np.where(before < CLASS_B, "B", "C"))
    rows["abc"] = np.where(catch_all(rows["segment"]) | (rows["count"] == 0), "C", classes)
    rows["band_low"], rows["band_high"] = acceptance_bands(effective, len(rows))
    beyond = (rows["share"] > rows["band_high"]) | (len(rows) == 1)  # one alone holds all, and has no band
    large = (rows["abc"] == "A") & (rows["share"] >= minimum) & beyond
    rows["vital"] = large.cummin()
    return rows


def _shown(rows: pd.DataFrame, top: int) -> pd.DataFrame:
    """The first `top` segments and all vital ones; the rest, if more than one, as a row that is never vital."""
    keep = max(top, int(rows["vital"].sum()))
    hidden = rows.iloc[keep:]
    if len(hidden) < 2:
        return rows[COLUMNS]
    sums = hidden[["count", "share", "n", "total"]].sum()
    other = {"segment": f"Other ({len(hidden)})", "cumulative": 1.0, "rate": sums["total"] / sums["n"]}
    other |= {"judged": "ordinary", "abc": "C", "vital": False, **sums}
    return pd.concat([rows.iloc[:keep], pd.DataFrame([other])], ignore_index=True)[COLUMNS]


def _listed(names: list[str]) -> str:
    return several(names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} more"])
