"""Repeat offenders: which sellers are worse than sellers differ among themselves, and what part of it all they hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rca import sentences as say
from rca.counted import counting, counts
from rca.cube import Cube
from rca.effect import Z95
from rca.errors import InputError, known
from rca.pareto_noise import holm
from rca.period import Window
from rca.result import Result, rows
from rca.shrinkage import prior

if TYPE_CHECKING:
    from rca.finding import Evidence, Finding

ALPHA = 0.05
TENTH = 0.1  # the part of the sellers whose share says how concentrated it is


@dataclass(frozen=True, eq=False, repr=False)
class Offenders(Result):
    """The sellers of one scope, volume and rate told apart.

    table    one row per seller, the worst shrunk rate first: `segment` (`seller=S-012`), `n`, `total`, `share` (of
             all that counts), `share_n` (of all cases), `rate`, `shrunk` with its 95 % interval `conf_low,
             conf_high`, `p_adj` (Holm over all sellers), `direction` ("worse" for an offender, else "neutral")
    of       the dimension of the sellers
    typical  the mean rate of sellers as they usually are
    """

    of: str
    typical: float

    @property
    def worse(self) -> pd.DataFrame:
        return self.table[self.table["direction"] == "worse"]

    @property
    def facts(self) -> dict[str, Any]:
        most = self.table["share"].nlargest(max(round(TENTH * len(self.table)), 1)).sum()
        return {
            "metric": self.metric.name,
            "sellers": len(self.table),
            "typical": self.typical,
            "offenders": [self.name(row) for row in rows(self.worse)],
            "share": float(self.worse["share"].sum()),
            "share_n": float(self.worse["share_n"].sum()),
            "tenth": float(most),
        }

    @property
    def headline(self) -> str:
        facts, units = self.facts, say.count(len(self.table), self.of)
        tenth = f"the tenth of {units} with most holds {say.percent(facts['tenth'])} of {counting(self.metric)}"
        if not facts["offenders"]:
            usual = f"no {self.of} is worse than {self.of}s differ among themselves"
            return f"{self.metric.label}: {usual}; {tenth}."
        return f"{self.metric.label}: {self.sentence}; {tenth}."

    @property
    def sentence(self) -> str:
        """`S-01 and S-02 hold 18 % of all that counts with 4 % of the cases`."""
        facts = self.facts
        shares = f"{say.percent(facts['share'])} of {counting(self.metric)}"
        many = len(facts["offenders"]) > 1
        volume = f"{say.percent(facts['share_n'])} of all {self.metric.cases}"
        return f"{say.several(facts['offenders'])} hold{'' if many else 's'} {shares} with {volume}"

    def name(self, row: Any) -> str:
        return str(row.segment.partition("=")[2])

    @property
    def display(self) -> pd.DataFrame:
        text, found = self.metric.text, list(rows(self.table))
        shown = {
            self.of: [self.name(row) for row in found],
            self.metric.cases: [f"{row.n:,.0f}" for row in found],
            "of all that counts": [say.percent(row.share) for row in found],
            "as counted": [text(row.rate) for row in found],
            "shrunk": [text(row.shrunk) for row in found],
            "95 % interval": [f"{text(row.conf_low)} to {text(row.conf_high)}" for row in found],
            "repeat offender": ["yes" if row.direction == "worse" else "" for row in found],
        }
        return pd.DataFrame(shown)

    def findings(self, evidence: "Evidence") -> "Iterator[Finding]":
        """All offenders are one finding: they are one list for one meeting."""
        from rca.finding import Finding, measured, remedy

        worse, metric = self.worse, self.metric
        if worse.empty:
            return
        n, total = worse["n"].sum(), worse["total"].sum()
        rate, typical, all_n = total / n, self.typical, self.table["n"].sum()
        half = Z95 * np.sqrt((rate * (1 - rate) if metric.kind == "proportion" else rate) / n)
        effect = rate - typical
        without = (self.table["total"].sum() - effect * n) / all_n
        who = f"these {self.of}s" if len(worse) > 1 else f"this {self.of}"
        levels = f"{say.inner(metric.label)} {metric.text(rate)} instead of {metric.text(typical)}"
        yield Finding(
            **measured(metric, effect, effect - half, effect + half, worse["p_adj"].min(), effect * n / all_n),
            kind="offenders",
            where={self.of: ", ".join(self.facts["offenders"])},
            reach="",
            title=f"{say.capital(self.sentence)}: {levels}",
            headline=f"{say.capital(self.sentence)}.",
            tag="repeat offenders" if len(worse) > 1 else "repeat offender",
            cases=abs(effect) * n,
            cases_text=f"{say.about(abs(effect) * n, metric.cases)} beyond the usual",
            remedy=remedy(metric, f"With {who} as others are", without, evidence.source.extent[1]),
            details=tuple(
                f"{self.name(row)} {metric.text(row.shrunk)} ({metric.text(row.conf_low)} to"
                f" {metric.text(row.conf_high)}) on {say.exactly(row.n, metric.cases)}"
                for row in list(rows(worse))[:3]
            ),
        )

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.offenders import draw

        return draw(self, ax)


def offenders(cube: Cube, *, by: str = "seller", within: Window | None = None) -> Offenders:
    """Find the sellers whose rate is worse than the spread of sellers explains; small ones are drawn to what is usual.

    Each seller's rate is shrunk by empirical Bayes (`rca.shrinkage`). An offender has a total that hardly any seller
    like the others would have (5 % over all sellers, Holm 1979); the spread of "the others" is estimated without the
    offenders, as they would hide behind the spread that they make.

    Raises InputError for a mean, which has no count per seller.

    >>> import rca
    >>> sellers = [f"S-{i:02d}" for i in range(30)]
    >>> frame = pd.DataFrame({"period": "2026-01-05", "seller": sellers, "n": 200, "total": [20, 24, 16] * 10})
    >>> frame.loc[7, ["n", "total"]] = 400, 200    # half of its cases are violations
    >>> frame.loc[8, ["n", "total"]] = 1, 1        # so is the only case of this one
    >>> found = offenders(rca.Cube(frame, rca.Metric(name="v", kind="proportion", better="down"), by=["seller"]))
    >>> found.facts["offenders"], bool(found.table.set_index("segment").shrunk["seller=S-08"] < .2)
    (['S-07'], True)
    """
    metric = cube.metric
    if metric.kind == "mean":
        raise InputError(f"offenders counts events per {by}; {metric.name} is a mean: give a proportion or a rate.")
    known(by, cube.by, "dimension")
    part = cube if within is None else cube.within(within)
    table = part.frame.groupby(by, as_index=False)[["n", "total"]].sum().query("n > 0").reset_index(drop=True)
    n, total = (table[c].to_numpy(float) for c in ("n", "total"))
    total = np.round(total)
    usual = np.ones(len(n), dtype=bool)
    for _ in range(10):
        fitted = prior(total[usual], n[usual], metric.kind)
        p_adj = holm(fitted.tail(total, n, more=metric.better == "down"))
        if ((p_adj >= ALPHA) == usual).all() or (p_adj < ALPHA).mean() > 0.5:
            break
        usual = p_adj >= ALPHA
    shrunk, low, high = prior(total, n, metric.kind).posterior(total, n)
    table = pd.DataFrame(
        {
            "segment": f"{by}=" + table[by],
            "n": n,
            "total": total,
            "share": counts(table, metric) / max(counts(table, metric).sum(), 1),
            "share_n": n / n.sum(),
            "rate": total / n,
            "shrunk": shrunk,
            "conf_low": low,
            "conf_high": high,
            "p_adj": p_adj,
            "direction": np.where(p_adj < ALPHA, "worse", "neutral"),
        }
    )
    table = table.sort_values(["shrunk", "segment"], ascending=[metric.better == "up", True], ignore_index=True)
    return Offenders(table, metric, by, fitted.mean)
