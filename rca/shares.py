"""Shares of the cases in two windows: what moved, how noisy shares are, and how far rates differ from the rest."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from rca.cube import Cube
from rca.period import Dates
from rca.split import Side, side

Array = np.ndarray
PRIOR = 4  # degrees of freedom that a value's dispersion borrows from its dimension
RAKING = 50  # rounds of raking; shares agree long before
ENOUGH = 5.0  # cases to be expected in either window, below which a normal score misleads


@dataclass(frozen=True)
class Shift:
    """How the share of one segment moved, beyond what shifts found earlier explain, and what that did to the KPI."""

    dimensions: tuple[str, ...]
    code: int
    where: dict[str, str]
    share_before: float
    share_after: float
    moved: float
    moved_sd: float
    gap: float  # rate of the segment less that of the rest, mean of both windows
    gap_sd: float
    log_p_moved: float
    log_p: float  # the weakest of its evidence

    @property
    def effect(self) -> float:
        """KPI points: the other values shrink or grow in proportion."""
        return self.moved * self.gap

    @property
    def effect_sd(self) -> float:
        return float(np.hypot(self.moved * self.gap_sd, self.gap * self.moved_sd))


@dataclass(frozen=True)
class _Dimension:
    """One dimension, or two combined: its values, each row's number of them, what shares are taken of
    (a number per value: all cases, for two combined also those of either parent), both windows by value, and how far
    each value's share varies from period to period against drawing cases at random, with the degrees of freedom of that
    figure."""

    values: list[tuple[str, ...]]
    code: Array
    wholes: list[Array]
    sides: tuple[Side, Side]
    dispersion: Array
    freedom: float

    @property
    def tested(self) -> Array:
        """Values with cases enough for a normal score, had they the same share of both windows."""
        both = self.sides[0].n + self.sides[1].n
        return both / both.sum() * min(side.cases for side in self.sides) >= ENOUGH


class Shares:
    """Cases per row of the cube in two windows; the window before can be raked to shares of the window after."""

    def __init__(self, cube: Cube, before: Dates, after: Dates):
        parts = [cube.frame[cube.frame["period"].between(*window)] for window in (before, after)]
        rows = pd.concat(parts, ignore_index=True)
        self.after = np.repeat([False, True], [len(part) for part in parts])
        self.n = rows["n"].to_numpy(float, copy=True)
        coded = {name: pd.factorize(rows[name], sort=True) for name in sorted(cube.by)}
        layers = [
            {
                names: _dimension(cube, rows, self.after, [coded[name] for name in names])
                for names in combinations(coded, size)
            }
            for size in range(1, min(2, len(coded)) + 1)
        ]
        self.dimensions = {names: dimension for layer in layers for names, dimension in layer.items()}
        # single dimensions and pairs share alpha equally, and within each the segments that are tested
        self.tried = [len(layers) * sum(int(d.tested.sum()) for d in layer.values()) for layer in layers]
        self.given: list[tuple[Array, float]] = []
        self.named: set[tuple[tuple[str, ...], int]] = set()

    @property
    def value(self) -> tuple[float, float]:
        """The KPI before and after."""
        before, after = next(iter(self.dimensions.values())).sides
        return before.value, after.value

    def shifts(self, alpha: float) -> Iterator[Shift]:
        """The segments not yet named whose share moved beyond what is given and whose rate differs from the rest, both
        significant at `alpha` after correction for all that were tried. The share of a pair must have moved among the
        cases of either parent too: else the parent tells it."""
        for names, dimension in self.dimensions.items():
            now = [
                np.bincount(dimension.code[w], self.n[w], len(dimension.values)) for w in (~self.after, self.after)
            ]
            moves = [_moved(dimension, now, whole) for whole in dimension.wholes]
            moved, moved_sd = moves[0]
            gap, gap_sd = _gap(dimension.sides)
            log_ps = [t.logsf(np.abs(change) / sd, dimension.freedom) for change, sd in moves]
            log_p = np.max([*log_ps, norm.logsf(np.abs(gap) / gap_sd)], axis=0) + np.log(2)
            needed = np.log(alpha / max(self.tried[len(names) - 1], 1))
            for i in map(int, np.flatnonzero(dimension.tested & (log_p <= needed))):
                if (names, i) not in self.named:
                    where = dict(zip(names, dimension.values[i], strict=True))
                    shares = (float(s.share[i]) for s in dimension.sides)
                    numbers = (moved, moved_sd, gap, gap_sd, log_ps[0], log_p)
                    yield Shift(names, i, where, *shares, *(float(x[i]) for x in numbers))

    def give(self, shift: Shift) -> None:
        """Give the window before the share that a segment has after: rake all shares given so far in turn until they
        agree (Deming & Stephan 1940). A segment that is new cannot be given: its cases are left out after."""
        inside = self.dimensions[shift.dimensions].code == shift.code
        self.named.add((shift.dimensions, shift.code))
        if not self.n[inside & ~self.after].sum():
            self.n[inside] = 0
            return
        self.given.append((inside, self.n[inside & self.after].sum() / self.n[self.after].sum()))
        for _ in range(RAKING if len(self.given) > 1 else 1):
            for chosen, share in self.given:
                now = self.n[chosen & ~self.after].sum() / self.n[~self.after].sum()
                self.n[chosen & ~self.after] *= share / now if now else 0.0
                self.n[~chosen & ~self.after] *= (1 - share) / (1 - now) if now < 1 else 0.0


def _dimension(cube: Cube, rows: pd.DataFrame, after: Array, coded: list[tuple[Array, pd.Index]]) -> _Dimension:
    sizes = [len(values) for _, values in coded]
    seen, code = _numbered(np.ravel_multi_index([codes for codes, _ in coded], sizes), int(np.prod(sizes)))
    parts = np.unravel_index(seen, sizes)
    values = list(
        zip(*(names[part].astype(str) for part, (_, names) in zip(parts, coded, strict=True)), strict=True)
    )
    wholes = [np.zeros(len(seen), int), *(parts if len(parts) > 1 else ())]
    sums = pd.DataFrame(
        {
            f"{measure}_{window}": np.bincount(code[inside], rows[measure].to_numpy(float)[inside], len(values))
            for window, inside in (("before", ~after), ("after", after))
            for measure in cube.measures
        }
    )
    kind = cube.metric.kind
    sides = side(sums, "before", kind), side(sums, "after", kind)
    dispersion, freedom = _dispersion(rows, after, code, sides)
    return _Dimension(values, code, wholes, sides, dispersion, freedom)


def _numbered(cells: Array, size: int) -> tuple[Array, Array]:
    """The cells that occur, in order, and each row's number among them; as np.unique, which sorts, does."""
    if size > 4 * len(cells):
        return np.unique(cells, return_inverse=True)
    there = np.bincount(cells, minlength=size) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[cells]


