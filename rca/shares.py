"""Shares of the cases in two windows: what moved, how noisy shares are, and how far rates differ from the rest."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from rca.cube import Cube
from rca.period import Dates
from rca.split import Side, side

Array = np.ndarray
PRIOR = 4  # degrees of freedom that a value's dispersion borrows from its dimension
RAKING = 50  # rounds of raking; shares agree long before


@dataclass(frozen=True)
class Shift:
    """How the share of one value moved, beyond what shifts found earlier explain, and what that did to the KPI."""

    dimension: str
    value: str
    share_before: float
    share_after: float
    moved: float
    moved_sd: float
    gap: float  # rate of the value less that of the rest, mean of both windows
    gap_sd: float
    log_p_moved: float
    log_p_gap: float

    @property
    def effect(self) -> float:
        """KPI points: the other values shrink or grow in proportion."""
        return self.moved * self.gap

    @property
    def effect_sd(self) -> float:
        return float(np.hypot(self.moved * self.gap_sd, self.gap * self.moved_sd))


class Shares:
    """Cases per leaf in two windows; the window before can be raked to shares of the window after."""

    def __init__(self, cube: Cube, before: Dates, after: Dates):
        pairs = cube.pair(before, after)
        self.cube, self.pairs = cube, pairs
        self.n = [pairs[f"n_{w}"].to_numpy(float).copy() for w in ("before", "after")]
        self.noise = {d: _dispersion(cube, d, before, after) for d in cube.by}
        self.sides = {d: self._sides(d) for d in cube.by}
        self.given: list[tuple[Array, float]] = []
        self.named: set[tuple[str, str]] = set()
        self.tried = sum(len(self.noise[d]) for d in cube.by)

    def shifts(self) -> Iterator[Shift]:
        """Every value not yet named, as it moved beyond what is given."""
        for dimension in self.cube.by:
            code, values = pd.factorize(self.pairs[dimension], sort=True)
            counts = [np.bincount(code, n, len(values)) for n in self.n]
            raw = [s.share for s in self.sides[dimension]]
            shares = [c / c.sum() for c in counts]
            for i, value in enumerate(values):
                if (dimension, value) not in self.named and 0 < shares[0][i] + shares[1][i] < 2:
                    yield self._shift(dimension, i, value, [s[i] for s in raw], [s[i] for s in shares])

    def give(self, dimension: str, value: str) -> None:
        """Give the window before the share that a value has after: rake all shares given so far in turn until they
        agree (Deming & Stephan 1940). A value that is new cannot be given: its cases are left out after."""
        inside = (self.pairs[dimension] == value).to_numpy()
        self.named.add((dimension, value))
        if not self.n[0][inside].sum():
            self.n[1][inside] = 0
            return
        self.given.append((inside, self.n[1][inside].sum() / self.n[1].sum()))
        for _ in range(RAKING if len(self.given) > 1 else 1):
            for chosen, share in self.given:
                now = self.n[0][chosen].sum() / self.n[0].sum()
                self.n[0] *= np.where(
                    chosen, share / now if now else 0.0, (1 - share) / (1 - now) if now < 1 else 0
                )

    def _shift(self, dimension: str, i: int, value: str, raw: list[float], share: list[float]) -> Shift:
        sides = self.sides[dimension]
        dispersion, freedom = self.noise[dimension].loc[value]
        pooled = sum(s.n[i] for s in sides) / sum(s.cases for s in sides)
        moved_sd = float(np.sqrt(dispersion * pooled * (1 - pooled) * sum(1 / s.cases for s in sides)))
        gap, gap_sd = _gap(sides, i)
        moved = share[1] - share[0]
        return Shift(
            dimension,
            value,
            raw[0],
            raw[1],
            moved,
            moved_sd,
            gap,
            gap_sd,
            float(t.logsf(abs(moved) / moved_sd, freedom) + np.log(2)),
            float(norm.logsf(abs(gap) / gap_sd) + np.log(2)),
        )

    def _sides(self, dimension: str) -> tuple[Side, Side]:
        sums = self.pairs.drop(columns=[d for d in self.cube.by if d != dimension]).groupby(dimension).sum()
        kind = self.cube.metric.kind
        return side(sums, "before", kind), side(sums, "after", kind)


def _gap(sides: tuple[Side, Side], i: int) -> tuple[float, float]:
    """Rate of value i less that of the rest, mean of the windows in which both exist; and its standard error."""
    gaps, variances = [], []
    for s in sides:
        rest = s.cases - s.n[i]
        if s.n[i] > 0 and rest > 0:
            total = s.value * s.cases
            gaps.append(s.rate[i] - (total - s.rate[i] * s.n[i]) / rest)
            variances.append(s.inside[i] / s.n[i] + s.variance / rest)
    if not gaps or not sum(variances):  # a KPI that does not vary is not moved by any mix
        return 0.0, 1.0
    return float(np.mean(gaps)), float(np.sqrt(sum(variances))) / len(gaps)


def _dispersion(cube: Cube, dimension: str, before: Dates, after: Dates) -> pd.DataFrame:
    """By how much each value's share varies from period to period within the windows, against drawing cases at
    random (never less), and the degrees of freedom of that figure; the dimension's own figure steadies it."""
    frame = cube.over([dimension]).frame
    squares, freedom = pd.Series(dtype=float), 0
    for first, last in (before, after):
        part = frame[frame["period"].between(first, last)]
        counts = part.pivot_table(values="n", index="period", columns=dimension, aggfunc="sum", fill_value=0)
        n, share = counts.sum(axis=1), counts.sum() / counts.to_numpy().sum()
        expected = pd.DataFrame(np.outer(n, share), counts.index, counts.columns)
        chi2 = ((counts - expected) ** 2 / (expected * (1 - share)).where(lambda v: v > 0)).sum()
        squares, freedom = chi2.add(squares, fill_value=0), freedom + len(counts) - 1
    typical = max(1.0, float(squares.mean()) / freedom) if freedom else 1.0
    own = (squares + PRIOR * typical) / (freedom + PRIOR)
    return pd.DataFrame({"dispersion": own.clip(lower=1.0), "freedom": float(freedom + PRIOR)})
