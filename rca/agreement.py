"""Do moderators, auditors and the standard decide alike, and which policies are ambiguous to all of them?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from rca import sentences as say
from rca.coefficients import AC1, COHEN, FLEISS, PERCENT, ac1, coded, coefficients
from rca.cube import MISSING, Cube
from rca.effect import Z95
from rca.errors import InputError, known
from rca.metric import Metric
from rca.pareto_noise import holm
from rca.period import Window
from rca.result import Result, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rca.finding import Evidence, Finding

ALPHA_LEVEL = 0.01  # for all segments together (Holm)
LEAST = 0.1  # of AC1 below the rest: less is no reason to rewrite a policy
MOST_OTHERS = 0.5  # of the other scopes must disagree there as well
FAR = 0.2  # kappa that far below AC1 is the paradox of prevalence
OF = Metric(name="agreement", kind="proportion", better="up", cases="items")


@dataclass(frozen=True, eq=False, repr=False)
class Agreement(Result):
    """How far several raters agree on the same items, beyond chance.

    **Lead with Gwet's AC1** (or the percentage): where nearly all items are alike, as in moderation, where most are
    kept, kappa and alpha are low though the raters agree (the paradox of Feinstein & Cicchetti 1990: 85 % agree in
    both of their tables, kappa is .70 where the categories are even and .32 where one rater chose one of them in
    90 %). They are shown beside it, because many contracts name them, and a low one that prevalence does not explain
    is a warning.

    table     one row per coefficient: `coefficient, n` (items rated twice or more), `estimate, se, conf_low, conf_high`
    segments  one row per value of `by`, least agreement first: `segment, n, agreement` (percent agreement), `estimate`
              (AC1), `conf_low, conf_high`, `gap` (AC1 of the rest minus this one), `p_adj` (of a gap, one-sided,
              Holm), `elsewhere` (AC1 there at all other scopes), `lower` of `others` scopes that agree less there than
              on the rest, `verdict` (ambiguous: least agreement here and elsewhere; own: here only; or nothing)
    raters    the columns that rate; `by` what the segments are of, or nothing
    usual     the most frequent decision and its share, the reason of a low kappa
    """

    segments: pd.DataFrame
    raters: tuple[str, ...]
    by: str
    usual: tuple[str, float]

    def value(self, coefficient: str) -> Any:
        """The row of one coefficient."""
        return next(row for row in rows(self.table) if row.coefficient == coefficient)

    def words(self, row: Any) -> str:
        """An estimate with its interval: `.88 (95 % interval .86 to .90)`."""
        return f"{score(row.estimate)} (95 % interval {score(row.conf_low)} to {score(row.conf_high)})"

    @property
    def facts(self) -> dict[str, Any]:
        estimates = {row.coefficient: row.estimate for row in rows(self.table) if pd.notna(row.estimate)}
        verdicts = {v: self._names(v) for v in ("ambiguous", "own")}
        return {"metric": self.metric.name, "n": float(self.table["n"].max()), **estimates, **verdicts}

    @property
    def headline(self) -> str:
        percent, ac1 = self.value(PERCENT), self.value(AC1)
        if pd.isna(percent.estimate):
            return f"{self.metric.label}: fewer than two {self.metric.cases} were rated twice."
        parts = [
            f"{self.metric.label}: {say.percent(percent.estimate)} of {say.exactly(percent.n, self.metric.cases)}"
            f" agree, Gwet's AC1 {self.words(ac1)}"
        ]
        kappa = self.value(COHEN if len(self.raters) == 2 else FLEISS)
        if pd.notna(kappa.estimate) and pd.notna(ac1.estimate):
            low = ac1.estimate - kappa.estimate > FAR
            why = f", low because {say.percent(self.usual[1])} of the decisions are {self.usual[0]}" * low
            parts.append(f"{kappa.coefficient} {score(kappa.estimate)}{why}")
        if self.by:
            names = self._names("ambiguous")
            noun = self.by.replace("_", " ")
            parts.append(f"ambiguous to all: {noun} {say.several(names)}" if names else f"no {noun} is ambiguous")
        return "; ".join(parts) + "."

    def _names(self, verdict: str) -> list[str]:
        found = self.segments[self.segments["verdict"] == verdict]
        return [segment.partition("=")[2] for segment in found["segment"]]

    @property
    def display(self) -> pd.DataFrame:
        if not self.by:
            return pd.DataFrame(
                {
                    "coefficient": self.table["coefficient"],
                    self.metric.cases: [f"{n:,.0f}" for n in self.table["n"]],
                    "estimate": [score(row.estimate) for row in rows(self.table)],
                    "95 % interval": [
                        f"{score(row.conf_low)} to {score(row.conf_high)}" for row in rows(self.table)
                    ],
                }
            )
        found = list(rows(self.segments))
        return pd.DataFrame(
            {
                self.by.replace("_", " "): [row.segment.partition("=")[2] for row in found],
                self.metric.cases: [f"{row.n:,.0f}" for row in found],
                "agree": [say.percent(row.agreement) for row in found],
                "Gwet's AC1": [self.words(row) for row in found],
                "elsewhere": [score(row.elsewhere) for row in found],
                "verdict": [row.verdict for row in found],
            }
        )

    def findings(self, evidence: "Evidence") -> "Iterator[Finding]":
        """What is ambiguous to all is no vendor's fault; what is unclear here only stands in the table."""
        from rca.finding import TAGS, Finding, measured, remedy

        whole, total = self.value(PERCENT).estimate, self.segments["n"].sum()
        for row in rows(self.segments[self.segments["verdict"] == "ambiguous"]):
            rest = (whole * total - row.agreement * row.n) / (total - row.n)
            where, share = {self.by: row.segment.partition("=")[2]}, row.n / total
            name = say.segment_words(where)
            apart = f"agreement {say.percent(row.agreement)}, on the rest {say.percent(rest)}"
            partner = evidence.source.audience == "partner"
            shown = f"; so at {row.lower:.0f} of {row.others:.0f} others" * (not partner)
            effect, left = row.agreement - rest, total - row.n
            error = Z95 * (row.agreement * (1 - row.agreement) / row.n + rest * (1 - rest) / left) ** 0.5
            yield Finding(
                **measured(
                    self.metric, effect, effect - error, effect + error, row.p_adj, share * effect
                ),
                kind="ambiguity",
                where=where,
                reach="common",
                title=f"{say.capital(name)} is ambiguous: {apart}",
                headline=f"{say.capital(name)} is ambiguous to all: {apart}.",
                tag=TAGS["common"],
                cases=row.n * (rest - row.agreement),
                cases_text=f"on {say.exactly(row.n, self.metric.cases)}",
                remedy=remedy(self.metric, "If it were as clear as the rest", rest, evidence.source.extent[1]),
                details=(f"Gwet's AC1 {self.words(row)}{shown}", "rewrite the policy before training anybody"),
            )  # fmt: skip

    @property
    def panel_height(self) -> float:
        return 1.0 + 0.3 * max(len(self.segments) or len(self.table), 1)

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.agreement import draw

        return draw(self, ax)


