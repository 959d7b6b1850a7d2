"""How often noise alone breaks a limit, given what the limits know."""

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from rca.charts.phases import Plan

INSIDE = float(2 * norm.sf(3))  # independent normal noise around known limits


def false_rate(plan: Plan, estimated: bool, wider: float | None = None) -> np.ndarray:
    """Chance of noise beyond a limit, per period: inside the baseline, and after it, as unsure as the baseline."""
    out = np.full(len(plan.excluded), INSIDE)
    for rows, base in zip(plan.rows, plan.bases, strict=True):
        if wider is not None:
            out[rows] = rate_inside(int(base.sum()))
        out[rows & ~base] = rate_after(int(base.sum()), estimated, wider)
    return out


def rate_inside(count: int) -> float:
    """Chance of noise beyond an adjusted limit in a period of its own baseline, which pulls the centre along."""
    return float(2 * norm.sf(3 * np.sqrt((count + 1) / (count - 1)) * _clipped(count)))


def rate_after(count: int, estimated: bool, wider: float | None = None) -> float:
    """Chance of noise beyond a limit in a period after a baseline of `count`.

    A sigma `estimated` from moving ranges has about 0.62 (n - 1) degrees of freedom (Patnaik 1950; Wheeler 1995).
    `wider`: adjusted limits, which allow for the centre being an estimate, and are wider by this factor where the
    baseline is short; None for textbook limits.

    >>> round(rate_after(26, estimated=True), 4), round(rate_after(1000, estimated=True), 4)
    (0.0098, 0.0028)
    """
    k = 3 / np.sqrt(1 + 1 / count) if wider is None else 3 * wider * _clipped(count)
    return float(2 * (student.sf(k, 0.62 * (count - 1)) if estimated else norm.sf(k)))


def _clipped(count: int) -> float:
    """By how much noise without autocorrelation widens adjusted limits, since an estimate below 0 counts as 0.

    The estimate has a standard error of 1 / sqrt(n), so its positive part averages 0.4 / sqrt(n); limits take half.
    """
    return 1 + 0.2 / np.sqrt(count)
