"""The pattern of the week or of the year, so that a Sunday is judged as a Sunday and a December as a December.

Weekday means from six weeks on; two yearly harmonics from two years on. One year cannot tell a season from a change
of level, and finer models (52 means, STL) fit the noise and hide it from the limits.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

WEEKS = 42  # days of history that weekday means need
YEARS = {"D": 730, "W": 104, "M": 24}  # periods of history that a yearly pattern needs


@dataclass(frozen=True)
class Season:
    """Columns to fit, one row per period, the constant included in their span.

    name     "", "weekday", "yearly" or "weekday and yearly"
    fewest   periods that a fit needs
    """

    name: str
    columns: np.ndarray
    fewest: int = 0

    @property
    def yearly(self) -> bool:
        return "yearly" in self.name


def none(count: int) -> Season:
    """No pattern: a constant."""
    return Season("", np.ones((count, 1)))


def season_of(period: pd.Index, step: str, seen: np.ndarray) -> Season:
    """The pattern that this much history can tell."""
    rows = np.flatnonzero(seen)
    history = rows[-1] - rows[0] + 1 if len(rows) else 0
    columns, name, fewest = np.ones((len(period), 1)), [], 0
    if step == "D" and history >= WEEKS:
        weekday = (pd.DatetimeIndex(period).day_of_week.to_numpy()[:, None] == np.arange(7)).astype(float)
        columns, name, fewest = weekday[:, weekday[seen].any(axis=0)], ["weekday"], WEEKS
    if step and history >= YEARS[step]:
        columns = np.hstack([columns, harmonics(pd.DatetimeIndex(period))])
        name, fewest = [*name, "yearly"], YEARS[step]
    return Season(" and ".join(name), columns, fewest)


def harmonics(period: pd.DatetimeIndex, count: int = 2) -> np.ndarray:
    """Sine and cosine of the year and of the half year (Serfling 1963; Box and Jenkins)."""
    years = (period - pd.Timestamp("2000-01-01")).days.to_numpy() / 365.25
    turns = 2 * np.pi * years[:, None] * np.arange(1, count + 1)
    return np.hstack([np.sin(turns), np.cos(turns)])