def score(value: float) -> str:
    """A coefficient as papers print it.

    >>> score(.8765), score(-.2), score(1), score(float("nan"))
    ('.88', '−.20', '1.00', 'unknown')
    """
    return "unknown" if pd.isna(value) else f"{value:.2f}".replace("0.", ".", 1).replace("-", "−")


def agreement(
    items: Cube | pd.DataFrame,
    *,
    raters: Sequence[str],
    by: str | None = None,
    within: Window = "all",
    scope: Mapping[str, str] | None = None,
    ordered: Sequence[str] = (),
) -> Agreement:
    """Percent agreement, Cohen's (two raters) and Fleiss' kappa, Krippendorff's alpha and Gwet's AC1, each with its
    95 % interval; by segment AC1, and where agreement is least beyond chance.

    items    a cube with the raters among its dimensions: only how often each pattern of decisions occurs is counted, so
             that size does not matter. Or a frame with one row per item, or per pattern with its number in a column `n`
    raters   columns that hold the decision of each; missing where one did not rate
    scope    of a cube of all scopes: the one this is about. The others tell what is ambiguous to everybody
    ordered  the decisions from the mildest to the hardest, where they are steps: Krippendorff's alpha is ordinal

    >>> import rca
    >>> pairs = pd.DataFrame({"first": list("aabb"), "second": list("abab"), "n": [40, 9, 6, 45]})
    >>> rca.agreement(pairs, raters=["first", "second"]).headline
    "Agreement: 85 % of 100 items agree, Gwet's AC1 .70 (95 % interval .56 to .84); Cohen's kappa .70."
    """
    if isinstance(items, Cube):
        frame, metric = (items if within == "all" else items.within(within)).frame, items.metric
    else:
        frame, metric = items.assign(n=items.get("n", 1)), OF
    if len(raters) < 2:
        raise InputError(f"agreement needs two raters or more, got {len(raters)}.")
    for column in [*raters, *([by] if by else []), *(scope or {})]:
        known(column, frame.columns, "column")
    frame = frame.assign(**{rater: frame[rater].where(frame[rater] != MISSING) for rater in raters})
    categories = list(ordered) or sorted({v for rater in raters for v in frame[rater].dropna().unique()}, key=str)
    keys = [*([by] if by else []), *(scope or {})]
    counts = frame.groupby([*raters, *keys], dropna=False, observed=True)[["n"]].sum().reset_index()
    inside = np.ones(len(counts), bool)
    for dimension, value in (scope or {}).items():
        inside &= (counts[dimension] == value).to_numpy()
    here, there = counts[inside], counts[~inside]

    def of(part: pd.DataFrame) -> pd.DataFrame:
        return coefficients(*coded(part, raters, categories), bool(ordered))

    def lead(part: pd.DataFrame) -> tuple[float, float]:
        return ac1(*coded(part, raters, categories))

    shares = pd.concat([here.groupby(rater)["n"].sum() for rater in raters]).groupby(level=0).sum()
    usual = (str(shares.idxmax()), float(shares.max() / shares.sum())) if len(shares) else ("", np.nan)
    none = pd.DataFrame({"segment": [], "verdict": []})
    segments = _segments(here, there, by, list(scope or {}), of, lead) if by else none
    return Agreement(of(here), metric, segments, tuple(raters), by or "", usual)