def _dispersion(rows: pd.DataFrame, after: Array, code: Array, sides: tuple[Side, Side]) -> tuple[Array, float]:
    """By how much shares vary from period to period within the windows, against drawing cases at random (never less);
    the dimension's own figure steadies each value's."""
    squares, freedom, size = np.zeros(len(sides[0].n)), 0, len(sides[0].n)
    for one, inside in zip(sides, (~after, after), strict=True):
        period, periods = pd.factorize(rows["period"][inside])
        cells = period * size + code[inside]
        counts = np.bincount(cells, rows["n"].to_numpy(float)[inside], len(periods) * size).reshape(-1, size)
        expected = counts.sum(1, keepdims=True) * one.share
        drawn = expected * (1 - one.share)
        squares += np.where(drawn > 0, (counts - expected) ** 2 / np.where(drawn > 0, drawn, 1.0), 0.0).sum(0)
        freedom += len(periods) - 1
    typical = max(1.0, float(squares.mean()) / freedom) if freedom else 1.0
    return np.maximum((squares + PRIOR * typical) / (freedom + PRIOR), 1.0), float(freedom + PRIOR)


def _moved(dimension: _Dimension, now: list[Array], whole: Array) -> tuple[Array, Array]:
    """Change of each share of a whole, and its standard error; never 0, so that a share which cannot move did not.
    Where the whole has no cases in a window, nothing is known."""
    least = np.finfo(float).tiny
    before, after = (n / np.maximum(np.bincount(whole, n)[whole], least) for n in now)
    counts = [s.n for s in dimension.sides]
    totals = [np.maximum(np.bincount(whole, n)[whole], least) for n in counts]
    pooled = sum(counts) / sum(totals)
    variance = dimension.dispersion * pooled * (1 - pooled) * sum(1 / total for total in totals)
    return after - before, np.sqrt(np.maximum(variance, 1e-300))


def _gap(sides: tuple[Side, Side]) -> tuple[Array, Array]:
    """Rate of each value less that of the rest, mean of the windows in which both exist; and its standard error."""
    gaps, variances, seen = [], [], []
    for s in sides:
        rest = s.cases - s.n
        both = (s.n > 0) & (rest > 0)
        n, rest = np.where(both, s.n, 1.0), np.where(both, rest, 1.0)
        gaps.append(np.where(both, s.rate - (s.value * s.cases - s.rate * s.n) / rest, 0.0))
        variances.append(np.where(both, s.inside / n + s.variance / rest, 0.0))
        seen.append(both)
    windows = np.maximum(np.sum(seen, axis=0), 1)
    return np.sum(gaps, axis=0) / windows, np.sqrt(np.maximum(np.sum(variances, axis=0), 1e-300)) / windows
