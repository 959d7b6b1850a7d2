"""What a reader of a fix check must know: too few cases or siblings, a change before the fix that nobody told of."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from rca import level
from rca import sentences as say
from rca.charts.adjusted import SUSPECT_YEARLY
from rca.charts.chart import when
from rca.charts.season import season_of
from rca.effect import one_case
from rca.fix_series import History
from rca.metric import Metric
from rca.period import PERIODS

COARSE = 3.0  # n p (1 - p) below which a period has too few cases for intervals to be exact


def earlier_change(past: History, m: Metric, since: pd.Timestamp | None) -> list[str]:
    """A change for the worse before the fix that has no level of its own: worse than before is then not the fix's."""
    before, unit = (past.rows["phase"] == "before").to_numpy(), PERIODS[past.period]
    if since is not None and not past.count("problem"):
        short = say.count(past.count("trigger"), f"bad {unit}")
        return [f"the {short} before the fix left out, too few for a level of their own"]
    if before.sum() >= level.FEWEST and (at := _worse_before(past, before, m)) is not None:
        changed = when(past.rows["period"].iloc[at], past.period)
        return [f"before the fix it had got worse already {changed}: if a problem began then, say so"]
    return []


def caveats_of(past: History, m: Metric) -> Iterator[str]:
    rows, unit = past.rows, PERIODS[past.period]
    if len(past.siblings) == 1:
        yield f"{past.siblings[0]} is the only sibling: what changed there counts as an effect here"
    if m.kind != "mean" and one_case(rows[past.used], m.kind) * rows["n"][past.used].mean() < COARSE:
        yield f"with so few {m.cases} a {unit} the interval is rough"


def _worse_before(past: History, before: np.ndarray, m: Metric) -> int | None:
    """The position of a step for the worse before the fix, which nobody told of; None without one."""
    t, season = np.flatnonzero(before), season_of(pd.DatetimeIndex(past.rows["period"]), past.period, before)
    fit = level.best_fit(past.z[before][None, :], t, season.columns[before])
    phi_high = level.autocorrelation(fit.residual, t, len(t) / (6 if season.yearly else 2))[1]
    suspect = SUSPECT_YEARLY if season.yearly else level.SUSPECT
    found = fit.step[0] and fit.size[0] * m.sign < 0 and level.strength(fit.ratio, phi_high)[0] > suspect
    return int(t[fit.at[0]]) if found else None