def _segments(
    here: pd.DataFrame,
    there: pd.DataFrame,
    by: str,
    scope: list[str],
    of: Callable[..., Any],
    lead: Callable[..., Any],
) -> pd.DataFrame:
    """AC1 (`lead`) of each segment against the rest of the same scope, here and at each of the others."""

    def gap(part: pd.DataFrame, value: Any) -> tuple[float, float]:
        """AC1 of the rest minus that of the segment, and its standard error."""
        inside = part[by] == value
        (one, own), (rest, other) = lead(part[inside]), lead(part[~inside])
        return rest - one, float(np.hypot(own, other))

    found = []
    others = [part for _, part in there.groupby(scope)] if scope else []
    for value, part in here.groupby(by):
        percent, first, *_ = rows(of(part))
        less, se = gap(here, value)
        compared = [g for g, _ in (gap(other, value) for other in others) if pd.notna(g)]
        found.append(
            {
                "segment": f"{by}={value}", "n": first.n, "agreement": percent.estimate, "estimate": first.estimate,
                "conf_low": first.conf_low, "conf_high": first.conf_high, "gap": less,
                "p_adj": float(norm.sf(less / se)) if se > 0 else np.nan,
                "elsewhere": lead(there[there[by] == value])[0] if others else np.nan,
                "lower": float(sum(g > LEAST for g in compared)), "others": float(len(compared)),
            }
        )  # fmt: skip
    table = pd.DataFrame(found)
    tested = table["p_adj"].notna()
    table.loc[tested, "p_adj"] = holm(table.loc[tested, "p_adj"].to_numpy())
    low = (table["gap"] > LEAST) & (table["p_adj"] <= ALPHA_LEVEL)
    shared = table["lower"] > MOST_OTHERS * table["others"]
    table["verdict"] = np.select([low & shared, low & (table["others"] > 0)], ["ambiguous", "own"], "")
    return table.sort_values(["estimate", "segment"], ignore_index=True)
