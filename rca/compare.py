"""Who does better or worse than the others on the same mix of cases? Standardised rates and a funnel."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from rca import sentences as say
from rca.cube import Cube
from rca.differences import covariance, peeled, shrunken
from rca.effect import Z95
from rca.errors import InputError, TooLittleData, known
from rca.funnel import curves
from rca.period import Dates, Window, last_day
from rca.result import Result, rows
from rca.standardise import Mix, one_case, standardised

if TYPE_CHECKING:
    from rca.finding import Evidence, Finding

ALPHA = 0.01  # chance that any of them is called worse or better where all are alike
PAIRS = 100  # of so many each is compared with each
ORDER = {"worse": 0, "neutral": 1, "better": 2}
COLUMNS = [
    "segment", "n", "rate", "expected", "effect", "conf_low", "conf_high", "p_value", "p_adj", "direction", "ratio",
    "indirect", "direct", "covered", "comparable", "effect_before", "estimate", "estimate_low", "estimate_high",
    "precision",
]  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Result):
    """The segments of one dimension side by side, adjusted for the mix of their cases.

    table   one row per segment, worst first: `segment, n, rate` (what it shows), `expected` (what the others show on
            its mix), `effect` (the difference, in KPI units) with its 95 % interval `conf_low, conf_high`, `p_value`
            and `p_adj` (Bonferroni), `direction` (worse, better, neutral).
            Standardised: `ratio` (observed by expected at the rates of the reference), `indirect` (ratio times the
            KPI of the reference), `direct` (its own rates on the mix of the reference), `covered` (the share of that
            mix which it has cases of, the rest taken from the reference), `comparable` (the share of its cases which
            others have as well). `effect_before`: the difference in the window before, where one is given.
            Shrunken towards all by how sure it is: `estimate, estimate_low, estimate_high` (KPI on the mix of the
            reference, 95 %). `precision`: how many cases of plain chance would be as sure
    funnel  the limits by `precision`: `low, high` (95 % of one), `outer_low, outer_high` (99 % of all at once)
    center  the KPI of the reference, which `reference` names
    dispersion  how much more than by chance the segments differ (1: as by chance; Spiegelhalter 2005)
    spread  standard deviation of the levels that `limits="overdispersed"` allows for; 0 where exact
    covariance  of the effects, in the order of the table; empty where there are more than 100 segments
    before      the window before, where one is given
    """

    funnel: pd.DataFrame
    by: str
    adjust_for: tuple[str, ...]
    within: Dates
    center: float
    reference: str
    limits: str
    dispersion: float
    spread: float
    covariance: np.ndarray
    before: Dates | None

    @property
    def compared(self) -> tuple[Dates, Dates] | None:
        return (self.before, self.within) if self.before else None

    @property
    def facts(self) -> dict[str, Any]:
        found = self.table
        judged = {w: [self.said(row) for row in rows(found[found["direction"] == w])] for w in ("worse", "better")}
        return {
            "metric": self.metric.name, "by": self.by, "adjust_for": list(self.adjust_for),
            "within": [d.date().isoformat() for d in self.within], "reference": self.reference,
            "center": self.center, "segments": len(found), **judged,
            "alike": int((found["direction"] == "neutral").sum()), "dispersion": self.dispersion,
            "comparable": float((found["comparable"] * found["n"]).sum() / found["n"].sum()),
        }  # fmt: skip

    def said(self, row: Any) -> str:
        """`Andes (79.6 %, others 83.5 %)`."""
        others = self.metric.text(row.expected)
        return f"{row.segment} ({self.metric.text(row.rate)}, {self.rival} {others})"

    @property
    def rival(self) -> str:
        """What each is compared with: `others`, or the reference given."""
        return "reference" if self.reference == "the one given" else "others"

    @property
    def mix(self) -> str:
        """`the same market and channel`; empty where nothing is adjusted for."""
        return f"the same {say.several([d.replace('_', ' ') for d in self.adjust_for])}" if self.adjust_for else ""

    @property
    def headline(self) -> str:
        facts, noun = self.facts, self.by.replace("_", " ")
        where = f" on {self.mix}" if self.mix else ", not adjusted for mix"
        parts = [
            f"{say.several(shortened(facts[w]))} {'is' if len(facts[w]) == 1 else 'are'} {w}"
            for w in ("worse", "better")
            if facts[w]
        ]
        alike = facts["alike"]
        if not parts:
            parts = [f"none of {facts['segments']} by {noun} differs from the {self.rival} beyond chance"]
        elif alike:
            parts.append(f"the other{f' {alike} differ' if alike > 1 else ' differs'} no more than by chance")
        if facts["comparable"] < 0.95:
            alone = say.percent(1 - facts["comparable"])
            parts.append(f"{alone} of {self.metric.cases} are of a kind that one alone has")
        return f"{self.metric.label}{where}: {'; '.join(parts)}; reference: {self.reference}."

    @property
    def display(self) -> pd.DataFrame:
        text, found = self.metric.text, self.table
        return pd.DataFrame(
            {
                self.by.replace("_", " "): found["segment"],
                self.metric.cases: [f"{n:,.0f}" for n in found["n"]],
                "as it is": found["rate"].map(text),
                f"{self.rival}, same mix": found["expected"].map(text),
                "difference": found["effect"].map(self.metric.change),
                "95 % interval": list(map(self.metric.interval, found["conf_low"], found["conf_high"])),
                **({"before": found["effect_before"].map(self.metric.change)} if self.before else {}),
                "judged": found["direction"].replace("neutral", ""),
                "direct": found["direct"].map(text),
                "indirect": found["indirect"].map(text),
                "shrunken": found["estimate"].map(text),
            }
        )

    @property
    def panel_height(self) -> float:
        return 3.4

    def findings(self, evidence: "Evidence") -> "Iterable[Finding]":
        from rca.compare_findings import compare_findings

        return compare_findings(self, evidence)

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.compare import draw

        return draw(self, ax)


def shortened(names: Sequence[str]) -> list[str]:
    """At most four of them, the rest counted."""
    return list(names) if len(names) <= 4 else [*names[:3], f"{len(names) - 3} more"]


def compare(
    cube: Cube,
    *,
    by: str,
    adjust_for: str | Iterable[str] = (),
    within: Window | None = None,
    before: Window | None = None,
    reference: Cube | None = None,
    limits: Literal["exact", "overdispersed"] = "exact",
) -> Comparison:
    """Compare the segments of one dimension on the same mix of cases.

    by          the dimension: vendor, market
    adjust_for  dimensions that a segment has not chosen itself, such as market, channel and issue type: cases are
                compared within each combination of their values only. What it has chosen (its shifts, its staff) is
                left out, for that is what a comparison is about
    within      window; all of the cube when not given
    before      an earlier window, to tell a level that is as it was from one that is new
    reference   a cube whose rates and mix are the standard, taken as known; all segments together when not given
    limits      "exact": beyond chance. "overdispersed": beyond chance and the usual spread of levels between the
                segments, for many of them that are known to differ (Spiegelhalter 2005, additive, 10 % winsorised)

    The difference is that of Mantel and Haenszel (1959): observed less expected, where cases count as far as others
    have such cases too. Its variance is that of the draw of a segment's cases from all of their kind, so that rare
    combinations do no harm; of proportions and rates the p-value is the tail of the binomial with this mean and
    variance. Who differs is taken out of the reference, so that two slow vendors make no other a fast one. Where all
    are alike, anyone is called worse or better in 1 to 2 % of comparisons (bench/compare.py).

    >>> frame = pd.DataFrame({"period": "2026-01-05", "vendor": ["A", "A", "B", "B"], "channel": ["chat", "phone"] * 2,
    ...                       "n": [900, 100, 100, 900], "total": [450, 90, 50, 810]})
    >>> from rca.metric import Metric
    >>> csat = Metric(name="csat", label="CSAT", kind="proportion", better="up")
    >>> cube = Cube(frame, csat, by=["vendor", "channel"])
    >>> compare(cube, by="vendor").table[["segment", "rate", "expected", "direction"]].round(2).values.tolist()
    [['A', 0.54, 0.86, 'worse'], ['B', 0.86, 0.54, 'better']]
    >>> compare(cube, by="vendor", adjust_for="channel").headline
    'CSAT on the same channel: none of 2 by vendor differs from the others beyond chance; reference: all 2 together.'
    """
    strata = tuple(dict.fromkeys([adjust_for] if isinstance(adjust_for, str) else adjust_for))
    for dimension in (by, *strata):
        known(dimension, cube.by, "dimension")
    known(limits, ("exact", "overdispersed"), "kind of limits")
    if by in strata:
        raise InputError(f"adjust_for has {by!r} itself: what is compared cannot be adjusted for.")
    metric, part = cube.metric, cube if within is None else cube.within(within)
    former: dict[str, float] = {}
    if before is not None:
        earlier = compare(cube, by=by, adjust_for=strata, within=before, reference=reference, limits=limits).table
        former = dict(zip(earlier["segment"], earlier["effect"], strict=True))
    mix = Mix.of(part, by, strata, reference)
    if not len(mix.names):
        raise TooLittleData(f"{metric.label}: there are no {metric.cases} to compare by {by}.")
    found, inside, weight, factor, spread = peeled(mix, metric.kind, limits, ALPHA)
    n, total, sq = mix.reference(inside)
    center = float(total.sum() / n.sum())
    one = _of_one(metric.kind, center, n, one_case(n, total, sq, metric.kind, fixed=False))
    effect, error = found["effect"], found["error"]
    rate = mix.total.sum(axis=1) / mix.n.sum(axis=1)
    judged = zip(found["p_adj"], effect, strict=True)
    table = found.assign(
        segment=mix.names.astype(str), n=mix.n.sum(axis=1), rate=rate, expected=rate - effect,
        conf_low=effect - Z95 * error, conf_high=effect + Z95 * error,
        direction=["neutral" if not p < ALPHA or not size else metric.judge(size) for p, size in judged],
        effect_before=mix.names.astype(str).map(former).astype(float),
        precision=one / error.where(error > 0) ** 2,
    )  # fmt: skip
    table = table.join(standardised(mix, inside)).join(shrunken(center, effect, error.where(error > 0)))
    z = (metric.sign * effect / error.where(error > 0)).fillna(0)
    order = np.lexsort((z, table["direction"].map(ORDER)))
    pairs = np.empty((0, 0))
    if len(order) <= PAIRS:
        pairs = covariance(mix, metric.kind, inside, weight) + spread**2 * np.eye(len(order))
        pairs = pairs[np.ix_(order, order)]
    ends = (part.frame["period"].min(), last_day(part.frame["period"].max(), cube.period))
    left = len(order) - int(inside.sum())
    together = f"the {inside.sum()} of {len(order)} that are alike" if left else f"all {len(order)} together"
    return Comparison(
        table=table.iloc[order][COLUMNS].reset_index(drop=True), metric=metric,
        funnel=curves(metric.kind, center, one, table["precision"], spread, ALPHA),
        by=by, adjust_for=strata, within=ends if within is None else cube.window(within), center=center,
        reference="the one given" if reference else together, limits=limits,
        dispersion=factor, spread=spread, covariance=pairs,
        before=None if before is None else cube.window(before, "before"),
    )  # fmt: skip


def _of_one(kind: str, center: float, n: np.ndarray, one: np.ndarray) -> float:
    """Variance of one case at the KPI of the reference, as a funnel has it; of a mean inside the strata."""
    if kind == "mean":
        return float((n * one).sum() / n.sum())
    return max(center * (1 - center) if kind == "proportion" else center, 1e-12)
