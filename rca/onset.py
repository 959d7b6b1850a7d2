"""When did it start? The change point of each changed segment, and which known events fall there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rca.cube import Cube
from rca.effect import one_case
from rca.localize import Localization
from rca.mix import Mix
from rca.period import Dates, day, last_day, step
from rca.result import Result, rows
from rca.sentences import segment_name

COVER = 0.95  # of the probability lies in the interval of the start
SHORTEST = 6  # periods below which a start is not asked for


@dataclass(frozen=True, eq=False, repr=False)
class Onset(Result):
    """When the changes of one KPI began.

    table   one row per changed segment: `segment, since` (first day of the period in which it most likely began),
            `earliest, latest` (95 % interval, first days of periods), `until` (last day, where it has ended),
            `events` (the known events that began in the interval or half a period before it: coincidence to check,
            not proof)
    series  `segment, period, value, probability` (that the change began in that period)
    of      what began: "rate", changes of segments; "mix", shifts of their share of the cases
    """

    series: pd.DataFrame
    step: str
    of: str

    @property
    def facts(self) -> dict[str, Any]:
        dates = {row.segment: row.since.date().isoformat() for row in rows(self.table)}
        return {"metric": self.metric.name, "since": dates}

    @property
    def headline(self) -> str:
        if self.table.empty:
            return f"{self.metric.label}: no change whose start could be dated."
        return f"{self.metric.label}: {'; '.join(f'{row.segment} {words(row)}' for row in rows(self.table))}."

    @property
    def display(self) -> pd.DataFrame:
        when = {"segment": self.table["segment"], "when": [words(row) for row in rows(self.table)]}
        return pd.DataFrame({**when, "coincides with": self.table["events"]})

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.onset import draw

        return draw(self, ax)


def words(row: Any) -> str:
    """A row of `Onset.table` in words: `since 21 Sep (between 14 Sep and 28 Sep)`."""
    span = "" if row.earliest == row.latest else f" (between {day(row.earliest)} and {day(row.latest)})"
    start = f"since {day(row.since)}" if pd.isna(row.until) else f"{day(row.since)} to {day(row.until)}"
    return start + span


def onset(cube: Cube, change: Localization | Mix, *, events: pd.DataFrame | None = None) -> Onset:
    """Date the start of each change that was found, and its end where it has ended.

    A level that steps once and lasts, or steps up and back, is fitted at every pair of periods from the beginning of
    the earlier window to the end of the later one; a uniform prior over the pairs gives the probability of each start
    (Smith 1975, Biometrika 62), periods counting by their cases, noise at least that of sampling. For a Mix the same
    is done for the share of the cases. `events` as in `Source.events`.
    """
    last = max(change.before[1], change.after[1])
    # a change that lies before what it is compared with began somewhere in the data before it
    first = min(change.before[0], change.after[0]) if change.after[0] > change.before[0] else cube.periods[0]
    mixed = isinstance(change, Mix)
    found, traces = [], []
    for i in range(len(change.table)):
        where = change.where(i)
        series = _series(cube, where, mixed)
        series = series[series["period"].between(first, last) & (series["n"] > 0)].reset_index(drop=True)
        after = series["period"].between(*change.after).to_numpy()
        if len(series) < SHORTEST or not after.any():  # without cases after, nothing says when it began
            continue
        probability, start, end = _change_point(series, after)
        low, high = _interval(probability)
        until = pd.NaT if end is None else last_day(series["period"][end], cube.period)
        # what began in the second half of a period shows from the next one on
        half = (step(series["period"][low], cube.period) - series["period"][low]) / 2
        spanned = series["period"][low] - half, last_day(series["period"][high], cube.period)
        found.append(
            {
                "segment": segment_name(where),
                "since": series["period"][start],
                "earliest": series["period"][low],
                "latest": series["period"][high],
                "until": until,
                "events": ", ".join(coinciding(events, spanned, where, cube.scope)),
            }
        )
        traces.append(
            pd.DataFrame(
                {"segment": segment_name(where), **series[["period", "value"]], "probability": probability}
            )
        )
    columns = ["segment", "since", "earliest", "latest", "until", "events"]
    shown = ["segment", "period", "value", "probability"]
    series = pd.concat(traces, ignore_index=True) if traces else pd.DataFrame(columns=shown)
    return Onset(pd.DataFrame(found, columns=columns), cube.metric, series, cube.period, "mix" if mixed else "rate")


def _series(cube: Cube, where: Mapping[str, str], share: bool) -> pd.DataFrame:
    """The segment's `period, n, value, variance` (of one case), or those of its share of all cases."""
    rows = cube.where(where).series()
    if share:
        cases = cube.series().set_index("period")["n"].reindex(rows["period"]).to_numpy()
        rows = pd.DataFrame({"period": rows["period"], "n": cases, "total": rows["n"]})
        rows["value"] = rows["total"] / rows["n"].where(rows["n"] > 0)
    rows["variance"] = one_case(rows, "proportion" if share else cube.metric.kind)
    return rows


def _change_point(series: pd.DataFrame, after: np.ndarray) -> tuple[np.ndarray, int, int | None]:
    """The probability of each period to be the first of the change, the likeliest start, and the end (None: lasts).

    after   periods of the window in which the change was found: it cannot lie wholly outside
    """
    value, weight = series["value"].to_numpy(), (series["n"] / series["variance"]).to_numpy()
    size = len(value)
    weights, sums, squares = (
        np.concatenate([[0.0], np.cumsum(c)]) for c in (weight, weight * value, weight * value**2)
    )
    start, stop = np.triu_indices(size + 1, 1)
    changed = np.concatenate([[0], np.cumsum(after)])
    keep = (start > 0) & (stop - start < size) & (changed[stop] > changed[start])
    start, stop = start[keep], stop[keep]
    inside, within = weights[stop] - weights[start], sums[stop] - sums[start]
    fitted = within**2 / inside + (sums[-1] - within) ** 2 / (weights[-1] - inside)
    misfit = squares[-1] - fitted
    noise = max(1.0, float(misfit.min()) / max(size - 3, 1))
    lasting = stop == size
    # a step and a step up and back are equally likely beforehand, each at any of its places
    prior = np.where(lasting, 0.5 / lasting.sum(), 0.5 / max((~lasting).sum(), 1))
    chance = prior * np.exp(-(misfit - misfit.min()) / (2 * noise))
    chance /= chance.sum()
    kind = lasting if chance[lasting].sum() >= 0.5 else ~lasting
    best = int(np.flatnonzero(kind)[chance[kind].argmax()])
    probability = np.bincount(start[kind], chance[kind], size) / chance[kind].sum()
    return probability, int(start[best]), None if lasting[best] else int(stop[best] - 1)


def _interval(probability: np.ndarray) -> tuple[int, int]:
    """First and last of the likeliest periods that together hold 95 %."""
    order = np.argsort(-probability, kind="stable")
    enough = int(np.searchsorted(np.cumsum(probability[order]), COVER)) + 1
    return int(order[:enough].min()), int(order[:enough].max())


def coinciding(
    events: pd.DataFrame | None, dates: Dates, where: Mapping[str, str], scope: Mapping[str, str]
) -> list[str]:
    """Ids of the events that began in the interval and are not limited to other segments."""
    if events is None or events.empty:
        return []
    inside = events["start"].between(*dates)
    for dimension, value in {**scope, **where}.items():
        if dimension in events:
            inside &= events[dimension].isin(["", value])
    return [f"{row.event_id} {row.title}" for row in rows(events[inside])]
