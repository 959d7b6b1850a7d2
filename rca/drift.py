"""The drift of a segment: a straight line through its periods, whether it is one, and when it meets a limit."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from rca import sentences as say
from rca.cube import Cube
from rca.known_step import Design, fit
from rca.metric import Metric

THIN = 2.0  # cases and events a period below which a segment is not watched


class Watched:
    """The segments of a cube: all cases, each value, each pair of values of two dimensions, where there are enough
    cases."""

    def __init__(self, part: Cube):
        index = pd.MultiIndex.from_frame(part.frame[list(part.by)]) if part.by else pd.Index([0] * len(part.frame))
        codes, self.leaves = pd.factorize(index)
        place = part.periods.get_indexer(pd.Index(part.frame["period"]))
        self.n, self.total = (np.zeros((len(self.leaves), len(part.periods))) for _ in range(2))
        np.add.at(self.n, (codes, place), part.frame["n"].to_numpy(float))
        np.add.at(self.total, (codes, place), part.frame["total"].to_numpy(float))
        self.proportion, self.mean = part.metric.kind == "proportion", part.metric.kind == "mean"
        values = dict(zip(part.by, zip(*self.leaves, strict=True), strict=True)) if part.by else {}
        columns = {d: np.array(v, dtype=object) for d, v in values.items()}
        single = [{d: v} for d, column in columns.items() for v in sorted(set(column))]
        pairs = [a | b for a, b in combinations(single, 2) if not a.keys() & b.keys()]
        self.where = [{}, *single, *pairs]
        self.names = [say.segment_name(where) for where in self.where]
        everything = np.ones(len(self.leaves), dtype=bool)
        self.inside = np.array(
            [np.logical_and.reduce([everything, *(columns[d] == v for d, v in w.items())]) for w in self.where]
        )
        self.enough = self.sums(everything)[2]

    def sums(self, live: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cases and totals of each segment by period, over the live leaves, and which segments have enough."""
        members = (self.inside & live).astype(float)
        n, total = members @ self.n, members @ self.total
        thin = np.full(len(n), np.inf) if self.mean else total.mean(axis=1)
        if self.proportion:
            thin = np.minimum(thin, (n - total).mean(axis=1))
        return n, total, (n > 0).all(axis=1) & (np.minimum(n.mean(axis=1), thin) >= THIN)


def fitted_lines(y: np.ndarray, n: np.ndarray, times: np.ndarray, sigma: float) -> tuple[Any, Any]:
    """Slope and middle of a line through each series, each with its standard error, which is never below that of its
    cases."""
    columns, free = np.column_stack([np.ones_like(times), times]), np.full(2, np.inf)
    slope, middle = (fit(y, Design(times, columns, free, np.array(c))) for c in ([0.0, 1.0], [1.0, 0.0]))
    chance = sigma / np.sqrt(n.mean(axis=1))
    least = chance / np.sqrt((times**2).sum()), chance / np.sqrt(len(times))
    return (slope.effect, np.maximum(slope.error, least[0])), (middle.effect, np.maximum(middle.error, least[1]))


def step_fits_better(y: np.ndarray, times: np.ndarray) -> bool:
    """Whether two levels, at the best place, fit better than a line, by Schwarz's criterion: a place is a number
    more."""
    line = y - np.polyval(np.polyfit(times, y, 1), times)
    halves = [[part - part.mean() for part in np.split(y, [at])] for at in range(3, len(y) - 2)]
    least = min(float(sum((h**2).sum() for h in pair)) for pair in halves)
    return least * len(y) ** (1 / len(y)) < float((line**2).sum())


def meeting(metric: Metric, limit: float, line: list[float], times: np.ndarray, p_adj: float) -> dict[str, Any]:
    """A drift as a row of the table: levels, and Fieller's interval of the time to the limit."""
    slope, error, middle, middle_error = line
    end, length, t = times[-1], times[-1] - times[0], stats.t.ppf(0.975, len(times) - 2)
    after = middle + slope * end
    meets = (limit - middle) / slope - end
    # all u with |middle + slope u - limit| <= t se(u); slope and middle are uncorrelated as the times are centred
    a, b = slope**2 - (t * error) ** 2, slope * (middle - limit)
    c = (middle - limit) ** 2 - (t * middle_error) ** 2
    root = np.sqrt(max(b * b - a * c, 0.0))
    low, high = ((-b - root) / a - end, (-b + root) / a - end) if a > 0 else (0.0, np.inf)
    passed = (limit - after) * slope <= 0
    effect = slope * length
    return {
        "rate_before": after - effect, "rate_after": after, "slope": slope, "effect": effect,
        "conf_low": effect - t * error * length, "conf_high": effect + t * error * length, "p_adj": p_adj,
        "periods": 0.0 if passed else meets, "periods_low": 0.0 if passed else max(low, 0.0),
        "periods_high": max(high, 0.0), "direction": metric.judge(effect),
    }  # fmt: skip
