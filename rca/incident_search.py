"""Find incidents in series of cases and events: expect, scan, and once more without the windows found."""

from dataclasses import dataclass, replace

import numpy as np

from rca.incident_expectation import Array, Week, closed, expect_rate, expect_volume
from rca.incident_scan import Dispersion, Scan, Window, dispersion

LEAST = 3.0  # events beyond the expected
OF_AN_HOUR = {1: 0.5, -1: 0.25}  # of the cases of a typical hour: the least surge and loss that is reported


@dataclass(frozen=True, eq=False)
class Searched:
    """One series: the windows found, and what they were judged by; arrays are (T,)."""

    windows: list[Window]
    seen: Array  # events, or cases where volume was searched
    n: Array
    mean: Array  # expected of `seen`
    variance: Array
    rate: Array | None
    noise: Dispersion


def search(
    week: Week,
    n: Array,
    events: Array | None,
    *,
    proportion: bool,
    sides: tuple[int, ...],
    target: float,
    judged: Array,
    whole: Searched | None = None,
) -> list[Searched]:
    """Search series (S, T) of cases and events for windows with too many events (side +1) or too few (-1); without
    events, with too many cases or too few.

    target  false incidents a month in each series
    judged  bins to judge, and to learn from; hours of the week in which a series is closed are not judged either
    whole   of segments: what the whole was judged by; its noise is theirs where they are thin, its volume the measure
    """
    opened = judged & ~closed(week, n)
    n = n * opened
    seen = n if events is None else events * opened

    def once(rows: list[int], keep: Array) -> list[Searched]:
        cases, looked = n[rows], seen[rows]
        if events is None:
            expected = expect_volume(week, cases, keep & judged, opened[rows])
        else:
            expected = expect_rate(week, cases, looked, keep, proportion)
        noise = dispersion(
            week, looked - expected.mean, expected.variance, keep, None if whole is None else whole.noise
        )
        size = expected.mean if whole is None else whole.mean[None]
        hour = (size**2).sum(1) / np.maximum(size.sum(1), 1e-9) * week.per_day / 24
        least = {side: np.maximum(LEAST, hour * OF_AN_HOUR[side] * (events is None)) for side in sides}
        found = Scan(week, looked, cases, expected, noise, target).windows(least)
        rates = [None] * len(rows) if expected.rate is None else expected.rate
        parts = zip(found, looked, cases, expected.mean, expected.variance, rates, noise, strict=True)
        return [Searched(*part) for part in parts]

    found = once(list(range(len(n))), np.ones(n.shape, dtype=bool))
    again = [s for s, one in enumerate(found) if one.windows]
    keep = np.ones((len(again), n.shape[1]), dtype=bool)
    for i, s in enumerate(again):
        for w in found[s].windows:
            keep[i, w.start : w.end] = False
    for s, second in zip(again, once(again, keep) if again else [], strict=True):
        found[s] = replace(second, windows=_settled(found[s].windows, second.windows))
    return found


def _settled(first: list[Window], second: list[Window]) -> list[Window]:
    """The windows of the second pass with the start and end of the first: with an expectation that no incident raises,
    they would stretch over neighbours that are only somewhat off."""
    settled: dict[tuple[int, int, int], Window] = {}
    for w in second:
        same = [f for f in first if f.meets(w)] or [w]
        found = replace(w, start=min(f.start for f in same), end=max(f.end for f in same))
        settled.setdefault((found.start, found.end, found.side), found)
    return list(settled.values())
