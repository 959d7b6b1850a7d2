"""Rates, effect, interval and impact of a found segment, from its own counts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from rca.cuboids import Cuboids
from rca.effect import Z95, rate
from rca.leaves import PRIOR, smooth
from rca.metric import Metric
from rca.search import Found

ALL = "all cases"
NUMBERS = ["rate_before", "rate_after", "effect", "conf_low", "conf_high", "p_adj", "impact", "cases", "mix_effect"]
CLEAR = 2.58  # standard errors (1 in 100 by chance) from which a shift of mix inside a segment is told apart


class SegmentRates:
    """The counts of all leaves in both windows; `over`: variance of each leaf's mean beyond sampling."""

    def __init__(self, metric: Metric, pairs: pd.DataFrame, cuboids: Cuboids, over: np.ndarray):
        self.metric, self.cuboids, self.over = metric, cuboids, over
        squares = "total_sq" if "total_sq_before" in pairs else "total"
        self.n, self.t, self.sq = (
            [pairs[f"{name}_{w}"].to_numpy(float) for w in ("before", "after")] for name in ("n", "total", squares)
        )

    def table(self, found: Sequence[Found]) -> pd.DataFrame:
        """One row per segment: all cases first, then by impact."""
        rows = [self._row(f) for f in found]
        rows.sort(key=lambda row: (row["segment"] != ALL, -abs(row["impact"]), row["segment"]))
        return pd.DataFrame(rows, columns=["segment", *self.cuboids.dims, *NUMBERS, "direction"])

    def _row(self, found: Found) -> dict[str, Any]:
        rates, variances = zip(*(self._rate(w, found.leaves) for w in (0, 1)), strict=True)
        mix = self._mix(found.leaves)
        effect = rates[1] - rates[0] - mix
        half = Z95 * np.sqrt(sum(variances))
        cases = effect * self.n[1][found.leaves].sum()
        return {
            "segment": " & ".join(f"{d}={v}" for d, v in found.where.items()) or ALL,
            **found.where,
            "rate_before": rates[0],
            "rate_after": rates[1],
            "effect": effect,
            "conf_low": effect - half,
            "conf_high": effect + half,
            "p_adj": found.p_adj,
            "impact": cases / self.n[1].sum(),
            "cases": cases,
            "mix_effect": mix,
            "direction": self.metric.judge(effect),
        }

    def _rate(self, w: int, leaves: np.ndarray) -> tuple[float, float]:
        """Rate in a window and its variance, widened by the over-dispersion of the leaves."""
        each = self.n[w][leaves]
        n, total, sq = (x[leaves].sum() for x in (self.n[w], self.t[w], self.sq[w]))
        value, variance = rate(n, total, sq, self.metric.kind)
        return float(value), float(variance + (self.over[leaves] * each**2).sum() / n**2)

    def _mix(self, leaves: np.ndarray) -> float:
        """The part of a segment's change that is a shift of mix inside it; 0 where that is within noise.

        The sum over its leaves of (share after - share before) times the leaf's level. The level is what the leaf would
        show without the change: of the totals after, effect times cases is taken off, which as smoothing is linear
        gives the effect in closed form.
        """
        n, total = ([x[leaves] for x in both] for both in (self.n, self.t))
        codes, cases = [c[leaves] for c in self.cuboids.codes], n[0] + n[1]
        overall = (total[0] + total[1]).sum() / cases.sum()
        prior = PRIOR / overall if self.metric.kind == "rate" and overall else PRIOR
        level = smooth(cases, total[0] + total[1], codes, prior, factors=False)
        per_effect = smooth(cases, n[1], codes, prior, factors=False)
        moved = n[1] / n[1].sum() - n[0] / n[0].sum()
        raw = total[1].sum() / n[1].sum() - total[0].sum() / n[0].sum()
        level = level - per_effect * (raw - moved @ level) / (1 - moved @ per_effect)
        spread = np.cov(level, aweights=cases, ddof=0) if len(level) > 1 else 0.0
        mix = float(moved @ level)
        return mix if abs(mix) > CLEAR * np.sqrt(spread * (1 / n[0].sum() + 1 / n[1].sum())) else 0.0
