"""One series to chart: a value per period with the counts it came from, gaps in their place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rca.cube import Cube
from rca.errors import InputError, TooLittleData
from rca.metric import Metric

Numbers = Sequence[float] | np.ndarray | pd.Series


@dataclass(frozen=True, eq=False)
class Series:
    """`period`: first days, or 1, 2, 3 … for plain numbers; arrays have one entry per period, NaN where missing.

    value     what is drawn
    n         denominator (cases, exposure, subgroup size)
    total     numerator; total_sq: sum of squares, for means
    partial   not covered whole by the data: drawn, not judged
    step      "D", "W", "M", or "" for plain numbers
    judged    False where nobody said which way is better
    """

    period: pd.Index
    value: np.ndarray
    n: np.ndarray
    total: np.ndarray
    total_sq: np.ndarray
    partial: np.ndarray
    metric: Metric
    step: str = ""
    judged: bool = True

    @property
    def seen(self) -> np.ndarray:
        """Periods with a value that counts."""
        return ~np.isnan(self.value) & ~self.partial

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation inside each period, from its sums."""
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = np.maximum(self.total_sq - self.total**2 / self.n, 0)
            return np.sqrt(np.where(self.n > 1, squares / (self.n - 1), np.nan))


def from_cube(cube: Cube) -> Series:
    """The series of a cube, its dimensions summed over."""
    if cube.frame.empty:
        raise TooLittleData(f"{cube.metric.label}: there are no {cube.metric.cases} to chart.")
    rows = cube.series()
    total_sq = rows["total_sq"] if "total_sq" in rows else np.nan * rows["total"]
    columns = (np.array(c, dtype=float) for c in (rows["value"], rows["n"], rows["total"], total_sq))
    return Series(
        pd.DatetimeIndex(rows["period"]), *columns, rows["partial"].to_numpy(bool), cube.metric, cube.period
    )


def numbers(values: Numbers, name: str) -> np.ndarray:
    """Plain numbers as floats; missing ones stay NaN, an infinite one is refused."""
    try:
        array = np.asarray(pd.Series(values, dtype="object").astype("float64"), dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers: {error}.") from error
    if not len(array):
        raise TooLittleData(f"{name} is empty: there is nothing to chart.")
    if np.isinf(array).any():
        place = int(np.flatnonzero(np.isinf(array))[0]) + 1
        raise InputError(f"{name} holds an infinite number (entry {place}): a division by zero? Leave it missing.")
    return array


def index_of(values: Numbers, length: int) -> pd.Index:
    """The periods of plain numbers: the index of a Series with dates, else 1, 2, 3 …"""
    if isinstance(values, pd.Series) and isinstance(values.index, pd.DatetimeIndex):
        index = values.index
        if index.has_duplicates:
            raise InputError(f"period {index[index.duplicated()][0]:%Y-%m-%d} appears twice: one value per period.")
        if not index.is_monotonic_increasing:
            raise InputError("the periods are not in order: sort the values by date first.")
        return index
    return pd.RangeIndex(1, length + 1, name="period")


def from_numbers(
    kind: str, value: Numbers, n: Numbers | None = None, sd: Numbers | None = None, better: str | None = None
) -> Series:
    """The series of plain numbers: `value` per period, or events and their `n`, or means with `n` and `sd`."""
    first = numbers(value, "values")
    rest = [np.full(len(first), fill) if x is None else numbers(np.broadcast_to(x, len(first)), name)
            for x, fill, name in ((n, 1.0, "n"), (sd, np.nan, "sd"))]  # fmt: skip
    size, spread = rest
    if (size < 0).any():
        raise InputError("n is negative somewhere: it counts cases or exposure.")
    empty = size == 0
    first = np.where(empty, np.nan, first)
    if kind == "mean":
        mean, total = first, first * size
        total_sq = spread**2 * (size - 1) + size * mean**2
    else:
        total, total_sq = first, np.full(len(first), np.nan)
        mean = np.divide(first, size, out=np.full(len(first), np.nan), where=~empty)
    metric = Metric(name="value", kind=kind, better=better or "up")  # type: ignore[arg-type]
    period = index_of(value, len(first))
    return Series(
        period,
        mean,
        size,
        np.nan_to_num(total),
        total_sq,
        np.zeros(len(first), bool),
        metric,
        judged=better is not None,
    )
