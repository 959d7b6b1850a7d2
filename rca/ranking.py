"""A league table that says what it does not know: shrunken levels, ranks as ranges, and who cannot be told apart."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import studentized_range

from rca import sentences as say
from rca.compare import ALPHA, Comparison, shortened
from rca.errors import InputError
from rca.result import Result, rows


@dataclass(frozen=True, eq=False, repr=False)
class Ranking(Result):
    """The segments of a comparison in order, worst first.

    table   `segment, estimate, estimate_low, estimate_high` (shrunken, as in `Comparison.table`), `raw` (not shrunken),
            `rank` (1 is worst), `rank_low, rank_high` (where it can stand), `direction`
    groups  the largest runs of neighbours of whom no two can be told apart; one may belong to several
    """

    groups: tuple[tuple[str, ...], ...]
    by: str
    center: float

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "metric": self.metric.name, "by": self.by, "segments": len(self.table),
            "groups": [list(group) for group in self.groups],
            "ranks": {row.segment: [int(row.rank_low), int(row.rank_high)] for row in rows(self.table)},
        }  # fmt: skip

    @property
    def headline(self) -> str:
        size, noun = len(self.table), self.by.replace("_", " ")
        if len(self.groups) == 1:
            return f"{self.metric.label}: no two of {size} by {noun} can be told apart; a rank would be chance."
        named = [say.several(shortened(group)) for group in self.groups if len(group) > 1]
        alone = [group[0] for group in self.groups if len(group) == 1]
        parts = [f"{say.several(shortened(alone))} can be told from all others"] * bool(alone)
        parts += ["who cannot be told apart: " + " | ".join(shortened(named))] * bool(named)
        return f"{self.metric.label}, worst first: {'; '.join(parts)}."

    @property
    def display(self) -> pd.DataFrame:
        text, found = self.metric.text, self.table
        ends = zip(found["rank_low"], found["rank_high"], strict=True)
        return pd.DataFrame(
            {
                self.by.replace("_", " "): found["segment"],
                "rank": [f"{low}" if low == high else f"{low} to {high}" for low, high in ends],
                "shrunken": found["estimate"].map(text),
                "95 % from": found["estimate_low"].map(text),
                "to": found["estimate_high"].map(text),
                "not shrunken": found["raw"].map(text),
            }
        )

    @property
    def panel_height(self) -> float:
        return 1.0 + 0.24 * len(self.table)

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.ranking import draw

        return draw(self, ax)


def ranking(comparison: Comparison) -> Ranking:
    """Put the segments of a comparison in order, as far as they have one.

    Two are told apart when their difference exceeds Tukey's (1953) range for all pairs at once, chance 1 %; where a
    rank lies follows from who is surely better and who surely worse (Klein, Wright & Wieczorek 2020, J. R. Stat. Soc.
    A 183). The levels are shrunken to what is known of them: a small segment is drawn to the middle.

    >>> from rca.compare import compare
    >>> from rca.cube import Cube
    >>> from rca.metric import Metric
    >>> frame = pd.DataFrame({"period": "2026-01-05", "vendor": list("ABCD"), "n": 1000, "total": [700, 850, 860, 855]})
    >>> cube = Cube(frame, Metric(name="csat", label="CSAT", kind="proportion", better="up"), by=["vendor"])
    >>> found = ranking(compare(cube, by="vendor"))
    >>> found.groups, found.table["rank_high"].tolist()
    ((('A',), ('B', 'D', 'C')), [1, 4, 4, 4])
    """
    metric, size = comparison.metric, len(comparison.table)
    if not comparison.covariance.size:
        raise InputError(f"a ranking of {size} by {comparison.by} says nothing; compare the largest only.")
    order = np.argsort(metric.sign * comparison.table["estimate"].to_numpy(), kind="stable")
    found = comparison.table.iloc[order].reset_index(drop=True)
    apart = _apart(found["effect"].to_numpy(), comparison.covariance[np.ix_(order, order)])
    goodness = metric.sign * found["effect"].to_numpy()
    better = apart & (goodness[:, None] > goodness[None, :])  # the row is surely better than the column
    table = pd.DataFrame(
        {
            "segment": found["segment"], "estimate": found["estimate"], "estimate_low": found["estimate_low"],
            "estimate_high": found["estimate_high"], "raw": comparison.center + found["effect"],
            "rank": np.arange(1, size + 1), "rank_low": 1 + better.sum(axis=1), "rank_high": size - better.sum(axis=0),
            "direction": found["direction"],
        }
    )  # fmt: skip
    groups = tuple(tuple(found["segment"].iloc[a:b]) for a, b in _runs(apart))
    return Ranking(table, metric, groups, comparison.by, comparison.center)


def _apart(effect: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Which pairs differ beyond the studentised range of all."""
    own = np.diag(covariance)
    variance = own[:, None] + own[None, :] - 2 * covariance
    if len(effect) < 2:
        return np.zeros((len(effect), len(effect)), dtype=bool)
    with np.errstate(invalid="ignore"):
        return np.abs(effect[:, None] - effect[None, :]) > _range(len(effect)) * np.sqrt(np.maximum(variance, 0))


@cache
def _range(size: int) -> float:
    """Tukey's range of so many, in standard errors of a difference."""
    return float(studentized_range.ppf(1 - ALPHA, size, np.inf) / np.sqrt(2))


def _runs(apart: np.ndarray) -> list[tuple[int, int]]:
    """The largest runs of neighbours of whom no two are apart.

    >>> _runs(np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], dtype=bool))
    [(0, 2), (1, 3)]
    """
    runs: list[tuple[int, int]] = []
    for start in range(len(apart)):
        end = start + 1
        while end < len(apart) and not apart[start : end + 1, start : end + 1].any():
            end += 1
        if not runs or end > runs[-1][1]:
            runs.append((start, end))
    return runs
