"""What goes with a good or a bad KPI within a window? Drivers ranked, levels in KPI points, or none claimed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from rca.cube import Cube
from rca.driver_cells import cells, covariance, observed
from rca.driver_ranking import rank, spoken
from rca.errors import InputError, TooLittleData, known
from rca.importance import EXACT
from rca.period import Dates, Window, last_day
from rca.result import Result
from rca.sentences import percent, several

LEAST = 30  # cases
NAMED = 3  # drivers in the headline
DRAWN = 5  # drivers in the picture
TOLD = ("drivers", "of_explained", "worst", "worst_effect")


@dataclass(frozen=True, eq=False, repr=False)
class KeyDrivers(Result):
    """Drivers by importance.

    table    one row per driver, largest first: `driver, levels, share` (its part of R-squared) with `conf_low,
             conf_high` (bootstrap), `of_explained` (share / all shares), `vif`, `same_as` (drivers that tell the
             same), `mediator`, `p_value, p_adj` (does it tell anything beyond the others; likelihood ratio, Holm),
             `found`, `worst` (its worst level, where beyond noise) and that level's `worst_effect`
    levels   one row per driver and level: `driver, level, n, of_cases, rate, raw, effect, conf_low, conf_high` (KPI
             points against all cases, the other drivers held as they are), `judged`, `flips` (better by itself and
             worse so, or the reverse)
    method   LMG, or Johnson's relative weights
    caveats  sentences about drivers that tell the same, signs that flip, drivers that do not vary
    """

    levels: pd.DataFrame
    within: Dates
    n: float
    method: str
    alpha: float
    visible: float
    caveats: tuple[str, ...]

    @property
    def found(self) -> pd.DataFrame:
        """The drivers that are beyond noise."""
        return self.table[self.table["found"]]

    @property
    def facts(self) -> dict[str, Any]:
        found = self.found
        return {
            "metric": self.metric.name,
            "within": [d.date().isoformat() for d in self.within],
            "n": self.n,
            "method": self.method,
            "r2": float(self.table["share"].sum()),
            "asked": self.table["driver"].tolist(),
            "drivers": found["driver"].tolist(),
            "of_explained": found["of_explained"].tolist(),
            "worst": found["worst"].tolist(),
            "worst_effect": [None if pd.isna(e) else float(e) for e in found["worst_effect"]],
            "mediators": found.loc[found["mediator"], "driver"].tolist(),
            "visible": self.visible,
            "caveats": list(self.caveats),
        }

    @property
    def headline(self) -> str:
        facts, metric = self.facts, self.metric
        if facts["drivers"]:
            names = [self._told(*row) for row in zip(*(facts[k][:NAMED] for k in TOLD), strict=True)]
            more = len(facts["drivers"]) - NAMED
            names += [f"{more} more"] if more > 0 else []
            parts = [
                f"{metric.label} goes with {several(names)}",
                f"shares are of the {percent(facts['r2'])} explained",
            ]
        else:
            size = metric.change(facts["visible"], signed=False)
            parts = [
                f"{metric.label}: no driver found among {several([spoken(d) for d in facts['asked']])}",
                f"a difference of {size} between two halves of the cases would have been seen",
            ]
        return "; ".join([*parts, *facts["caveats"]]) + "."

    def _told(self, driver: str, of_explained: float, worst: str | None, effect: float | None) -> str:
        """A driver in the headline: `hand offs (33 %; 5+: +45.2 points; arises after the outcome began)`."""
        inside = [percent(of_explained)]
        inside += [f"{worst}: {self.metric.change(effect)}"] if worst and effect else []
        inside += ["arises after the outcome began"] if driver in self.facts["mediators"] else []
        return f"{spoken(driver)} ({'; '.join(inside)})"

    @property
    def display(self) -> pd.DataFrame:
        rows = self.table
        worst = zip(rows["worst"], rows["worst_effect"], strict=True)
        said = np.where(rows["found"], "yes", "noise")
        return pd.DataFrame(
            {
                "driver": rows["driver"].map(spoken),
                "of what is explained": rows["of_explained"].map(percent),
                "explains": rows["share"].map(percent),
                "95 % interval": [
                    f"{percent(a)} to {percent(b)}"
                    for a, b in zip(rows["conf_low"], rows["conf_high"], strict=True)
                ],
                "beyond noise": np.where(
                    rows["mediator"], np.char.add(said, ", but after the outcome began"), said
                ),
                "worst level": [
                    f"{level}: {self.metric.change(effect)}" if level else "" for level, effect in worst
                ],
            }
        )

    @property
    def shown(self) -> pd.DataFrame:
        """Levels worth drawing, worst first: the ends of each driver found, or of all drivers where none is."""
        drivers = self.found["driver"] if len(self.found) else self.table["driver"]
        worst, best = (3, 2) if len(self.found) else (1, 1)
        rows = self.levels[self.levels["driver"].isin(drivers[:DRAWN])]
        rows = rows.sort_values("effect", ascending=self.metric.sign > 0, kind="stable")
        grouped = rows.groupby("driver")
        return rows[(grouped.cumcount() < worst) | (grouped.cumcount(ascending=False) < best)]

    @property
    def panel_height(self) -> float:
        """Inches that a panel of this result wants."""
        shown = self.shown
        return 1.2 + 0.21 * (len(shown) + shown["driver"].nunique())

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.key_drivers import draw

        return draw(self, ax)


def key_drivers(
    cube: Cube,
    *,
    drivers: Sequence[str],
    within: Window | None = None,
    mediators: Sequence[str] | None = None,
    alpha: float = 0.01,
) -> KeyDrivers:
    """Rank drivers by what they tell about a KPI, and give each level's effect in KPI points, from counts alone.

    drivers    dimensions of the cube; levels with fewer than 1 % of the cases are pooled
    within     window; all of the cube when not given
    mediators  drivers that happen after the outcome began (hand-offs, reopenings): ranked and flagged, but not held
               fixed for the others, whose effect may run through them; those that the source marks when not given
    alpha      family-wise error over all drivers

    Importance is LMG, exact for up to 15 drivers, each a block of its levels, and Johnson's weights above. For a
    proportion it splits the variance of the 0/1 outcome: exact from counts, additive, in the units of the KPI, and
    without 2^p fits that may not converge. Tests and effects come from a logistic, linear or Poisson model.
    What goes with a KPI need not be its cause.

    >>> from rca.metric import Metric
    >>> frame = pd.DataFrame({"period": "2026-01-05", "channel": ["chat", "chat", "phone", "phone"],
    ...     "shift": ["day", "night"] * 2, "n": 500, "total": [400, 402, 450, 448]})
    >>> csat = Metric(name="csat", kind="proportion", better="up", label="CSAT", cases="answers")
    >>> found = key_drivers(Cube(frame, csat, by=["channel", "shift"]), drivers=["channel", "shift"])
    >>> found.table[["driver", "found"]].values.tolist()
    [['channel', True], ['shift', False]]
    >>> print(found.headline)
    CSAT goes with channel (100 %; chat: −4.8 points); shares are of the 1.8 % explained.
    """
    if mediators is None:
        mediators = [name for name in cube.mediators if name in drivers]
    _check(cube, drivers, mediators, alpha)
    metric, part = cube.metric, cube if within is None else cube.within(within)
    data = cells(part, drivers)
    n = float(data.frame["n"].sum())
    if n < max(LEAST, 2 * sum(data.sizes)):
        raise TooLittleData(f"{metric.label}: {n:,.0f} {metric.cases} are too few for {len(drivers)} drivers.")
    if not data.drivers:
        raise TooLittleData(
            f"{metric.label}: {several([spoken(d) for d in drivers])} hardly vary; nothing to compare."
        )
    variance = float(covariance(data, observed(data))[0, -1, -1])
    if variance <= 0:
        raise TooLittleData(f"{metric.label} is the same for all {n:,.0f} {metric.cases}: nothing to explain.")
    table, levels, caveats = rank(data, metric, mediators, alpha)
    visible = float(norm.isf(alpha / 2 / len(drivers)) + norm.isf(0.2)) * 2 * (variance / n) ** 0.5  # power of 80 %
    first, last = part.frame["period"].min(), last_day(part.frame["period"].max(), cube.period)
    dates = (first, last) if within is None else cube.window(within)
    method = "LMG" if len(data.drivers) <= EXACT else "Johnson"
    return KeyDrivers(table, metric, levels, dates, n, method, alpha, visible, caveats)


def _check(cube: Cube, drivers: Sequence[str], mediators: Sequence[str], alpha: float) -> None:
    if isinstance(drivers, str) or not drivers or len(set(drivers)) < len(drivers):
        raise InputError(f"drivers is a list of different dimensions; got {drivers!r}.")
    for driver in drivers:
        known(driver, cube.by, "driver")
    for mediator in mediators:
        known(mediator, drivers, "mediator")
    if not 0 < alpha < 1:
        raise InputError(f"alpha is a probability such as 0.01; got {alpha}.")
