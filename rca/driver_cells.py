"""From a cube to what driver models read: cells of counts, rare levels pooled, and their covariance matrix."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from rca.cube import Cube

POOLED = "Other ("
RARE = 0.01  # part of all cases below which a level is pooled: too few to be told from chance, or acted on


@dataclass(frozen=True, eq=False)
class Cells:
    """One row per combination of levels that occurs.

    frame    one column per driver (its level), `n`, `total` and, for a mean, `total_sq`
    kind     of the metric
    drivers  that have at least two levels
    levels   of each driver, the one with most cases first: the reference
    """

    frame: pd.DataFrame
    kind: str
    drivers: tuple[str, ...]
    levels: dict[str, list[str]]

    @property
    def sizes(self) -> list[int]:
        """Columns of each driver: levels without the reference."""
        return [len(self.levels[d]) - 1 for d in self.drivers]

    def codes(self, driver: str) -> np.ndarray:
        """Each cell's level as its place in `levels`."""
        return pd.Categorical(self.frame[driver], categories=self.levels[driver]).codes.astype(int)

    def design(self, drivers: Sequence[str]) -> np.ndarray:
        """Constant and level columns (0 or 1), reference left out."""
        columns = [np.ones((len(self.frame), 1))]
        columns += [np.eye(len(self.levels[d]))[self.codes(d)][:, 1:] for d in drivers]
        return np.hstack(columns)


def cells(cube: Cube, drivers: Sequence[str]) -> Cells:
    """Sum a cube over its periods, and pool each driver's rare levels as `Other (k)`."""
    frame = cube.over(drivers).frame.drop(columns="period")
    frame = frame[frame["n"] > 0]
    for driver in drivers:
        part = frame.groupby(driver)["n"].sum() / frame["n"].sum()
        rare = part.index[part < RARE]
        if len(rare) > 1:
            frame[driver] = frame[driver].where(~frame[driver].isin(rare), f"{POOLED}{len(rare)})")
    frame = frame.groupby(list(drivers), as_index=False).sum()
    levels = {}
    for driver in drivers:
        n = frame.groupby(driver)["n"].sum().sort_index().sort_values(ascending=False, kind="stable")
        levels[driver] = [str(level) for level in n.index]
    varying = tuple(d for d in drivers if len(levels[d]) > 1)
    return Cells(frame, cube.metric.kind, varying, levels)


def covariance(data: Cells, sample: "Sample") -> np.ndarray:
    """Covariance over cases of all level columns and the outcome (last), one matrix per column of the sample.

    The outcome of a case is 0 or 1 for a proportion (so that everything is in KPI points, and exact from counts),
    its value for a mean, its events for a rate, where exposure counts as cases and events scatter as Poisson.
    """
    ends = np.cumsum([len(data.levels[d]) for d in data.drivers])
    starts = ends - [len(data.levels[d]) for d in data.drivers]
    codes = np.stack([data.codes(d) + s for d, s in zip(data.drivers, starts, strict=True)], axis=1)
    kept = np.setdiff1d(np.arange(ends[-1]), starts)  # without the references
    pairs = (codes[:, :, None] * ends[-1] + codes[:, None, :]).reshape(len(codes), -1)
    both = (_indicator(pairs, ends[-1] ** 2).T @ sample.n).T.reshape(-1, ends[-1], ends[-1])[:, kept[:, None], kept]
    with_outcome = (_indicator(codes, ends[-1]).T @ sample.total).T[:, kept]
    size = sample.n.sum(axis=0)
    moments = np.zeros((len(size), len(kept) + 1, len(kept) + 1))
    moments[:, :-1, :-1] = both
    moments[:, :-1, -1] = moments[:, -1, :-1] = with_outcome
    moments[:, -1, -1] = sample.total_sq.sum(axis=0)
    moments /= size[:, None, None]
    mean = np.concatenate([np.diagonal(both, axis1=1, axis2=2), sample.total.sum(axis=0)[:, None]], axis=1)
    mean = mean / size[:, None]
    return moments - mean[:, :, None] * mean[:, None, :]


@dataclass(frozen=True, eq=False)
class Sample:
    """Counts per cell (rows), one column per sample."""

    n: np.ndarray
    total: np.ndarray
    total_sq: np.ndarray


def observed(data: Cells) -> Sample:
    """The counts as they are, as a sample of one column."""
    n, total = data.frame["n"].to_numpy(float)[:, None], data.frame["total"].to_numpy(float)[:, None]
    if data.kind == "mean":
        return Sample(n, total, data.frame["total_sq"].to_numpy(float)[:, None])
    return Sample(n, total, total if data.kind == "proportion" else total + total**2 / n)


def bootstrap(data: Cells, samples: int, seed: int = 0) -> Sample:
    """Samples of as many cases, drawn from the counts.

    proportion  the cases that count and those that do not, multinomial over all cells
    mean        cases multinomial over cells, then normal values with the cell's own mean and variance
    rate        exposure as it is, Poisson events
    """
    rng = np.random.default_rng(seed)
    real = observed(data)
    if data.kind == "rate":
        events = rng.poisson(real.total, (len(real.n), samples)).astype(float)
        n = np.repeat(real.n, samples, axis=1)
        return Sample(n, events, events + events**2 / n)
    size = round(real.n.sum())
    if data.kind == "proportion":
        parts = np.concatenate([real.total, real.n - real.total])[:, 0]
        drawn = rng.multinomial(size, parts / parts.sum(), samples).T.astype(float)
        hits, misses = np.split(drawn, 2)
        return Sample(hits + misses, hits, hits)
    n = rng.multinomial(size, real.n[:, 0] / real.n.sum(), samples).T.astype(float)
    mean = real.total / real.n
    variance = np.maximum(real.total_sq / real.n - mean**2, 0)
    total = n * mean + np.sqrt(n * variance) * rng.standard_normal(n.shape)
    within = variance * rng.chisquare(np.maximum(n - 1, 1e-9))
    return Sample(n, total, within + total**2 / np.maximum(n, 1))


def _indicator(columns: np.ndarray, width: int) -> csr_array:
    """A sparse matrix with a one in the given columns of each row."""
    rows, each = columns.shape
    ends = np.arange(0, rows * each + 1, each)
    return csr_array((np.ones(rows * each), columns.ravel(), ends), shape=(rows, width))
