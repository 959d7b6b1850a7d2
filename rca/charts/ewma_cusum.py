"""Charts with a memory: they see a small lasting change sooner than a Shewhart chart, and a single spike later."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
from scipy.stats import norm

from rca.charts import limits
from rca.charts.assemble import assemble, cut
from rca.charts.chart import ControlChart
from rca.charts.found import Found
from rca.charts.phases import plan
from rca.charts.series import Numbers, Series, from_cube, from_numbers
from rca.charts.textbook import Options
from rca.cube import Cube
from rca.errors import InputError

Standards = tuple[float, float] | None  # centre and sigma of a value, where they are known
Columns = dict[str, np.ndarray]
Statistic = Callable[[np.ndarray, float, float], Columns]  # values, centre, sigma -> value, center, sigma, ...


def ewma_chart(
    values: Cube | Numbers,
    *,
    weight: float = 0.2,
    width: float = 3.0,
    standards: Standards = None,
    **options: Unpack[Options],
) -> ControlChart:
    """Exponentially weighted moving average with exact limits (Roberts 1959; Montgomery 2009, eq. 9.22 to 9.26).

    `weight` is that of the newest value, `width` the limits in sigmas, `standards` the centre and sigma of a value
    where they are known (else from the moving ranges of the baseline). `table.raw` holds the values themselves.

    >>> ewma_chart([52.0, 47.0, 53.0], weight=0.3, standards=(50, 2.0539)).table["value"].round(2).tolist()
    [50.6, 49.52, 50.56]
    """
    if not 0 < weight <= 1:
        raise InputError(f"weight is {weight}; it must be above 0 and at most 1.")

    def smooth(x: np.ndarray, center: float, sigma: float) -> Columns:
        value, now = np.full(len(x), np.nan), center
        for i in np.flatnonzero(~np.isnan(x)):  # a missing period leaves the average where it was
            now = value[i] = weight * x[i] + (1 - weight) * now
        seen = np.maximum(np.cumsum(~np.isnan(x)), 1)
        spread = np.sqrt(weight / (2 - weight) * (1 - (1 - weight) ** (2 * seen)))
        return {"value": value, "center": np.full(len(x), center), "sigma": width / 3 * sigma * spread, "raw": x}

    reason = f"weight {weight:g}, limits at {width:g} sigma"
    return _chart("ewma", values, smooth, reason, float(2 * norm.sf(width)), standards, options)


def cusum_chart(
    values: Cube | Numbers,
    *,
    shift: float = 1.0,
    limit: float = 5.0,
    standards: Standards = None,
    **options: Unpack[Options],
) -> ControlChart:
    """Sums of what exceeds half the `shift` to be found, in sigmas (Page 1954; Montgomery 2009, eq. 9.2).

    `table.up` and `table.down` are the two sums, `value` the one further from 0, `limit` the decision interval.
    Noise crosses it once in (exp(2kb) - 2kb - 1) / 4k² points, k = shift / 2, b = limit + 1.166 (Siegmund 1985).

    >>> cusum_chart([0.2, 1.4, 2.5, 3.1, 2.9], standards=(0, 1)).table["up"].round(1).tolist()
    [0.0, 0.9, 2.9, 5.5, 7.9]
    """
    if shift <= 0 or limit <= 0:
        raise InputError(f"shift ({shift}) and limit ({limit}) are sizes in sigmas; they must be above 0.")
    k, b = shift / 2, limit + 1.166

    def sums(x: np.ndarray, center: float, sigma: float) -> Columns:
        up, down, above, below = np.full(len(x), np.nan), np.full(len(x), np.nan), 0.0, 0.0
        z = limits.distance(x - center, np.full(len(x), sigma), np.full(len(x), center))
        for i in np.flatnonzero(~np.isnan(x)):  # a missing period leaves the sums where they were
            above, below = max(0.0, above + z[i] - k), min(0.0, below + z[i] + k)
            up[i], down[i] = above, below
        value = np.where(up >= -down, up, down)
        flat = {"center": np.zeros(len(x)), "sigma": np.full(len(x), limit / 3)}
        return {"value": value, **flat, "raw": x, "up": up, "down": down}

    rate = 4 * k**2 / (np.exp(2 * k * b) - 2 * k * b - 1)
    return _chart(
        "cusum", values, sums, f"for a shift of {shift:g} sigma, limit {limit:g}", float(rate), standards, options
    )


def _chart(
    name: str,
    data: Cube | Numbers,
    statistic: Statistic,
    reason: str,
    rate: float,
    standards: Standards,
    options: Options,
) -> ControlChart:
    """The statistic starts anew in each phase; it is charted in place of the value."""
    s = from_cube(data) if isinstance(data, Cube) else from_numbers("mean", data, metric=options.get("metric"))
    fewest = 1 if standards else 2
    drawn = plan(s, options.get("baseline"), options.get("phases", ()), options.get("exclude", ()), fewest)
    parts = []
    for rows, base in zip(drawn.rows, drawn.bases, strict=True):
        part = cut(s, rows)
        center, sigma = standards or _from_ranges(part, base[rows])
        parts.append(statistic(np.where(part.seen & ~drawn.excluded[rows], part.value, np.nan), center, sigma))
    columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    value = columns.pop("value")
    drawn_limits = limits.around(value, columns.pop("center"), columns.pop("sigma"))
    update: dict[str, Any] = {"label": f"{s.metric.label}, {'smoothed' if name == 'ewma' else 'cumulative sum'}"}
    if name == "cusum":
        update |= {"kind": "mean", "unit": "sigma", "targets": ()}
    shown = replace(s, value=value, metric=s.metric.model_copy(update=update))
    about = Found(
        name,
        reason,
        drawn_limits,
        rate=rate,
        extra=columns,
        source="centre and sigma as given" if standards else "",
    )
    scope = data.scope if isinstance(data, Cube) else None
    return assemble(shown, drawn, about, options.get("rules", "beyond_limits"), options.get("events"), scope)


def _from_ranges(s: Series, base: np.ndarray) -> tuple[float, float]:
    """Centre and sigma of a value, from the moving ranges of the baseline."""
    found = limits.xmr(s, base)
    return float(found.center[0]), float(found.sigma[0])
