"""Is the process good enough for what was promised, now that it is steady?"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm

from rca.charts.chart import ControlChart
from rca.errors import InputError
from rca.result import Result

FEWEST = 50  # values below which the indices are too unsure to show (NIST handbook, 6.1.6: "about 50")
ENOUGH = 1.33  # the usual minimum: the limit four sigma away
CONFIDENCE = 0.95
COLUMNS = ["index", "value", "conf_low", "conf_high"]


@dataclass(frozen=True, eq=False, repr=False)
class Capability(Result):
    """How far the limits of what was promised lie from the process, in units of three sigma.

    table     `index, value, conf_low, conf_high`: Cp, Cpl, Cpu, Cpk (sigma of the chart) and Pp, Ppl, Ppu, Ppk
              (standard deviation of all values), without those that need a limit which was not given; empty where
              they are withheld
    withheld  why there are none, or ""
    """

    lower: float | None
    upper: float | None
    count: int
    withheld: str

    @property
    def facts(self) -> dict[str, Any]:
        values = (
            {} if self.table.empty else dict(zip(self.table["index"], self.table["value"].tolist(), strict=True))
        )
        return {
            "metric": self.metric.name,
            "lower": self.lower,
            "upper": self.upper,
            "count": self.count,
            "withheld": self.withheld,
            **{name.lower(): values.get(name) for name in ("Cp", "Cpk", "Pp", "Ppk")},
        }

    @property
    def headline(self) -> str:
        limits = (("above", self.lower), ("below", self.upper))
        between = " and ".join(f"{word} {self.metric.text(at)}" for word, at in limits if at is not None)
        if self.withheld:
            return f"{self.metric.label}: whether it can stay {between} is not stated, since {self.withheld}."
        row = self.table.set_index("index").loc["Cpk"]
        perhaps = "perhaps capable" if row["conf_high"] >= ENOUGH else "not capable"
        verdict = "capable" if row["conf_low"] >= ENOUGH else perhaps
        numbers = f"Cpk {row['value']:.2f} (95 % interval {row['conf_low']:.2f} to {row['conf_high']:.2f})"
        return f"{self.metric.label}: {verdict} of staying {between}; {numbers}, {ENOUGH} is wanted."

    def plot(self, ax: Any = None) -> Any:
        from rca.plotting.capability import draw

        return draw(self, ax)


def capability(chart: ControlChart, *, lower: float | None = None, upper: float | None = None) -> Capability:
    """Capability indices of the current phase of a chart, for its values.

    Withheld while the chart has signals in its current phase, and below 50 values.

    >>> from rca.charts import xmr_chart
    >>> values = [10 + ((7 * i) % 11) / 10 for i in range(60)]
    >>> capability(xmr_chart(values), lower=8, upper=13).headline
    'Value: capable of staying above 8.00 and below 13.0; Cpk 1.84 (95 % interval 1.49 to 2.18), 1.33 is wanted.'
    """
    if lower is None and upper is None:
        raise InputError("capability needs a limit: give lower, upper or both.")
    if lower is not None and upper is not None and lower >= upper:
        raise InputError(f"lower ({lower}) must be below upper ({upper}).")
    rows = chart.judged
    rows = rows[rows["phase"] == rows["phase"].iloc[-1]]
    values, signals = rows["value"].to_numpy(), chart.signals.index.isin(rows.index).sum()
    withheld = ""
    if signals or chart.level_change:
        withheld = "the process is not steady (see its chart)"
    elif len(values) < FEWEST:
        withheld = f"{len(values)} values are too few (at least {FEWEST})"
    elif not rows["sigma"].iloc[-1] > 0:
        withheld = "the values do not vary"
    table = pd.DataFrame(columns=COLUMNS)
    if not withheld:
        sigma = float(rows["sigma"].iloc[-1])
        table = indices(float(values.mean()), sigma, float(values.std(ddof=1)), len(values), lower, upper)
    return Capability(table, chart.metric, lower, upper, len(values), withheld)


def indices(
    mean: float, sigma: float, overall: float, count: int, lower: float | None = None, upper: float | None = None
) -> pd.DataFrame:
    """Cp, Cpl, Cpu, Cpk from `sigma`, and Pp, Ppl, Ppu, Ppk from the `overall` standard deviation, with intervals.

    Cp and Pp by chi-square, the others by the normal approximation (Montgomery 2009, eq. 8.20 and 8.21), `count`
    values for all. As in R's qcc, each end of the one-sided ones (Cpl, Cpu) is a one-sided 95 % bound.

    >>> found = indices(mean=16, sigma=2, overall=2, count=100, lower=8, upper=20)  # NIST handbook 6.1.6
    >>> found["index"].tolist()[:4], found["value"].round(4).tolist()[:4]
    (['Cp', 'Cpl', 'Cpu', 'Cpk'], [1.0, 1.3333, 0.6667, 0.6667])
    """
    rows: list[tuple[str, float, float, float]] = []

    def add(name: str, value: float, level: float) -> None:
        error = np.sqrt(1 / (9 * count) + value**2 / (2 * (count - 1)))
        half = norm.ppf(level) * error
        rows.append((name, value, value - half, value + half))

    one_sided, two_sided = CONFIDENCE, (1 + CONFIDENCE) / 2
    for letter, spread in (("C", sigma), ("P", overall)):
        sides = []
        if lower is not None and upper is not None:
            width = (upper - lower) / (6 * spread)
            low, high = width * np.sqrt(chi2.ppf([1 - two_sided, two_sided], count - 1) / (count - 1))
            rows.append((f"{letter}p", width, float(low), float(high)))
        if lower is not None:
            sides.append((mean - lower) / (3 * spread))
            add(f"{letter}pl", sides[-1], one_sided)
        if upper is not None:
            sides.append((upper - mean) / (3 * spread))
            add(f"{letter}pu", sides[-1], one_sided)
        add(f"{letter}pk", min(sides), two_sided)
    return pd.DataFrame(rows, columns=COLUMNS)
