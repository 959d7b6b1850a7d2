"""One series to chart: a value per period with the counts it came from, gaps in their place."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from rca.cube import Cube
from rca.errors import InputError, TooLittleData, known
from rca.metric import Metric
from rca.period import PERIODS, span

Kind = Literal["proportion", "mean", "rate"]
Numbers = Sequence[float | None] | np.ndarray | pd.Series


@dataclass(frozen=True, eq=False)
class Series:
    """One entry per period in every array, missing where there is no value.

    period    first days, or 1, 2, 3 … for plain numbers
    value     what is drawn
    n         denominator: cases, exposure, subgroup size
    total     numerator; `sd`: standard deviation inside each period, for means
    partial   not covered whole by the data: drawn, not judged
    step      "D", "W", "M", or "" for plain numbers
    judged    False where nobody said which way is better
    entry     what an entry is, where it is no period
    """

    period: pd.Index
    value: np.ndarray
    n: np.ndarray
    total: np.ndarray
    sd: np.ndarray
    partial: np.ndarray
    metric: Metric
    step: str = ""
    judged: bool = True
    entry: str = ""

    @property
    def unit(self) -> str:
        """What an entry is, in words: "week", "point", "gap"."""
        return self.entry or (PERIODS[self.step] if self.step else "point")

    @property
    def seen(self) -> np.ndarray:
        """Periods with a value that counts."""
        return ~np.isnan(self.value) & ~self.partial


def from_cube(cube: Cube) -> Series:
    """The series of a cube, its dimensions summed over."""
    if cube.frame.empty:
        raise TooLittleData(f"{cube.metric.label}: there are no {cube.metric.cases} to chart.")
    known(cube.period, PERIODS, "period of a control chart")
    rows = cube.series()
    value, n, total = (rows[c].to_numpy(dtype=float) for c in ("value", "n", "total"))
    _possible(cube.metric.kind, total, n, cube.metric.label)
    squares = rows["total_sq"].to_numpy(dtype=float) if "total_sq" in rows else np.full(len(n), np.nan)
    period = pd.DatetimeIndex(rows["period"])
    return Series(
        period, value, n, total, within(n, total, squares), rows["partial"].to_numpy(bool), cube.metric, cube.period
    )


def within(n: np.ndarray, total: np.ndarray, total_sq: np.ndarray) -> np.ndarray:
    """Standard deviation of the cases inside each period, from their sums; missing below two cases."""
    many = np.where(n > 1, n, np.nan)
    return np.sqrt(np.maximum(total_sq - total**2 / many, 0) / (many - 1))


def from_numbers(
    kind: Kind,
    values: Numbers,
    n: Numbers | float | None = None,
    sd: Numbers | None = None,
    metric: Metric | None = None,
) -> Series:
    """The series of plain numbers: counts out of `n`, or means of `n` cases with standard deviation `sd`."""
    what = metric.label if metric else "Value"
    first = numbers(values, "values")
    each = 1.0 if n is None else n
    size = numbers(np.full(len(first), each) if isinstance(each, int | float) else each, "n")
    spread = numbers(sd, "sd") if sd is not None else np.full(len(first), np.nan)
    if not len(first) == len(size) == len(spread):
        raise InputError(
            f"values, n and sd must have one entry per period; got {len(first)}, {len(size)}, {len(spread)}."
        )
    first = np.where(np.nan_to_num(size) == 0, np.nan, first)  # nothing can be said of a period without cases
    total = first * size if kind == "mean" else first
    _possible(kind, total, size, what)
    value = first if kind == "mean" else first / np.where(size == 0, np.nan, size)
    period, order, step = _index(values, len(first))
    arrays = [np.full(len(period), np.nan) for _ in range(4)]
    for out, array in zip(arrays, (value, size, total, spread), strict=True):
        out[order] = array
    named = metric or Metric(name="value", kind=kind, better="up")
    return Series(
        period, arrays[0], np.nan_to_num(arrays[1]), np.nan_to_num(arrays[2]), arrays[3],
        np.zeros(len(period), bool), named, step, judged=metric is not None,
    )  # fmt: skip


def numbers(values: Numbers, name: str) -> np.ndarray:
    """Plain numbers as floats; missing ones stay missing, an infinite one is refused."""
    try:
        known = values.to_numpy(dtype=float, na_value=np.nan) if isinstance(values, pd.Series) else values
        array = np.array(known, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be numbers: {error}.") from error
    if not len(array):
        raise TooLittleData(f"{name} is empty: there is nothing to chart.")
    if np.isinf(array).any():
        place = int(np.flatnonzero(np.isinf(array))[0]) + 1
        raise InputError(f"{name} holds an infinite number (entry {place}): a division by zero? Leave it missing.")
    return array


def _possible(kind: str, total: np.ndarray, n: np.ndarray, what: str) -> None:
    """Refuse counts that cannot be."""
    if np.isinf(n).any() or np.isinf(total).any():
        raise InputError(f"{what}: a count is infinite; a division by zero?")
    if (n < 0).any():
        raise InputError(f"{what}: n is negative somewhere; it counts cases or exposure.")
    if kind != "mean" and (total < 0).any():
        raise InputError(f"{what}: a count is negative.")
    if kind == "proportion" and (total > n * (1 + 1e-12)).any():
        raise InputError(
            f"{what}: more cases count than there are (n); a rate of events per exposure is a u chart."
        )


def _index(values: Numbers, length: int) -> tuple[pd.Index, np.ndarray, str]:
    """Periods of plain numbers, where each number goes, and their step: dates of a Series' index, or 1, 2, 3 …

    Unsorted dates are put in order; missing periods get their place; a period that appears twice is refused.
    """
    if not (isinstance(values, pd.Series) and isinstance(values.index, pd.DatetimeIndex)):
        return pd.RangeIndex(1, length + 1, name="period"), np.arange(length), ""
    index = values.index.normalize()
    if index.has_duplicates:
        raise InputError(
            f"period {index[index.duplicated()][0]:%Y-%m-%d} appears twice: give one value per period."
        )
    days = np.diff(np.sort(index.to_numpy())).astype("timedelta64[D]").astype(int)
    step = "M" if (index.day == 1).all() and (days >= 28).all() else "W" if (days % 7 == 0).all() else "D"
    whole = span(index.min(), index.max(), step)
    return whole, whole.get_indexer(index), step
