"""Drivers ranked and tested, their levels in KPI points, and what a reader must be warned of."""

from collections.abc import Collection, Iterator
from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import norm

from rca.driver_cells import POOLED, Cells, bootstrap, covariance, observed
from rca.driver_model import adjusted, fit, p_value
from rca.effect import Z95
from rca.importance import gvif, importance, told_by
from rca.metric import Metric
from rca.pareto_noise import holm
from rca.sentences import several

SAMPLES = 200
SAME = 0.8  # part of a driver's variance that another one tells: from here on they are two names of one thing
INFLATED = 5.0  # usual bound of a variance inflation factor
ALPHA_LEVEL = 0.05  # over all levels of a driver


def rank(
    data: Cells, metric: Metric, mediators: Collection[str], alpha: float
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[str, ...]]:
    """The table, the levels and the caveats of `KeyDrivers`."""
    table = _importance(data)
    table["mediator"] = table["driver"].isin(list(mediators))
    tests, levels = _modelled(data, table)
    table["p_value"] = tests
    table["p_adj"] = holm(table["p_value"].to_numpy())
    table["found"] = table["p_adj"] < alpha
    levels = _judged(levels, table, metric)
    bad = levels[(levels["judged"] == "worse") & ~levels["level"].str.startswith(POOLED)]
    bad = bad.loc[bad.groupby("driver")["effect"].agg("idxmin" if metric.sign > 0 else "idxmax")]
    worst = bad.set_index("driver")[["level", "effect"]].set_axis(["worst", "worst_effect"], axis=1)
    table = table.join(worst, on="driver")
    table["worst"] = table["worst"].astype(object).where(table["worst"].notna(), None)
    table = table.sort_values("share", ascending=False, kind="stable", ignore_index=True)
    place = {driver: i for i, driver in enumerate(table["driver"])}
    levels = levels.sort_values("driver", key=lambda d: d.map(place), kind="stable", ignore_index=True)
    return table, levels, tuple(_caveats(data, table, levels))


def _importance(data: Cells) -> pd.DataFrame:
    """Shares of R-squared with their intervals, and what tells the same."""
    cov = covariance(data, observed(data))[0]
    share = importance(cov, data.sizes)
    drawn = importance(covariance(data, bootstrap(data, SAMPLES)), data.sizes)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=1) - (drawn.mean(axis=1) - share)  # sampling adds its noise
    told = told_by(cov[:-1, :-1], data.sizes)
    alike = np.maximum(told, told.T) >= SAME
    names = np.array(data.drivers, dtype=object)
    return pd.DataFrame(
        {
            "driver": names,
            "levels": [size + 1 for size in data.sizes],
            "share": share,
            "conf_low": np.clip(low, 0, share),
            "conf_high": np.clip(high, share, 1),
            "of_explained": share / share.sum() if share.sum() > 0 else 0.0,
            "vif": gvif(cov[:-1, :-1], data.sizes),
            "same_as": [tuple(names[alike[i] & (names != names[i])]) for i in range(len(names))],
        }
    )


def _modelled(data: Cells, table: pd.DataFrame) -> tuple[list[float], pd.DataFrame]:
    """p-value of each driver, and the levels of all.

    A driver is tested beside the others, but not beside those that say the same (each would take away the other's
    evidence), nor, unless it is one itself, beside mediators (its effect may run through them).
    """
    late = frozenset(table.loc[table["mediator"], "driver"])
    fitted = cache(lambda drivers: fit(data, drivers))
    tests, levels = [], []
    for driver, same in zip(table["driver"], table["same_as"], strict=True):
        beside = frozenset(data.drivers) - {driver, *same} - (frozenset() if driver in late else late)
        model = fitted(beside | {driver})
        tests.append(p_value(data, fitted(beside), model))
        levels.append(adjusted(data, model, driver).assign(driver=driver))
    return tests, pd.concat(levels, ignore_index=True)


def _judged(levels: pd.DataFrame, table: pd.DataFrame, metric: Metric) -> pd.DataFrame:
    """Which levels of the drivers found differ from all cases, Bonferroni over the levels of a driver."""
    z = norm.isf(ALPHA_LEVEL / 2 / levels.groupby("driver")["level"].transform("size"))
    noise = (levels["conf_high"] - levels["conf_low"]) / 2 / Z95 * z
    beyond = levels["effect"].abs() > noise
    found = levels["driver"].isin(table.loc[table["found"], "driver"])
    judged = [
        metric.judge(e) if yes else "ordinary" for e, yes in zip(levels["effect"], found & beyond, strict=True)
    ]
    flips = beyond & (levels["raw"].abs() > noise) & (levels["raw"] * levels["effect"] < 0)
    first = ["driver", "level", "n", "of_cases", "rate", "raw", "effect", "conf_low", "conf_high"]
    return levels[first].assign(judged=judged, flips=flips)


def _caveats(data: Cells, table: pd.DataFrame, levels: pd.DataFrame) -> Iterator[str]:
    pairs = {frozenset((d, o)) for d, same in zip(table["driver"], table["same_as"], strict=True) for o in same}
    for one, other in combinations(table["driver"], 2):
        if frozenset((one, other)) in pairs:
            yield f"{spoken(one)} and {spoken(other)} largely tell the same, read them as one"
    alone = table[(table["vif"] >= INFLATED) & (table["same_as"].str.len() == 0)]
    for driver in alone["driver"]:
        yield f"{spoken(driver)} is largely told by the other drivers together"
    for row in levels[levels["flips"]].to_dict("records"):
        name = f"{spoken(row['driver'])} {row['level']}"
        yield f"{name} changes its sign once the other drivers are held fixed"
    still = [spoken(d) for d in data.levels if d not in data.drivers]
    if still:
        yield f"{several(still)} hardly {'varies and is' if len(still) == 1 else 'vary and are'} left out"


def spoken(driver: str) -> str:
    """A driver's name in a sentence.

    >>> spoken("issue_type")
    'issue type'
    """
    return driver.replace("_", " ")
