"""What is expected in each part of a day: the hour of the week as in the other weeks, at the level of these weeks."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from rca.errors import TooLittleData

Array = np.ndarray
PRIOR, PARENT_PRIOR = 20.0, 5.0  # cases that an hour of the week borrows from its parent, and that from the whole
AROUND = 14  # days to each side that make the level of a day
CLOSED = 0.1  # of the volume that a typical case meets: below, an hour of the week counts as closed


@dataclass(frozen=True, eq=False)
class Week:
    """Bins laid out in whole weeks from the first day on, T in all; those before and after the data hold nothing.

    periods  the beginning of each bin, as clocks show it
    per_day  bins of a day
    kinds    for each of the seven days: 0 Monday to Friday, 1 Saturday, 2 Sunday
    open     how long clocks show each bin, in bins: 0 outside the data and when clocks skip it, 2 when they repeat it
    length   bins from the first case to the last
    """

    periods: pd.DatetimeIndex
    per_day: int
    kinds: Array
    open: Array
    length: int

    @property
    def width(self) -> pd.Timedelta:
        return pd.Timedelta(days=1) / self.per_day

    @property
    def others(self) -> int:
        """The weeks that one week is compared with."""
        return max(self.length // (7 * self.per_day) - 1, 1)

    def cells(self, values: Array, bins: int) -> Array:
        """Series (S, T) summed over slots of some bins: (S, weeks, 7, slots of a day)."""
        return values.reshape(len(values), -1, 7, self.per_day // bins, bins).sum(-1)

    def spread(self, cells: Array, bins: int) -> Array:
        """A value per slot as one per bin: (S, T)."""
        return np.repeat(cells.reshape(len(cells), -1), bins, axis=1)

    def elsewhere(self, values: Array, bins: int) -> tuple[Array, Array]:
        """Sums over all other weeks: the same slot of the week, and the same slot of all days of its kind."""
        cells = self.cells(values, bins)
        kind = np.eye(3)[self.kinds]
        parents = np.einsum("swdh,dk->swkh", cells, kind)
        return _but_own(cells), _but_own(parents)[:, :, self.kinds]

    def days(self, values: Array) -> Array:
        return values.reshape(len(values), -1, self.per_day).sum(-1)


@dataclass(frozen=True, eq=False)
class Expected:
    """Per series and bin (S, T): the events expected, their variance by chance, and for proportions the rate."""

    mean: Array
    variance: Array
    rate: Array | None = None


def lay_out(periods: pd.DatetimeIndex, width: pd.Timedelta, zone: str | None) -> Week:
    """Put the bins of a cube into whole weeks."""
    first = periods[0].normalize()
    per_day = pd.Timedelta(days=1) // width
    weeks = -(-(periods[-1] - first + width) // pd.Timedelta(days=7))
    if weeks < 2:
        raise TooLittleData("incidents needs at least two weeks: a week is compared with the others.")
    every = pd.date_range(first, periods=weeks * 7 * per_day, freq=width)
    shown = ((every >= periods[0]) & (every <= periods[-1])) * _shown(every, zone)
    kinds = np.clip(every[::per_day][:7].day_of_week - 4, 0, 2)
    return Week(every, per_day, np.asarray(kinds), shown, len(periods))


def _shown(every: pd.DatetimeIndex, zone: str | None) -> Array:
    """How often clocks show each time: once, but in the nights in which they change."""
    if zone is None:
        return np.ones(len(every))
    early, late = (
        every.tz_localize(zone, ambiguous=np.full(len(every), summer), nonexistent="NaT")
        for summer in (True, False)
    )
    return np.where(early.isna(), 0.0, np.where(early != late, 2.0, 1.0))


def closed_hours(week: Week, n: Array) -> Array:
    """Hours of the week (S, 7, 24) with under a tenth of the volume that a typical case meets: not judged."""
    hour = week.per_day // 24
    volume = week.cells(n, hour).sum(1) / np.maximum(week.cells(week.open[None], hour).sum(1), 1)
    met = (volume**2).sum((1, 2)) / np.maximum(volume.sum((1, 2)), 1e-9)
    return volume < CLOSED * met[:, None, None]


def closed(week: Week, n: Array) -> Array:
    """The bins (S, T) of these hours."""
    hours = np.tile(closed_hours(week, n)[:, None], (1, len(week.periods) // (7 * week.per_day), 1, 1))
    return week.spread(hours, week.per_day // 24)


def expect_rate(week: Week, n: Array, events: Array, keep: Array, proportion: bool) -> Expected:
    """Expected events of each bin from its cases: the rate of its hour of the week in the other weeks, shrunk to that
    of the hour on all days of the kind, at the level of the four weeks around (Farrington et al. 1996, JRSS A 159, and
    Noufaily et al. 2013, Stat. Med. 32, use the same ingredients).

    keep  bins that shape the expectation; a rate borrows as many expected events as a proportion of 15 %
    """
    hour, seen_n, seen = week.per_day // 24, n * keep, events * keep
    overall = seen.sum(1) / np.maximum(seen_n.sum(1), 1e-9)
    scale = 1.0 if proportion else 0.15 / np.maximum(overall, 1e-9)
    prior, parent_prior = (np.reshape(c * scale, (-1, 1, 1, 1)) for c in (PRIOR, PARENT_PRIOR))
    (n_slot, n_parent), (slot, parent) = week.elsewhere(seen_n, hour), week.elsewhere(seen, hour)
    shrunk = (parent + parent_prior * overall[:, None, None, None]) / (n_parent + parent_prior)
    rate = week.spread((slot + prior * shrunk) / (n_slot + prior), hour)
    level = _level(week, seen, seen_n * rate)
    if not proportion:
        mean = n * rate * level
        return Expected(mean, mean)
    rate = np.clip(rate * level / (1 - rate + rate * level), 1e-4, 1 - 1e-4)
    return Expected(n * rate, n * rate * (1 - rate), rate)


def expect_volume(week: Week, n: Array, keep: Array, judged: Array) -> Expected:
    """Expected cases of each judged bin: the mean of its half hour of the week, the days of its kind counting as one
    more week, at the level of the four weeks around.

    keep    bins that shape the expectation; closed hours do, as 0
    judged  bins that are neither closed nor left out
    """
    half, seen, shown = max(week.per_day // 48, 1), n * keep, keep * week.open
    (slot, parent), (w_slot, w_parent) = week.elsewhere(seen, half), week.elsewhere(shown, half)
    mean = week.spread((slot + parent / np.maximum(w_parent, 1)) / (w_slot + 1), half) * week.open
    mean = mean * judged * _level(week, seen, mean * keep)
    return Expected(mean, mean)


def _but_own(cells: Array) -> Array:
    return np.maximum(cells.sum(1, keepdims=True) - cells, 0)


def _level(week: Week, seen: Array, expected: Array) -> Array:
    """Seen over expected in the 29 days around each bin: the median of the days, weighted by what is expected of them,
    so that an incident does not move it; of all days together where most expect fewer than 5."""
    pad = [(0, 0), (AROUND, AROUND)]
    around = (sliding_window_view(np.pad(week.days(x), pad), 2 * AROUND + 1, axis=1) for x in (seen, expected))
    o, e = (np.array(x) for x in around)
    some = e > 0
    ratio = np.where(some, o / np.where(some, e, 1), np.inf)
    order = np.argsort(ratio, axis=2, kind="stable")
    weights = np.cumsum(np.take_along_axis(e, order, 2), axis=2)
    middle = (weights < weights[:, :, -1:] / 2).sum(2, keepdims=True)
    median = np.take_along_axis(np.take_along_axis(ratio, order, 2), np.minimum(middle, 2 * AROUND), 2)[:, :, 0]
    pooled = (o.sum(2) + 20) / (e.sum(2) + 20)
    days = some.sum(2)
    small = (e < 5).sum(2) - (~some).sum(2) > days / 2
    level = np.where(days < 8, 1.0, np.where(small, pooled, median))
    return np.repeat(np.clip(level, 0.3, 3), week.per_day, axis=1)
